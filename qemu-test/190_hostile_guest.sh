#!/bin/bash
# A guest that attacks its VMM runs on a host beside a pod that serves: a payload of ours as its kernel drives registers
# and rings of every device at random, three processors against each other, real tap, vhost-net and vhost-vsock behind
# them. The host stays healthy, the pod answers all the time, each run ends with a clean record, nothing is left behind.
# HOSTILE_SECONDS=600 for a long one, HOSTILE_SEED to repeat one.
# environment: own
# deadline: 1000

seconds=${HOSTILE_SECONDS:-20} seed=${HOSTILE_SEED:-$RANDOM}
HOST_KERNEL_ARGS=hyper.debug
env_up
[ -f "$OUT/test/hostile" ] || fail "$OUT/test/hostile is missing: make $OUT/test/hostile"

# What runs on the host: one attack after the other until the time is over. A line for each.
cat >"$RUN/attack.sh" <<'SCRIPT'
until=$(($(date +%s) + $1)) seed=$2
dd if=/dev/zero of=rw bs=1M count=8 2>/dev/null
dd if=/dev/urandom of=ro1 bs=1000 count=10 2>/dev/null
dd if=/dev/urandom of=ro2 bs=1000 count=3 2>/dev/null
hexdump ro1 ro2 >sums
while [ "$(date +%s)" -lt "$until" ]; do
	: >exit
	hypervm --run --kernel hostile --mem 64 --cpus 3 --disk rw --disk ro1+ro2:ro --tap hostile0 --cid 666 --uid 54321 \
		--append "seed=$seed" --exit-file exit >console 2>log &
	pid=$!
	# A run may be over before its tap could be used
	while [ ! -e /sys/class/net/hostile0 ] && kill -0 $pid 2>/dev/null && [ "$(date +%s)" -lt "$until" ]; do sleep 1; done
	ip link set hostile0 master hyper0 up 2>link || ! kill -0 $pid 2>/dev/null || cat link
	while kill -0 $pid 2>/dev/null && [ "$(date +%s)" -lt "$until" ]; do sleep 1; done
	kill $pid 2>/dev/null && (sleep 20; kill -9 $pid) 2>/dev/null &
	killer=$!
	wait $pid
	echo "run seed=$seed status=$? record=$(stat -c %s exit) $(grep -o 'reason=.*' log) $(grep ops= console | tail -n 1)"
	kill $killer 2>/dev/null
	[ "$(hexdump ro1 ro2)" = "$(cat sums)" ] || echo "READ-ONLY DISK CHANGED"
	[ "$(stat -c %s rw)" = 8388608 ] || echo "DISK GREW: $(stat -c %s rw)"
	grep -a fault console
	seed=$((seed + 1))
done
echo over
SCRIPT
serve=$(serve_files "$OUT/test/hostile" "$RUN/attack.sh")

web_start
# hostd opens and closes connections to the API as it needs them
leftovers_before ' descriptor socket'
requests_begin .5

host_shell 0 "mkdir -p /tmp/h; cd /tmp/h; for f in hostile attack.sh; do wget -q $serve/\$f; done; ls"
host_shell 0 "(cd /tmp/h; sh attack.sh $seconds $seed >runs 2>&1 &)"
attack_over() { host_shell 0 'tail -n 1 /tmp/h/runs' | grep -q '^over'; }
sleep "$seconds"
await 90 "the attack is over" attack_over
runs=$(host_shell 0 'cat /tmp/h/runs')
echo "$runs"
requests_end $((seconds / 10 + 1))

# Every run ends by our signal or by what it did to itself, and hypervm says so; none is killed by its jail or a crash
bad=$(grep '^run ' <<<"$runs" | grep -vE 'record=192 reason=(killed|panic|poweroff|error) ' || :)
[ -z "$bad" ] || fail "a run without a clean record" "$bad" "$(host_shell 0 'tail -n 20 /tmp/h/log')"
expect "anything else said" "" "$(grep -vE '^(run |over)|fault' <<<"$runs" || :)"
# and reached what it should attack: devices that started, requests that were served, rings that were refused
sum_of() { awk -v RS='[ \n]' -F= -v name="$1" '$1 == name {n += $2} END {print n + 0}' <<<"$runs"; } # NAME of a count in the lines
used=$(sum_of used) broken=$(sum_of broken)
if [ "$used" -lt 50 ] || [ "$broken" -lt 10 ]; then fail "the attack reached too little: used=$used broken=$broken" "$runs"; fi

oops=$(host_shell 0 'dmesg | grep -E "BUG:|Oops:|general protection|WARNING:|soft lockup|hung task|rcu.*stall" | head -n 5' || :)
expect "what the host's kernel complained of" "" "$oops"
host_shell 0 'rm -rf /tmp/h'
await 30 "the host holds what it held before" leftovers_same
node_ready host-0 || fail "host-0 is not Ready" "$(nodes)"
pod_create after busybox '["sh", "-c", "exit 0"]'
await 60 "a pod runs to its end" pod_is after .status.phase Succeeded
echo "seed=$seed used=$used broken=$broken"
