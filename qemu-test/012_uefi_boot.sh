#!/bin/bash
# A machine with UEFI becomes Ready: by PXE, which fetches iPXE and its script by TFTP, and by HTTP boot, where all comes
# from the controller.
# environment: own
# deadline: 400

for BOOT in uefi-pxe uefi-http; do
	env_up
	grep -aq 'efi: EFI v2' "$RUN/host-0/serial.log" || fail "$BOOT: the kernel was not started by UEFI"
	console=$(tr -d '\r' <"$RUN/host-0/serial.log")
	case $BOOT in
	uefi-pxe) expect_match "the firmware's words" 'NBP filename is snponly.efi' "$console" ;;
	uefi-http) expect_match "the firmware's words" 'URI: http://[0-9.:]*/boot/snponly.efi' "$console" ;;
	esac
	env_down
done
