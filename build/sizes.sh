#!/bin/bash
# sizes.sh - measure what is shipped against the budgets of build/budgets.txt
#
# usage: sizes.sh [--check]      prints a table and writes out/sizes.json; --check ends 1 on a missed budget
#
# A file that is not built leaves its figure out (--check: an error, but for those marked optional).
set -euo pipefail
case ${1:-} in -h | --help) sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0"; exit 0 ;; esac
O=${O:-out} bad=0 json=
printf '%-22s %12s %12s\n' figure bytes budget
while read -r name budget optional files; do
	case $name in '#'* | '') continue ;; esac
	size=0
	for f in $files; do
		if [ -f "$O/$f" ]; then
			size=$((size + $(stat -c %s "$O/$f")))
		else
			size=
			break
		fi
	done
	if [ -z "$size" ]; then
		[ "$optional" = optional ] || { echo "$name: not built ($files)"; bad=1; }
		continue
	fi
	note=
	if [ "$size" -gt "$budget" ]; then
		note=" over by $((size - budget))"
		bad=1
	fi
	printf '%-22s %12d %12d%s\n' "$name" "$size" "$budget" "$note"
	json+="${json:+,}
  {\"name\": \"$name\", \"value\": $size, \"unit\": \"bytes\", \"budget\": $budget}"
done <build/budgets.txt
printf '{"figures": [%s\n]}\n' "$json" >"$O/sizes.json"
[ "${1:-}" != --check ] || exit $bad
