#!/bin/bash
# What an escape from hypervm would find. A program goes into a VM's jail on a real host and tries what an intruder would;
# then the jails of two running pods are looked at from outside: identity, namespaces, root, descriptors, limits, filters.
# environment: own
# deadline: 360

HOST_KERNEL_ARGS=hyper.debug
env_up
serve=$(serve_files "$OUT/test/jail_probe")
host_shell 0 "cd /tmp && wget -q $serve/jail_probe && chmod +x jail_probe"
tried=$(host_shell 0 '/tmp/jail_probe' 120) || fail "the intruder got somewhere" "$(grep -E 'SUCC|BROK|tried' <<<"$tried")"
expect_match "what was tried" '[0-9]{3} tried, 0 succeeded' "$(tail -n 1 <<<"$tried")"
host_shell 0 'rm /tmp/jail_probe'

hyper run --name one busybox sleep 1000
hyper run --name two busybox sleep 1000
await 120 "one runs" pod_running one
await 120 "two runs" pod_running two
read -ra pids <<<"$(host_shell 0 'pidof hypervm')"
expect "hypervm processes" 2 "${#pids[@]}"

uids=
for pid in "${pids[@]}"; do
	status=$(host_shell 0 "cat /proc/$pid/status")
	field() { sed -nE "s/^$1:[[:space:]]*//p" <<<"$status"; }
	read -ra ids <<<"$(field Uid) $(field Gid)"
	[ "${ids[0]}" -gt 0 ] || fail "hypervm runs as root" "$status"
	expect "all its ids" 1 "$(printf '%s\n' "${ids[@]}" | sort -u | wc -l)"
	uids+=" ${ids[0]}"
	expect "supplementary groups" "" "$(field Groups | tr -d ' \t')"
	for set in CapInh CapPrm CapEff CapBnd CapAmb; do expect "$set" 0000000000000000 "$(field $set)"; done
	expect "no_new_privs" 1 "$(field NoNewPrivs)"
	expect "its number in its PID namespace" "$pid 1" "$(field NSpid | tr '\t' ' ')"
	# Threads that KVM and vhost have put there run in the kernel only; they came before the filter or from it
	expect "filters of all threads" "2" "$(host_shell 0 "for t in /proc/$pid/task/*; do read -r c <\$t/comm; case \$c in hypervm) sed -n 's/^Seccomp:.//p' \$t/status;; esac; done" | sort -u)"
	for ns in mnt net ipc uts pid; do
		[ "$(host_shell 0 "readlink /proc/$pid/ns/$ns")" != "$(host_shell 0 "readlink /proc/1/ns/$ns")" ] || fail "$ns namespace is the host's"
	done
	expect "its root" "" "$(host_shell 0 "ls -A /proc/$pid/root/")"
	expect_match "its mounts" '^[^ ]+ [^ ]+ [^ ]+ / / ro,nosuid,nodev,noexec.* - tmpfs root ro' "$(host_shell 0 "cat /proc/$pid/mountinfo")"
	expect "number of its mounts" 1 "$(host_shell 0 "wc -l </proc/$pid/mountinfo")"
	limits=$(host_shell 0 "cat /proc/$pid/limits")
	limit() { sed -nE "s/^$1 +([^ ]+) +([^ ]+) .*/\1 \2/p" <<<"$limits"; }
	expect "core dumps" "0 0" "$(limit 'Max core file size')"
	expect "open files" "3 3" "$(limit 'Max open files')"
	expect "processes" "64 64" "$(limit 'Max processes')"
	expect "locked memory" "0 0" "$(limit 'Max locked memory')"
	expect_match "address space" '^[0-9]+ [0-9]+$' "$(limit 'Max address space')"
	expect_match "file size" '^[0-9]+ [0-9]+$' "$(limit 'Max file size')"
	# Nothing but what it works with: no folder, no other device, one socket (hostd's)
	fds=$(host_shell 0 "for f in /proc/$pid/fd/*; do readlink \$f; done" | sed -E 's/:\[[0-9]+\]//' | sort | uniq -c)
	expect "descriptors that are none of these" "" "$(grep -vE ' (anon_inode|/dev/(null|net/tun|vhost-net|vhost-vsock|console|kmsg|ttyS0)|socket|pipe|/run/hyper/pods/|/run/hyper/journal/pipe$|/var/lib/hypermetal/|/memfd:|/.*\(deleted\)$)' <<<"$fds" || :)"
	expect "sockets" 1 "$(grep -c ' socket$' <<<"$fds")"
	group=$(host_shell 0 "cat /proc/$pid/cgroup")
	group=/sys/fs/cgroup${group#0::}
	for file in memory.max pids.max; do expect_match "$file" '^[0-9]+$' "$(host_shell 0 "cat $group/$file")"; done
done
expect "different identities" 2 "$(tr ' ' '\n' <<<"$uids" | grep . | sort -u | wc -l)"
