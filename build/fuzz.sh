#!/bin/bash
# fuzz.sh - let libFuzzer work on each target for some seconds
#
# usage: fuzz.sh SECONDS TARGET:CORPUS...
#
# New inputs go to out/fuzz-corpus/NAME, what breaks the target to out/fuzz-crash/NAME-*. Last line: N passed, N failed.
set -uo pipefail
case ${1:-} in -h | --help | '') sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0"; exit 0 ;; esac
O=${O:-out} seconds=$1 passed=0 failed=0
shift
mkdir -p "$O/logs" "$O/fuzz-crash"
for t in "$@"; do
	name=$(basename "${t%%:*}")
	mkdir -p "$O/fuzz-corpus/$name"
	if "${t%%:*}" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -artifact_prefix="$O/fuzz-crash/$name-" \
		"$O/fuzz-corpus/$name" "${t#*:}" >"$O/logs/fuzz-$name.log" 2>&1; then
		passed=$((passed + 1))
		echo "  ok    $name: $(grep -E '^Done' "$O/logs/fuzz-$name.log")"
	else
		failed=$((failed + 1))
		echo "  FAIL  $name ($O/logs/fuzz-$name.log)"
		tail -n 30 "$O/logs/fuzz-$name.log" | sed 's/^/    | /'
	fi
done
echo "$passed passed, $failed failed"
[ $failed = 0 ]
