#!/bin/bash
# Probes: readiness comes when the server answers and goes when it does not, startup holds the others back, a failing
# liveness probe restarts the container with the events and counts that kubectl's users know. All in real pods.
# environment: shared
# deadline: 300

kubectl_as k trixie
ready() { pod_is "$1" '.status.conditions[] | select(.type == "Ready") | .status' "$2"; } # NAME True|False
has_event() { [[ $(pod_events "$1" "$2") =~ $3 ]]; } # NAME REASON REGEX
main='.status.containerStatuses[0]'

# nginx, by every kind of probe; its port by name
pod_create web nginx '[]' '{}' '{"ports": [{"name": "http", "containerPort": 80}],
	"startupProbe": {"tcpSocket": {"port": "http"}, "periodSeconds": 1, "failureThreshold": 60},
	"readinessProbe": {"httpGet": {"path": "/", "port": "http"}, "periodSeconds": 1},
	"livenessProbe": {"exec": {"command": ["nginx", "-v"]}, "periodSeconds": 5, "timeoutSeconds": 30}}'
# Ready only while /tmp/ready exists; killed when /tmp/sick does
pod_create box busybox '["sh", "-c", "trap \"exit 0\" TERM; rm -f /dev/shm/sick; while :; do sleep 1; done"]' '{"spec": {"restartPolicy": "OnFailure", "terminationGracePeriodSeconds": 5}}' '{
	"startupProbe": {"exec": {"command": ["sh", "-c", "test -e /tmp/started || { echo not started yet; exit 1; }"]}, "periodSeconds": 1, "timeoutSeconds": 30, "failureThreshold": 100},
	"readinessProbe": {"exec": {"command": ["sh", "-c", "test -e /tmp/ready || { echo not ready yet; exit 1; }"]}, "periodSeconds": 1, "timeoutSeconds": 30, "failureThreshold": 2},
	"livenessProbe": {"exec": {"command": ["sh", "-c", "test ! -e /dev/shm/sick || { echo feels sick; exit 1; }"]}, "periodSeconds": 1, "timeoutSeconds": 30, "failureThreshold": 2, "terminationGracePeriodSeconds": 3}}'
# A server that is not there, and one that has no such page
pod_create nobody busybox '["sleep", "1000"]' '{}' '{"readinessProbe": {"httpGet": {"path": "/x", "port": 8081}, "periodSeconds": 1}}'
pod_create lost nginx '[]' '{"spec": {"restartPolicy": "Never"}}' '{"startupProbe": {"tcpSocket": {"port": 80}, "periodSeconds": 1, "failureThreshold": 100},
	"livenessProbe": {"httpGet": {"path": "/nowhere", "port": 80}, "periodSeconds": 1, "timeoutSeconds": 30, "failureThreshold": 2}}'

await 120 "box runs" pod_running box
await 60 "box tells that it has not started" has_event box Unhealthy 'Startup probe failed: not started yet'
expect "started" false "$(pod box "$main.started")"
expect "ready" false "$(pod box "$main.ready")"
hyper exec box -- sh -c ': >/tmp/started'
await 40 "box has started" pod_is box "$main.started" true
ready box False || fail "box is ready before its probe says so"
expect_match "condition" 'containers with unready status: \[main\]' "$(pod box '.status.conditions[] | select(.type == "ContainersReady") | .message')"
hyper exec box -- sh -c ': >/tmp/ready'
await 40 "box is ready" ready box True
expect_match "kubectl shows it" '^box +1/1 +Running +0' "$(k get pods | grep '^box')"
hyper exec box -- sh -c 'rm /tmp/ready'
await 40 "box is not ready any more" ready box False
expect_match "kubectl shows that" '^box +0/1 +Running +0' "$(k get pods | grep '^box')"
await 10 "event of box" has_event box Unhealthy 'Readiness probe failed: not ready yet'
expect "restarts" 0 "$(pod box "$main.restartCount")"

hyper exec box -- sh -c ': >/dev/shm/sick'
await 60 "box was restarted" pod_is box "$main.restartCount" 1
expect "it ended well, but by the probe" 0 "$(pod box "$main.lastState.terminated.exitCode")"
await 10 "event of box" has_event box Unhealthy 'Liveness probe failed: feels sick'
await 10 "event of box" has_event box Killing 'Container main failed liveness probe, will be restarted'
await 40 "box runs again" pod_running box
expect "and has not started yet" false "$(pod box "$main.started")"

await 60 "web is ready" ready web True
expect "web was not restarted" 0 "$(pod web "$main.restartCount")"
await 60 "nobody runs" pod_running nobody
await 30 "nobody is told to be unhealthy" has_event nobody Unhealthy \
	'Readiness probe failed: Get "http://[0-9.]+:8081/x": dial tcp [0-9.]+:8081: connect: connection refused'
ready nobody False || fail "nobody is ready"
await 60 "lost has ended" pod_ended lost
await 10 "event of lost" has_event lost Unhealthy 'Liveness probe failed: HTTP probe failed with statuscode: 404'
await 10 "event of lost" has_event lost Killing 'Container main failed liveness probe$'

for name in web box nobody lost; do pod_delete $name 0; done
for name in web box nobody lost; do await 60 "pod $name is gone" pod_gone $name; done
