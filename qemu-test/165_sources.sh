#!/bin/bash
# What pods get of the API: variables of every kind, files of ConfigMaps, Secrets, tokens and the downward API with their
# modes; what is missing is waited for; what changes in the API changes in the pod, also after hostd was killed.
# environment: own
# deadline: 480

HOST_SETTINGS=(refresh_s=4)
HOST_KERNEL_ARGS=hyper.debug
env_up

object() { # KIND NAME JSON: makes it
	api POST "$NS/$1" "$(jq -n --arg name "$2" --argjson more "$3" '{metadata: {name: $name}} * $more')" >/dev/null
}
in_box() { hyper exec box -- sh -c "$1"; }

object configmaps settings '{"data": {"mode": "fast", "two-words": "a b", "motd": "hello\n"}, "binaryData": {"raw": "AAEC/w=="}}'
object secrets keys '{"stringData": {"password": "swordfish", "user": "root"}}'
object serviceaccounts robot '{"metadata": {"labels": {"hypermetal.io/role": "view"}}}'

env='[{"name": "NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
	{"name": "APP", "valueFrom": {"fieldRef": {"fieldPath": "metadata.labels['"'app'"']"}}},
	{"name": "NODE", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}},
	{"name": "IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
	{"name": "CPU", "valueFrom": {"resourceFieldRef": {"resource": "limits.cpu", "divisor": "1m"}}},
	{"name": "MODE", "valueFrom": {"configMapKeyRef": {"name": "settings", "key": "mode"}}},
	{"name": "NONE", "valueFrom": {"configMapKeyRef": {"name": "settings", "key": "no", "optional": true}}},
	{"name": "PASSWORD", "valueFrom": {"secretKeyRef": {"name": "keys", "key": "password"}}},
	{"name": "URL", "value": "$(C_mode)://$(user):$(PASSWORD)@$(KUBERNETES_SERVICE_HOST)"}]'
volumes='[{"name": "map", "configMap": {"name": "settings", "defaultMode": 256}},
	{"name": "keys", "secret": {"secretName": "keys", "items": [{"key": "user", "path": "a/b", "mode": 292}]}},
	{"name": "self", "downwardAPI": {"items": [{"path": "labels", "fieldRef": {"fieldPath": "metadata.labels"}}]}},
	{"name": "other", "projected": {"sources": [
		{"serviceAccountToken": {"path": "token", "audience": "vault", "expirationSeconds": 600}}]}}]'
mounts='[{"name": "map", "mountPath": "/map"}, {"name": "keys", "mountPath": "/keys"}, {"name": "self", "mountPath": "/self"},
	{"name": "other", "mountPath": "/other"}, {"name": "map", "mountPath": "/etc/motd", "subPath": "motd"}]'
pod_create box busybox '["sh", "-c", "echo \"${URL%%:*} $1\"; while :; do sleep 1; done", "sh", "$(NAME)"]' \
	"$(jq -n --argjson volumes "$volumes" '{metadata: {labels: {app: "demo", tier: "back"}},
		spec: {serviceAccountName: "robot", volumes: $volumes}}')" \
	"$(jq -n --argjson env "$env" --argjson mounts "$mounts" '{env: $env, volumeMounts: $mounts,
		resources: {limits: {cpu: "500m"}}, envFrom: [{prefix: "C_", configMapRef: {name: "settings"}}, {secretRef: {name: "keys"}}]}')"
await 150 "box runs" pod_running box

# All at once: an exec of an emulated host takes its time
token=/var/run/secrets/kubernetes.io/serviceaccount
in_box "show() { echo \"\$1=\$(eval \"\$2\" 2>&1 | tr '\n' '~')\"; }
	show fields 'echo \$NAME \$APP \$NODE \$IP \$CPU'
	show keys 'echo \$MODE \$PASSWORD \${NONE-none}'
	show references 'echo \$URL'
	show from \"env | grep C_two-words\"
	show map 'echo \$(ls /map)'
	show raw 'od -An -tx1 /map/raw'
	show modes 'echo \$(stat -L -c %a /map/mode /keys/a/b)'
	show secret 'cat /keys/a/b'
	show labels 'cat /self/labels'
	show motd 'cat /etc/motd'
	show write 'echo x >/map/mode'
	show create 'echo x >/map/new'
	show token 'cat $token/token'
	show ca 'cat $token/ca.crt'
	show namespace 'cat $token/namespace'
	show other 'cat /other/token'" >"$RUN/shown"
shown() { sed -n "s/^$1=//p" "$RUN/shown" | sed 's/~$//' | tr '~' '\n'; } # WHAT

expect "fields" "box demo host-0 $(pod box .status.podIP) 500" "$(shown fields)"
expect "keys" "fast swordfish none" "$(shown keys)"
expect "references" "fast://root:swordfish@$(gateway)" "$(shown references)"
expect "references in arguments" "fast box" "$(pod_logs box)"
expect "envFrom" "C_two-words=a b" "$(shown from)"
expect "map" "mode motd raw two-words" "$(shown map)"
expect "bytes" "00 01 02 ff" "$(shown raw | xargs)"
expect "modes" "400 444" "$(shown modes)"
expect "secret" root "$(shown secret)"
expect "labels" 'app="demo"
tier="back"' "$(shown labels)"
expect "subPath" hello "$(shown motd)"
expect_match "read-only" "Read-only file system" "$(shown write)"
expect_match "read-only folder" "Read-only file system" "$(shown create)"

# The tokens: whose, for whom, bound to what
claim() { # WHICH JQ_EXPRESSION
	shown "$1" | jq -rR "split(\".\")[1] | gsub(\"-\"; \"+\") | gsub(\"_\"; \"/\") | @base64d | fromjson | $2"
}
expect "account" "system:serviceaccount:default:robot" "$(claim token .sub)"
expect "bound to" "box $(pod box .metadata.uid)" "$(claim token '."kubernetes.io".pod | "\(.name) \(.uid)"')"
expect "audience" vault "$(claim other '.aud[0]')"
expect "life" 600 "$(claim other '.exp - .iat')"
expect "namespace" default "$(shown namespace)"
shown ca >"$RUN/pod-ca.crt"
as_pod() { # PATH: what the API answers to the pod's token
	in_net curl -s -o /dev/null --max-time 20 -w '%{http_code}' --cacert "$RUN/pod-ca.crt" \
		-H "Authorization: Bearer $(shown token)" "$(api_url "$1")"
}
expect "the account's pods" 200 "$(as_pod "$PODS")"
expect "the account's secrets" 403 "$(as_pod "$NS/secrets")"
expect "another namespace" 403 "$(as_pod /api/v1/namespaces/kube-system/pods)"

# What is missing is named, waited for, and found when it comes
pod_create late busybox '["cat", "/late/file"]' \
	'{"spec": {"volumes": [{"name": "late", "configMap": {"name": "later"}}]}}' \
	'{"volumeMounts": [{"name": "late", "mountPath": "/late"}]}'
pod_create wants busybox '["sh", "-c", "echo $V"]' '{}' \
	'{"env": [{"name": "V", "valueFrom": {"secretKeyRef": {"name": "keys", "key": "colour"}}}]}'
await 60 "wants says what it wants" pod_is wants '.status.containerStatuses[0].state.waiting | "\(.reason): \(.message)"' \
	"CreateContainerConfigError: couldn't find key colour in Secret default/keys"
await 60 "late says what it wants" pod_is late '.status.containerStatuses[0].state.waiting.message' \
	'MountVolume.SetUp failed for volume "late" : configmap "later" not found'
expect_match "event" . "$(pod_events late FailedMount)"
expect "phase" Pending "$(pod late .status.phase)"
object configmaps later '{"data": {"file": "here I am"}}'
api PATCH "$NS/secrets/keys" '{"stringData": {"colour": "blue"}}' application/merge-patch+json >/dev/null
await 120 "late has run" pod_is late .status.phase Succeeded
await 120 "wants has run" pod_is wants .status.phase Succeeded
expect "late" "here I am" "$(pod_logs late)"
expect "wants" blue "$(pod_logs wants)"

# What changes, changes in the pod; all at once, and never for a subPath
api PATCH "$NS/configmaps/settings" '{"data": {"mode": "slow", "motd": "bye\n", "extra": "1"}}' application/merge-patch+json >/dev/null
api PATCH "$PODS/box" '{"metadata": {"labels": {"tier": "front"}}}' application/merge-patch+json >/dev/null
map_is() { [ "$(in_box 'echo $(cat /map/mode) $(ls /map)')" = "$1" ]; }
await 60 "the map's files change" map_is "slow extra mode motd raw two-words"
await 60 "the labels change" eval '[[ $(in_box "cat /self/labels") = *tier=\"front\"* ]]'
await 30 "subPath and variables stay" eval '[ "$(in_box "cat /etc/motd; echo \$MODE" | xargs)" = "hello fast" ]'

# A new hostd goes on: it gets all anew, and the pod sees what changes afterwards
before=$(shown other)
host_shell 0 'kill -9 $(pidof hostd)'
await 60 "the pod has a token of the new hostd's" eval '[ "$(in_box "cat /other/token")" != "$before" ]'
api PATCH "$NS/configmaps/settings" '{"data": {"mode": "again"}}' application/merge-patch+json >/dev/null
await 60 "the map's files change again" map_is "again extra mode motd raw two-words"
expect "restarts" 0 "$(pod box '.status.containerStatuses[0].restartCount')"

# Secrets are nowhere on the host: not in its files, not in its logs
expect "log lines with the secret" 0 "$(grep -c swordfish "$RUN/host-0/serial.log" || :)"
expect "files with the secret" "" "$(host_shell 0 'grep -rl swordfish /run /var /tmp 2>/dev/null; true')"
