#!/bin/bash
# check-files.sh - no source file above 700 lines, none without a newline at its end
#
# usage: check-files.sh      (in the repository's root)
set -euo pipefail
case ${1:-} in -h | --help) sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0"; exit 0 ;; esac
bad=0
mapfile -t files < <(git ls-files -co --exclude-standard '*.c' '*.h' '*.sh' '*.mk' '*.py' '*.awk' Makefile)
for f in "${files[@]}"; do
	[ -f "$f" ] || continue
	n=$(wc -l <"$f")
	if [ "$n" -gt 700 ]; then
		echo "$f: $n lines (at most 700)"
		bad=1
	fi
	if [ -n "$(tail -c 1 "$f")" ]; then
		echo "$f: no newline at the end"
		bad=1
	fi
done
exit $bad
