#!/bin/bash
# enrol.sh - an ISO that puts a fleet's keys into a machine's firmware, from a CD or a stick
#
# usage: enrol.sh SYSTEMD_BOOT KEYS OUTPUT        KEYS: a folder with PK.auth, KEK.auth and db.auth (keys.sh)
#
# For machines whose firmware is in setup mode and has no menu for it, or too many to do it by hand: systemd's boot loader
# writes db, KEK and PK, after fifteen seconds in which a key stops it, and restarts the machine. In any other mode
# it does nothing. Equal input, equal bytes.
set -euo pipefail
case ${1:-} in -h | --help | '') sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0"; exit 0 ;; esac
loader=$1 keys=$2 output=$3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-0} TZ=UTC
here=$(dirname "$0")

printf 'timeout 3\nsecure-boot-enroll force\n' >"$work/loader.conf"
mkdir -p "$work/iso"
"$here/fat.sh" 16 "$work/iso/efi.img" "/EFI/BOOT/BOOTX64.EFI=$loader" "/loader/loader.conf=$work/loader.conf" \
	"/loader/keys/auto/PK.auth=$keys/PK.auth" "/loader/keys/auto/KEK.auth=$keys/KEK.auth" "/loader/keys/auto/db.auth=$keys/db.auth"
"$here/xorriso.sh" "$work/iso" "$output" --efi-boot efi.img
