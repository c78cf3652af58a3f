#!/bin/bash
# A host's own log: what its kernel and its programs say is kept in a ring of bounded size, read by `hyper host-logs` and
# kubectl, followed as it grows, over restarts of hostd and of hostd-journal; hostile text cannot break a terminal, and who
# says too much is cut without harm to others. And the page on its display says how it is.
# environment: own
# deadline: 500

HOST_KERNEL_ARGS=hyper.debug QEMU_EXTRA="-device VGA"
HOST_SETTINGS=("console=ttyS0,115200n8")
env_up
kubectl_as k trixie 60
logs() { hyper host-logs host-0 "$@"; }
said() { [ -n "$(logs --grep "$@")" ]; } # TEXT [OPTION...]
line='^20[0-9][0-9]-[0-9-]+T[0-9:]+\.[0-9]{9}Z'

expect_match "the kernel's command line" "console=ttyS0,115200n8 hyper.debug" "$(grep -a -m 1 'Command line' "$RUN/host-0/serial.log")"

# Both kinds, each line with time, source and level
expect_match "a line of the kernel" "$line kernel notice Linux version 6" "$(logs --kernel | grep 'Linux version')"
expect_match "a line of hostd" "$line hostd info mod=main ev=hostd_started" "$(logs --programs --grep ev=hostd_started)"
expect_match "a line of hostd-journal" "$line hostd-journal info mod=journal ev=journal_started" "$(logs --programs | grep ' hostd-journal ')"
expect "lines of programs among the kernel's" "" "$(logs --kernel | grep ' hostd ' || :)"
expect "tail of 3" 3 "$(logs --tail 3 | wc -l)"
expect "lines of the last hour" "$(logs | grep -c ev=registered)" "$(logs --since 1h | grep -c ev=registered)"
expect_match "kubectl" "ev=hostd_started" "$(k get --raw '/api/v1/nodes/host-0/proxy/logs/programs?pattern=hostd_started')"
expect "kubectl's list" "host kernel programs" "$(k get --raw /api/v1/nodes/host-0/proxy/logs/ | xargs)"
expect "a log that is not there" 404 "$(api_status GET /api/v1/nodes/host-0/proxy/logs/messages)"
if hyper host-logs nobody 2>"$RUN/said"; then fail "a host that is not there has a log"; fi
expect_match "what hyper said" "not found" "$(cat "$RUN/said")"

# Followed: a line of the kernel and one of a program, while they are said
in_net "$OUT/bin/hyper" host-logs host-0 -f --tail 0 >"$RUN/followed" &
follower=$!
trap 'kill $follower 2>/dev/null || :' EXIT
sleep 2
host_shell 0 'echo "<4>probe of the kernel" >/dev/kmsg; printf "probe \033[2J\007 \302\233\n" >/run/hyper/journal/pipe' >/dev/null
await 30 "the follower sees the kernel" grep -q 'kernel warn probe of the kernel' "$RUN/followed"
await 30 "the follower sees a program" grep -qF 'host info probe \x1b[2J\x07 \xc2\x9b' "$RUN/followed"

# hostd-journal dies: what is said meanwhile waits for the next one; nothing twice, nothing lost
count=$(logs --kernel | wc -l)
host_shell 0 'kill -9 $(pidof hostd-journal); echo meanwhile >/run/hyper/journal/pipe' >/dev/null
await 30 "the next hostd-journal" said meanwhile
expect "lines of the kernel" "$count" "$(logs --kernel | wc -l)"
expect "starts of hostd-journal" 2 "$(logs --grep ev=journal_started | wc -l)"
# hostd dies: its last words are there, and the follower, whose connection ends, may come back
host_shell 0 'kill $(pidof hostd)' >/dev/null
await 60 "hostd is back" said 'hostd info mod=main ev=hostd_started' --tail 200
expect_match "its last words" "ev=stopping signal=15" "$(logs --grep ev=stopping)"
[ "$(logs --grep ev=hostd_started | wc -l)" = 2 ] || fail "hostd did not start twice"

# The display: who, where, what; what went wrong last; that the controller has gone, and that it is back
page() { host_shell 0 'cat /dev/vcs1; echo' | fold -w 80 | sed 's/ *$//'; }
shows() { page | grep -qE "$1"; }
page
for what in 'HyperMetal +host-0$' 'State +Ready$' 'Address +10\.0\.2\.15' 'MAC +52:54:00:48:4d:00$' 'Controller +https://' \
	"Image +HyperMetal $(cat "$OUT/images-debug/version")\$" 'Pods +0 running, 0 in all$' 'Up since +20[0-9-]+T' 'More: hyper host-logs host-0'; do
	shows "$what" || fail "the display does not show: $what" "$(page)"
done
host_shell 0 'echo "t=1.0 level=error prog=hostd mod=probe ev=made_up" >/run/hyper/journal/pipe' >/dev/null
await 20 "the display shows the error" shows 'Last error +20.* hostd: mod=probe ev=made_up$'
wakes() { host_shell 0 'grep ^voluntary /proc/$(pidof hostd-journal)/status'; }
before=$(wakes)
sleep 8
expect "idle, hostd-journal wakes up" "$before" "$(wakes)"
proc_stop controller
await 60 "the display shows that the controller has gone" shows 'State +Cut off from the controller$'
page
env_controller
await 90 "and that it is back" shows 'State +Ready$'

# One that says too much is cut; the ring stays as small as it is, others are heard, hostd works
host_shell 0 'i=0; while [ $i -lt 20000 ]; do echo "a line that says the same again and again and again $i"; i=$((i+1)); done >/run/hyper/journal/pipe' 90 >/dev/null
await 40 "it is told what was cut" said 'ev=log_cut source=host lines='
bytes=$(host_shell 0 'cat /run/hyper/journal/log/log* | wc -c')
[ "$bytes" -le 1048576 ] || fail "the ring has $bytes bytes"
host_shell 0 'echo "<6>after the flood" >/dev/kmsg' >/dev/null
await 30 "the kernel after that" said 'after the flood' --kernel
node_ready host-0 || fail "host-0 is not Ready"
expect "on the console" 1 "$(tr -d '\r' <"$RUN/host-0/serial.log" | grep -c 'mod=main ev=stopping signal=15')"
