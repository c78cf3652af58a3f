#!/bin/bash
# lint.sh - cppcheck over C files and shellcheck over every script; clang-tidy runs file by file from the Makefile
#
# usage: lint.sh C-FILE...      (in the repository's root)
set -uo pipefail
case ${1:-} in -h | --help) sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0"; exit 0 ;; esac
bad=0
# What is left out: unknown headers (third parties), the analyser's notes on its own limits, style of its own taste,
# and NULL at the end of arguments: in C it is a pointer with every libc that we build against
# Each folder by itself: programs may have functions and headers of the same name.
for root in $(printf '%s\n' "$@" | cut -d/ -f1 | sort -u); do
	mapfile -t files < <(printf '%s\n' "$@" | grep "^$root/")
	cppcheck --quiet --error-exitcode=1 --inline-suppr --std=c11 --platform=unix64 -j "${JOBS:-2}" \
		--enable=warning,performance,portability --suppress=missingInclude --suppress=normalCheckLevelMaxBranches \
		--suppress=varFuncNullUB -D__x86_64__ -D__linux__ -Ilib "-I$root" "${files[@]}" || bad=1
done
mapfile -t scripts < <(git ls-files -co --exclude-standard | while read -r f; do
	if [ -f "$f" ] && head -n1 "$f" | grep -qaE '^#!/bin/(ba)?sh'; then echo "$f"; fi
done)
shellcheck -x "${scripts[@]}" || bad=1
exit $bad
