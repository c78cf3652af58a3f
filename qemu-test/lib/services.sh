# shellcheck shell=bash
# Controller and registry of an environment, and the settings that hosts are given.

REGISTRY_WANT=${REGISTRY_PORT:-5000} API_WANT=${API_PORT:-6443} BOOT_WANT=${BOOT_PORT:-6480}

services_pick_ports() {
	port_pick REGISTRY_PORT "$REGISTRY_WANT"
	port_pick API_PORT "$API_WANT"
	port_pick BOOT_PORT "$BOOT_WANT"
	BOOT_URL=http://$(gateway):$BOOT_PORT
	remember REGISTRY_PORT API_PORT BOOT_PORT BOOT_URL
}

listen_address() { if [ "$NET" = bridge ]; then echo 0.0.0.0; else echo 127.0.0.1; fi; }

# --- controller

# Writes the settings that the controller hands to every host, and those of each single host
settings_write() {
	local i
	mkdir -p "$RUN/host-settings.d"
	{
		echo "registry_mirror=docker.io=http://$(gateway):$REGISTRY_PORT"
		printf '%s\n' "${HOST_SETTINGS[@]}"
	} | grep . >"$RUN/host-settings"
	for ((i = 0; i < HOSTS; i++)); do
		{
			echo "node_name=host-$i"
			echo "pod_cidr=10.88.$i.0/24"
			if [ "$NET" = user ]; then echo "advertise=$(host_address "$i" 10250)"; fi
		} >"$RUN/host-settings.d/$(host_mac "$i" | tr : -)"
	done
}
HOST_SETTINGS=()

controller_start() {
	[ -x "$OUT/bin/controller" ] || die "$OUT/bin/controller is missing: run make"
	in_net_start controller "$OUT/bin/controller" --data "$RUN/controller" \
		--listen "$(listen_address):$API_PORT" --boot-listen "$(listen_address):$BOOT_PORT" --images "$(images_dir)" \
		--advertise-api "https://$(gateway):$API_PORT" --advertise-boot "$BOOT_URL" --kubeconfig "$RUN/kubeconfig" \
		--host-settings "$RUN/host-settings" --host-settings-dir "$RUN/host-settings.d" \
		${HOST_KERNEL_ARGS:+--boot-args "$HOST_KERNEL_ARGS"} "${CONTROLLER_ARGS[@]}"
}
CONTROLLER_ARGS=()
HOST_KERNEL_ARGS=${HOST_KERNEL_ARGS:-}

controller_ready() { [ -s "$RUN/kubeconfig" ] && api GET /readyz; }

# --- the API, by curl with the kubeconfig's own keys

kubeconfig_field() { # NAME
	sed -nE "s/.*\"?$1\"?: *\"?([A-Za-z0-9+\/=]+)\"?.*/\1/p" "$RUN/kubeconfig" | head -n 1
}

# Takes the kubeconfig's keys out of it; sets API_KEYS, curl's arguments for them
api_keys() {
	local keys=$RUN/keys
	if [ ! "$keys/key.pem" -nt "$RUN/kubeconfig" ]; then
		mkdir -p "$keys"
		chmod 700 "$keys"
		kubeconfig_field certificate-authority-data | base64 -d >"$keys/ca.pem"
		kubeconfig_field client-certificate-data | base64 -d >"$keys/cert.pem"
		kubeconfig_field client-key-data | base64 -d >"$keys/key.pem"
	fi
	API_KEYS=(--cacert "$keys/ca.pem" --cert "$keys/cert.pem" --key "$keys/key.pem")
}

api_url() { echo "https://127.0.0.1:$API_PORT$1"; } # PATH

# The answer's body; status not 0 if its status is 400 or above
api() { # METHOD PATH [BODY [CONTENT_TYPE]]
	local body=()
	api_keys
	if [ -n "${3:-}" ]; then body=(-H "Content-Type: ${4:-application/json}" --data-binary "$3"); fi
	in_net curl -sS --fail-with-body --max-time 20 "${API_KEYS[@]}" -X "$1" "${body[@]}" "$(api_url "$2")"
}

# Only the status of the answer
api_status() { # METHOD PATH
	api_keys
	in_net curl -s -o /dev/null --max-time 20 -w '%{http_code}' "${API_KEYS[@]}" -X "$1" "$(api_url "$2")"
}

# "NAME True|False|Unknown REASON MESSAGE" for each node that has registered
nodes() {
	api GET /api/v1/nodes | jq -r '.items[] | .metadata.name as $name | .status.conditions[]? |
		select(.type == "Ready") | "\($name) \(.status) \(.reason // "-") \(.message // "")"'
}

node_ready() { nodes | grep -q "^$1 True "; } # NAME

# --- registry

registry_start() {
	need docker-registry docker-registry
	need skopeo skopeo
	mkdir -p "$RUN/registry"
	cat >"$RUN/registry.yml" <<-CONF
		version: 0.1
		log: {level: info, accesslog: {disabled: false}}
		storage: {filesystem: {rootdirectory: $RUN/registry}, delete: {enabled: true}}
		http: {addr: "$(listen_address):$REGISTRY_PORT"}
	CONF
	OTEL_TRACES_EXPORTER=none in_net_start registry docker-registry serve "$RUN/registry.yml"
	wait_until 15 in_net curl -sf "http://127.0.0.1:$REGISTRY_PORT/v2/" ||
		{ log_tail "$RUN/log/registry.log" && die "the registry does not answer"; }
}

registry_push() { # LAYOUT NAME:TAG [SKOPEO_ARGUMENT...]
	local layout=$1 image=$2
	shift 2
	in_net skopeo copy --quiet --insecure-policy --dest-tls-verify=false "$@" \
		"oci:$layout:latest" "docker://127.0.0.1:$REGISTRY_PORT/library/$image"
}

registry_fill() {
	registry_push "$OUT/oci/nginx" nginx:latest
	registry_push "$OUT/oci/busybox" busybox:latest
}

# One of images/ordinary
ordinary_push() { # NAME
	[ -f "$OUT/oci/$1/index.json" ] || die "$OUT/oci/$1 is missing: make ordinary-images"
	registry_push "$OUT/oci/$1" "$1:latest"
}

# Digest of layer INDEX of an image
registry_layer() { # NAME:TAG INDEX
	in_net curl -sf -H 'Accept: application/vnd.oci.image.manifest.v1+json' \
		"http://127.0.0.1:$REGISTRY_PORT/v2/library/${1%:*}/manifests/${1#*:}" | jq -r ".layers[$2].digest"
}

# The file in the registry's own storage that holds that layer
registry_blob() { # NAME:TAG INDEX
	local digest
	digest=$(registry_layer "$1" "$2")
	echo "$RUN/registry/docker/registry/v2/blobs/sha256/${digest:7:2}/${digest#sha256:}/data"
}

# --- files for hosts, which have no other way to get what is part of no image

# Serves FILE... over HTTP; prints the URL of their folder
serve_files() { # FILE...
	local port
	mkdir -p "$RUN/serve"
	cp "$@" "$RUN/serve/"
	port_pick port 8900
	in_net_start serve python3 -m http.server --bind "$(listen_address)" --directory "$RUN/serve" "$port" >&2
	wait_until 15 in_net curl -sf -o /dev/null "http://127.0.0.1:$port/" || die "no file server on port $port"
	echo "http://$(gateway):$port"
}
