#!/bin/bash
# hostd is killed while a pod serves: the pod goes on serving, and the new hostd adopts it as it is.
# environment: own
# deadline: 480

HOST_KERNEL_ARGS=hyper.debug
env_up

web_start
started=$(pod web '.status.containerStatuses[0].state.running.startedAt')
uid=$(pod web .metadata.uid)

exits() { api GET /api/v1/nodes/host-0/proxy/metrics | awk '$1 ~ /^hypermetal_vm_exits_total.*pod="web",cause="mmio"/ { print $2 }'; }
exits=$(exits)

requests_begin .2
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
requests_end 10

# The adopted pod is a whole one: its VM's counters and its log go on, and it can be deleted
[ "$(exits)" -gt "$exits" ] || fail "exits: $exits before, $(exits) after"
expect_match "log" 'GET / HTTP/1.1" 200' "$(hyper logs web)"
hyper rm web
await 60 "web is gone" pod_gone web
expect "HyperVMs left" "" "$(host_shell 0 'pidof hypervm; true')"
