#!/bin/bash
# check-firmware.sh - every firmware file that a built module asks for has a line, and with FIRMWARE=1 is there
#
# usage: check-firmware.sh TABLE MODULES [FIRMWARE]
#
# TABLE is kernel/host/firmware.md: driver, files, Debian package or -, what does not work without. FIRMWARE is the folder
# that firmware.sh made. A line that no module needs is an error, too.
set -euo pipefail
case ${1:-} in -h | --help | '') sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0"; exit 0 ;; esac
table=$1 modules=$2 firmware=${3:-} bad=0
declare -A files=() package=() used=()

complain() { echo "$1"; bad=1; }
while IFS='|' read -r _ driver glob from without _; do
	driver=${driver//[ \`]/}
	files[$driver]=${glob//[ \`]/} package[$driver]=${from//[ \`]/}
	[[ $without =~ [a-z] ]] || complain "$table: $driver: what does not work without?"
	[ "${package[$driver]}" = - ] || grep -q "^${package[$driver]} " build/firmware.lock ||
		complain "$table: $driver: ${package[$driver]} is not in build/firmware.lock"
done < <(grep '^| `' "$table")

asked=0
while read -r module; do
	driver=$(basename "${module%%.ko*}")
	while read -r file; do
		asked=$((asked + 1)) used[$driver]=1
		# shellcheck disable=SC2053  # a pattern
		if [[ $file != ${files[$driver]:-} ]]; then
			complain "$driver asks for $file, of which $table says nothing"
		elif [ -n "$firmware" ] && [ "${package[$driver]}" != - ] && [ ! -f "$firmware/$file" ]; then
			complain "$driver asks for $file, which ${package[$driver]} does not have"
		fi
	done < <(modinfo -F firmware "$module")
done < <(find "$modules" -name '*.ko*' | sort)
for driver in "${!files[@]}"; do
	[ -n "${used[$driver]:-}" ] || complain "$table: no module $driver asks for firmware: its line can go"
done
echo "firmware: ${#used[@]} drivers ask for $asked files"
exit $bad
