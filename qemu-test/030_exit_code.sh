#!/bin/bash
# A container's exit code arrives in the pod's status, and what it wrote in its log; its user, environment, folder and
# arguments are what the pod says.
# environment: shared
# deadline: 240

terminated='.status.containerStatuses[0].state.terminated'
pod_create seven busybox '["sh", "-c", "echo out; echo err >&2; exit 7"]'
pod_create zero busybox '["sh", "-c", "exit 0"]'
await 120 "seven has Failed" pod_is seven .status.phase Failed
expect "exit code" 7 "$(pod seven "$terminated.exitCode")"
expect "reason" Error "$(pod seven "$terminated.reason")"
expect "log" "err out" "$(pod_logs seven | sort | xargs)"
await 60 "zero has Succeeded" pod_is zero .status.phase Succeeded
expect "exit code" 0 "$(pod zero "$terminated.exitCode")"
expect "reason" Completed "$(pod zero "$terminated.reason")"

pod_create missing busybox '["/no/such/program"]'
await 60 "missing has Failed" pod_is missing .status.phase Failed
expect_match "message" "no/such/program" "$(pod missing "$terminated.message, .status.message")"

# User, environment, working directory and arguments reach the program
pod_create spec busybox '["sh", "-c", "id -u; pwd; echo $GREETING; echo $0 $1", "a b"]' '{}' \
	'{"args": ["c"], "workingDir": "/var", "env": [{"name": "GREETING", "value": "good day"}], "securityContext": {"runAsUser": 65534}}'
await 60 "spec has Succeeded" pod_is spec .status.phase Succeeded
expect "what it saw" $'65534\n/var\ngood day\na b c' "$(pod_logs spec)"

for name in seven zero missing spec; do pod_remove $name; done
