#!/bin/bash
# xorriso.sh - a folder as an ISO whose EFI boot image is a partition, too, when it lies on a stick
#
# usage: xorriso.sh FOLDER OUTPUT XORRISO_ARGUMENT...       what is booted, in the words of mkisofs
#
# The folder's dates and rights are set; identifiers are derived from SOURCE_DATE_EPOCH: equal input, equal bytes.
set -euo pipefail
case ${1:-} in -h | --help | '') sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0"; exit 0 ;; esac
folder=$1 output=$2
shift 2
export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-0} TZ=UTC
log=$(mktemp)
trap 'rm -f "$log" "$output.new"' EXIT
find "$folder" -exec chmod a+rX,u+w,go-w {} + -exec touch -d "@$SOURCE_DATE_EPOCH" {} +
rm -f "$output.new"
xorriso -no_rc -as mkisofs -quiet -r -V HYPERMETAL -preparer HYPERMETAL -o "$output.new" \
	--modification-date="$(date -u -d "@$SOURCE_DATE_EPOCH" +%Y%m%d%H%M%S00)" --gpt_disk_guid volume_date_uuid \
	"$@" -efi-boot-part --efi-boot-image --protective-msdos-label --mbr-force-bootable "$folder" >"$log" 2>&1 ||
	{ cat "$log" >&2 && exit 1; }
mv "$output.new" "$output"
