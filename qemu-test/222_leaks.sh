#!/bin/bash
# Pods come and go, LEAK_CYCLES of them (24), several at a time: afterwards the host holds what it held before.
# environment: own
# deadline: 2400

LEAK_CYCLES=${LEAK_CYCLES:-24} PARALLEL=4
HOST_KERNEL_ARGS=hyper.debug
env_up

# Ends by itself, is deleted while it runs, fails at its start, or has no image
cycle() { # NUMBER
	local name=cycle-$1
	case $(($1 % 4)) in
	0) pod_create "$name" busybox '["sh", "-c", "echo done"]' && await 120 "$name has run" pod_is "$name" .status.phase Succeeded ;;
	1) pod_create "$name" busybox '["sleep", "1000"]' && await 120 "$name runs" pod_running "$name" ;;
	2) pod_create "$name" busybox '["/no/such/program"]' && await 120 "$name has failed" pod_is "$name" .status.phase Failed ;;
	3) pod_create "$name" missing '[]' && await 120 "$name has no image" eval "[[ \$(pod_waits_for $name) = *Pull* ]]" ;;
	esac
	pod_delete "$name" $(($1 / 4 % 2))
	await 120 "$name is gone" pod_gone "$name"
}

cycles() { # FROM TO STEP
	local i
	for ((i = $1; i <= $2; i += $3)); do cycle "$i"; done
}

# What is made once and kept is there before: images, hostd's connections
cycles 0 3 1
sleep 2
# hostd keeps some connections to the API open, more after a busy time
sockets() { host_leftovers 0 | awk '/ descriptor socket/ { print $1 }'; }
leftovers_before ' descriptor socket'
memory() { host_shell 0 'cat /proc/meminfo' | awk '/^(Slab|Shmem|AnonPages|KernelStack|PageTables|VmallocUsed|Percpu):/ { print $1, $2 }'; }
memory >"$RUN/memory-before"

jobs=()
for ((k = 0; k < PARALLEL; k++)); do
	cycles $((4 + k)) $((LEAK_CYCLES + 3)) $PARALLEL &
	jobs+=($!)
done
for job in "${jobs[@]}"; do wait "$job"; done

await 60 "the host holds what it held before" leftovers_same
[ "$(sockets)" -le 24 ] || fail "hostd has $(sockets) sockets open" "$(host_leftovers 0)"
memory >"$RUN/memory-after"
paste "$RUN/memory-before" "$RUN/memory-after"
# Kernel caches breathe; a pod that left its pages behind would show as megabytes
shmem() { awk '$1 == "Shmem:" { print $2 }' "$1"; }
[ $(($(shmem "$RUN/memory-after") - $(shmem "$RUN/memory-before"))) -lt 1024 ] ||
	fail "memory stayed behind in files" "$(paste "$RUN/memory-before" "$RUN/memory-after")"
