#!/bin/bash
# Images of a registry that wants a login: none, a wrong one and the right one in a pod's imagePullSecrets.
# environment: own
# deadline: 300

env_prepare
port_pick port 5050
place=$(gateway):$port
echo "registry_mirror=private.test=http://$place" >>"$RUN/host-settings"
mkdir -p "$RUN/private"
# "swordfish", by bcrypt
# shellcheck disable=SC2016  # a hash
echo 'robot:$2b$04$GSkaD0ZpWIAU/o0YQQz0m.cOkMUTRmpRgqa1x1zP6tnShNqXmSvkm' >"$RUN/htpasswd"
cat >"$RUN/private.yml" <<CONF
version: 0.1
log: {level: info}
storage: {filesystem: {rootdirectory: $RUN/private}}
auth: {htpasswd: {realm: private, path: $RUN/htpasswd}}
http: {addr: "$(listen_address):$port"}
CONF
OTEL_TRACES_EXPORTER=none in_net_start private docker-registry serve "$RUN/private.yml"
await 15 "the registry asks for a login" eval '[ "$(in_net curl -s -o /dev/null -w "%{http_code}" "http://127.0.0.1:$port/v2/")" = 401 ]'
in_net skopeo copy --quiet --insecure-policy --dest-tls-verify=false --dest-creds robot:swordfish --retry-times 3 \
	"oci:$OUT/oci/busybox:latest" "docker://127.0.0.1:$port/team/box:latest"
env_controller
host_start 0
env_await_hosts

login() { # NAME PASSWORD: makes a secret as kubectl create secret docker-registry does
	local config
	config=$(jq -nc --arg place "$place" --arg auth "$(printf 'robot:%s' "$2" | base64)" '{auths: {($place): {auth: $auth}}}')
	api POST "$NS/secrets" "$(jq -n --arg name "$1" --arg config "$config" '{metadata: {name: $name},
		type: "kubernetes.io/dockerconfigjson", stringData: {".dockerconfigjson": $config}}')" >/dev/null
}
box() { # NAME SECRET...
	pod_create "$1" private.test/team/box '["echo", "inside"]' \
		"$(printf '%s\n' "${@:2}" | jq -R . | jq -s '{spec: {imagePullSecrets: map(select(. != "") | {name: .})}}')"
}

login right swordfish
login wrong trout
box none
box other wrong
for name in none other; do
	await 60 "$name is refused" eval "[[ \$(pod_waits_for $name) = *Image* ]]"
	expect_match "$name: reason" "$place: (a login is wanted|.*HTTP (status )?401)" \
		"$(pod $name '.status.containerStatuses[0].state.waiting.message')"
	pod_remove $name
done
box good missing right
await 120 "good has run" pod_is good .status.phase Succeeded
expect "good" inside "$(pod_logs good)"
expect_match "the missing one is told" . "$(pod_events good FailedToRetrieveImagePullSecret)"
expect "log lines with the password" 0 "$(grep -c "swordfish\|$(printf robot:swordfish | base64)" "$RUN/host-0/serial.log" || :)"
