#!/bin/bash
# What accompanies a container's run: hooks and the grace, termination messages, sidecars in their order, containers that
# share their processes, one of several that runs out of memory, and the default system call filter. All in real pods.
# environment: shared
# deadline: 400

ended() { pod "$1" ".status.$2[] | select(.name == \"$3\") | .state.terminated$4"; } # POD LIST CONTAINER FIELD
busy='trap "echo term; exit 0" TERM; echo >/tmp/up; while :; do sleep 1; done'

# postStart is over before it runs; preStop comes before the signal, within the grace
pod_create hooks busybox "$(jq -n --arg c "$busy" '["sh", "-c", $c]')" '{"spec": {"terminationGracePeriodSeconds": 40}}' '{
	"lifecycle": {"postStart": {"exec": {"command": ["sh", "-c", "echo post >/proc/1/fd/1"]}},
		"preStop": {"exec": {"command": ["sh", "-c", "echo pre >/proc/1/fd/1; sleep 2; echo stop >/proc/1/fd/1"]}}}}'
pod_create broken busybox "$(jq -n --arg c "$busy" '["sh", "-c", $c]')" '{"spec": {"terminationGracePeriodSeconds": 40}}' '{
	"lifecycle": {"postStart": {"exec": {"command": ["sh", "-c", "until test -e /tmp/up; do sleep 1; done; echo no such luck; exit 3"]}}}}'
# Several containers: one in want of memory, one killed, one that ends by itself, two with last words
pod_create several busybox '[]' '{"spec": {"containers": [
	{"name": "main", "image": "busybox", "command": ["sh", "-c", "exec dd if=/dev/zero of=/dev/null bs=64M count=1"], "resources": {"limits": {"memory": "24Mi"}}},
	{"name": "killed", "image": "busybox", "command": ["sh", "-c", "sh -c \"kill -9 \\$\\$\"; exit $?"], "resources": {"limits": {"memory": "24Mi"}}},
	{"name": "eight", "image": "busybox", "command": ["sh", "-c", "exit 8"], "resources": {"limits": {"memory": "24Mi"}}},
	{"name": "words", "image": "busybox", "command": ["sh", "-c", "echo last words >/dev/termination-log; exit 4"], "resources": {"limits": {"memory": "24Mi"}}},
	{"name": "tail", "image": "busybox", "command": ["sh", "-c", "echo one; echo two >&2; exit 5"], "terminationMessagePolicy": "FallbackToLogsOnError",
		"resources": {"limits": {"memory": "24Mi"}}}]}}'
# A sidecar that is there before the others, and after them
pod_create side busybox '[]' '{"spec": {"terminationGracePeriodSeconds": 40,
	"initContainers": [{"name": "car", "image": "busybox", "restartPolicy": "Always", "command": ["sh", "-c",
			"trap \"echo car over >>/dev/shm/order; cat /dev/shm/order; exit 0\" TERM; sleep 1; echo car >>/dev/shm/order; while :; do sleep 1; done"],
			"startupProbe": {"exec": {"command": ["test", "-s", "/dev/shm/order"]}, "periodSeconds": 1, "timeoutSeconds": 30, "failureThreshold": 60}},
		{"name": "init", "image": "busybox", "command": ["sh", "-c", "echo init >>/dev/shm/order"]}],
	"containers": [{"name": "main", "image": "busybox", "command": ["sh", "-c", "echo main >>/dev/shm/order; sleep 2; echo main over >>/dev/shm/order"]}]}}'
pod_create shared busybox '[]' '{"spec": {"shareProcessNamespace": true, "terminationGracePeriodSeconds": 1, "securityContext": {"seccompProfile": {"type": "RuntimeDefault"}}, "containers": [
	{"name": "main", "image": "busybox", "command": ["sh", "-c", "exec sleep 1000"]},
	{"name": "other", "image": "busybox", "command": ["sh", "-c", "sleep 1; tr \"\\\\0\" \" \" </proc/1/cmdline; echo; cat /proc/[0-9]*/comm; grep Seccomp_filters /proc/self/status; sleep 1000"]}]}}'

await 120 "hooks runs" pod_running hooks
hooks_wrote_post() { [ "$(pod_logs hooks)" = post ]; }
await 20 "postStart was first" hooks_wrote_post
await 100 "broken was ended" pod_ended broken
expect_match "event" 'PostStartHook failed: no such luck' "$(pod_events broken FailedPostStartHook)"
expect "its code is that of the signal's end" 0 "$(ended broken containerStatuses main .exitCode)"
await 100 "several has ended" pod_ended several
expect "of several, one was in want of memory" "137 OOMKilled" "$(ended several containerStatuses main '| "\(.exitCode) \(.reason)"')"
expect "of several, one was killed" "137 Error" "$(ended several containerStatuses killed '| "\(.exitCode) \(.reason)"')"
expect "of several, one ended" "8 Error" "$(ended several containerStatuses eight '| "\(.exitCode) \(.reason)"')"
expect "termination message" "last words" "$(ended several containerStatuses words .message)"
expect "termination message from the log" "one two" "$(ended several containerStatuses tail .message | sort | xargs)"

await 100 "side has ended" pod_ended side
expect "phase of side" Succeeded "$(pod side .status.phase)"
expect "order" "car init main main over car over" "$(pod_logs side car | xargs)"

await 100 "shared runs" pod_running shared
await 30 "other has written" eval '[ -n "$(pod_logs shared other | grep Seccomp)" ]'
seen=$(pod_logs shared other | xargs)
expect_match "PID 1 and who else is there" '^pause pause .*sleep' "$seen"
expect_match "the default filter" 'Seccomp_filters: 2' "$seen"
expect_match "it refuses" 'mount: permission denied|mounting x on /tmp failed: Operation not permitted' "$(hyper exec -c main shared -- mount -t tmpfs x /tmp 2>&1 || :)"

start=$(now_ms)
pod_delete hooks
await 100 "hooks has stopped" pod_gone hooks
took=$(($(now_ms) - start))
[ "$took" -gt 2000 ] || fail "preStop took 2 s, the deletion only $took ms"

for name in broken several side shared; do pod_delete $name 0; done
for name in broken several side shared; do await 100 "pod $name is gone" pod_gone $name; done
