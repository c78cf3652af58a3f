#!/bin/bash
# iso.sh - an ISO that BIOS and UEFI machines boot, from a CD (a BMC's virtual one, too) and, copied as it is, from a stick
#
# usage: iso.sh EFI_PROGRAM GRUB_FOLDER COMMAND_LINE OUTPUT
#
# UEFI: El Torito's EFI image, which is the stick's EFI system partition as well, with the program. BIOS: GRUB, which
# takes kernel and initramfs out of that very program (grub.sh), so that nothing lies on the medium twice.
# Identifiers and dates are fixed: equal input, equal bytes.
set -euo pipefail
case ${1:-} in -h | --help | '') sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0"; exit 0 ;; esac
program=$1 grub=$2 command_line=$3 output=$4
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
here=$(dirname "$0")

mkdir -p "$work/iso/boot/grub"
"$here/fat.sh" 16 "$work/iso/boot/efi.img" "/EFI/BOOT/BOOTX64.EFI=$program"
"$here/grub.sh" "$program" "$command_line" /EFI/BOOT/BOOTX64.EFI /boot/efi.img >"$work/iso/boot/grub/grub.cfg"
cp "$grub/eltorito.img" "$work/iso/boot/grub/"
"$here/xorriso.sh" "$work/iso" "$output" -b boot/grub/eltorito.img -no-emul-boot -boot-load-size 4 -boot-info-table \
	--grub2-boot-info --grub2-mbr "$grub/boot_hybrid.img" --efi-boot boot/efi.img
