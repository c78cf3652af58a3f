#!/bin/bash
# Disks: what others have written stays as it was, to the byte, and is named; images and pods' scratch move to a disk when
# the host's settings say so, also to one with blocks of 4096 bytes, and again after a restart; encrypted, nothing of it
# can be read on the disk.
# environment: own
# deadline: 600

HOST_KERNEL_ARGS=hyper.debug
DISKS=$(mktemp -d "${TMPDIR:-/tmp}/disks.XXXXXX")
trap 'rm -rf "$DISKS"' EXIT
disk() { truncate -s "$2" "$DISKS/$1"; } # NAME SIZE
MARKER=the-pod-wrote-this-marker

# What others have written, made by their own tools; one that only its owner knows; one that looks empty at both ends
foreign=(luks xfs ext4 gpt swap noise middle)
for name in "${foreign[@]}"; do disk "$name" 128M; done
disk xfs 320M
echo secret | cryptsetup luksFormat -q --type luks2 --pbkdf pbkdf2 --pbkdf-force-iterations 1000 "$DISKS/luks" -
mkfs.xfs -q -f "$DISKS/xfs"
mkfs.ext4 -q -F "$DISKS/ext4"
sfdisk -q "$DISKS/gpt" <<<$'label: gpt\n2048 131072 U -\n133120 - L -'
mkfs.vfat -F 16 -n ESP --offset 2048 "$DISKS/gpt" 65536 >/dev/null
mkswap -q "$DISKS/swap"
openssl rand 8192 | dd of="$DISKS/noise" bs=4096 seek=2 conv=notrunc status=none
openssl rand 8388608 | dd of="$DISKS/middle" bs=1M seek=50 conv=notrunc status=none
disk small 128M
disk fast 6G
disk torn 4G
sums() { (cd "$DISKS" && sha256sum "${foreign[@]}" small); }
before=$(sums)

QEMU_EXTRA="-drive if=none,id=fast,format=raw,discard=unmap,file=$DISKS/fast
-device nvme,drive=fast,serial=FAST-4K,logical_block_size=4096,physical_block_size=4096
-device virtio-scsi-pci,id=scsi0
-drive if=none,id=torn,format=raw,discard=unmap,file=$DISKS/torn -device scsi-hd,id=torn0,drive=torn,serial=TORN-OUT,bus=scsi0.0
-drive if=none,id=small,format=raw,file=$DISKS/small -device scsi-hd,drive=small,serial=small,bus=scsi0.0
${QEMU_EXTRA:-}"
for name in "${foreign[@]}"; do
	QEMU_EXTRA+=" -drive if=none,id=$name,format=raw,file=$DISKS/$name -device virtio-blk-pci,drive=$name,serial=$name"
done

HOST_SETTINGS=(data=auto)
env_up

look() { hyper describe host host-0 -o json >"$RUN/node" && jq -e .disks "$RUN/node" >"$RUN/disks"; }
seen() { look && jq -e "$1" "$RUN/disks"; } # JQ_CONDITION
of() { jq -r --arg serial "$1" '.disks[] | select(.serial == $serial) | [.state, .holds // "", .use] | join("|")' "$RUN/disks"; } # SERIAL
storage() { api GET /api/v1/nodes/host-0 | jq -r '.status.capacity["ephemeral-storage"] | rtrimstr("Ki") | tonumber / 1048576 | floor'; }
mounts() { host_shell 0 "grep ' /var/lib/hypermetal/$1 ' /proc/mounts" | tail -n 1; } # scratch|images

# A pod that runs on the disk, and writes there
writer() { # NAME
	pod_create "$1" busybox "$(jq -cn --arg marker "$MARKER" '["sh", "-c",
		"for i in $(seq 2000); do echo \($marker)-\($marker); done >/file; sync; sha256sum /file; while :; do sleep 1; done"]')" '{"spec": {"restartPolicy": "Always"}}'
	await 120 "$1 runs" pod_running "$1"
	await 60 "$1 has written" eval "[ -n \"\$(pod_logs $1)\" ]"
	host_shell 0 'echo s >/proc/sysrq-trigger; sleep 5' >/dev/null # the host writes what it holds back
}

await 60 "the report says which disk is used" seen '.device == "nvme0n1" and (.disks | length == 10)'
expect "the disk" "ours|hypermetal-$(openssl x509 -in "$RUN/controller/ca.crt" -noout -fingerprint -sha256 2>/dev/null |
	sed 's/.*=//;s/://g' | tr A-F a-f | cut -c1-20)|data" "$(of FAST-4K)"
expect "LUKS" "foreign|crypto_LUKS|left alone" "$(of luks)"
expect "XFS" "foreign|xfs|left alone" "$(of xfs)"
expect "ext4" "foreign|ext4|left alone" "$(of ext4)"
expect "a GPT with a FAT" "foreign|gpt: vfat|left alone" "$(of gpt)"
expect "swap" "foreign|swap|left alone" "$(of swap)"
expect "noise" "foreign|data that nobody here knows|left alone" "$(of noise)"
expect "noise in the middle" "foreign|data that nobody here knows|left alone" "$(of middle)"
expect "one that is too small" "empty||spare" "$(of small)"
expect "one more" "empty||spare" "$(of TORN-OUT)"
await 30 "the room on the disk" eval '[ "$(storage)" -ge 4 ]'
writer first
for part in scratch images; do
	expect_match "$part" "^/dev/nvme0n1p1 /var/lib/hypermetal/$part ext4 rw,nosuid,nodev,noexec,noatime" "$(mounts $part)"
done
await 60 "the marker is on the disk" grep -aq "$MARKER" "$DISKS/fast"
expect_match "the page" 'nvme0n1 +FAST-4K +ours .* data' "$(hyper describe host host-0)"

# hostd is replaced: nothing moves
sum=$(pod_logs first)
host_shell 0 'kill -9 $(pidof hostd)' >/dev/null
await 60 "host-0 is there" node_ready host-0
await 60 "the report is the same" seen '.device == "nvme0n1"'
pod_running first || fail "the pod ended with hostd"
expect "prepared" 1 "$(grep -ac ev=data_disk_prepare "$RUN/host-0/serial.log")"

# Again, on what is ours; the pod begins anew
expect "hyper reboot" host-0 "$(hyper reboot host-0)"
await 150 "first has written again" eval '[ "$(pod_logs first 2>/dev/null)" = "$sum" ]'
await 30 "the report says so" seen '.device == "nvme0n1"'
expect "foreign disks" "$before" "$(sums)"

# Another one by its serial number, encrypted
sed -i 's/^data=.*/data=NOT-THERE,luks,TORN-OUT\nencrypt=true/' "$RUN/host-settings"
pod_remove first
expect "hyper reboot" host-0 "$(hyper reboot host-0)"
await 60 "the report says which disk is used" seen '.disks[] | select(.serial == "TORN-OUT") | .use == "data"'
expect "the first disk" spare "$(of FAST-4K | cut -d'|' -f3)"
writer second
expect_match "scratch" "^/dev/dm-0 /var/lib/hypermetal/scratch ext4 " "$(mounts scratch)"
! grep -aq "$MARKER" "$DISKS/torn" || fail "the marker can be read on an encrypted disk"
expect "foreign disks" "$before" "$(sums)"
