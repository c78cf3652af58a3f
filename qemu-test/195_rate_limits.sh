#!/bin/bash
# Annotations limit a pod's disk and network on the host's side: what dd and wget measure in the pod lies within a factor
# of two of what was asked for. A value that makes no sense fails the pod by the annotation's name.
# environment: own
# deadline: 400

HOST_KERNEL_ARGS=hyper.debug
env_up
dd if=/dev/zero of="$RUN/big" bs=1M count=3 2>/dev/null
serve=$(serve_files "$RUN/big")

annotated() { jq -nc --arg k "$1" --arg v "$2" '{metadata: {annotations: {($k): $v}}}'; } # KEY VALUE

pod_create bad busybox '["true"]' "$(annotated hypermetal.io/disk-iops fast)"
await 45 "bad has Failed" pod_is bad .status.phase Failed
expect "reason" UnsupportedPod "$(pod bad .status.reason)"
expect_match "message" 'metadata\.annotations\[hypermetal\.io/disk-iops\]: not a quantity' "$(pod bad .status.message)"
pod_remove bad

# Seconds that LINE takes in a pod with these annotations, by the guest's clock, into $took
measure() { # NAME ANNOTATIONS_JSON LINE
	pod_create "$1" busybox "$(jq -nc --arg l "read a x </proc/uptime; $3; read b x </proc/uptime; echo took \$a \$b" '["sh", "-ec", $l]')" \
		"{\"metadata\": {\"annotations\": $2}, \"spec\": {\"volumes\": [{\"name\": \"v\", \"emptyDir\": {}}]}}" \
		'{"volumeMounts": [{"name": "v", "mountPath": "/v"}]}'
	await 150 "$1 has run" pod_is "$1" .status.phase Succeeded
	took=$(pod_logs "$1" | awk '/^took/ {print int(($3 - $2) * 10 + 0.5)}') # tenths
	echo "$1: $took tenths of a second"
	pod_remove "$1"
}
within() { # WHAT WANTED_TENTHS
	if [ "$took" -lt $(($2 / 2)) ] || [ "$took" -gt $(($2 * 2)) ]; then fail "$1: took $took tenths of a second, about $2 were to be expected"; fi
}

# On a volume, for the container's own root does not wait for its disk
disk='dd if=/dev/zero of=/v/f bs=64k count=64 conv=fsync'
measure free '{}' "$disk"
free=$took
measure bandwidth '{"hypermetal.io/disk-bandwidth": "512Ki"}' "$disk"
within "4 MiB to disk at 512 KiB/s" 80
[ "$took" -gt $((free * 2)) ] || fail "an unlimited disk took $free tenths, a limited one $took"
measure iops '{"hypermetal.io/disk-iops": "20"}' 'i=0; while [ $i -lt 50 ]; do dd if=/dev/zero of=/v/f$i bs=4k count=1 conv=fsync; i=$((i + 1)); done'
[ "$took" -gt 25 ] || fail "50 files and their syncs at 20 requests a second: took $took tenths of a second"

get="wget -q -O /dev/null $serve/big"
measure ingress '{"hypermetal.io/net-ingress": "3M"}' "$get"
within "3 MiB to the pod at 3 Mbit/s" 84
port_pick sink 8950
in_net_start sink socat -u "TCP-LISTEN:$sink,bind=$(listen_address),fork,reuseaddr" OPEN:/dev/null
measure egress '{"kubernetes.io/egress-bandwidth": "3M"}' \
	"dd if=/dev/zero of=/f bs=1M count=3; read a x </proc/uptime; nc $(gateway) $sink </f"
within "3 MiB from the pod at 3 Mbit/s" 84
