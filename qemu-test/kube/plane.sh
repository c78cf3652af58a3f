# shellcheck shell=bash
# A real Kubernetes control plane in an environment, in the place of the controller's own API: etcd, kube-apiserver,
# kube-controller-manager and kube-scheduler, on loopback, without root. See build.sh for where they come from.
#
# The controller joins it as an administrator's program does, with the keys of a kubeconfig, for boot and enrolment
# only. The stock approval of nodes' certificate requests is deliberately absent: it would let one token claim any name.

kube=$RUN/kube

# One key and certificate of the cluster's CA
kube_cert() { # NAME SUBJECT [NAMES [USAGE]]
	openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout "$kube/$1.key" -subj "$2" \
		-out "$kube/$1.csr" 2>/dev/null
	printf 'keyUsage=critical,digitalSignature,keyEncipherment\nextendedKeyUsage=%s\n%s\n' "${4:-clientAuth}" \
		"${3:+subjectAltName=$3}" >"$kube/$1.ext"
	openssl x509 -req -in "$kube/$1.csr" -CA "$kube/ca.crt" -CAkey "$kube/ca.key" -CAcreateserial -days 30 \
		-extfile "$kube/$1.ext" -out "$kube/$1.crt" 2>/dev/null
}

kube_pki() {
	mkdir -p "$kube"
	chmod 700 "$kube"
	openssl req -x509 -new -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout "$kube/ca.key" -days 30 \
		-subj "/CN=cluster CA" -addext keyUsage=critical,keyCertSign,cRLSign,digitalSignature -out "$kube/ca.crt" 2>/dev/null
	openssl genrsa -out "$kube/accounts.key" 2048 2>/dev/null
	openssl rsa -in "$kube/accounts.key" -pubout -out "$kube/accounts.pub" 2>/dev/null
	kube_cert server /CN=kube-apiserver "IP:127.0.0.1,IP:$(gateway),IP:10.96.0.1,DNS:localhost,DNS:kubernetes" serverAuth
	kube_cert admin /O=system:masters/CN=admin
	kube_cert to-hosts /O=system:masters/CN=kube-apiserver-kubelet-client
	kube_cert manager /CN=system:kube-controller-manager
	kube_cert scheduler /CN=system:kube-scheduler
}

# A kubeconfig with everything in it
kube_config() { # NAME FILE
	cat >"$2" <<-YAML
		apiVersion: v1
		kind: Config
		current-context: kube
		contexts: [{name: kube, context: {cluster: kube, user: $1}}]
		clusters:
		- name: kube
		  cluster:
		    server: https://127.0.0.1:$API_PORT
		    certificate-authority-data: $(base64 -w 0 "$kube/ca.crt")
		users:
		- name: $1
		  user:
		    client-certificate-data: $(base64 -w 0 "$kube/$1.crt")
		    client-key-data: $(base64 -w 0 "$kube/$1.key")
	YAML
}

kube_apiserver_start() {
	proc_start apiserver "$KUBE_BIN/kube-apiserver" --etcd-servers="http://127.0.0.1:$ETCD_PORT" \
		--bind-address=127.0.0.1 --advertise-address=127.0.0.1 --secure-port="$API_PORT" \
		--tls-cert-file="$kube/server.crt" --tls-private-key-file="$kube/server.key" --client-ca-file="$kube/ca.crt" \
		--cert-dir="$kube/apiserver" --authorization-mode=Node,RBAC --enable-admission-plugins=NodeRestriction \
		--enable-bootstrap-token-auth=true --endpoint-reconciler-type=none --service-cluster-ip-range=10.96.0.0/16 \
		--service-account-issuer=https://kubernetes.default.svc --service-account-key-file="$kube/accounts.pub" \
		--service-account-signing-key-file="$kube/accounts.key" \
		--kubelet-client-certificate="$kube/to-hosts.crt" --kubelet-client-key="$kube/to-hosts.key" \
		--kubelet-certificate-authority="$kube/ca.crt" --kubelet-preferred-address-types=InternalIP,Hostname
}

# Controller-manager and scheduler; --port=0 closes the plain-HTTP ports that 1.20 would open on every address
kube_managers_start() {
	proc_start manager "$KUBE_BIN/kube-controller-manager" --kubeconfig="$kube/manager.kubeconfig" --leader-elect=false \
		--bind-address=127.0.0.1 --secure-port="$MANAGER_PORT" --port=0 --cert-dir="$kube/manager" \
		--root-ca-file="$kube/ca.crt" --service-account-private-key-file="$kube/accounts.key" \
		--cluster-signing-cert-file="$kube/ca.crt" --cluster-signing-key-file="$kube/ca.key" \
		--use-service-account-credentials=true --controllers='*,bootstrapsigner,tokencleaner'
	proc_start scheduler "$KUBE_BIN/kube-scheduler" --kubeconfig="$kube/scheduler.kubeconfig" --leader-elect=false \
		--bind-address=127.0.0.1 --secure-port="$SCHEDULER_PORT" --port=0 --cert-dir="$kube/scheduler"
}

# What certificate requests of booting hosts, and later their renewals, need
kube_bindings() {
	local role group
	while read -r role group; do
		api POST /apis/rbac.authorization.k8s.io/v1/clusterrolebindings "$(jq -n --arg role "$role" --arg group "$group" '
			{apiVersion: "rbac.authorization.k8s.io/v1", kind: "ClusterRoleBinding",
			 metadata: {name: ("hosts:" + $role)},
			 roleRef: {apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: $role},
			 subjects: [{apiGroup: "rbac.authorization.k8s.io", kind: "Group", name: $group}]}')" >/dev/null
	done <<-LIST
		system:node-bootstrapper system:bootstrappers:hosts
		system:certificates.k8s.io:certificatesigningrequests:selfnodeclient system:nodes
	LIST
}

kube_up() {
	local name
	KUBE_BIN=${KUBE_BIN:-$("$ROOT/qemu-test/kube/build.sh")}
	port_pick ETCD_PORT 2379
	port_pick ETCD_PEER_PORT 2379
	port_pick MANAGER_PORT 10257
	port_pick SCHEDULER_PORT 10257
	kube_pki
	for name in manager scheduler; do kube_config $name "$kube/$name.kubeconfig"; done
	kube_config admin "$RUN/kubeconfig"
	proc_start etcd "$KUBE_BIN/etcd" --data-dir "$kube/etcd" --initial-cluster "default=http://127.0.0.1:$ETCD_PEER_PORT" \
		--listen-client-urls "http://127.0.0.1:$ETCD_PORT" --advertise-client-urls "http://127.0.0.1:$ETCD_PORT" \
		--listen-peer-urls "http://127.0.0.1:$ETCD_PEER_PORT" --initial-advertise-peer-urls "http://127.0.0.1:$ETCD_PEER_PORT"
	kube_apiserver_start
	wait_until 90 api GET /readyz || { log_tail "$RUN/log/apiserver.log" && die "kube-apiserver does not answer"; }
	kube_managers_start
	kube_bindings
	wait_until 90 api GET /api/v1/namespaces/default/serviceaccounts/default ||
		{ log_tail "$RUN/log/manager.log" && die "kube-controller-manager does not work"; }
}
