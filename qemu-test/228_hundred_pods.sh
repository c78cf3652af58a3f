#!/bin/bash
# Pods on one host of 2.5 GB, COUNT of them (10; 100 is what a host is to take), made and deleted all at once.
# environment: own
# deadline: 1500

HOST_KERNEL_ARGS=hyper.debug
MEM=2560 COUNT=${COUNT:-10}
env_up

pod_create first busybox '["true"]'
await 90 "the image is there" pod_is first .status.phase Succeeded
pod_remove first
leftovers_before ' descriptor socket'

all() { api GET "$PODS" | jq -r "[.items[] | select($1)] | length"; } # JQ_CONDITION
all_are() { [ "$(all "$2")" = "$1" ]; } # NUMBER JQ_CONDITION
start=$(now_ms)
for ((i = 0; i < COUNT; i++)); do pod_create "pod-$i" busybox '["sleep", "100000"]'; done
await 900 "all $COUNT run" all_are "$COUNT" '.status.phase == "Running" and .status.containerStatuses[0].ready'
echo "all run after $(($(now_ms) - start)) ms"
expect "restarts" 0 "$(all '.status.containerStatuses[0].restartCount > 0')"
expect "addresses" "$COUNT" "$(api GET "$PODS" | jq -r '.items[].status.podIP' | sort -u | wc -l)"
host_shell 0 'grep -E "^(MemTotal|MemAvailable|Cached|Shmem|AnonPages|Slab)" /proc/meminfo' 60
node_ready host-0 || fail "the host is not Ready" "$(nodes)"

start=$(now_ms)
api DELETE "$PODS?gracePeriodSeconds=0" >/dev/null
await 300 "all are gone" all_are 0 true
echo "all gone after $(($(now_ms) - start)) ms"
await 300 "the host holds what it held before" leftovers_same
