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
NS=/api/v1/namespaces/default PODS=/api/v1/namespaces/default/pods

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
pod_ended() { [[ $(pod "$1" .status.phase) =~ ^(Succeeded|Failed)$ ]]; }
pod_gone() { [ "$(api_status GET "$PODS/$1")" = 404 ]; }
pod_logs() { api GET "$PODS/$1/log${2:+?container=$2}"; } # NAME [CONTAINER]

pod_delete() { # NAME [GRACE_SECONDS]
	api DELETE "$PODS/$1${2:+?gracePeriodSeconds=$2}" >/dev/null
}

pod_remove() { # NAME: deletes it at once and waits until it is gone
	pod_delete "$1" 0
	await 60 "pod $1 is gone" pod_gone "$1"
}

# The reason for which a pod's container waits
pod_waits_for() { pod "$1" '.status.containerStatuses[0].state.waiting.reason // ""'; }

# The messages of a pod's events of that REASON, a line each
pod_events() { # NAME REASON
	api GET "$NS/events" | jq -r --arg pod "$1" --arg reason "$2" \
		'[.items[] | select(.involvedObject.name == $pod and .reason == $reason) | .message] | unique | join("\n")'
}

# Runs SCRIPT in a pod POD-client, with POD's address as its $0
client() { # POD IMAGE SCRIPT [SECONDS]
	pod_create "$1-client" "$2" "$(jq -cn --arg script "$3" --arg ip "$(pod "$1" .status.podIP)" '["sh", "-c", $script, $ip]')"
	await "${4:-150}" "$1-client has run" pod_ended "$1-client"
	pod_is "$1-client" .status.phase Succeeded || fail "$1-client has failed" "$(pod_logs "$1-client" | tail)"
}

# --- nginx as a pod, and whether it answers

# Runs it as pod "web", on port 8080 of its host; sets url
web_start() {
	hyper run --name web -p 8080:80 nginx
	await 150 "web runs" pod_running web
	url=http://$(host_address 0 8080)/
	await 30 "web answers" in_net curl -sf --max-time 5 "$url"
}

web_answers() { in_net curl -sf --max-time 15 -o /dev/null "$url"; }

# From here to requests_end one request every PAUSE seconds: a line in $RUN/requests says ok or failed. QEMU's user
# network sends a lost SYN again after 6 s.
requests_begin() { # PAUSE
	while :; do
		web_answers && echo ok || echo failed
		sleep "$1"
	done >"$RUN/requests" &
	REQUESTS=$!
	trap 'kill $REQUESTS 2>/dev/null || :' EXIT
}

requests_end() { # LEAST: so many must have been answered, and all
	local ok
	kill "$REQUESTS"
	ok=$(grep -c ok "$RUN/requests" || :)
	expect "requests that failed meanwhile" 0 "$(grep -c failed "$RUN/requests" || :)"
	[ "$ok" -ge "$1" ] || fail "web answered $ok times, $1 or more were expected"
}

# --- what is left on host 0

leftovers() { host_leftovers 0 | grep -vE "$LEFTOVERS_BUT"; }

leftovers_before() { # REGEX: lines of host_leftovers that may change
	LEFTOVERS_BUT=$1
	leftovers >"$RUN/leftovers"
}

leftovers_same() { leftovers | diff "$RUN/leftovers" -; }

# --- other clients

# kubectl of Debian SUITE becomes the command NAME, with a home in $RUN/kubectl-SUITE
kubectl_as() { # NAME SUITE [SECONDS_A_CALL]
	local bin
	bin=$("$ROOT/qemu-test/kubectl.sh" "$2")
	mkdir -p "$RUN/kubectl-$2"
	eval "$1() { HOME=\$RUN/kubectl-$2 in_net timeout ${3:-60} '$bin' \"\$@\"; }"
}

# A client's FILE.crt and FILE.key, signed by CA.crt with CA.key
certificate_of() { # FILE SUBJECT CA
	openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout "$1.key" -subj "$2" -out "$1.csr" 2>/dev/null
	openssl x509 -req -in "$1.csr" -CA "$3.crt" -CAkey "$3.key" -CAcreateserial -CAserial "$1.serial" -days 1 \
		-extfile <(echo extendedKeyUsage=clientAuth) -out "$1.crt" 2>/dev/null
}

# Millisecond clock, for what is timed
now_ms() { date +%s%3N; }

# shellcheck source=/dev/null
. "$1"
