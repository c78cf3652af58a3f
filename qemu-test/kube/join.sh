#!/bin/bash
# The image joins a real Kubernetes: enrolment, Ready, a pod that the real scheduler places, its service, its log, its
# deletion with grace, by kubectl and by hyper; and a reboot.
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

# What it is made of: labels and annotation, past NodeRestriction
inventory() { kubectl get node host-0 -o json | jq -r '.metadata.annotations["hypermetal.io/inventory"] // "{}"'; }
await 30 "the inventory is there" eval '[ "$(inventory | jq -r .system.serial)" = HM-0 ]'
expect "select by a label" node/host-0 "$(kubectl get nodes -l hypermetal.io/firmware=bios,hypermetal.io/serial=HM-0 -o name)"
expect_match "describe" "System: +.*serial HM-0" "$(hyper describe host host-0)"

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
# SPDY from kubectl through the API server to the host, untouched
code=0 said=$(kubectl exec -i web -- sh -c 'read -r x; echo "got $x"; exit 7' <<<hello 2>/dev/null) || code=$?
expect "exec" "got hello 7" "$said $code"

# What it uses, through the API server: as metrics-server and people read it
expect_match "metrics" 'pod_memory_working_set_bytes\{namespace="default",pod="web"\} [0-9]{8,9} [0-9]{13}' \
	"$(kubectl get --raw /api/v1/nodes/host-0/proxy/metrics/resource)"
expect "summary" "host-0 web" "$(kubectl get --raw /api/v1/nodes/host-0/proxy/stats/summary | jq -r '.node.nodeName + " " + .pods[].podRef.name')"
expect_match "top without metrics-server" "does not serve metrics" "$(hyper top 2>&1 || :)"
# And by a monitor of its own name: what RBAC lets it have, and no more
kube_cert monitor /O=people/CN=monitor
sleep 2 # the host's clock may be behind this machine's, and a certificate must not be of the future
monitor() { in_net curl -sk --max-time 20 --cert "$kube/monitor.crt" --key "$kube/monitor.key" -o /dev/null -w '%{http_code}' "https://$(host_address 0 10250)$1"; }
monitor_may() { [ "$(monitor "$1")" = 200 ]; }
expect "before" 403 "$(monitor /metrics)"
kubectl create clusterrole metrics --verb=get --resource=nodes/metrics
kubectl create clusterrolebinding metrics --clusterrole=metrics --user=monitor
await 60 "the monitor may" monitor_may /metrics/resource # a no is kept for half a minute
expect "but no more" "403 403 403" "$(monitor /stats/summary) $(monitor /pods) $(monitor '/exec/default/web/web?command=id')"
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

# What pods get of a real API: variables, files, and the account's token, which opens what RBAC gives it
kubectl create configmap settings --from-literal=mode=fast
kubectl create secret generic keys --from-literal=user=root
pod_create asks busybox '["sleep", "1000"]' \
	'{"spec": {"volumes": [{"name": "keys", "secret": {"secretName": "keys", "defaultMode": 256}}]}}' \
	'{"env": [{"name": "MODE", "valueFrom": {"configMapKeyRef": {"name": "settings", "key": "mode"}}}],
		"volumeMounts": [{"name": "keys", "mountPath": "/keys"}]}'
await 120 "asks runs" pod_running asks
account=/var/run/secrets/kubernetes.io/serviceaccount
as_pod() { # PATH: the API's answer to the pod's token
	hyper exec asks -- cat $account/token >"$RUN/pod-token"
	hyper exec asks -- cat $account/ca.crt >"$RUN/pod-ca.crt"
	in_net curl -s -o /dev/null --max-time 20 -w '%{http_code}' --cacert "$RUN/pod-ca.crt" \
		-H "Authorization: Bearer $(cat "$RUN/pod-token")" "$(api_url "$1")"
}
expect "variable and file" "fast root" "$(hyper exec asks -- sh -c 'echo $MODE $(cat /keys/user)')"
expect "namespace" default "$(hyper exec asks -- cat $account/namespace)"
expect "where the API is" "$(gateway) $API_PORT" "$(hyper exec asks -- sh -c 'echo $KUBERNETES_SERVICE_HOST $KUBERNETES_SERVICE_PORT')"
expect "without a role" 403 "$(as_pod "$PODS")"
kubectl create rolebinding asks --clusterrole=view --serviceaccount=default:default
await 20 "the role opens the namespace" eval '[ "$(as_pod "$PODS")" = 200 ]'
expect "another namespace" 403 "$(as_pod /api/v1/namespaces/kube-system/pods)"
kubectl delete pod asks --grace-period=0 --force
await 60 "asks is gone" pod_gone asks

pod_create seven busybox '["sh", "-c", "exit 7"]'
await 60 "seven has Failed" pod_is seven .status.phase Failed
expect "exit code" 7 "$(pod seven '.status.containerStatuses[0].state.terminated.exitCode')"

# Another boot, asked for through the real API server: a Deployment's pod is evicted and made again, a pod of nobody keeps
# its uid and begins again. The host's image is one that there is not, so it gets the last good one, and its Node says why.
kubectl create deployment moved --image=busybox -- sleep 1000
pod_create stays busybox '["sleep", "1000"]' '{"spec": {"restartPolicy": "Always"}}'
moved() { api GET "$PODS?labelSelector=app=moved" | jq -r '[.items[] | select(.metadata.deletionTimestamp == null)][0] | .metadata.uid + " " + .status.phase'; }
await 120 "stays runs" pod_running stays
await 60 "moved runs" eval '[[ $(moved) == *" Running" ]]'
before=$(moved) uid=$(pod stays .metadata.uid) image=$(api GET /api/v1/nodes/host-0 | jq -r .status.nodeInfo.osImage)
kubectl annotate node host-0 hypermetal.io/image=missing
expect "hyper reboot" host-0 "$(hyper reboot host-0)"
node=$(api GET /api/v1/nodes/host-0)
expect "image" "$image" "$(jq -r .status.nodeInfo.osImage <<<"$node")"
expect_match "why" "missing: not among the controller's images" "$(jq -r '.metadata.annotations["hypermetal.io/image-trouble"]' <<<"$node")"
expect "cordoned" false "$(jq -r '.spec.unschedulable // false' <<<"$node")"
await 120 "stays runs again" pod_running stays
expect "uid of stays" "$uid" "$(pod stays .metadata.uid)"
await 120 "moved runs again" eval '[[ $(moved) == *" Running" ]]'
[ "$(moved)" != "$before" ] || fail "moved is the pod that it was: $before"
