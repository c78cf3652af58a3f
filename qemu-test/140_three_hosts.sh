#!/bin/bash
# Three hosts with addresses of their own, booted by a real DHCP and TFTP server where we are root: pods are spread and
# serve on their host's own address, a cordoned host gets none, the fleet goes on without a host that has died, and that
# host is Ready again under its name once it is switched on. Operator's commands run outside the hosts' network.
# environment: own
# deadline: 900

HOSTS=3 MEM=512
env_up

hyper() { "$OUT/bin/hyper" "$@"; }
fetch() { curl -sf --max-time 5 "http://$(host_address "$1" 8080)/"; } # INDEX
ready() { api GET "/api/v1/nodes/$1" | jq -r '.status.conditions[] | select(.type == "Ready") | "\(.status) \(.reason)"'; } # NODE
ready_is() { [ "$(ready "$1")" = "$2" ]; } # NODE "STATUS REASON"

expect "hosts" "host-0 host-1 host-2" "$(hyper hosts | awk '$2 == "Ready" { print $1 }' | sort | xargs)"
if [ "$NET" = bridge ]; then
	expect "addresses" "$BRIDGE_NET.10 $BRIDGE_NET.11 $BRIDGE_NET.12" "$(hyper hosts | awk 'NR > 1 { print $4 }' | sort | xargs)"
	expect "hosts that were told where to boot from" 3 \
		"$(grep -oE "[0-9]+ sent size: .*bootfile-name +$BOOT_URL" "$RUN/log/dnsmasq.log" | sort -u | wc -l)"
fi

# Each on a host of its own: first by what they ask for, then by what they do not
for i in 0 1 2; do hyper run --cpu 500m --name "web-$i" --detach -p 8080:80 nginx; done
for i in 0 1 2; do await 240 "web-$i runs" pod_running "web-$i"; done
declare -A pod_of
for i in 0 1 2; do pod_of[$(pod "web-$i" .spec.nodeName)]=web-$i; done
expect "hosts of three pods" "host-0 host-1 host-2" "$(printf '%s\n' "${!pod_of[@]}" | sort | xargs)"
expect "pod networks" "10.88.0. 10.88.1. 10.88.2." "$(api GET "$PODS" | jq -r '.items[].status.podIP' | sed 's/[0-9]*$//' | sort | xargs)"
for i in 0 1 2; do
	await 30 "nginx answers on host-$i" fetch $i
	expect_match "body from host-$i" "<title>Welcome to nginx!</title>" "$(fetch $i)"
	expect_match "log of ${pod_of[host-$i]}" 'GET / HTTP/1.1" 200' "$(hyper logs "${pod_of[host-$i]}")"
done

# Cordoned: two more pods go elsewhere, and one that wants exactly this host waits until it is let in
hyper cordon host-2
expect_match "hyper hosts" "host-2 +Ready,cordoned" "$(hyper hosts)"
for i in 0 1; do pod_create "more-$i" busybox '["sleep", "1000"]'; done
for i in 0 1; do await 120 "more-$i runs" pod_running "more-$i"; done
expect "hosts of two more pods" "host-0 host-1" "$(for i in 0 1; do pod "more-$i" .spec.nodeName; done | sort | xargs)"
pod_create picky busybox '["true"]' '{"spec": {"nodeSelector": {"kubernetes.io/hostname": "host-2"}}}'
await 20 "picky waits" eval '[[ $(hyper describe picky) == *"1 node(s) were unschedulable"* ]]'
hyper uncordon host-2
await 120 "picky has run on host-2" pod_is picky '"\(.status.phase) \(.spec.nodeName)"' "Succeeded host-2"

# A host dies: told within its lease's 40 s and some, the others serve on, nothing new is put there
host_stop 1
start=$(now)
await 70 "host-1 is found dead" ready_is host-1 "Unknown NodeStatusUnknown"
echo "after $(($(now) - start)) s"
expect_match "hyper hosts" "host-1 +Unknown .*stopped posting" "$(hyper hosts | tr '\n' ' ')"
for i in 0 2; do fetch $i >/dev/null || fail "host-$i does not serve while host-1 is dead"; done
if fetch 1 >/dev/null; then fail "host-1 serves though it is dead"; fi
for i in 2 3; do pod_create "more-$i" busybox '["sleep", "1000"]'; done
for i in 2 3; do await 120 "more-$i runs" pod_running "more-$i"; done
expect "hosts of pods meanwhile" "" "$(for i in 2 3; do pod "more-$i" .spec.nodeName; done | grep -x host-1 || :)"

# Switched on again: another boot of the same host, and its pod serves again
booted=$(api GET /api/v1/nodes/host-1 | jq -r .status.nodeInfo.bootID)
host_start 1
await "$(host_deadline)" "host-1 is Ready again" ready_is host-1 "True HostReady"
[ "$(api GET /api/v1/nodes/host-1 | jq -r .status.nodeInfo.bootID)" != "$booted" ] || fail "bootID is that of before: $booted"
expect "hosts" 3 "$(api GET /api/v1/nodes | jq '.items | length')"
await 240 "${pod_of[host-1]} serves again" fetch 1

# All ends, and nothing of it is left on this machine
pids=$(awk '{ print $1 }' "$RUN"/pid/*)
env_down
for pid in $pids; do if proc_birth "$pid" >/dev/null; then fail "process left: $(tr '\0' ' ' <"/proc/$pid/cmdline")"; fi; done
if [ "$NET" = bridge ]; then
	[ ! -e "/sys/class/net/$NETNS" ] || fail "interface $NETNS is left"
	[ ! -e "/run/netns/$NETNS" ] || fail "namespace $NETNS is left"
fi
