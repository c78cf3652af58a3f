#!/bin/bash
# test.sh - run test suites, each a make target, and sum up their counts
#
# usage: test.sh TARGET...      last line: N passed, N failed
#
# A suite's own last line `N passed, N failed` counts; one that ends badly without a failure in it counts as one.
set -uo pipefail
case ${1:-} in -h | --help | '') sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0"; exit 0 ;; esac
O=${O:-out} passed=0 failed=0
mkdir -p "$O/logs"
for t in "$@"; do
	echo "== $t"
	status=0
	"${MAKE:-make}" "$t" 2>&1 | tee "$O/logs/suite-$t.log" || status=$?
	counts=$(grep -E '^[0-9]+ passed, [0-9]+ failed' "$O/logs/suite-$t.log" | tail -n 1)
	p=0 f=0
	[ -z "$counts" ] || read -r p _ f _ <<<"$counts"
	if [ $status != 0 ] && [ "$f" = 0 ]; then f=1; fi
	passed=$((passed + p)) failed=$((failed + f))
done
echo "$passed passed, $failed failed"
[ $failed = 0 ]
