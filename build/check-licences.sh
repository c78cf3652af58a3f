#!/bin/bash
# check-licences.sh - collect the licence of every third-party part into out/licences
#
# usage: check-licences.sh VARIANT/PACKAGE...
#
# Each recipe names its licence files with their checksums, which the build has compared; a package without one, and a
# source in the lock without a recipe, is an error.
set -euo pipefail
case ${1:-} in -h | --help) sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0"; exit 0 ;; esac
O=${O:-out} bad=0
rm -rf "$O/licences"
for p in "$@"; do
	name=${p#*/}
	mkdir -p "$O/licences/$name"
	if ! cp "$O/pkg/$p/licences"/* "$O/licences/$name/" 2>/dev/null; then
		echo "$p: no licence file"
		bad=1
	fi
done
while read -r n; do
	if [ ! -f "build/pkg/$n.mk" ] && ! grep -qE "_source *:?= *$n\$" build/pkg/*.mk; then
		echo "build/sources.lock: no recipe uses $n"
		bad=1
	fi
done < <(awk '!/^#/ && NF { print $1 }' build/sources.lock)
exit $bad
