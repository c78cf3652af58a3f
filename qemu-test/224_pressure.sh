#!/bin/bash
# A host runs short: of scratch, then of memory. The pod that took it is evicted and says why; its neighbour notices nothing.
# environment: own
# deadline: 900

HOST_KERNEL_ARGS=hyper.debug
env_up

web_start
started=$(pod web '.status.containerStatuses[0].state.running.startedAt')
condition() { api GET /api/v1/nodes/host-0 | jq -r --arg type "$1" '.status.conditions[] | select(.type == $type) | .status'; }
condition_is() { [ "$(condition "$1")" = "$2" ]; }
taint_is() { api GET /api/v1/nodes/host-0 | jq -e --arg key "node.kubernetes.io/$1" 'any(.spec.taints[]?; .key == $key)'; }

# A neighbour that writes all the time, and waits for each write
pod_create steady busybox '["sh", "-c", "i=0; while [ $i -lt 150 ] && dd if=/dev/zero of=/steady bs=64k count=1 seek=$i conv=fsync; do i=$((i + 1)); sleep .2; done; echo wrote $i; sleep 1000"]'
await 60 "steady runs" pod_running steady

# Scratch: its disk is as large as the pool, and it writes all of it
pod_create filler busybox '["sh", "-c", "dd if=/dev/zero of=/fill bs=1M; echo full; sleep 1000"]'
await 180 "filler is evicted" pod_is filler .status.reason Evicted
expect_match "message" 'The node was low on resource: ephemeral-storage\. Threshold quantity: [0-9]+Ki, available: [0-9]+Ki\. The pod was using [0-9]+Ki' \
	"$(pod filler .status.message)"
expect "phase" Failed "$(pod filler .status.phase)"
await 30 "the Node says so" condition_is DiskPressure True
await 15 "nothing more is placed there" taint_is disk-pressure
pod_remove filler

# Its own disk works, and the room is there again
expect "web writes" written "$(hyper exec web -- sh -c 'echo written >/tmp/file && read -r word </tmp/file && echo "$word"')"
pod_free() { host_shell 0 'df -k /var/lib/hypermetal/scratch' | awk 'END { exit !($5 + 0 < 50) }'; }
await 30 "the scratch pool is free again" pod_free

await 150 "the pressure is over" condition_is DiskPressure False

wrote() { [[ $(pod_logs steady) =~ wrote\ ([0-9]+) ]]; }
await 120 "steady has written" wrote
expect "writes of the neighbour" 150 "${BASH_REMATCH[1]}"
pod_remove steady

# Memory: it asked for little and takes what there is. Either hostd sees it in time, or the host's kernel kills that VM
pod_create eater busybox '["sh", "-c", "tail /dev/zero"]' '{}' '{"resources": {"requests": {"memory": "16Mi"}, "limits": {"memory": "1Gi"}}}'
await 400 "eater has ended" pod_is eater .status.phase Failed
why=$(pod eater '[.status.reason, .status.message, .status.containerStatuses[0].state.terminated.reason] | join(" ")')
expect_match "why eater ended" '^(Evicted The node was low on resource: memory\.|.*the host ran out of memory.* OOMKilled)' "$why"
pod_remove eater

expect "start of web's container" "$started" "$(pod web '.status.containerStatuses[0].state.running.startedAt')"
expect "web's restarts" 0 "$(pod web '.status.containerStatuses[0].restartCount')"
await 15 "web answers still" web_answers
