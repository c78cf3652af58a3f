#!/bin/bash
# What a HyperVM cannot give is refused with the path of the field, instead of being ignored.
# environment: shared
# deadline: 120

refused() { # NAME PATH_REGEX EXTRA MORE
	pod_create "$1" busybox '["sh", "-c", "exit 0"]' "$3" "$4"
	await 45 "$1 has Failed" pod_is "$1" .status.phase Failed
	expect "reason of $1" UnsupportedPod "$(pod "$1" .status.reason)"
	expect_match "message of $1" "$2" "$(pod "$1" .status.message)"
	pod_remove "$1"
}
refused path 'spec\.volumes\[0\]\.hostPath' '{"spec": {"volumes": [{"name": "v", "hostPath": {"path": "/"}}]}}' '{}'
refused privileged 'spec\.containers\[0\]\.securityContext\.privileged' '{}' '{"securityContext": {"privileged": true}}'
refused network 'spec\.hostNetwork' '{"spec": {"hostNetwork": true}}' '{}'
refused pid 'spec\.hostPID' '{"spec": {"hostPID": true}}' '{}'
