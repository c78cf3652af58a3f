#!/bin/bash
# ConfigMaps, Secrets, ServiceAccounts and RuntimeClasses with kubectl of Debian 12 and 13: create, apply, edit, watch,
# delete and what is refused; tokens and what they may; a host's certificate gets its own pods' secrets and nobody
# else's. No host is booted: certificates of two are made with the controller's CA.
# environment: own
# deadline: 150

NET=user HOSTS=1
rm -rf "$RUN"
mkdir -p "$RUN"
remember NET HOSTS
services_pick_ports
net_pick_forwards
settings_write
env_controller
api_keys
ca=$RUN/keys/ca.pem
head -c 1100000 /dev/urandom >"$RUN/big"
head -c 3000 /dev/urandom >"$RUN/bytes"

# A kubeconfig of somebody who has what USER_YAML says
config_of() { # NAME USER_YAML
	cat >"$RUN/config-$1" <<-YAML
		apiVersion: v1
		kind: Config
		clusters: [{name: c, cluster: {server: "$(api_url "")", certificate-authority: $ca}}]
		users: [{name: u, user: {$2}}]
		contexts: [{name: x, context: {cluster: c, user: u}}]
		current-context: x
	YAML
}

k_fails() { ! k "$@" 2>&1 || fail "this should have been refused: kubectl $*"; } # prints the refusal

check() { # SUITE
	local watch
	kubectl_as k "$1"

	k create configmap "map-$1" --from-literal=a=b --from-file=bin="$RUN/bytes"
	k create secret generic "plain-$1" --from-literal=password=geheim
	k create secret tls "tls-$1" --cert="$RUN/keys/cert.pem" --key="$RUN/keys/key.pem"
	k create secret docker-registry "pull-$1" --docker-server=r --docker-username=u --docker-password=p
	k create serviceaccount "app-$1"
	expect_match "get cm" "map-$1 +2 +[0-9]+s" "$(k get cm)"
	expect_match "get secrets" "plain-$1 +Opaque +1 +[0-9]+s.*tls-$1 +kubernetes.io/tls +2 " "$(k get secret | sort)"
	expect_match "get sa -o wide" "NAME +SECRETS +AGE.*app-$1 +0 +[0-9]+s" "$(k get sa -o wide | sort)"
	expect_match "get runtimeclass" "hypervm-full +hypervm-full +[0-9]+" "$(k get runtimeclass)"
	expect_match "describe cm" "a: +---- +b" "$(k describe cm "map-$1" | tr '\n' ' ')"
	expect_match "describe secret" "password: +6 bytes" "$(k describe secret "plain-$1")"
	expect "binary data" "$(sha256sum <"$RUN/bytes")" \
		"$(k get cm "map-$1" -o 'jsonpath={.binaryData.bin}' | base64 -d | sha256sum)"
	expect "secret data" geheim "$(k get secret "plain-$1" -o 'jsonpath={.data.password}' | base64 -d)"
	expect_match "a large one" "Too long: may not be more than 1048576 bytes" \
		"$(k_fails create configmap big --from-file="$RUN/big")"

	cat >"$RUN/$1.yaml" <<-YAML
		apiVersion: v1
		kind: ConfigMap
		metadata: {name: applied-$1}
		data: {color: red}
		---
		apiVersion: v1
		kind: Secret
		metadata: {name: applied-$1}
		data: {color: cmVk}
		---
		apiVersion: v1
		kind: ServiceAccount
		metadata: {name: applied-$1}
		imagePullSecrets: [{name: pull-$1}]
		---
		apiVersion: node.k8s.io/v1
		kind: RuntimeClass
		metadata: {name: applied-$1}
		handler: hypervm
	YAML
	expect "apply" 4 "$(k apply -f "$RUN/$1.yaml" | grep -c created)"
	expect "apply again" 4 "$(k apply -f "$RUN/$1.yaml" | grep -c unchanged)"
	k get cm -w -o 'jsonpath={.metadata.name}={.data.color}{"\n"}' >"$RUN/watch-$1" 2>&1 &
	watch=$!
	await 30 "the watch has begun" grep -q "^applied-$1=red" "$RUN/watch-$1"
	sed -i s/red/green/ "$RUN/$1.yaml"
	expect_match "apply a change" "configmap/applied-$1 configured" "$(k apply -f "$RUN/$1.yaml")"
	KUBE_EDITOR='sed -i s/green/blue/' k edit cm "applied-$1"
	await 10 "the watch saw both" eval '[ "$(grep -cE "^applied-.*=(green|blue)$" "$RUN/watch-'"$1"'")" -ge 2 ]'
	kill $watch
	expect "edited" blue "$(k get cm "applied-$1" -o 'jsonpath={.data.color}')"
	k patch cm "applied-$1" -p '{"immutable":true}'
	expect_match "immutable" 'data: Forbidden: field is immutable' "$(k_fails patch cm "applied-$1" -p '{"data":{"color":"black"}}')"
	expect_match "a secret's type" 'type: Invalid value: "x": field is immutable' \
		"$(k_fails patch secret "applied-$1" -p '{"type":"x"}')"
	k delete -f "$RUN/$1.yaml"
	k delete "cm/map-$1" "secret/tls-$1" sa/default cm/kube-root-ca.crt
	await 5 "what every namespace has is back" k get sa/default cm/kube-root-ca.crt
	expect_match "the CA" "BEGIN CERT" "$(k get cm kube-root-ca.crt -o 'jsonpath={.data.ca\.crt}')"
}
check bookworm
check trixie
expect "the database's mode" 600 "$(stat -c %a "$RUN/controller/controller.db")"

# --- a new namespace; field validation; what a pod names must be there
k create namespace other
expect_match "its account" "default" "$(k get sa -n other)"
expect_match "an unknown field" 'unknown field "dato"' \
	"$(echo '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"x"},"dato":{}}' | k_fails apply -f -)"
expect_match "an unknown account" 'serviceaccount "nobody" not found' \
	"$(k_fails run p --image=i --overrides='{"spec":{"serviceAccountName":"nobody"}}')"
expect_match "an unknown class" 'RuntimeClass "nothing" not found' \
	"$(k_fails run p --image=i --overrides='{"spec":{"runtimeClassName":"nothing"}}')"

# --- tokens: who one is, what one may
config_of token ""
t() { k --kubeconfig "$RUN/config-token" --token "$TOKEN" "$@"; }
t_fails() { ! t "$@" 2>&1 || fail "this should have been refused: kubectl --token … $*"; }
TOKEN=$(k create token app-trixie)
expect_match "whoami" "Username +system:serviceaccount:default:app-trixie" "$(t auth whoami)"
expect "can-i, without a role" no "$(t auth can-i list pods || :)"
expect_match "pods, without a role" Forbidden "$(t_fails get pods)"
k label sa app-trixie hypermetal.io/role=view
expect "can-i, with a role" yes "$(t auth can-i list pods)"
t get pods
expect_match "secrets" Forbidden "$(t_fails get secrets)"
expect_match "another namespace" Forbidden "$(t_fails get pods -n other)"
k label --overwrite sa app-trixie hypermetal.io/role=admin
t create configmap by-token --from-literal=a=b
good=$TOKEN
TOKEN=$(k create token app-trixie --audience=vault)
expect_match "for another audience" Unauthorized "$(t_fails get pods)"
TOKEN=${good%????}AAAA
expect_match "with a changed signature" Unauthorized "$(t_fails get pods)"
TOKEN=$good
k delete sa app-trixie
expect_match "of an account that is gone" Unauthorized "$(t_fails get pods)"

# --- two hosts, a pod on each
for i in 0 1; do
	certificate_of "$RUN/host-$i" "/O=system:nodes/CN=system:node:host-$i" "$RUN/controller/ca"
	config_of "host-$i" "client-certificate: $RUN/host-$i.crt, client-key: $RUN/host-$i.key"
	k --kubeconfig "$RUN/config-host-$i" create -f - <<<"{\"apiVersion\":\"v1\",\"kind\":\"Node\",\"metadata\":{\"name\":\"host-$i\"}}"
	k create serviceaccount "account-$i"
	k create secret generic "secret-$i" --from-literal=a=b
	k create configmap "map-$i" --from-literal=a=b
	k create -f - <<-YAML
		apiVersion: v1
		kind: Pod
		metadata: {name: pod-$i}
		spec:
		  nodeName: host-$i
		  serviceAccountName: account-$i
		  containers: [{name: c, image: i, envFrom: [{secretRef: {name: secret-$i}}, {configMapRef: {name: map-$i}}]}]
	YAML
done
h() { k --kubeconfig "$RUN/config-host-0" "$@"; }
h_fails() { ! h "$@" 2>&1 || fail "a host got: $*"; }
h get secret/secret-0 cm/map-0 sa/account-0 cm/kube-root-ca.crt
for object in secret/secret-1 cm/map-1 sa/account-1 secret/plain-trixie secret/nothing; do
	expect_match "host-0 and $object" Forbidden "$(h_fails get "$object")"
done
for kind in secrets configmaps serviceaccounts; do
	expect_match "host-0 lists $kind" Forbidden "$(h_fails get "$kind")"
	expect_match "host-0 lists all $kind" Forbidden "$(h_fails get "$kind" -A)"
	expect_match "host-0 picks of $kind" Forbidden "$(h_fails get "$kind" --field-selector metadata.name=secret-0)"
done
expect_match "host-0 changes its secret" Forbidden "$(h_fails patch secret secret-0 -p '{"data":{}}')"

uid() { k get pod "$1" -o 'jsonpath={.metadata.uid}'; }
bound() { echo create token "account-$1" --bound-object-kind Pod --bound-object-name "pod-$1" --bound-object-uid "$(uid "pod-$1")"; } # INDEX
# shellcheck disable=SC2046  # words on purpose
{
	expect_match "host-0 asks for a token of pod-1" forbidden "$(h_fails $(bound 1))"
	expect_match "host-0 asks for another audience" "not found in pod spec volume" "$(h_fails $(bound 0) --audience=vault)"
	expect_match "host-0 asks for a free token" "not bound to a pod" "$(h_fails create token account-0)"
	TOKEN=$(h $(bound 0))
}
expect_match "the pod's whoami" "pod-name +\[pod-0\]" "$(t auth whoami)"
k delete pod pod-0 --grace-period=0 --force
expect_match "the token of a pod that is gone" Unauthorized "$(t_fails auth whoami)"
expect_match "host-0 and what its pod had" Forbidden "$(h_fails get secret secret-0)"
