#!/bin/bash
# A machine with UEFI becomes Ready: by PXE, which fetches iPXE and its script by TFTP; by HTTP boot, where all comes from
# the controller; from a disk or a medium with one EFI program, which asks the controller only for what is the host's own.
# environment: own
# deadline: 600

label() { api GET /api/v1/nodes/host-0 | jq -r ".metadata.labels[\"hypermetal.io/$1\"]"; }
for BOOT in uefi-pxe uefi-http uki disk; do
	env_up
	console=$(tr -d '\r' <"$RUN/host-0/serial.log")
	expect_match "$BOOT: the kernel's words" 'efi: EFI v2' "$console"
	case $BOOT in
	uefi-pxe) expect_match "the firmware's words" 'NBP filename is snponly.efi' "$console" ;;
	uefi-http) expect_match "the firmware's words" 'URI: http://[0-9.:]*/boot/snponly.efi' "$console" ;;
	*) expect_match "$BOOT: hostd's words" 'ev=piece_written' "$console" ;;
	esac
	if [ $BOOT = uki ]; then
		await 60 "the Node's labels say UEFI without Secure Boot" eval '[ "$(label firmware) $(label secure-boot)" = "uefi disabled" ]'
	fi
	env_down
done
