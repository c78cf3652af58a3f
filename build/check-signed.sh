#!/bin/bash
# check-signed.sh - what is signed differs from build to build in nothing but the signature
#
# usage: check-signed.sh EFI_PROGRAM...      as they are before they are signed
#
# Each is signed with two fresh keys. The same key twice gives the same bytes; two keys give the same bytes once the
# signatures are taken off again, and these are the program's own but for the checksum in its header.
set -euo pipefail
case ${1:-} in -h | --help | '') sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0"; exit 0 ;; esac
images=$(dirname "$0")/../images
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for fleet in a b; do "$images/keys.sh" "$work/$fleet" >/dev/null; done

checksum_off() { # PROGRAM: zeroes the field CheckSum of the PE header
	local header
	header=$(od -An -tu4 -j60 -N4 "$1")
	printf '\0\0\0\0' | dd of="$1" bs=1 seek=$((header + 88)) conv=notrunc status=none
}
same() { # WHAT A B
	if cmp -s "$2" "$3"; then echo "  same    $1"; else echo "  DIFFERS $1" && bad=1; fi
}

bad=0
for program; do
	name=${program##*/}
	"$images/sign.sh" "$work/a" "$program" "$work/first"
	sleep 1.1 # as a time with seconds in it would tell
	"$images/sign.sh" "$work/a" "$program" "$work/second"
	"$images/sign.sh" "$work/b" "$program" "$work/other"
	same "$name, signed twice" "$work/first" "$work/second"
	! cmp -s "$work/first" "$work/other" || { echo "  DIFFERS $name: another key makes no difference" && bad=1; }
	for file in first other; do sbattach --remove "$work/$file" >/dev/null; done
	same "$name, without the signatures of two keys" "$work/first" "$work/other"
	cp "$program" "$work/plain"
	# Signing fills up to the next eighth byte
	truncate -s "$(stat -c %s "$work/first")" "$work/plain"
	for file in first plain; do checksum_off "$work/$file"; done
	same "$name, without signature and as built" "$work/first" "$work/plain"
done
exit $bad
