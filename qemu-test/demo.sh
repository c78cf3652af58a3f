#!/bin/bash
# demo.sh - an environment in the foreground: starts it, tells what can be typed, takes all down on Ctrl-C
#
# usage: demo.sh      (make run; the same NAME=VALUE as up.sh)
set -euo pipefail
# shellcheck source=qemu-test/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

case ${1:-} in
'') ;;
-h | --help | help) sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0" && exit 0 ;;
*) die "no argument is taken, see --help" ;;
esac

! env_is_up || die "something is running in ${RUN#"$ROOT"/} already: make down"
trap 'status=$?; say "stopping"; env_down; exit $status' EXIT
trap 'exit 130' INT TERM
env_up

printf '\nReady. In another terminal, in this folder:\n\n'
env_hint
printf '\nThe console of the host is in %s/host-0/serial.log. Ctrl-C ends all of it.\n' "${RUN#"$ROOT"/}"
while proc_running controller && proc_running host-0; do sleep 2; done
env_explain 0
die "the controller or the host has ended by itself"
