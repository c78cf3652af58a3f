#!/bin/bash
# kubectl.sh - unpacks Debian's kubectl of a suite into the cache, without installing it, and prints its path
#
# usage: kubectl.sh SUITE      bookworm has 1.20, trixie has 1.32
#
# It is never installed: the machine may have another kubectl, and Debian 12's package then refuses.
set -euo pipefail

case ${1:-} in
-h | --help | help) sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0" && exit 0 ;;
'' | -*) sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0" >&2 && exit 2 ;;
esac
say() { echo "kubectl: $*" >&2; }

# The three that apt.sh reads
suite=$1 types=deb cache=${HYPERMETAL_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/hypermetal}
# shellcheck source=build/apt.sh
. "$(dirname "$0")/../build/apt.sh"

mkdir -p "$cache/kubectl"
exec 9>"$cache/kubectl/lock"
flock 9
folder=$cache/kubectl/$suite
if [ ! -x "$folder/usr/bin/kubectl" ]; then
	apt_state
	rm -rf "$folder.new"
	mkdir -p "$folder.new"
	cd "$folder.new"
	# Debian 13 moved it from the package kubernetes-client to kubectl
	apt apt-get download kubectl >log 2>&1 || apt apt-get download kubernetes-client >log 2>&1 ||
		{ tail -n 5 log >&2 && exit 1; }
	dpkg -x ./*.deb .
	[ -x usr/bin/kubectl ] || { say "the package of $suite holds no kubectl" && exit 1; }
	rm -f -- *.deb
	rm -rf "$folder"
	mv "$folder.new" "$folder"
fi
echo "$folder/usr/bin/kubectl"
