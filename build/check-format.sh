#!/bin/bash
# check-format.sh - every C file is as clang-format 14 with .clang-format would write it; --fix writes it
#
# usage: check-format.sh [--fix]      (in the repository's root; another release of clang-format is not asked)
set -euo pipefail
case ${1:-} in -h | --help) sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0"; exit 0 ;; esac
tool=$(command -v clang-format-14 || command -v clang-format || :)
if [ -z "$tool" ] || ! "$tool" --version | grep -q 'version 14\.'; then
	echo "check-format: no clang-format 14 here: not checked"
	exit 0
fi
mapfile -t files < <(git ls-files -co --exclude-standard '*.c' '*.h' | grep -v '^build/pkg/' | xargs -r ls -d 2>/dev/null)
[ ${#files[@]} -gt 0 ] || exit 0
if [ "${1:-}" = --fix ]; then
	"$tool" -i "${files[@]}"
else
	bad=$("$tool" --dry-run "${files[@]}" 2>&1 | grep -E '^[^ ]+:[0-9]+:.*\[-Wclang-format' | cut -d: -f1,2 | sort -u || :)
	[ -z "$bad" ] || { echo "$bad"; echo "not formatted as .clang-format says (make format)"; exit 1; }
fi
