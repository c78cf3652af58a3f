#!/bin/bash
# check-repro.sh - build what is booted twice, in two folders, and compare
#
# usage: check-repro.sh FILE...            names under out/; third-party parts come from the cache
#        check-repro.sh --images FILE...   only what becomes of the programs, packages and kernels that are in out/
#
# The tree is cloned, with changes that are not committed, into folders whose paths differ in length. --images, which takes
# seconds, packs once more into another folder, under another umask and at another time, and compares with out/.
set -euo pipefail
case ${1:-} in -h | --help | '') sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0"; exit 0 ;; esac
O=${O:-out} bad=0
rm -rf "$O/repro"
if [ "$1" = --images ]; then
	shift
	again=$O/repro/another-folder/out
	mkdir -p "$again" "$O/repro/a"
	ln -s "$(readlink -f "$O")" "$O/repro/a/out"
	# Links keep the times that make goes by
	find "$O" -mindepth 1 -maxdepth 1 ! -name repro ! -name images ! -name 'images-*' ! -name unsigned ! -name rootfs ! -name qemu-test \
		! -name run ! -name bench ! -name test ! -name fuzz ! -name replay -exec cp -al {} "$again/" \;
	(umask 077 && env -u MAKEFLAGS -u MAKELEVEL -u O make -s O="$again" images)
fi
for d in a another-folder; do
	[ ! -e "$O/repro/$d/out" ] || continue
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
