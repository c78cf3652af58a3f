#!/bin/bash
# check-unit.sh - run unit tests and replay fuzz corpora
#
# usage: check-unit.sh TEST... -- REPLAY:CORPUS...
#
# One line per program; the log of each is out/logs/test-NAME.log, its tail is shown on failure. A program that runs
# longer than TEST_TIMEOUT (60 s) has failed. The last line is `N passed, N failed`.
set -uo pipefail
case ${1:-} in -h | --help) sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0"; exit 0 ;; esac
O=${O:-out}
export ASAN_OPTIONS=${ASAN_OPTIONS:-abort_on_error=0:detect_stack_use_after_return=1:strict_string_checks=1}
export UBSAN_OPTIONS=${UBSAN_OPTIONS:-print_stacktrace=1}
mkdir -p "$O/logs"
passed=0 failed=0

one() { # NAME COMMAND...
	local name=$1 log=$O/logs/test-$1.log status=0
	shift
	timeout -k 5 "${TEST_TIMEOUT:-60}" "$@" >"$log" 2>&1 </dev/null || status=$?
	if [ $status = 0 ]; then
		passed=$((passed + 1))
		echo "  ok    $name"
	else
		failed=$((failed + 1))
		echo "  FAIL  $name (status $status, $log)"
		tail -n 30 "$log" | sed 's/^/    | /'
	fi
}

while [ $# -gt 0 ] && [ "$1" != -- ]; do
	one "$(basename "$1")" "$1"
	shift
done
[ $# = 0 ] || shift
for r in "$@"; do
	mapfile -t files < <(find "${r#*:}" -type f 2>/dev/null | sort)
	if [ ${#files[@]} = 0 ]; then
		echo "  FAIL  corpus of ${r%%:*}: no file in '${r#*:}'"
		failed=$((failed + 1))
		continue
	fi
	one "replay-$(basename "${r%%:*}")" "${r%%:*}" "${files[@]}"
done
echo "$passed passed, $failed failed"
[ $failed = 0 ]
