#!/bin/bash
# VMs that end without being asked: killed ones and one whose kernel panics. The pod's policy decides, its status says why.
# And one that hangs for a while: who waits for it is told, and it goes on.
# environment: own
# deadline: 420

HOST_KERNEL_ARGS=hyper.debug
env_up

signal_vm() { host_shell 0 "kill -$2 \$(cat /sys/fs/cgroup/hyper/pods/$(pod "$1" .metadata.uid)/cgroup.procs)"; } # POD SIGNAL
ended='.status.containerStatuses[0] | (.state.terminated // .lastState.terminated)'

pod_create always busybox '["sh", "-c", "echo started; sleep 1000"]' '{"spec": {"restartPolicy": "Always"}}'
pod_create never busybox '["sleep", "1000"]'
await 150 "always runs" pod_running always
await 60 "never runs" pod_running never
signal_vm always KILL
signal_vm never KILL
await 30 "never has failed" pod_is never .status.phase Failed
expect "its exit code" 137 "$(pod never "$ended | .exitCode")"
expect "its message" "the VM ended: killed from outside" "$(pod never "$ended | .message")"
await 90 "always runs again" pod_is always '.status.containerStatuses[0].restartCount' 1
await 30 "always runs" pod_running always
expect "its phase" Running "$(pod always .status.phase)"
expect "its last exit code" 137 "$(pod always "$ended | .exitCode")"
expect "log of the first run" started "$(api GET "$PODS/always/log?previous=true")"

signal_vm always STOP
status=0 said=$(hyper exec always -- true 2>&1) || status=$?
expect_match "an exec into a guest that hangs" 'the pod is out of reach: guest has not answered for 30 s' "$said"
[ "$status" != 0 ] || fail "an exec into a guest that hangs has succeeded"
signal_vm always CONT
always_executes() { hyper exec always -- true; }
await 30 "always can be executed in again" always_executes

# A container that may do what it likes in its VM makes the VM's kernel panic
pod_create panic busybox '["sh", "-c", "echo 2 >/proc/sys/vm/panic_on_oom && tail /dev/zero"]' \
	'{"spec": {"runtimeClassName": "hypervm-full"}}' '{"securityContext": {"privileged": true}}'
await 120 "panic has failed" pod_is panic .status.phase Failed
expect_match "its message" '^the VM ended: panic: Kernel panic - not syncing: Out of memory: compulsory panic_on_oom is enabled' "$(pod panic "$ended | .message")"

# One that was bound past the scheduler
pod_create large busybox '["true"]' '{"spec": {"nodeName": "host-0"}}' '{"resources": {"requests": {"memory": "64Gi"}}}'
await 30 "large is refused" pod_is large .status.reason OutOfmemory
expect_match "message" "Node didn't have enough resource: memory, requested: 68719476736" "$(pod large .status.message)"
for name in never panic large; do pod_remove "$name"; done
expect "always still runs, its restarts" 1 "$(pod always '.status.containerStatuses[0].restartCount')"
