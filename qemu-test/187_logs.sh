#!/bin/bash
# Logs: every option by hyper, kubectl and the API; what is refused and how; binary output and a line of 1 MiB; a
# follower that sees a log rotate; the log of the run before; `kubectl cp` both ways.
# environment: shared
# deadline: 400

kubectl_as k trixie 100
text() { tr '\n' '|'; }
refused() { # QUERY STATUS WORDS
	expect "status of ?$1" "$2" "$(api_status GET "$PODS/talker/log?$1")"
	expect "words of ?$1" "$3" "$({ api GET "$PODS/talker/log?$1" 2>/dev/null || :; } | jq -r .message)"
}

pod_create talker busybox '["sh", "-c", "for i in 1 2 3; do echo out $i; echo err $i >&2; sleep 0.3; done; printf half; sleep 0.3; echo \" line\"; while :; do sleep 1; done"]'
# Four containers share the pod's room for logs: their files are rotated at 2.5 MiB
pod_create many busybox '["sh", "-c", "until [ -e /tmp/go ]; do sleep 0.2; done; awk \"BEGIN { for (i = 0; i < 6000; i++) printf \\\"%d %01000d\\n\\\", i, 0 }\"; exit 3"]' \
	'{"spec": {"containers": [{"name": "main", "image": "busybox", "command": ["sh", "-c", "until [ -e /tmp/go ]; do sleep 0.2; done; awk \"BEGIN { for (i = 0; i < 6000; i++) printf \\\"%d %01000d\\n\\\", i, 0 }\"; exit 3"]},
	{"name": "a", "image": "busybox", "command": ["sleep", "1000"]}, {"name": "b", "image": "busybox", "command": ["sleep", "1000"]},
	{"name": "c", "image": "busybox", "command": ["sleep", "1000"]}]}}'
# Restarted once: two runs
pod_create twice busybox '["sh", "-c", "echo run; head -c 300 /dev/urandom | tee /dev/stderr | cat >/dev/null; exit 1"]' '{"spec": {"restartPolicy": "OnFailure"}}'
# Any bytes, and a line longer than every buffer
pod_create bytes busybox '["sh", "-c", "i=0; while [ $i -lt 256 ]; do printf \"\\\\$(printf %o $i)\"; i=$((i+1)); done; head -c 1048576 /dev/zero | tr \"\\0\" x; echo end"]'
await 150 "talker runs" pod_running talker
await 30 "talker has said it all" eval 'pod_logs talker | grep -q "half line"'
await 150 "many runs" pod_running many

# Each option, by all who have it
all='out 1|err 1|out 2|err 2|out 3|err 3|half line|'
for who in hyper k; do
	expect "$who: all" "$all" "$($who logs talker | text)"
	expect "$who: tail" "err 3|half line|" "$($who logs --tail 2 talker | text)"
	expect "$who: no tail" "" "$($who logs --tail 0 talker | text)"
	expect "$who: bytes" "out 1|er" "$($who logs --limit-bytes 8 talker | text)"
	expect_match "$who: timestamps" '^20[0-9-]+T[0-9:]+\.[0-9]{9}Z err 3.20[0-9-]+T[0-9:.]+Z half line.$' \
		"$($who logs --timestamps --tail 2 talker | tr '\n' '|')"
done
third=$(hyper logs --timestamps talker | sed -n '5s/ .*//p')
expect "since-time" "out 3|err 3|half line|" "$(hyper logs --since-time "$third" talker | text)"
expect "since-time, bytes, time" "$third" "$(api GET "$PODS/talker/log?sinceTime=$third&timestamps=true&limitBytes=30")"
expect "one stream" "err 1|err 2|err 3|" "$(hyper logs --stream Stderr talker | text)"
expect "one stream's end" "err 3|" "$(hyper logs --stream Stderr --tail 1 talker | text)"
expect "since an hour" "$all" "$(hyper logs --since 1h talker | text)"
hyper exec talker -- sh -c 'sleep 3; echo late >/proc/1/fd/1'
expect "since two seconds" "late|" "$(k logs --since 2s talker | text)"

# What is refused, in the words of the real server
refused tailLines=x 400 'strconv.ParseInt: parsing "x": invalid syntax'
refused tailLines=-1 422 'PodLogOptions "talker" is invalid: tailLines: Invalid value: -1: must be greater than or equal to 0'
refused limitBytes=0 422 'PodLogOptions "talker" is invalid: limitBytes: Invalid value: 0: must be greater than 0'
refused sinceSeconds=0 422 'PodLogOptions "talker" is invalid: sinceSeconds: Invalid value: 0: must be greater than 0'
refused sinceTime=noon 400 'parsing time "noon" as "2006-01-02T15:04:05Z07:00": cannot parse "noon" as "2006"'
refused previous=true 404 'previous terminated container "main" in pod "talker" not found'

# What "bytes" said came whole
await 150 "bytes has ended" pod_is bytes .status.phase Succeeded
expected=$({ for i in $(seq 0 255); do printf '%b' "\\x$(printf %x "$i")"; done; head -c 1048576 /dev/zero | tr '\0' x; echo end; } | sha256sum)
expect "binary output and a long line" "$expected" "$(pod_logs bytes | sha256sum)"
expect "the long line as the last" 1048825 "$(hyper logs --tail 1 bytes | wc -c)"

# A follower sees every line though the file becomes another one twice, and ends with the container
k logs -f -c main many >"$RUN/followed" &
follower=$!
sleep 1
hyper exec -c main many -- touch /tmp/go
await 100 "the follower has ended" eval "! kill -0 $follower 2>/dev/null"
wait $follower || fail "kubectl logs -f: status $?"
expect "lines it saw" "6000 0 5999" "$(awk '{ if ($1 != NR - 1) bad = 1 } END { print NR, bad + 0, $1 }' "$RUN/followed")"
kept=$(hyper logs many main | wc -c)
[ "$kept" -lt 3000000 ] || fail "$kept bytes of log were kept in one file"
expect_match "the host rotated it" "ev=log_rotated" "$(grep -a log_rotated "$RUN/host-0/serial.log" | tail -n 1)"

# The run before; a follower of a container that has ended does not wait
await 100 "twice was restarted" eval "[ \"\$(pod twice '.status.containerStatuses[0].restartCount')\" -ge 1 ]"
expect_match "previous" "^run" "$(hyper logs --previous twice | head -n 1)"
pod_remove twice
expect "ended" end "$(k logs -f bytes | tail -c 4)"

# Files in and out, with the image's tar
head -c 5000000 /dev/urandom >"$RUN/file"
sum=$(sha256sum <"$RUN/file")
k cp "$RUN/file" talker:/tmp/file
expect "a copied file" "$sum" "$(hyper exec talker -- sha256sum /tmp/file | sed 's# /tmp/file# -#')"
k cp talker:/tmp/file "$RUN/back" >/dev/null 2>&1
expect "copied back" "$sum" "$(sha256sum <"$RUN/back")"

for name in talker many bytes; do pod_remove $name; done

# All of this by one hostd-api: nothing that it did was beyond its filter
ends=$(grep -ac "ev=api_ended" "$RUN/host-0/serial.log" || :)
[ "$ends" = 0 ] || fail "hostd-api ended $ends times" "$(grep -a "ev=api_ended" "$RUN/host-0/serial.log" | tail -n 3)"
