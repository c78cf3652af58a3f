#!/bin/bash
# check-image.sh - nothing in the production image interprets, gains rights or can be written to
#
# usage: check-image.sh ROOT_IMAGE
#
# Takes the image apart, owners and modes included, and looks at every file: all belong to root, none is setuid, setgid,
# a device or writable for others; none begins with #!; programs are in /usr/bin only and BusyBox is no more than the
# applets named here, none of which interprets what it is given. The image is EROFS: nothing can write to it.
set -euo pipefail
case ${1:-} in -h | --help | '') sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0"; exit 0 ;; esac
O=${O:-out} image=$1 bad=0
applets='init killall ntpd udhcpc udhcpc6'

complain() { echo "$image: $1"; bad=1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

[ "$(od -An -tx4 -j1024 -N4 "$image" | tr -d ' ')" = e0f5e1e2 ] || complain "is no EROFS"
# shellcheck disable=SC2016  # the inner shell's
fakeroot -- bash -euc '"$1" --extract="$2/root" --preserve "$3" >"$2/log" 2>&1 || { cat "$2/log"; exit 1; }
	find "$2/root" -printf "%y %m %U:%G /%P\n"' - "$O/pkg/native/erofs-utils/bin/fsck.erofs" "$work" "$image" >"$work/files"

files=0
while read -r type mode owner path; do
	files=$((files + 1))
	[ "$owner" = 0:0 ] || complain "$path belongs to $owner"
	case $type in
	l) continue ;;
	f | d) ;;
	*) complain "$path is a device, a socket or a pipe" ;;
	esac
	[ $((8#$mode & 8#6000)) = 0 ] || complain "$path is setuid or setgid"
	[ $((8#$mode & 8#022)) = 0 ] || complain "$path can be written to by others"
done <"$work/files"
[ "$files" -gt 50 ] || complain "has $files files only: was it taken apart?"

while read -r path; do complain "${path#"$work/root"} begins with #!"; done \
	< <(find "$work/root" -type f -exec awk 'FNR == 1 && /^#!/ { print FILENAME } { nextfile }' {} +)
while read -r path; do complain "${path#"$work/root"} may be run"; done \
	< <(find "$work/root" -type f -perm /111 ! -path "$work/root/usr/bin/*")

found=$(find "$work/root/usr/bin" -lname '*busybox' -printf '%f\n' | sort | paste -sd' ')
[ "$found" = "$applets" ] || complain "BusyBox has: $found; wanted are: $applets"
exit $bad
