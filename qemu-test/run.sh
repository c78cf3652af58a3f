#!/bin/bash
# run.sh - runs the numbered scenarios, each against real hosts in QEMU
#
# usage: run.sh [PATTERN]...     only scenarios whose name contains a PATTERN
#        run.sh --kube           those of qemu-test/kube instead, which need a real Kubernetes
#        run.sh --images [PATTERN]...  those of qemu-test/images, which run ordinary software in pods
#        run.sh --matrix [PATTERN]...  those of qemu-test/matrix, which take long; and matrix/boot.sh for every way to
#                                      boot with every disk controller, in turn with the network cards, so that each
#                                      pair that there is is seen once at least: boot-BOOT-CARD-DISK
#
# A scenario is a script NNN_name.sh whose opening comment says what it checks. Two lines of it are read here:
#   # environment: shared   it runs against one environment that all such scenarios share, provided that the one before
#                           left it in order (host Ready, no pods); otherwise, and after a failure, it gets a fresh one
#   # environment: own      it starts what it needs itself, in a state folder and with ports of its own
#   # environment: alone    the same, and it measures: when all others are done
#   # deadline: SECONDS     what it may take with emulated CPUs, booting included
# Prints one line for each; logs and the consoles of its hosts stay in out/qemu-test/NAME. The last line is
# `N passed, N failed`, which also goes to out/qemu-test/count. A failure is followed by what the scenario saw.
# LANES=N scenarios run at a time, as many as there are processors by default: an emulated host takes one.
set -euo pipefail
# shellcheck source=qemu-test/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

case ${1:-} in -h | --help | help) sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0" && exit 0 ;; esac

state=$OUT/qemu-test
files=("$ROOT"/qemu-test/[0-9][0-9][0-9]_*.sh)
rows=
if [ "${1:-}" = --kube ]; then
	files=("$ROOT/qemu-test/kube/join.sh")
	shift
elif [ "${1:-}" = --images ]; then
	files=("$ROOT"/qemu-test/images/[0-9][0-9][0-9]_*.sh)
	shift
elif [ "${1:-}" = --matrix ]; then
	files=("$ROOT"/qemu-test/matrix/[0-9][0-9][0-9]_*.sh)
	rows=1
	shift
fi
shared_failures=0
LANES=${LANES:-$(nproc)}

header() { sed -nE "s/^# $2: *//p;/^[^#]/q" "$1"; } # FILE FIELD

selected() { # NAME PATTERN...
	local name=$1 pattern
	shift
	[ $# -gt 0 ] || return 0
	for pattern; do if [[ $name == *$pattern* ]]; then return 0; fi; done
	return 1
}

# Ends whatever is left of the environment in FOLDER
clear_environment() { (RUN=$1 && env_down); }

shared_in_order() (
	RUN=$state/shared
	recall
	proc_running controller && proc_running registry && proc_running host-0 && node_ready host-0 &&
		[ "$(api GET /api/v1/pods | jq '.items | length')" = 0 ]
)

# A shared environment fit for use; its log goes to out/qemu-test/shared.log
shared_up() {
	if shared_in_order 2>/dev/null; then return 0; fi
	[ "$shared_failures" -lt 2 ] || return 1
	clear_environment "$state/shared"
	if (RUN=$state/shared && env_up) >"$state/shared.log" 2>&1 & wait $!; then return 0; fi
	shared_failures=$((shared_failures + 1))
	clear_environment "$state/shared"
	return 1
}

# Runs FILE once; its exit status is left in $status
try_scenario() { # FILE KIND DEADLINE FOLDER
	local file=$1 kind=$2 deadline=$3 folder=$4
	status=0
	rm -f "$folder/saw"
	case $kind in
	shared)
		if shared_up; then
			RUN=$state/shared SAW=$folder/saw timeout -k 10 "$deadline" "$ROOT/qemu-test/scenario.sh" "$file" >"$folder/log" 2>&1 || status=$?
		else
			status=1
			{ echo "no host became Ready:" && tail -n 30 "$state/shared.log"; } >"$folder/saw"
		fi
		;;
	own | alone)
		clear_environment "$folder/run"
		RUN=$folder/run SAW=$folder/saw timeout -k 10 "$deadline" "$ROOT/qemu-test/scenario.sh" "$file" >"$folder/log" 2>&1 || status=$?
		;;
	*) die "$file: no '# environment: shared', 'own' or 'alone'" ;;
	esac
}

run_scenario() { # FILE NAME
	local file=$1 name=$2 start status=0 deadline kind folder
	start=$(now)
	kind=$(header "$file" environment) deadline=$(header "$file" deadline)
	folder=$state/$name
	mkdir -p "$folder"
	try_scenario "$file" "$kind" "$deadline" "$folder"
	report "$name" $(($(now) - start)) >"$folder/report"
	(flock 9 && cat "$folder/report" >&3) 9>>"$state/results"
	case $kind in
	own | alone) clear_environment "$folder/run" ;;
	shared) [ $status = 0 ] || keep_shared "$folder" ;;
	esac
}

# One line, and what was seen of a failure; the scenario counts from here on
report() { # NAME SECONDS
	if [ $status = 0 ]; then
		echo ok >>"$state/results"
		say "ok $1 $2 s"
		return
	fi
	echo failed >>"$state/results"
	[ $status != 124 ] || echo "not done after $deadline s" >>"$folder/saw"
	[ -s "$folder/saw" ] || echo "status $status" >"$folder/saw"
	say "FAILED $1: $(head -n 1 "$folder/saw") ($2 s)"
	tail -n +2 "$folder/saw" | sed 's/^/    /'
	explain "$folder" "$kind"
}

explain() { # FOLDER KIND
	local run=$1/run console
	log_tail "$1/log" 15
	[ "$2" != shared ] || run=$state/shared
	for console in "$run"/host-*/serial.log; do log_oops "$console"; done
	log_tail "$run/host-0/serial.log" 20
	log_tail "$run/log/controller.log" 10
}

# After a failure the shared environment is ended and its logs are kept with the scenario
keep_shared() { # FOLDER
	clear_environment "$state/shared"
	rm -rf "$1/run"
	mkdir -p "$1/run"
	cp -r "$state"/shared/{log,host-*} "$1/run/" 2>/dev/null || :
}

# --- what is to be run: lines of KIND, NAME, FILE and, for a row of the matrix, BOOT, DISK and CARD

plan() { # PATTERN...
	local file name
	for file in "${files[@]}"; do
		name=$(basename "$file" .sh)
		if [ -e "$file" ] && selected "$name" "$@"; then echo "$(header "$file" environment) $name $file"; fi
	done
	[ -z "$rows" ] || plan_rows "$@"
}

plan_rows() { # PATTERN...
	local ways=(bios-pxe uefi-pxe uefi-http uki secureboot iso-bios iso-uefi disk) b d name card
	local disks=(nvme ahci virtio-scsi megasas none) cards=(virtio e1000e vmxnet3)
	if "$QEMU" -device help 2>/dev/null | grep -q '"igb"'; then
		cards+=(igb)
	else
		say "no machine with an igb: $("$QEMU" --version | head -n 1) has none, 8.0 and later do" >&3
	fi
	for b in "${!ways[@]}"; do
		for d in "${!disks[@]}"; do
			card=${cards[(b + d) % ${#cards[@]}]}
			# Other cards' ROM, which is iPXE, takes the place of the firmware's HTTP client
			[ "${ways[b]}" != uefi-http ] || card=virtio
			name=boot-${ways[b]}-$card-${disks[d]}
			if selected "$name" "$@"; then echo "own $name $ROOT/qemu-test/matrix/boot.sh ${ways[b]} ${disks[d]} $card"; fi
		done
	done
}

# Takes the next line of KIND off the plan; status 1 when there is none
next() { # KIND
	(
		flock 8
		line=$(grep -m 1 "^$1 " "$state/plan") || exit 1
		sed -i "0,\#^$1 #{//d}" "$state/plan"
		echo "$line"
	) 8>>"$state/plan.lock"
}

# Several lanes run beside each other. One begins with all that share an environment, which can run in turn only.
lane() { # KIND...
	local kind line name file boot disk card
	trap - EXIT
	for kind; do
		while line=$(next "$kind"); do
			read -r _ name file boot disk card <<<"$line"
			if [ -n "$boot" ]; then export BOOT=$boot DISK=$disk CARD=$card; fi
			run_scenario "$file" "$name"
		done
		[ "$kind" != shared ] || clear_environment "$state/shared"
	done
}

cleanup() {
	local folder
	[ ${#lanes[@]} = 0 ] || kill "${lanes[@]}" 2>/dev/null || :
	for folder in "$state"/*/run "$state/shared"; do
		if [ -d "$folder/pid" ]; then clear_environment "$folder"; fi
	done
}

exec 3>&1
mkdir -p "$state"
: >"$state/results"
plan "$@" >"$state/plan"
[ -s "$state/plan" ] || die "no scenario matches '$*'"
total=$(wc -l <"$state/plan")
trap cleanup EXIT
trap 'exit 130' INT TERM
lanes=()
for ((i = 0; i < LANES; i++)); do
	if [ $i = 0 ]; then lane shared own & else lane own & fi
	lanes+=($!)
done
wait "${lanes[@]}" || :
lane alone & wait $! || :
passed=$(grep -c ok "$state/results" || :)
say "$passed passed, $((total - passed)) failed" | tee "$state/count"
[ "$passed" = "$total" ]
