#!/bin/bash
# A pod that fits on no host stays Pending with the scheduler's reason; it is placed nowhere.
# environment: shared
# deadline: 60

scheduled='.status.conditions[]? | select(.type == "PodScheduled")'
pod_create big busybox '["sh", "-c", "exit 0"]' '{}' '{"resources": {"requests": {"memory": "64Gi"}}}'
pod_create busy busybox '["sh", "-c", "exit 0"]' '{}' '{"resources": {"requests": {"cpu": "500"}}}'
for pair in big:memory busy:cpu; do
	name=${pair%:*}
	await 15 "$name is Unschedulable" pod_is "$name" "$scheduled | .reason" Unschedulable
	expect_match "message" "[Ii]nsufficient ${pair#*:}" "$(pod "$name" "$scheduled | .message")"
	expect "phase" Pending "$(pod "$name" .status.phase)"
	expect "node" null "$(pod "$name" .spec.nodeName)"
	pod_remove "$name"
done
