#!/bin/bash
# deps.sh - install the Debian packages of build/deps-debian.txt, or say the one apt line when not root
#
# usage: deps.sh            a package of the list that this release does not have under any name is an error
set -euo pipefail
case ${1:-} in -h | --help) sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0"; exit 0 ;; esac
cd "$(dirname "$0")"
list=$(sed -E 's/[[:space:]]*#.*//; /^[[:space:]]*$/d' deps-debian.txt)
# shellcheck disable=SC2086  # a list of words
installed=$(dpkg-query -W -f '${Package} ${Status}\n' $list 2>/dev/null | sed -n 's/ install ok installed$//p') || :
mapfile -t missing < <(comm -23 <(sort -u <<<"$list") <(sort -u <<<"$installed"))
[ ${#missing[@]} -gt 0 ] || exit 0
if [ "$(id -u)" != 0 ]; then
	echo "These Debian packages are missing; as root:" >&2
	echo "  apt-get install --no-install-recommends ${missing[*]}" >&2
	exit 1
fi
echo "installing: ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
apt=(apt-get -q -y -o DPkg::Lock::Timeout=300)
"${apt[@]}" update >/dev/null || echo "apt-get update was not complete" >&2
"${apt[@]}" install --no-install-recommends "${missing[@]}" >/dev/null
