#!/bin/bash
# hostd is killed while a pod serves: the pod goes on serving, and the new hostd adopts it as it is.
# environment: own
# deadline: 480

HOST_KERNEL_ARGS=hyper.debug
env_up

url=http://$(host_address 0 8080)/
hyper run --name web -p 8080:80 nginx
await 150 "web runs" pod_running web
await 30 "nginx answers" in_net curl -sf --max-time 5 "$url"
started=$(pod web '.status.containerStatuses[0].state.running.startedAt')
uid=$(pod web .metadata.uid)

exits() { api GET /api/v1/nodes/host-0/proxy/metrics | awk '$1 ~ /^hypermetal_vm_exits_total.*pod="web",cause="mmio"/ { print $2 }'; }
exits=$(exits)

# One request every 0.2 s from here on; a failed one leaves a line. QEMU's user network sends a lost SYN again after 6 s.
while :; do
	in_net curl -sf --max-time 15 -o /dev/null "$url" || echo failed
	sleep .2
done >"$RUN/requests" &
requests=$!
trap 'kill $requests 2>/dev/null || :' EXIT

for round in 1 2; do
	before=$(host_shell 0 'pidof hostd' | tail -n 1)
	host_shell 0 "kill -9 $before"
	await 30 "a new hostd (round $round)" eval "after=\$(host_shell 0 'pidof hostd' | tail -n 1) && [ -n \"\$after\" ] && [ \"\$after\" != '$before' ]"
	# It registers again and works: another pod runs to its end
	pod_create "after-$round" busybox '["sh", "-c", "exit 0"]'
	await 60 "after-$round has run" pod_is "after-$round" .status.phase Succeeded
	pod_remove "after-$round"
	node_ready host-0 || fail "host-0 is not Ready after hostd's restart" "$(nodes)"
	expect "phase" Running "$(pod web .status.phase)"
	expect "uid" "$uid" "$(pod web .metadata.uid)"
	expect "start of the container" "$started" "$(pod web '.status.containerStatuses[0].state.running.startedAt')"
	expect "restarts" 0 "$(pod web '.status.containerStatuses[0].restartCount')"
done
kill $requests
expect "requests that failed meanwhile" "" "$(cat "$RUN/requests")"

# The adopted pod is a whole one: its VM's counters and its log go on, and it can be deleted
[ "$(exits)" -gt "$exits" ] || fail "exits: $exits before, $(exits) after"
expect_match "log" 'GET / HTTP/1.1" 200' "$(hyper logs web)"
hyper rm web
await 60 "web is gone" pod_gone web
expect "HyperVMs left" "" "$(host_shell 0 'pidof hypervm; true')"
