#!/bin/bash
# A host whose clock stands in 2011 becomes Ready over a real DHCP server. Its cable is pulled, and when it is back the
# server gives it another address: the Node, its serving certificate and a pod that serves follow. The server names a
# time server, too, by which the clock is set.
# environment: own
# deadline: 480

NET=bridge HOSTS=1 QEMU_EXTRA="-rtc base=2011-11-11"
env_up

console=$RUN/host-0/serial.log
said() { tr -d '\r' <"$console" | grep -aE "$1"; }
qmp() { # NAME [ARGUMENTS_JSON]
	jq -nc --arg name "$1" --argjson arguments "${2:-{\}}" '{execute: "qmp_capabilities"}, {execute: $name, arguments: $arguments}' |
		socat -t 2 - "UNIX-CONNECT:$RUN/host-0/qmp.sock" | tail -n 1
}
address() { api GET /api/v1/nodes/host-0 | jq -r '.status.addresses[] | select(.type == "InternalIP").address'; }
address_is() { [ "$(address)" = "$1" ]; }
fetch() { in_net curl -sf --max-time 5 "http://$1:8080/"; } # ADDRESS
# Whom the certificate of the host's port 10250 is for
certificate() { # ADDRESS
	in_net openssl s_client -connect "$1:10250" </dev/null 2>/dev/null | openssl x509 -noout -ext subjectAltName 2>/dev/null
}
certificate_is_for() { [[ $(certificate "$1") == *"IP Address:$1"* ]]; }

expect_match "how the clock was set" 'ev=clock_set source=(image|boot) .*by=[0-9]{9}' "$(said ev=clock_set | head -n 1)"
expect "the Node's address" "$BRIDGE_NET.10" "$(address)"
web_start
await 60 "certificate for the address" certificate_is_for "$BRIDGE_NET.10"

# The network gives another address from now on; the server that gave the old one answers no renewal
bridge_dhcp_down
qmp set_link '{"name": "net0", "up": false}' >/dev/null
"$OUT/bin/controller" boot-config --boot-url "$BOOT_URL" --interface br0 --tftp-root "$RUN/tftp" \
	--range "$BRIDGE_NET.77,$BRIDGE_NET.77" --router "$BRIDGE_NET.1" >"$RUN/dnsmasq.conf"
rm -f "$RUN/dnsmasq.leases"
echo "dhcp-option=42,$BRIDGE_NET.1" >>"$RUN/dnsmasq.conf"
# Time as SNTP (RFC 4330) tells it, a quarter of an hour ahead
in_net_start sntp python3 -c '
import socket, struct, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("", 123))
def stamp():
    t = time.time() + 2208988800 + 900
    return struct.pack("!II", int(t), int(t % 1 * 2**32))
while True:
    q, whom = s.recvfrom(512)
    now = stamp()
    s.sendto(struct.pack("!BBbb", 0x24, 1, 4, -20) + struct.pack("!II4s", 0, 0, b"TEST") + now + q[40:48] + now + stamp(), whom)
'
in_net_start dnsmasq dnsmasq --keep-in-foreground --conf-file="$RUN/dnsmasq.conf" --user=root --log-facility=- \
	--pid-file="$RUN/dnsmasq.pid" --dhcp-leasefile="$RUN/dnsmasq.leases"
await 20 "the host sees its link go" said 'ev=link iface=eth0 up=0'
qmp set_link '{"name": "net0", "up": true}' >/dev/null
await 60 "another lease" said "ev=lease iface=eth0 address=$BRIDGE_NET.77"
await 90 "the Node's address" address_is "$BRIDGE_NET.77"
await 60 "certificate for the new address" certificate_is_for "$BRIDGE_NET.77"
await 30 "the pod serves at the new address" fetch "$BRIDGE_NET.77"
expect_match "log by the new address" 'GET / HTTP/1.1" 200' "$(hyper logs web)"
expect "restarts of the pod" 0 "$(pod web '.status.containerStatuses[0].restartCount')"
if fetch "$BRIDGE_NET.10" >/dev/null; then fail "the old address still answers"; fi
await 60 "the clock is set" said 'ev=clock_ntp event=step offset_s=\+?(8[5-9]|9[0-4])[0-9]\.'
said "ev=ntp_started servers=\"$BRIDGE_NET.1\"" >/dev/null || fail "the server that DHCP named was not asked" "$(said ev=ntp)"
await 60 "the host goes on" node_ready host-0
