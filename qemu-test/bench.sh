#!/bin/bash
# bench.sh - measures what the budgets are about, prints them beside the budgets and writes out/bench.json
#
# usage: bench.sh      (make bench)
#
# The host runs on a counting QEMU: one CPU, 1 ns of its clock for each instruction, so that times do not depend on how
# busy this machine is. Durations are taken on the host's own clock, from the stamps of its log:
#   boot_ready_ms            kernel start until the Node is registered Ready
#   host_idle_bytes          MemTotal - MemAvailable, 15 s after that
#   vm_init_instructions     start of hypervm until hyperstart's first instruction
#   pod_output_instructions  hostd sees the pod until it has the first byte that the container wrote, image cached
#   pod_idle_bytes           memory of a pod that sleeps: the proportional share of its hypervm, guest pages included
# Pods are measured ROUNDS times (3); the median counts.
set -euo pipefail
# shellcheck source=qemu-test/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

case ${1:-} in
'') ;;
-h | --help | help) sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0" && exit 0 ;;
*) die "no argument is taken, see --help" ;;
esac

RUN=$OUT/bench
HOSTS=1 SMP=1 MEM=512 ACCEL=count NET=user HOST_KERNEL_ARGS=hyper.debug
ROUNDS=${ROUNDS:-3}
PODS=/api/v1/namespaces/default/pods
log=$RUN/host-0/serial.log

host_log() { tr -d '\r' <"$log"; }

# Milliseconds since the kernel's start of the first line that matches
stamp_ms() { # REGEX
	host_log | grep -aE "$1" | sed -nE 's/.*\bt=([0-9]+)\.([0-9]{3}).*/\1\2/p' | head -n 1
}

median() { sort -n | awk '{ v[NR] = $1 } END { if (NR) print v[int((NR + 1) / 2)] }'; }

pod_create() { # NAME COMMAND_JSON
	api POST $PODS "$(jq -n --arg name "$1" --argjson command "$2" '{apiVersion: "v1", kind: "Pod", metadata: {name: $name},
		spec: {restartPolicy: "Never", containers: [{name: "main", image: "busybox", command: $command}]}}')" | jq -r .metadata.uid
}
pod_phase_is() { [ "$(api GET "$PODS/$1" | jq -r .status.phase)" = "$2" ]; }
pod_remove() {
	api DELETE "$PODS/$1?gracePeriodSeconds=0" >/dev/null
	wait_until 120 eval "[ \"\$(api_status GET $PODS/$1)\" = 404 ]" || die "pod $1 does not go away"
}

measure_pods() {
	local i uid seen output
	for ((i = 0; i <= ROUNDS; i++)); do
		uid=$(pod_create "bench-$i" '["sh", "-c", "echo first; exec sleep 1000000"]')
		wait_until 300 pod_phase_is "bench-$i" Running || die "pod bench-$i does not run"
		wait_until 60 grep -aq "ev=pod_output.*$uid" "$log" || die "no output of pod bench-$i"
		# The first one pulls the image; it is not counted
		if [ $i -gt 0 ]; then
			seen=$(stamp_ms "ev=pod_added.*$uid") output=$(stamp_ms "ev=pod_output.*$uid")
			echo $(((output - seen) * 1000000)) >>"$RUN/pod_output"
			host_log | sed -nE "s/.*ev=vm_mark.*$uid.*mark=1 ns=([0-9]+).*/\1/p" >>"$RUN/vm_init"
			sleep 5
			host_shell 0 "cat /proc/\$(pidof hypervm)/smaps_rollup" 60 | awk '/^Pss:/ { print $2 * 1024 }' >>"$RUN/pod_idle"
		fi
		pod_remove "bench-$i"
	done
}

figure() { # NAME UNIT BUDGET VALUE
	[ -n "$4" ] || die "$1: nothing was measured"
	printf '%-26s %14s %14s %-13s %s\n' "$1" "$4" "$3" "$2" "$([ "$4" -le "$3" ] || echo 'over budget')"
	jq -n --arg name "$1" --arg unit "$2" --argjson budget "$3" --argjson value "$4" '$ARGS.named' >>"$RUN/figures"
}

if env_is_up; then env_down; fi
trap 'status=$?; env_down; exit $status' EXIT
trap 'exit 130' INT TERM
env_up >/dev/null
sleep 15
idle=$(host_shell 0 'cat /proc/meminfo' 60 | awk '/^MemTotal:/ { t = $2 } /^MemAvailable:/ { a = $2 } END { print (t - a) * 1024 }')
measure_pods

printf '%-26s %14s %14s %s\n' figure value budget unit
figure boot_ready_ms ms 4000 "$(stamp_ms 'ev=registered .*ready=(true|True|1)')"
figure host_idle_bytes bytes $((96 << 20)) "$idle"
figure vm_init_instructions instructions 60000000 "$(median <"$RUN/vm_init")"
figure pod_output_instructions instructions 200000000 "$(median <"$RUN/pod_output")"
figure pod_idle_bytes bytes $((16 << 20)) "$(median <"$RUN/pod_idle")"
jq -s '{figures: .}' "$RUN/figures" >"$OUT/bench.json"
say "written to ${OUT#"$ROOT"/}/bench.json"
