#!/bin/bash
# check-repro.sh - build what is booted twice, in two folders, and compare
#
# usage: check-repro.sh FILE...      names under out/; third-party parts come from the cache
#
# The tree is cloned, with changes that are not committed, into folders whose paths differ in length.
set -euo pipefail
case ${1:-} in -h | --help | '') sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0"; exit 0 ;; esac
O=${O:-out} bad=0
rm -rf "$O/repro"
for d in a another-folder; do
	git clone -q --no-checkout . "$O/repro/$d"
	git ls-files -co --exclude-standard | xargs -r ls -d 2>/dev/null | tar -cT - | tar -x -C "$O/repro/$d"
	git -C "$O/repro/$d" reset -q
	env -u MAKEFLAGS -u MAKELEVEL make -C "$O/repro/$d" all
done
for f in "$@"; do
	a=$(sha256sum <"$O/repro/a/out/$f") b=$(sha256sum <"$O/repro/another-folder/out/$f")
	if [ "$a" = "$b" ]; then
		echo "  same    $f ${a%% *}"
	else
		echo "  DIFFERS $f"
		bad=1
	fi
done
[ $bad != 0 ] || rm -rf "$O/repro"
exit $bad
