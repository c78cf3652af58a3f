#!/bin/bash
# check-config.sh - fail when a symbol that a fragment asks for did not survive into .config
#
# usage: check-config.sh CONFIG FRAGMENT...
#
# Kconfig drops in silence what lacks a dependency. Asked for is CONFIG_X=value or "# CONFIG_X is not set"; the last
# fragment that names a symbol counts, as in merge_config.sh.
set -euo pipefail

[ "${1:-}" = --help ] && { sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0"; exit 0; }
[ $# -ge 2 ] || { echo "usage: $0 CONFIG FRAGMENT..." >&2; exit 2; }

awk '
	function parse(line) {
		if (match(line, /^# CONFIG_[A-Za-z0-9_]+ is not set$/)) {
			split(line, w, " "); name = w[2]; value = "n"; return 1
		}
		if (match(line, /^CONFIG_[A-Za-z0-9_]+=/)) {
			name = substr(line, 1, RLENGTH - 1); value = substr(line, RLENGTH + 1); return 1
		}
		return 0
	}
	FNR == 1 { file++ }
	!parse($0) { next }
	file == 1 { have[name] = value; next }
	{ want[name] = value; where[name] = FILENAME }
	END {
		for (n in want) {
			got = n in have ? have[n] : "n"
			if (got != want[n]) {
				printf "%s: %s=%s asked for, %s in the configuration\n", where[n], n, want[n], got
				bad++
			}
		}
		exit bad > 0
	}' "$@" | sort
