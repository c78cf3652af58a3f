#!/bin/bash
# A host whose clock stands in 2011 becomes Ready over a real DHCP server. Its cable is pulled, and when it is back the
# server gives it another address: the Node, its serving certificate and a pod that serves follow.
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

# The network gives another address from now on; the server answers no renewal of the old one
proc_stop dnsmasq
sed -i "s/$BRIDGE_NET\.10\$/$BRIDGE_NET.77/" "$RUN/dnsmasq.conf"
rm -f "$RUN/dnsmasq.leases"
qmp set_link '{"name": "net0", "up": false}' >/dev/null
in_net_start dnsmasq dnsmasq --keep-in-foreground --conf-file="$RUN/dnsmasq.conf"
await 20 "the host sees its link go" said 'ev=link iface=eth0 up=0'
qmp set_link '{"name": "net0", "up": true}' >/dev/null
await 60 "another lease" said "ev=lease iface=eth0 address=$BRIDGE_NET.77"
await 90 "the Node's address" address_is "$BRIDGE_NET.77"
await 60 "certificate for the new address" certificate_is_for "$BRIDGE_NET.77"
await 30 "the pod serves at the new address" fetch "$BRIDGE_NET.77"
expect_match "log by the new address" 'GET / HTTP/1.1" 200' "$(hyper logs web)"
expect "restarts of the pod" 0 "$(pod web '.status.containerStatuses[0].restartCount')"
if fetch "$BRIDGE_NET.10" >/dev/null; then fail "the old address still answers"; fi
