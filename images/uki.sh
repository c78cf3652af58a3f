#!/bin/bash
# uki.sh - a unified kernel image: kernel, initramfs and command line in one EFI program
#
# usage: uki.sh STUB KERNEL INITRAMFS OS_RELEASE COMMAND_LINE OUTPUT
#
# STUB is systemd's linuxx64.efi.stub. The sections are those of the UAPI group's specification; each begins on a page
# behind the stub's own. The kernel lies in front of the initramfs. The stub's date stays: equal input, equal bytes.
set -euo pipefail
case ${1:-} in -h | --help | '') sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0"; exit 0 ;; esac
stub=$1 kernel=$2 initramfs=$3 os_release=$4 command_line=$5 output=$6
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

printf '%s\0' "$command_line" >"$work/cmdline"

# The first page behind the stub's last section
read -r size address < <(objdump -h "$stub" | awk 'NF == 7 && $1 ~ /^[0-9]+$/ { s = $3; a = $4 } END { print s, a }')
next=$(((0x$address + 0x$size + 0xfff) & ~0xfff))

args=()
section() { # NAME FILE
	args+=(--add-section "$1=$2" --change-section-vma "$1=$(printf 0x%x $next)" --set-section-flags "$1=data,readonly")
	next=$(((next + $(stat -Lc %s "$2") + 0xfff) & ~0xfff))
}
section .osrel "$os_release"
section .cmdline "$work/cmdline"
section .linux "$kernel"
section .initrd "$initramfs"
objcopy --preserve-dates "${args[@]}" "$stub" "$output.new"
touch "$output.new"
mv "$output.new" "$output"
