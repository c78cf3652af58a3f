#!/bin/bash
# A host whose CPU has no virtualisation registers, NotReady, and says why; no pod is put there.
# environment: own
# deadline: 300

HOST_CPU=max,-svm,-cx16 ACCEL=tcg
env_prepare
env_controller
host_start 0
await "$(host_deadline)" "host-0 registers" eval 'nodes | grep -q "^host-0 "'
await 30 "host-0 is NotReady with a reason" eval 'nodes | grep -qiE "^host-0 False .*(kvm|svm|vmx)"'
pod_create none busybox '["sh", "-c", "exit 0"]'
sleep 5
expect "node of a pod" null "$(pod none .spec.nodeName)"
