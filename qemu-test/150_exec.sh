#!/bin/bash
# exec and attach: hyper, kubectl 1.32 (WebSocket) and 1.20 (SPDY) run commands in a pod; exit codes, input, a terminal,
# and what becomes of a command whose client dies.
# environment: shared
# deadline: 600

bin=$("$ROOT/qemu-test/kubectl.sh" trixie)
old=$("$ROOT/qemu-test/kubectl.sh" bookworm)
mkdir -p "$RUN/kubectl-exec"
k() { HOME=$RUN/kubectl-exec in_net timeout 100 "$bin" "$@"; }
o() { HOME=$RUN/kubectl-exec in_net timeout 100 "$old" "$@"; }
status() { local s=0; "$@" >"$RUN/out" 2>"$RUN/err" || s=$?; echo $s; } # CMD...: its exit status

pod_create box busybox '["sh", "-c", "while :; do sleep 1; done"]' '{}' \
	'{"env": [{"name": "GREETING", "value": "good day"}], "workingDir": "/var"}'
await 150 "box runs" pod_running box

for who in hyper k o; do
	expect "$who: code 0" 0 "$(status $who exec box -- sh -c 'exit 0')"
	expect "$who: code 7" 7 "$(status $who exec box -- sh -c 'echo out; echo err >&2; exit 7')"
	expect "$who: its output" out "$(cat "$RUN/out")"
	expect_match "$who: its error output" '^err' "$(cat "$RUN/err")"
	expect "$who: no such command" 127 "$(status $who exec box -- nosuch)"
	expect_match "$who: says so" 'exec: "nosuch": executable file not found' "$(cat "$RUN/err")"
	expect "$who: no program" 126 "$(status $who exec box -- /etc/passwd)"
	expect "$who: killed" 143 "$(status $who exec box -- sh -c 'kill $$')"
	# The world of the container: its environment, folder, processes, arguments as they are
	expect "$who: environment and folder" "good day /var a b|c  d" \
		"$($who exec box -- sh -c 'echo "$GREETING $PWD $1|$2"' x 'a b' 'c  d')"
	expect_match "$who: in its pid namespace" 'sh -c while' "$($who exec box -- cat /proc/1/cmdline | tr '\0' ' ')"
	expect "$who: in its root" "root:x:0: nogroup:x:65534:" "$($who exec box -- cat /etc/group | xargs)"
	expect "$who: no input" 0 "$(status $who exec box -- cat)"
done
expect_match "hyper: no such pod" 'pods "nobody" not found' "$(hyper exec nobody -- id 2>&1 || :)"
expect_match "kubectl: no such pod" 'pods "nobody" not found' "$(k exec nobody -- id 2>&1 || :)"
expect_match "no such container" "container other is not valid" "$(hyper exec -c other box -- id 2>&1 || :)"

# 1 MiB through cat, and what is larger than every buffer on the way
head -c 1048576 /dev/urandom >"$RUN/input"
sum=$(sha256sum <"$RUN/input")
for who in hyper k o; do
	expect "$who: 1 MiB through cat" "$sum" "$($who exec -i box -- cat <"$RUN/input" | sha256sum)"
	# shellcheck disable=SC2002  # a pipe is another way in than a file
	expect "$who: from a pipe" "$sum" "$(cat "$RUN/input" | $who exec -i box -- sha256sum)"
done
expect "4 MB of output" "4000000" "$(hyper exec box -- dd if=/dev/zero bs=1000 count=4000 2>/dev/null | wc -c)"
expect "4 MB by SPDY" "4000000" "$(o exec box -- dd if=/dev/zero bs=1000 count=4000 2>/dev/null | wc -c)"
expect "slow reader by SPDY" "1000000" "$(o exec box -- dd if=/dev/zero bs=1000 count=1000 2>/dev/null | { sleep 3; wc -c; })"
expect "slow reader" "1000000" "$(hyper exec box -- dd if=/dev/zero bs=1000 count=1000 2>/dev/null | { sleep 3; wc -c; })"
expect "a command that reads nothing" 3 "$(status hyper exec -i box -- sh -c 'exit 3' <"$RUN/input")"

# A terminal: socat gives the client one, of 77 columns and 33 lines; afterwards it is as it was
cat >"$RUN/in-terminal" <<-EOF
	stty cols 77 rows 33
	before=\$(stty -g) code=0
	"\$1" exec -i -t box -- sh -c 'tty; stty size; echo \$TERM; exit 5' 2>/dev/null || code=\$?
	echo "code \$code"
	[ "\$before" = "\$(stty -g)" ] && echo restored
EOF
for who in "$OUT/bin/hyper" "$bin" "$old"; do
	seen=$(HOME=$RUN/kubectl-exec timeout 60 socat STDIO,ignoreeof "EXEC:bash $RUN/in-terminal $who,pty,setsid,ctty,stderr" </dev/null |
		tr -d '\r' | tr '\n' ' ')
	expect_match "$who: a terminal" '^/dev/pts/[0-9]+ 33 77 xterm code 5 restored $' "$seen"
done
expect "only outputs in one" "" "$(hyper exec -t box -- sh -c 'test -t 1 || echo none' | tr -d '\r')"

# A client that dies takes its command along, also one that ignores SIGHUP
processes() { hyper exec box -- sh -c 'for p in /proc/[0-9]*; do tr "\0" " " <"$p/cmdline"; echo; done 2>/dev/null' | grep -c "sleep 98[7]" || :; }
no_process() { [ "$(processes)" = 0 ]; }
for who in "$OUT/bin/hyper" "$bin" "$old"; do
	HOME=$RUN/kubectl-exec in_net "$who" exec box -- sh -c 'trap "" HUP; while :; do sleep 987; done' &
	client=$!
	await 20 "the command runs" eval '! no_process'
	pkill -9 -P $client # the function is a shell of its own
	wait $client 2>/dev/null || :
	await 30 "the command has ended with its client" no_process
done

# attach: output goes to the log and to whoever is attached; input goes to the container
pod_create talker busybox '["sh", "-c", "while read -r x; do echo \"got $x\"; done; echo end; exit 4"]' '{}' '{"stdin": true, "stdinOnce": true}'
await 60 "talker runs" pod_running talker
(sleep 1; echo one; sleep 1; echo two) | timeout 60 "$OUT/bin/hyper" attach -i talker >"$RUN/attached"
expect "attach saw" "got one|got two|end|" "$(tr '\n' '|' <"$RUN/attached")"
await 30 "talker has ended" pod_is talker .status.phase Failed
expect "its code" 4 "$(pod talker '.status.containerStatuses[0].state.terminated.exitCode')"
expect "its log" "got one|got two|end|" "$(pod_logs talker | tr '\n' '|')"
expect_match "exec in an ended pod" "completed pod" "$(hyper exec talker -- id 2>&1 || :)"

pod_create ticker busybox '["sh", "-c", "i=0; while :; do echo tick $i; i=$((i+1)); sleep 0.3; done"]'
await 60 "ticker runs" pod_running ticker
for who in "$bin" "$old"; do
	HOME=$RUN/kubectl-exec timeout 5 "$who" attach ticker >"$RUN/attached" 2>/dev/null || :
	expect_match "kubectl attach saw" "tick [0-9]+.tick [0-9]+.tick" "$(tr '\n' ' ' <"$RUN/attached")"
done

for name in box talker ticker; do pod_remove $name; done
