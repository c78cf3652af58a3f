#!/bin/bash
# Two pods of one image: what their kernels do not change and their layers are in the host's memory once.
# environment: own
# deadline: 420

HOST_KERNEL_ARGS=hyper.debug
env_up

shmem_kib() { host_shell 0 'cat /proc/meminfo' | awk '/^Shmem:/ { print $2 }'; }
start() { # NAME
	pod_create "$1" nginx '[]'
	await 120 "$1 runs" pod_running "$1"
	await 60 "$1 answers" hyper exec "$1" -- nginx -t
}

start one
before=$(shmem_kib)
start two
after=$(shmem_kib)

# Sums of PROCESS FIGURE over the mappings of the kernel's file, in KiB
# shellcheck disable=SC2016  # for the host's shell
host_shell 0 'for p in $(pidof hypervm); do echo "process $p"; cat /proc/$p/smaps; done' 60 >"$RUN/smaps"
awk '/^process/ { process = $2 } /^[0-9a-f]+-/ { ours = $6 ~ /hyperkernel$/ }
	ours && /^(Rss|Pss|Shared_Clean|Private_Clean|Private_Dirty):/ { sum[process " " $1] += $2 }
	END { for (k in sum) print k, sum[k] }' "$RUN/smaps" | sort >"$RUN/kernel"
cat "$RUN/kernel"
expect "number of VMs" 2 "$(grep -c ' Rss:' "$RUN/kernel")"
total() { awk -v what="$1:" '$2 == what { n += $3 } END { print n + 0 }' "$RUN/kernel"; }
shared=$(($(total Shared_Clean) / 2))
once=$((shared + $(total Private_Clean) + $(total Private_Dirty)))
echo "kernel: Rss $(total Rss) KiB of both, shared $shared KiB, Pss $(total Pss) KiB, counted once $once KiB"
[ "$shared" -ge 4096 ] || fail "the kernel's pages that both share: $shared KiB"
[ "$(total Private_Clean)" -le $((shared / 8)) ] || fail "unchanged pages of the kernel that are not shared: $(total Private_Clean) KiB"
[ "$(total Pss)" -le $((once + once / 20)) ] || fail "Pss of the kernel in both: $(total Pss) KiB, not $once"

# shellcheck disable=SC2016
layers=$(host_shell 0 'for p in $(pidof hypervm); do for f in /proc/$p/fd/*; do readlink $f; done | grep erofs | sort | tr "\n" " "; echo; done')
expect "different sets of layers in use" 1 "$(sort -u <<<"$layers" | grep -c erofs)"
size=$(host_shell 0 "cat $(head -n 1 <<<"$layers") | wc -c")
echo "layers: $((size / 1024)) KiB; files in memory grew by $((after - before)) KiB with the second pod"
[ $((after - before)) -lt $((size / 1024 / 4)) ] || fail "files in memory grew by $((after - before)) KiB with the second pod, its layers have $((size / 1024))"
