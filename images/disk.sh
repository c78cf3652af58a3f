#!/bin/bash
# disk.sh - a disk image that BIOS and UEFI machines boot: GPT with one EFI system partition, in it one EFI program
#
# usage: disk.sh EFI_PROGRAM GRUB_FOLDER COMMAND_LINE OUTPUT
#
# For USB sticks, BMCs' virtual media and disks: `zstd -d <OUTPUT.zst | dd of=/dev/sdX bs=4M`. Nothing on it is written
# to by the host. A BIOS starts GRUB, which takes kernel and initramfs out of the EFI program (grub.sh); its menu may be
# edited on the EFI system partition. Identifiers and dates are fixed: equal input, equal bytes.
set -euo pipefail
case ${1:-} in -h | --help | '') sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0"; exit 0 ;; esac
program=$1 grub=$2 command_line=$3 output=$4
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
here=$(dirname "$0")
esp=2048 # where the two partitions begin, in sectors
core=40

"$here/grub.sh" "$program" "$command_line" /EFI/BOOT/BOOTX64.EFI >"$work/grub.cfg"
"$here/fat.sh" 32 "$work/esp" "/EFI/BOOT/BOOTX64.EFI=$program" "/boot/grub/grub.cfg=$work/grub.cfg"
mib=$(($(stat -c %s "$work/esp") / 1048576))
rm -f "$output"
truncate -s "$((mib + 2))M" "$output"
/usr/sbin/sfdisk -q "$output" <<-TABLE
	label: gpt
	label-id: 48595045-524d-4554-414c-000000000001
	first-lba: 34
	1: start=$esp, size=${mib}MiB, type=uefi, uuid=48595045-524d-4554-414c-000000000002, name=hypermetal
	2: start=$core, size=$((esp - core)), type=21686148-6449-6E6F-744E-656564454649, uuid=48595045-524d-4554-414c-000000000003, name=grub
TABLE

# $1 as COUNT bytes, the lowest first
bytes() { local i; for ((i = 0; i < $2; i++)); do printf %b "\\x$(printf %02x $(($1 >> 8 * i & 255)))"; done; }
put() { dd of="$1" bs=1 seek="$2" conv=notrunc status=none; } # FILE OFFSET

# What grub-bios-setup would do. GRUB's boot sector knows where its second stage lies, and trusts no BIOS that says it
# boots from a floppy; the first sector of that knows where the rest lies
cp "$grub/core.img" "$work/core"
cp "$grub/boot.img" "$work/boot"
bytes $((core + 1)) 8 | put "$work/core" $((0x1f4))
bytes $core 8 | put "$work/boot" $((0x5c))
bytes $((0x9090)) 2 | put "$work/boot" $((0x66))
[ "$(stat -c %s "$work/core")" -le $(((esp - core) * 512)) ] || { echo "disk.sh: GRUB is too large" >&2 && exit 1; }
head -c 440 "$work/boot" | dd of="$output" conv=notrunc status=none
bytes $((0x80)) 1 | put "$output" 446 # many a BIOS wants an active partition
dd if="$work/core" of="$output" seek=$core conv=notrunc status=none
dd if="$work/esp" of="$output" bs=1M seek=1 conv=notrunc,sparse status=none
