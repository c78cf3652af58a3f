#!/bin/bash
# scenario.sh - runs one scenario: gives it what it is written with, then sources it
#
# usage: scenario.sh FILE      (run.sh does this; RUN is the environment's state folder, SAW the file for what the
#                              scenario saw when it fails)
set -euo pipefail
# shellcheck source=qemu-test/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

case ${1:-} in '' | -h | --help) sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0" && exit 0 ;; esac
recall
SAW=${SAW:-/dev/stderr}
export KUBECONFIG=$RUN/kubeconfig
PODS=/api/v1/namespaces/default/pods

fail() { # WHAT_WAS_SEEN [FURTHER LINES]
	printf '%s\n' "$@" >>"$SAW"
	exit 1
}

trap 'fail "${BASH_SOURCE[0]##*/}, line $LINENO: status $? of: $BASH_COMMAND"' ERR
set -E

hyper() { in_net "$OUT/bin/hyper" "$@"; }

expect() { # WHAT EXPECTED GOT
	[ "$2" = "$3" ] || fail "$1: expected '$2', got '$3'"
}

expect_match() { # WHAT REGEX GOT
	[[ $3 =~ $2 ]] || fail "$1: expected something like '$2', got '$3'"
}

# Waits until CMD succeeds; says WHAT was awaited when it does not
await() { # SECONDS WHAT CMD...
	local seconds=$1 what=$2
	shift 2
	echo "waiting for: $what"
	wait_until "$seconds" "$@" || fail "$what: not within $seconds s" "last: $(trap - ERR && "$@" 2>&1 | tail -n 5)"
}

# --- pods, through the API itself

# A pod of one container called "main": EXTRA is merged into the pod, MORE into the container
pod_create() { # NAME IMAGE COMMAND_JSON [EXTRA_JSON [MORE_JSON]]
	api POST $PODS "$(jq -n --arg name "$1" --arg image "$2" --argjson command "$3" \
		--argjson extra "${4:-{\}}" --argjson more "${5:-{\}}" '
		{apiVersion: "v1", kind: "Pod", metadata: {name: $name}, spec: {restartPolicy: "Never",
		 containers: [{name: "main", image: $image} + (if $command == [] then {} else {command: $command} end) + $more]}}
		* $extra')" >/dev/null
}

pod() { api GET "$PODS/$1" | jq -r "$2"; } # NAME JQ_EXPRESSION
pod_is() { [ "$(pod "$1" "$2")" = "$3" ]; } # NAME JQ_EXPRESSION VALUE
pod_running() { pod_is "$1" .status.phase Running && pod_is "$1" '.status.containerStatuses[0].state | has("running")' true; }
pod_gone() { [ "$(api_status GET "$PODS/$1")" = 404 ]; }
pod_logs() { api GET "$PODS/$1/log"; }

pod_delete() { # NAME [GRACE_SECONDS]
	api DELETE "$PODS/$1${2:+?gracePeriodSeconds=$2}" >/dev/null
}

pod_remove() { # NAME: deletes it at once and waits until it is gone
	pod_delete "$1" 0
	await 60 "pod $1 is gone" pod_gone "$1"
}

# The reason for which a pod's container waits
pod_waits_for() { pod "$1" '.status.containerStatuses[0].state.waiting.reason // ""'; }

# Runs SCRIPT in a pod POD-client, with POD's address as its $0
client() { # POD IMAGE SCRIPT [SECONDS]
	pod_create "$1-client" "$2" "$(jq -cn --arg script "$3" --arg ip "$(pod "$1" .status.podIP)" '["sh", "-c", $script, $ip]')"
	await "${4:-150}" "$1-client has run" eval "[[ \$(pod $1-client .status.phase) =~ Succeeded|Failed ]]"
	pod_is "$1-client" .status.phase Succeeded || fail "$1-client has failed" "$(pod_logs "$1-client" | tail)"
}

# Millisecond clock, for what is timed
now_ms() { date +%s%3N; }

# shellcheck source=/dev/null
. "$1"
