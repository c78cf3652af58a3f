#!/bin/bash
# A network without IPv4: a host that was booted from one EFI program takes its address from a router's advertisement and,
# as that says so, from DHCPv6, fetches its settings and becomes Ready; its Node and its certificate have an IPv6 address.
# environment: own
# deadline: 300

NET=bridge HOSTS=1 BOOT=uki
env_prepare
bridge_dhcp_down
in_net ip -6 address add fd77::1/64 dev br0 nodad
in_net_start dnsmasq dnsmasq --keep-in-foreground --conf-file=/dev/null --port=0 --user=root --bind-interfaces --interface=br0 \
	--except-interface=lo --enable-ra --dhcp-range=fd77::1000,fd77::1fff,slaac,64,1h --dhcp-option=option6:dns-server,"[fd77::53]" \
	--pid-file="$RUN/dnsmasq.pid" --dhcp-leasefile="$RUN/dnsmasq.leases" --log-dhcp --log-facility=-
gateway() { echo "[fd77::1]"; }
listen_address() { echo "[::]"; }
BOOT_URL=http://$(gateway):$BOOT_PORT HOST_KERNEL_ARGS="ip=auto6"
env_controller
host_start 0
env_await_hosts

said() { tr -d '\r' <"$RUN/host-0/serial.log" | grep -aE "$1"; }
address() { api GET /api/v1/nodes/host-0 | jq -r '.status.addresses[] | select(.type == "InternalIP").address'; }
certificate_is_for() { # ADDRESS
	[[ $(in_net openssl s_client -connect "[$1]:10250" </dev/null 2>/dev/null | openssl x509 -noout -ext subjectAltName 2>/dev/null |
		tr "[:upper:]" "[:lower:]") == *"ip address:fd77:"*":${1##*:}"*  ]]
}
expect_match "the Node's address" '^fd77::' "$(address)"
await 30 "an address by DHCPv6" grep -qE 'DHCPREPLY\(br0\) fd77::1[0-9a-f]{3}' "$RUN/log/dnsmasq.log"
await 30 "which the host has" said 'ev=lease iface=eth0 address=fd77::1[0-9a-f]{3} '
node=$(address)
await 60 "certificate for the address $node" certificate_is_for "$node"
if said 'ev=lease .*address=[0-9]+\.' >&2; then fail "there is an IPv4 address"; fi
