#!/bin/bash
# hostd is killed at every state of a pod's life, and between facts and their records: no pod is lost, nothing is left behind.
# environment: own
# deadline: 600

HOST_KERNEL_ARGS=hyper.debug
env_up

web_start
host_shell 0 'mkdir -p /run/hyper/crash'
started=$(pod web '.status.containerStatuses[0].state.running.startedAt')
# The image of the pods below is there before one of them is killed
pod_create first busybox '["sh", "-c", "exit 0"]'
await 60 "the first one has run" pod_is first .status.phase Succeeded
pod_remove first
# Not hostd's own descriptors: the new one has not opened web's disks
leftovers_before ' descriptor '

crashed() { ! host_shell 0 "test -e /run/hyper/crash/$1"; }

# One pod for each point; at the later ones it is ending when hostd dies
for point in new pull disk net net-attached boot vm-started orders-sent run stop clean gone; do
	host_shell 0 ": >/run/hyper/crash/$point"
	pod_create "at-$point" busybox '["sh", "-c", "echo ran; sleep 1; echo ended"]'
	await 60 "hostd dies at $point" crashed "$point"
	await 90 "at-$point has run" pod_is "at-$point" .status.phase Succeeded
	expect "log of at-$point" $'ran\nended' "$(pod_logs "at-$point")"
	pod_remove "at-$point"
done
# The same while a pod is deleted that would run on
for point in stop clean gone; do
	pod_create "delete-$point" busybox '["sleep", "1000"]'
	await 60 "delete-$point runs" pod_running "delete-$point"
	host_shell 0 ": >/run/hyper/crash/$point"
	pod_delete "delete-$point" 1
	await 60 "hostd dies at $point" crashed "$point"
	await 60 "delete-$point is gone" pod_gone "delete-$point"
done

expect "start of web's container" "$started" "$(pod web '.status.containerStatuses[0].state.running.startedAt')"
expect "web's restarts" 0 "$(pod web '.status.containerStatuses[0].restartCount')"
await 30 "web answers still" web_answers
await 30 "the host holds what it held before" leftovers_same
