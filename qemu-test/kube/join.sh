#!/bin/bash
# The image joins a real Kubernetes: enrolment, Ready, a pod that the real scheduler places, its service, its log, its
# deletion with grace, by kubectl and by hyper.
# environment: own
# deadline: 900

# shellcheck source=qemu-test/kube/plane.sh
. "$ROOT/qemu-test/kube/plane.sh"

env_prepare
kube_up
CONTROLLER_ARGS=(--api "https://127.0.0.1:$API_PORT")
controller_start
await 20 "the boot service answers" in_net curl -sf "http://127.0.0.1:$BOOT_PORT/boot/ipxe"
host_start 0
env_await_hosts

kubectl() { "$KUBE_BIN/kubectl" "$@"; }
expect_match "server" 'GitVersion:"v1.20.2"' "$(kubectl version | grep Server)"
expect_match "get nodes" "host-0 +Ready" "$(kubectl get nodes)"
expect "who approved" "" "$(api GET /apis/certificates.k8s.io/v1/certificatesigningrequests |
	jq -r '.items[].status.conditions[]? | select(.reason == "AutoApproved").message' | grep -v selfnodeclient || :)"

url=http://$(host_address 0 8080)/
cat >"$RUN/web.yaml" <<'YAML'
apiVersion: v1
kind: Pod
metadata: {name: web}
spec:
  terminationGracePeriodSeconds: 20
  containers:
  - name: web
    image: nginx
    ports: [{containerPort: 80, hostPort: 8080}]
YAML
kubectl apply -f "$RUN/web.yaml"
await 60 "web is placed" pod_is web .spec.nodeName host-0
expect_match "placed by" default-scheduler "$(api GET /api/v1/namespaces/default/events |
	jq -r '.items[] | select(.reason == "Scheduled") | "\(.source.component // .reportingComponent)"')"
await 180 "web runs" pod_running web
await 30 "nginx answers" in_net curl -sf --max-time 5 "$url"
expect_match "body" "<title>Welcome to nginx!</title>" "$(in_net curl -sf "$url")"
expect_match "logs" 'GET / HTTP/1.1" 200' "$(kubectl logs web)"
expect_match "get pods" "web +1/1 +Running" "$(kubectl get pods)"
start=$(now_ms)
kubectl delete pod web
took=$(($(now_ms) - start))
expect "after delete" 404 "$(api_status GET "$PODS/web")"
[ $took -lt 20000 ] || fail "nginx, which ends at once on its stop signal, was gone only after $took ms"

hyper run --name again -p 8081:80 nginx
await 120 "again runs" pod_running again
await 30 "nginx answers" in_net curl -sf --max-time 5 "http://$(host_address 0 8081)/"
hyper rm again
await 60 "again is gone" pod_gone again

pod_create seven busybox '["sh", "-c", "exit 7"]'
await 60 "seven has Failed" pod_is seven .status.phase Failed
expect "exit code" 7 "$(pod seven '.status.containerStatuses[0].state.terminated.exitCode')"
