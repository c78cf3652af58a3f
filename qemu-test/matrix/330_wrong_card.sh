#!/bin/bash
# A machine with two cards: the one it boots from, and one on a network whose DHCP server leads nowhere and says that it is
# the way out. It becomes Ready, by the right card. The cable of that card is out when it is switched on, and is plugged in a
# minute later; it is out again for a while when the kernel starts.
# environment: own
# deadline: 700

bridge_possible || fail "this needs root, network namespaces and dnsmasq"
NET=bridge HOSTS=1 BOOT=bios-pxe
said() { grep -aq "$1" "$RUN/host-0/serial.log"; } # REGEX
link() { # up|down
	local up=true
	[ "$1" = up ] || up=false
	jq -nc --argjson up $up '{execute: "qmp_capabilities"}, {execute: "set_link", arguments: {name: "net0", up: $up}}' |
		socat -t 2 - "UNIX-CONNECT:$RUN/host-0/qmp.sock" >/dev/null
}

env_prepare
# The other network: what it gives out works there, and nobody is there
in_net ip link add br1 type bridge
in_net ip address add 198.18.99.1/24 dev br1
in_net ip link set br1 up
in_net ip tuntap add dev tapx mode tap
in_net ip link set tapx master br1 up
in_net_start nowhere dnsmasq --keep-in-foreground --conf-file=/dev/null --port=0 --interface=br1 --bind-interfaces --except-interface=lo \
	--dhcp-range=198.18.99.100,198.18.99.200 --dhcp-option=option:router,198.18.99.1 --dhcp-option=option:dns-server,198.18.99.1 \
	--user=root --pid-file="$RUN/nowhere.pid" --dhcp-leasefile="$RUN/nowhere.leases" --log-dhcp --log-facility=-
QEMU_EXTRA="-netdev tap,id=wrong,ifname=tapx,script=no,downscript=no -device virtio-net-pci,netdev=wrong,mac=52:54:00:aa:00:01,addr=1e,romfile="
env_controller
host_start 0
await 20 "QEMU answers" test -S "$RUN/host-0/qmp.sock"
link down
sleep 60
if said 'Linux version'; then fail "it booted without a cable"; fi
link up
await 240 "iPXE has all it needs" said 'host/.*\.cpio\.\.\. ok'
link down
await 120 "the kernel is there" said 'ev=nic '
sleep 20
link up
start=$(now)
await 180 "host-0 is Ready" node_ready host-0
echo "Ready $(($(now) - start)) s after the cable was plugged in"
address() { api GET /api/v1/nodes/host-0 | jq -r '.status.addresses[] | select(.type == "InternalIP").address'; }
address_is() { [ "$(address)" = "$1" ]; }
echo "its first address: $(address)" # the other card had one first
await 120 "its address is that of the right card" address_is "$BRIDGE_NET.10"
await 60 "the other card has an address, too" grep -q 'DHCPACK(br1)' "$RUN/log/nowhere.log"
sleep 45 # a Lease's life: it goes on being Ready
node_ready host-0 || fail "host-0 is not Ready any more" "$(nodes)"
