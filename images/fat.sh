#!/bin/bash
# fat.sh - a FAT file system with the given files
#
# usage: fat.sh 16|32 OUTPUT /PATH=FILE...
#
# FAT32 is what firmware expects of a disk's EFI system partition and has 40 MiB at least; FAT16 is taken from a CD, too,
# and is as small as its files. Identifiers and dates are fixed: equal input, equal bytes.
set -euo pipefail
case ${1:-} in -h | --help | '') sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0"; exit 0 ;; esac
kind=$1 output=$2
shift 2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-0} TZ=UTC MTOOLS_SKIP_CHECK=1

kib=0
for file; do kib=$((kib + $(stat -Lc %s "${file#*=}") / 1024 + 64)); done
case $kind in
16) kib=$((kib + 256)) sectors=$((kib < 16384 ? 1 : 4)) least=4096 ;; # 4085 clusters at least
32) kib=$((kib + 6144)) sectors=1 least=40960 ;;
esac
[ $kib -ge "$least" ] || kib=$least
kib=$(((kib + 1023) / 1024 * 1024))
rm -f "$output"
truncate -s "${kib}K" "$output"
mkfs.fat -F "$kind" -s "$sectors" -n HYPERMETAL -i 48595045 --invariant "$output" >/dev/null
for file; do
	path=${file%%=*} dir=
	while IFS= read -r part; do
		dir+=/$part
		mdir -i "$output" "::$dir" >/dev/null 2>&1 || mmd -i "$output" "::$dir"
	done < <(dirname "$path" | tr / '\n' | grep .)
	cp "${file#*=}" "$work/file"
	touch -d "@$SOURCE_DATE_EPOCH" "$work/file"
	mcopy -m -i "$output" "$work/file" "::$path"
done
