#!/bin/bash
# Images as registries have them: zstd layers, an index of several architectures, a name by digest.
# environment: shared
# deadline: 240

work=$RUN/image-kinds
rm -rf "$work"
mkdir -p "$work"
registry=http://127.0.0.1:$REGISTRY_PORT/v2/library
manifest_type=application/vnd.oci.image.manifest.v1+json

skopeo copy --quiet --insecure-policy --dest-compress --dest-compress-format zstd \
	"oci:$OUT/oci/busybox:latest" "oci:$work/zstd:latest"
registry_push "$work/zstd" busybox:zstd

# An index whose first entry is for another machine: taking it would run something else
manifest() { in_net curl -sf -H "Accept: $manifest_type" "$registry/$1"; }
entry() { # IMAGE ARCHITECTURE
	manifest "busybox/manifests/$1" >"$work/manifest"
	jq -n --arg digest "sha256:$(sha256sum <"$work/manifest" | cut -d' ' -f1)" --arg architecture "$2" \
		--argjson size "$(stat -c %s "$work/manifest")" --arg type $manifest_type \
		'{mediaType: $type, digest: $digest, size: $size, platform: {os: "linux", architecture: $architecture}}'
}
registry_push "$OUT/oci/nginx" busybox:other
jq -n --argjson other "$(entry other arm64)" --argjson ours "$(entry latest amd64)" \
	'{schemaVersion: 2, mediaType: "application/vnd.oci.image.index.v1+json", manifests: [$other, $ours]}' >"$work/index"
in_net curl -sf -X PUT -H 'Content-Type: application/vnd.oci.image.index.v1+json' --data-binary "@$work/index" \
	"$registry/busybox/manifests/index"
digest=$(entry latest amd64 | jq -r .digest)

run() { # NAME IMAGE
	pod_create "$1" "$2" '["sh", "-c", "echo hello from $0", "'"$1"'"]'
	await 90 "$1 ($2) has run" pod_is "$1" .status.phase Succeeded
	expect "output of $1" "hello from $1" "$(pod_logs "$1")"
	pod_remove "$1"
}
run kind-zstd busybox:zstd
run kind-index busybox:index
run kind-digest "busybox@$digest"
