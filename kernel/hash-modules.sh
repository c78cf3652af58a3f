#!/bin/bash
# hash-modules.sh - write the list of module hashes into a linked vmlinux
#
# usage: hash-modules.sh VMLINUX MODULES-DIR
#
# Fills module_hashes[] (kernel/module/hashes.c of the patched source) with the SHA-256 of every *.ko below MODULES-DIR,
# sorted; the entries that are left over stay zero and come first.
set -euo pipefail

[ $# = 2 ] || { sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0"; exit 2; }
vmlinux=$1 modules=$2

# The table's address and size, and its section's address and place in the file, as decimal numbers
read -r addr size < <(nm -S "$vmlinux" | awk '$4 == "module_hashes" { print $1, $2 }')
read -r base offset < <(readelf -SW "$vmlinux" | sed 's/^ *\[ *//' | awk '$2 == ".rodata" { print $4, $5 }')
room=$((0x$size / 32))
place=$((0x$offset + 0x$addr - 0x$base))
hashes=$(find "$modules" -name '*.ko' -print0 | xargs -0 sha256sum | cut -c1-64 | sort)
count=$(wc -l <<<"$hashes")
[ "$count" -le $room ] || { echo "$count modules, but CONFIG_MODULE_HASHES_MAX is $room"; exit 1; }
old=$(dd if="$vmlinux" bs=1 skip=$place count=$((room * 32)) status=none | tr -d '\0' | wc -c)
[ "$old" = 0 ] || { echo "$vmlinux: module_hashes[] is not empty"; exit 1; }
tr -d '\n' <<<"$hashes" | perl -e 'print pack("H*", <STDIN>)' |
	dd of="$vmlinux" bs=1 seek=$((place + (room - count) * 32)) conv=notrunc status=none
echo "$count module hashes written into $vmlinux"
