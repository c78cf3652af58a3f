#!/bin/bash
# down.sh - stops what up.sh started, and nothing else; logs stay
#
# usage: down.sh      (make down; RUN=FOLDER for another environment than out/run)
set -euo pipefail
# shellcheck source=qemu-test/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

case ${1:-} in
'') env_down ;;
-h | --help | help) sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0" ;;
*) die "no argument is taken, see --help" ;;
esac
