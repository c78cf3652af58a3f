#!/bin/bash
# A container that a signal ends: 128 + its number is the exit code, the status names the signal, and so do hyper list
# and describe. A shell that overflows its stack ends by SIGSEGV; one that takes more memory than its limit is killed.
# A container's first process does not hear signals that it sends itself, so `kill -9 $$` would prove nothing.
# environment: shared
# deadline: 240

end='.status.containerStatuses[0].state.terminated | "\(.reason) \(.exitCode) \(.signal)"'
pod_create crash busybox '["sh", "-c", "f() { f; }; f"]'
pod_create greedy busybox '["tail", "/dev/zero"]' '{}' '{"resources": {"limits": {"memory": "24Mi"}}}'
pod_create child busybox '["sh", "-c", "sh -c \"kill -9 \\$\\$\"; exit $?"]'

await 120 "crash has Failed" pod_is crash .status.phase Failed
expect "end of crash" "Error 139 11" "$(pod crash "$end")"
expect_match "hyper list" "crash +Error\(139\) " "$(hyper list)"
expect_match "hyper describe" "ended with code 139 \(Error\) by signal 11 \(Segmentation fault\)" "$(hyper describe crash)"

await 60 "greedy has Failed" pod_is greedy .status.phase Failed
expect "end of greedy" "OOMKilled 137 9" "$(pod greedy "$end")"
expect_match "hyper list" "greedy +OOMKilled\(137\) " "$(hyper list)"
expect_match "hyper describe" "ended with code 137 \(OOMKilled\) by signal 9 \(Killed\)" "$(hyper describe greedy)"

# What the shell says of its child is a plain exit code
await 60 "child has Failed" pod_is child .status.phase Failed
expect "end of child" "Error 137 null" "$(pod child "$end")"

for name in crash greedy child; do pod_remove $name; done
