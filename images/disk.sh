#!/bin/bash
# disk.sh - a disk image that UEFI machines boot: GPT with one EFI system partition, in it one EFI program
#
# usage: disk.sh EFI_PROGRAM OUTPUT
#
# For USB sticks, BMCs' virtual media and disks: `zstd -d <OUTPUT.zst | dd of=/dev/sdX bs=4M`. Nothing on it is written
# to by the host. Identifiers and dates are fixed: equal input, equal bytes.
set -euo pipefail
case ${1:-} in -h | --help | '') sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0"; exit 0 ;; esac
program=$1 output=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-0} TZ=UTC MTOOLS_SKIP_CHECK=1

mib=$(($(stat -Lc %s "$program") / 1048576 + 8))
[ $mib -ge 40 ] || mib=40 # less is no FAT32
esp=$work/esp
truncate -s "${mib}M" "$esp"
mkfs.fat -F 32 -s 1 -n HYPERMETAL -i 48595045 --invariant "$esp" >/dev/null
cp "$program" "$work/BOOTX64.EFI"
touch -d "@$SOURCE_DATE_EPOCH" "$work/BOOTX64.EFI"
mmd -i "$esp" ::/EFI ::/EFI/BOOT
mcopy -m -i "$esp" "$work/BOOTX64.EFI" ::/EFI/BOOT/

rm -f "$output"
truncate -s "$((mib + 2))M" "$output"
/usr/sbin/sfdisk -q "$output" <<-TABLE
	label: gpt
	label-id: 48595045-524d-4554-414c-000000000001
	start=1MiB, size=${mib}MiB, type=uefi, uuid=48595045-524d-4554-414c-000000000002, name=hypermetal
TABLE
dd if="$esp" of="$output" bs=1M seek=1 conv=notrunc,sparse status=none
