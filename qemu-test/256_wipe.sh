#!/bin/bash
# Disks are wiped by one command, each in the way that it knows: afterwards zeros can be read, and the report says so.
# Nothing happens to a disk in use under pods, to another disk that has got the name, or without the host's name typed.
# environment: own
# deadline: 600

DISKS=$(mktemp -d "${TMPDIR:-/tmp}/wipe.XXXXXX")
trap 'rm -rf "$DISKS"' EXIT
# Noise at head, tail and in the middle
disk() { # NAME MIB
	truncate -s "$2M" "$DISKS/$1"
	for at in 0 $(($2 / 2)) $(($2 - 2)); do openssl rand 2097152 | dd of="$DISKS/$1" bs=1M seek="$at" conv=notrunc status=none; done
}
for name in format discard over stays; do disk "$name" 96; done
disk auto 256
truncate -s 2G "$DISKS/data"
QEMU_EXTRA="-drive if=none,id=format,format=raw,discard=unmap,file=$DISKS/format -device nvme,drive=format,serial=FORMAT-1
-drive if=none,id=discard,format=raw,discard=unmap,file=$DISKS/discard -device virtio-blk-pci,drive=discard,serial=DISCARD-2
-drive if=none,id=over,format=raw,file=$DISKS/over -device virtio-blk-pci,drive=over,serial=OVER-3
-drive if=none,id=stays,format=raw,file=$DISKS/stays -device virtio-blk-pci,drive=stays,serial=STAYS-4
-drive if=none,id=auto,format=raw,file=$DISKS/auto -device ide-hd,drive=auto,serial=AUTO-5,bus=ide.0
-drive if=none,id=data,format=raw,discard=unmap,file=$DISKS/data -device virtio-blk-pci,drive=data,serial=DATA-6
${QEMU_EXTRA:-}"
HOST_SETTINGS=(data=DATA-6)
env_up

disks() { hyper describe host host-0 -o json | jq -e "$1"; } # JQ_EXPRESSION
zeros() { [ "$(tr -d '\0' <"$DISKS/$1" | head -c 1 | wc -c)" = 0 ]; }
# A disk's state in the report, how it was wiped, what was read again
of() { hyper wipe host-0 --status -o json | jq -r --arg serial "$1" '.disks[] | select(.serial == $serial) | [.state, .method, .verified // ""] | join(" ")'; }
refused() { # REGEX ARGUMENTS...
	if hyper wipe host-0 "${@:2}" >"$RUN/said" 2>&1; then fail "hyper wipe ${*:2} was not refused"; fi
	expect_match "hyper wipe ${*:2}" "$1" "$(cat "$RUN/said")"
}

await 60 "all disks are known" disks '.disks | .device != null and (.disks | length == 6)'
before=$(sha256sum "$DISKS/stays")
pod_create holder busybox '["sh", "-c", "while :; do sleep 1; done"]'
await 120 "holder runs" pod_running holder

# What is refused
refused 'has no disk NOT-THERE' --disk NOT-THERE --yes
refused 'which disks' --yes
refused 'method is one of' --disk STAYS-4 --method magic --yes
refused 'not its name' --disk STAYS-4 <<<"host-1"
refused 'cordon and drain the host first' --disk DATA-6 --yes
refused 'no NVMe disk' --disk STAYS-4 --method nvme-format --yes
refused 'no NVMe disk' --disk STAYS-4 --method nvme-sanitize --yes
refused 'takes no ATA commands|no ATA disk' --disk STAYS-4 --method ata-secure-erase --yes
expect "the disk that stays" "$before" "$(sha256sum "$DISKS/stays")"
pod_running holder || fail "the pod did not survive"

# Each in its way
hyper wipe host-0 --disk FORMAT-1 --method nvme-format <<<"host-0"
expect "format" "wiped nvme-format zero" "$(of FORMAT-1)"
zeros format || fail "the formatted disk holds data"
hyper wipe host-0 --disk DISCARD-2 --method discard --yes
expect "discard" "wiped discard zero" "$(of DISCARD-2)"
zeros discard || fail "the trimmed disk holds data"
hyper wipe host-0 --disk OVER-3 --disk AUTO-5 --method overwrite --yes >"$RUN/page"
cat "$RUN/page"
expect_match "the page" 'OVER-3 +overwrite +wiped +20[0-9-]+T[0-9:]+Z +20[0-9-]+T[0-9:]+Z +96 samples: zero' "$(cat "$RUN/page")"
zeros over || fail "the overwritten disk holds data"
zeros auto || fail "the overwritten disk holds data"
await 30 "they are empty" disks '[.disks.disks[] | select(.state == "empty")] | length == 4'
expect "the disk that stays" "$before" "$(sha256sum "$DISKS/stays")"

# The one in use, without pods; auto
pod_remove holder
hyper drain host-0
hyper wipe host-0 --all --yes
for serial in FORMAT-1 DISCARD-2 OVER-3 STAYS-4 AUTO-5 DATA-6; do
	expect_match "$serial" "^wiped (nvme-format|discard|overwrite) zero$" "$(of "$serial")"
done
for name in data stays; do zeros $name || fail "$name holds data"; done
await 30 "they are empty" disks '[.disks.disks[] | select(.state == "empty")] | length == 6'

# The host goes on, in RAM
hyper uncordon host-0
pod_create after busybox '["true"]'
await 120 "after has run" pod_ended after
expect "after" Succeeded "$(pod after .status.phase)"
expect "hostd began" 1 "$(grep -ac 'ev=hostd_started' "$RUN/host-0/serial.log")"
