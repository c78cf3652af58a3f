#!/bin/bash
# check-static.sh - programs are static, position independent and hardened
#
# usage: check-static.sh FILE...
#
# No interpreter and no needed library (a static PIE has a dynamic section, but only its own relocations in it); ELF
# type DYN; RELRO; a stack that is not executable; no segment both writable and executable.
set -euo pipefail
case ${1:-} in -h | --help) sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0"; exit 0 ;; esac
bad=0
for f in "$@"; do
	h=$(readelf -hldW "$f")
	complain() { echo "$f: $1"; bad=1; }
	! grep -q ' INTERP ' <<<"$h" || complain "asks for a dynamic linker"
	! grep -q '(NEEDED)' <<<"$h" || complain "needs a shared library"
	grep -qE 'Type: +DYN' <<<"$h" || complain "is not position independent"
	grep -q ' GNU_RELRO ' <<<"$h" || complain "has no RELRO"
	grep -qE ' GNU_STACK .* RW ' <<<"$h" || complain "has an executable stack"
	! grep -qE '^ +LOAD .* RWE ' <<<"$h" || complain "has a segment that is writable and executable"
done
exit $bad
