#!/bin/bash
# sign.sh - signs an EFI program for Secure Boot
#
# usage: sign.sh KEYS PROGRAM OUTPUT        KEYS: a folder with db.key and db.crt (keys.sh)
#
# A signature names the time it was made; here that is SOURCE_DATE_EPOCH. RSA as UEFI uses it has no chance in it: equal
# program and key, equal bytes.
set -euo pipefail
case ${1:-} in -h | --help | '') sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0"; exit 0 ;; esac
keys=$1 program=$2 output=$3
die() { echo "sign.sh: $*" >&2; exit 1; }
for file in db.key db.crt; do
	[ -r "$keys/$file" ] || die "$keys/$file is missing or not readable (make keys KEYS=$keys makes new ones)"
done
log=$(mktemp)
trap 'rm -f "$log"' EXIT
TZ=UTC faketime -f "$(date -u -d "@${SOURCE_DATE_EPOCH:-0}" '+%Y-%m-%d %H:%M:%S')" \
	sbsign --key "$keys/db.key" --cert "$keys/db.crt" --output "$output.new" "$program" 2>"$log" ||
	{ cat "$log" >&2 && die "$program could not be signed"; }
sbverify --cert "$keys/db.crt" "$output.new" >"$log" 2>&1 || { cat "$log" >&2 && die "$program: the signature does not hold"; }
mv "$output.new" "$output"
