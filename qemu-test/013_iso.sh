#!/bin/bash
# The ISO makes a machine with a BIOS Ready from a CD, and, as it is, one with UEFI from a USB stick; the disk image makes
# one with a BIOS Ready, too. None of them was told the boot service at its build: DHCP names it.
# environment: own
# deadline: 500

label() { api GET /api/v1/nodes/host-0 | jq -r ".metadata.labels[\"hypermetal.io/$1\"]"; }
for BOOT in iso-bios stick-uefi disk-bios; do
	env_up
	console=$(tr -d '\r' <"$RUN/host-0/serial.log")
	expect_match "$BOOT: where hostd has the boot service from" "ev=piece_wanted url=$BOOT_URL from=dhcp" "$console"
	case $BOOT in
	*-bios) firmware=bios && expect_match "$BOOT: the boot loader's words" 'Command line: BOOT_IMAGE=.program.' "$console" ;;
	*-uefi) firmware=uefi && expect_match "$BOOT: the kernel's words" 'efi: EFI v2' "$console" ;;
	esac
	await 60 "$BOOT: the Node's label says $firmware" eval '[ "$(label firmware)" = $firmware ]'
	env_down
done
