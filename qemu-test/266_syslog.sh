#!/bin/bash
# The host's log is shipped by syslog to a real receiver (rsyslogd): by TLS, where only a receiver that the fleet's CA vouches for gets
# anything, and by TCP, from the first line of the kernel on. While the receiver is away nothing waits for it; what the ring
# still has comes afterwards, and what it has not is counted.
# environment: own
# deadline: 500

need rsyslogd rsyslog
HOST_KERNEL_ARGS=hyper.debug NET=user
port_pick TLS_PORT 16514
port_pick TCP_PORT 16601
HOST_SETTINGS=("syslog=tls://$(gateway):$TLS_PORT")
env_prepare
env_controller
certificate_of "$RUN/receiver" /CN=receiver "$RUN/controller/ca"
openssl x509 -req -in "$RUN/receiver.csr" -CA "$RUN/controller/ca.crt" -CAkey "$RUN/controller/ca.key" -CAcreateserial \
	-CAserial "$RUN/receiver.serial" -days 1 -extfile <(printf 'subjectAltName=IP:%s\nextendedKeyUsage=serverAuth' "$(gateway)") \
	-out "$RUN/receiver.crt" 2>/dev/null
cat >"$RUN/rsyslog.conf" <<-CONF
	global(workDirectory="$RUN" maxMessageSize="8k" defaultNetstreamDriverCAFile="$RUN/controller/ca.crt"
		defaultNetstreamDriverCertFile="$RUN/receiver.crt" defaultNetstreamDriverKeyFile="$RUN/receiver.key")
	module(load="imptcp")
	module(load="imtcp" streamDriver.name="gtls" streamDriver.mode="1" streamDriver.authMode="anon")
	template(name="all" type="string" string="%inputname% %pri% %hostname% %app-name% %msgid% %structured-data% %msg%\n")
	input(type="imptcp" address="127.0.0.1" port="$TCP_PORT" name="tcp")
	input(type="imtcp" port="$TLS_PORT" name="tls")
	action(type="omfile" file="$RUN/received" template="all" flushOnTXEnd="on")
CONF
receiver() { proc_start receiver rsyslogd -n -f "$RUN/rsyslog.conf" -i "$RUN/receiver.pid"; }
received() { grep -qE "$1" "$RUN/received"; }
# hostd writes this file at each boot
ship_to() { # URL [CA]
	host_shell 0 "printf 'url=%s\nca=%s\nname=host-0\nversion=1\n' $1 ${2:-} >/run/hyper/journal/syslog.new; mv /run/hyper/journal/syslog.new /run/hyper/journal/syslog" >/dev/null
}
receiver
host_start 0
env_await_hosts

# By TLS, from the first line on, each as it is in the ring
await 60 "the kernel's first line, by TLS" received "^tls 5 host-0 kernel - \[meta sequenceId=\"1\"\]\[origin software=\"HyperMetal\" swVersion=\"$(cat "$OUT/images-debug/version")\"\] ?Linux version 6"
await 30 "hostd's start" received '^tls 30 host-0 hostd hostd_started .* ?mod=main ev=hostd_started'
lines=$(hyper host-logs host-0 | wc -l)
await 30 "as many lines as the ring has" eval '[ "$(grep -c ^tls "$RUN/received")" -ge $lines ]'
await 30 "no line twice" eval '[ -z "$(grep -o "sequenceId=\"[0-9]*\"" "$RUN/received" | sort | uniq -d)" ]'

# Not to a receiver that nobody vouches for, nor to one of another name
ship_to "tls://$(gateway):$TLS_PORT" public
await 40 "the certificate is refused" eval 'hyper host-logs host-0 --grep ev=syslog_away | grep -q "not correctly signed"'
ship_to "tls://$(gateway):$TLS_PORT" "sha256:$(openssl x509 -in "$RUN/receiver.crt" -outform DER | sha256sum | cut -d' ' -f1)"
host_shell 0 'echo "t=1.0 level=info prog=hostd ev=by_fingerprint" >/run/hyper/journal/pipe' >/dev/null
await 40 "by the certificate's fingerprint" received '^tls 30 host-0 hostd by_fingerprint'

# By TCP; the receiver goes, and comes back: what was said meanwhile is there
ship_to "tcp://$(gateway):$TCP_PORT"
host_shell 0 'echo "t=1.0 level=error prog=hostd ev=by_tcp" >/run/hyper/journal/pipe' >/dev/null
await 40 "by TCP" received '^tcp 27 host-0 hostd by_tcp'
proc_stop receiver
host_shell 0 'echo "t=1.0 level=info prog=hostd ev=while_away" >/run/hyper/journal/pipe' >/dev/null
await 40 "it is known that the receiver is away" eval '[ -n "$(hyper host-logs host-0 --grep ev=syslog_broken)" ]'
node_ready host-0 || fail "host-0 is not Ready"
receiver
await 90 "what was said meanwhile" received '^tcp 30 host-0 hostd while_away'

# Away for longer than the ring has room: the oldest lines are lost, and counted
proc_stop receiver
host_shell 0 'i=0; while [ $i -lt 3900 ]; do echo "t=1.0 level=info prog=p$((i / 390)) a line of some length, so that there are enough of them to fill all of the ring in memory, which has a mebibyte in two files of half of that; and it goes on for a while, since the fewer lines it takes the sooner this is over: $i"; i=$((i+1)); done >/run/hyper/journal/pipe' 90 >/dev/null
receiver
await 120 "it is told how many lines were lost" received '^tcp 28 host-0 hostd-syslog syslog_lost .*ev=syslog_lost lines=[0-9]+'
await 60 "the last line" received 'this is over: 3899$'
node_ready host-0 || fail "host-0 is not Ready"
grep syslog_lost "$RUN/received"

# What it may: its own identity, no root of the host's
pid=$(host_shell 0 'pidof hostd-syslog')
expect_match "its identity" "904.904.904.904" "$(host_shell 0 "grep ^Uid: /proc/$pid/status")"
expect_match "its rights" "0000000000000000" "$(host_shell 0 "grep ^CapEff: /proc/$pid/status")"
expect "what it sees" "etc" "$(host_shell 0 "ls /proc/$pid/root")"
