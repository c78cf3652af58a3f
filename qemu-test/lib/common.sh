# shellcheck shell=bash
# Messages, waiting, ports and the processes that belong to one environment.
#
# An environment is everything that `make up` or a scenario starts: a controller, a registry and hosts in QEMU. All its
# state lies in the folder $RUN, among it a file per process with the process's id and start time, so that stopping it
# ends exactly those processes, whoever started them and even when ids were used again since.

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
OUT=${OUT:-$ROOT/out}
RUN=${RUN:-$OUT/run}

say() { printf '%s\n' "$*"; }
warn() { printf 'warning: %s\n' "$*" >&2; }
die() { printf '%s: %s\n' "${0##*/}" "$*" >&2; exit 1; }

need() { # COMMAND PACKAGE
	command -v "$1" >/dev/null || die "$1 is missing: apt-get install $2 (or make deps)"
}

now() { date +%s; }

# Runs CMD every half second until it succeeds; status 1 when SECONDS are over
wait_until() { # SECONDS CMD...
	local end=$(($(now) + $1))
	shift
	until "$@" >/dev/null 2>&1; do
		[ "$(now)" -lt "$end" ] || return 1
		sleep .5
	done
}

# --- ports

CLAIMS=${HYPERMETAL_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/hypermetal}/claims

# Takes NAME from all other environments of this user. The lock's descriptor is inherited by whatever is started from
# here on, so the claim holds from before a port is bound until the environment's last process has ended, however it does.
claim() { # NAME
	local fd
	mkdir -p "$CLAIMS"
	exec {fd}>"$CLAIMS/$1"
	flock -n "$fd" || { exec {fd}>&- && return 1; }
}

port_busy() { [ -n "$(in_net ss -Hltn "sport = :$1")" ]; }
port_take() { ! port_busy "$1" && claim "port-$1"; } # PORT

# Sets VARIABLE to PORT, or to the first one behind it that is free, and claims that
port_pick() { # VARIABLE PORT
	local candidate=$2
	until port_take "$candidate"; do
		candidate=$((candidate + 1))
		[ "$candidate" -le 65000 ] || die "no free port from $2 on"
	done
	printf -v "$1" %s "$candidate"
}

# --- processes

# Start time of a process in clock ticks since boot, which together with its id names it for good
proc_birth() { # PID
	local stat
	{ read -r stat <"/proc/$1/stat"; } 2>/dev/null || return 1 # $(<FILE) without the file would end the script
	read -ra stat <<<"${stat##*) }"
	[ "${stat[0]}" != Z ] && echo "${stat[19]}"
}

# Starts CMD in the background in a session of its own, output to $RUN/log/NAME.log
proc_start() { # NAME CMD...
	local name=$1 pid
	shift
	mkdir -p "$RUN/log" "$RUN/pid"
	! proc_running "$name" || die "$name is running already (state in $RUN)"
	setsid nohup "$@" >>"$RUN/log/$name.log" 2>&1 </dev/null &
	pid=$!
	echo "$pid $(proc_birth "$pid" || echo 0)" >"$RUN/pid/$name"
	disown "$pid"
}

proc_pid() { # NAME: prints the id if that very process is still there
	local pid birth
	{ read -r pid birth <"$RUN/pid/$1"; } 2>/dev/null && [ "$(proc_birth "$pid")" = "$birth" ] && echo "$pid"
}

proc_running() { proc_pid "$1" >/dev/null; }

proc_stop() { # NAME [GRACE_SECONDS]
	local pid
	if pid=$(proc_pid "$1"); then
		kill "$pid" 2>/dev/null || :
		wait_until "${2:-10}" not proc_running "$1" || kill -9 "$pid" 2>/dev/null || :
		wait_until 5 not proc_running "$1" || warn "$1 (process $pid) does not end"
	fi
	rm -f "$RUN/pid/$1"
}

not() { ! "$@"; }

log_print() { tr -d '\r' | sed 's/\x1b\[[0-9;?]*[A-Za-z]//g; s/^/    /'; }

log_tail() { # FILE [LINES]
	[ -s "$1" ] || return 0
	printf -- '--- end of %s\n' "${1#"$ROOT"/}"
	tail -n "${2:-15}" "$1" | log_print
}

# What a kernel that went wrong wrote to its console first; its host may long have booted again
log_oops() { # FILE [LINES]
	local line
	line=$(grep -sanm 1 -E '\] (Kernel panic|Oops|BUG):? ' "$1" | cut -d: -f1) || :
	[ -n "$line" ] || return 0
	printf -- '--- %s from line %s\n' "${1#"$ROOT"/}" "$line"
	tail -n "+$line" "$1" | head -n "${2:-40}" | log_print
}

# --- what an environment must remember between commands: NAME=VALUE lines in $RUN/env

remember() { # NAME...
	local name
	mkdir -p "$RUN"
	for name; do printf '%s=%q\n' "$name" "${!name}"; done >>"$RUN/env"
}

recall() {
	# shellcheck source=/dev/null
	if [ -f "$RUN/env" ]; then . "$RUN/env"; fi
}
