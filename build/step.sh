#!/bin/bash
# step.sh - run one step of the build with one line of progress
#
# usage: step.sh NAME VERSION COMMAND...
#
# The command's output goes to out/logs/NAME.log; a failure shows its tail. V=1 shows everything.
# The number in front is that of the steps that are done, out of those in out/.steps.
set -euo pipefail
case ${1:-} in -h | --help | '') sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0"; exit 0 ;; esac
name=$1 version=$2
shift 2
O=${O:-out}
mkdir -p "$O/logs" "$O/.done"
log=$O/logs/$name.log
start=$(date +%s%N)
status=0
if [ "${V:-0}" = 1 ]; then
	echo "$*"
	"$@" 2>&1 | tee "$log" || status=$?
else
	"$@" >"$log" 2>&1 || status=$?
fi
if [ $status != 0 ]; then
	[ "${V:-0}" = 1 ] || tail -n 40 "$log" >&2
	echo "FAILED: $name $version (all of it: $log)" >&2
	exit $status
fi
touch "$O/.done/$name"
total=$(wc -w <"$O/.steps" 2>/dev/null || echo 0)
done=$(find "$O/.done" -type f | wc -l)
[ "$done" -le "$total" ] || total=$done
t=$((($(date +%s%N) - start) / 100000000))
printf '[%*d/%d] %-28s %4d.%d s\n' ${#total} "$done" "$total" "${name#pkg-}${version:+ $version}" $((t / 10)) $((t % 10))
