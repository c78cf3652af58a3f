#!/bin/bash
# A host with five cards, as a rack has it: one to boot from; two in a bond with LACP, on which a tagged network has a
# static address; two in a bond with a backup, whose network has DHCP. A pod serves on all of them while links are cut.
# LACP's other end is a second host, cable by cable: not every machine that runs this has bonds and VLANs of its own. It
# wants to know its ports' speed, which virtio cards do not say by themselves.
# environment: own
# deadline: 600

NET=bridge HOSTS=2 MEM=640
SWITCH=10.78.0.1 BACKUP=10.78.0.50
card() { printf '52:54:00:77:%02x:%02x' "$1" "$2"; } # HOST CARD
dashes() { tr : - <<<"$1"; }

env_prepare
for i in 3 4; do in_net ip tuntap add "rack$i" mode tap; done
in_net ip link add br1 type bridge
for i in 3 4; do in_net ip link set "rack$i" master br1 up; done
in_net ip address add "$SWITCH/24" dev br1
in_net ip link set br1 up
in_net_start dnsmasq-backup dnsmasq --keep-in-foreground --conf-file=/dev/null --port=0 --user=root --bind-interfaces \
	--interface=br1 --except-interface=lo --dhcp-range=$BACKUP,$BACKUP,2m --dhcp-option=3 \
	--pid-file="$RUN/dnsmasq-backup.pid" --dhcp-leasefile="$RUN/dnsmasq-backup.leases" --log-dhcp --log-facility=-
for h in 0 1; do
	{
		echo "net_bond=lag0:$(dashes "$(card $h 1)"),two:mode=802.3ad,lacp_rate=fast:1400"
		echo "net_ifname=two:$(card $h 2)"
		echo "net_vlan=lag0.0007:lag0"
		echo "net_ip=bootif:dhcp"
		echo "net_ip=10.77.0.1$h:::255.255.255.0::lag0.0007:none"
	} >>"$RUN/host-settings.d/$(dashes "$(host_mac $h)")"
done
cat >>"$RUN/host-settings.d/$(dashes "$(host_mac 0)")" <<-SETTINGS
	net_bond=pair0:$(dashes "$(card 0 3)"),$(dashes "$(card 0 4)"):mode=active-backup
	net_ip=pair0:dhcp
	net_route=10.99.0.0/16:10.77.0.11
	net_dns=$SWITCH
SETTINGS
env_controller
for h in 0 1; do
	QEMU_EXTRA=
	for i in 1 2; do QEMU_EXTRA+=" -netdev socket,id=net$i,udp=127.0.0.1:61$i$h,localaddr=127.0.0.1:61$i$((1 - h))"; done
	if [ $h = 0 ]; then for i in 3 4; do QEMU_EXTRA+=" -netdev tap,id=net$i,ifname=rack$i,script=no,downscript=no"; done; fi
	for i in 1 2 3 4; do
		if [ $h = 0 ] || [ $i -lt 3 ]; then QEMU_EXTRA+=" -device virtio-net-pci,netdev=net$i,mac=$(card $h $i),speed=1000,duplex=full,romfile="; fi
	done
	host_start $h
done
env_await_hosts

said() { tr -d '\r' <"$RUN/host-$1/serial.log" | grep -aE "$2"; } # HOST REGEX
link_set() { # CARD true|false: a cable of host 0
	jq -nc --arg name "net$1" --argjson up "$2" '{execute: "qmp_capabilities"}, {execute: "set_link", arguments: {$name, $up}}' |
		socat -t 2 - "UNIX-CONNECT:$RUN/host-0/qmp.sock" >/dev/null
}
fetch() { in_net curl -sf --max-time 10 -o /dev/null "http://$BACKUP:8080/"; }
ports() { said 0 ev=bond_port | sed -E 's/.*(bond=.*)/\1/' | sort | uniq -c | xargs; }
ports_are() { [ "$(ports)" = "$1" ]; }

for h in 0 1; do expect "what host $h refused" "" "$(said $h 'ev=(network_.*_refused|link_failed|address_failed)' || :)"; done
await 30 "ports of the bonds" ports_are "2 bond=lag0 2 bond=pair0"
await 30 "address by DHCP on a bond" said 0 "ev=lease iface=pair0 address=$BACKUP gateway="
await 30 "static address on a VLAN" said 0 "ev=lease iface=lag0.0007 address=10.77.0.10 gateway="
hyper run --name web --host host-0 -p 8080:80 nginx
await 150 "web runs" pod_running web
await 30 "web answers by the bond with a backup" fetch

# A pod of the other host asks by the tagged network on LACP, all the time: a line for each answer
pod_create asks busybox '["sh", "-c", "while :; do wget -q -T 8 -O /dev/null http://10.77.0.10:8080/ && echo ok || echo failed; sleep 1; done"]' \
	'{"spec": {"nodeName": "host-1"}}'
await 150 "web answers by LACP" eval '[[ $(pod_logs asks) == *ok* ]]'
answers() { pod_logs asks | grep -c ok; }
answers_beyond() { [ "$(answers)" -gt "$1" ]; }

# One cable of each bond is cut, put back, and the other one cut
failed=$(pod_logs asks | grep -c failed || :)
for cut in 1 2; do
	link_set $cut false
	link_set $((cut + 2)) false
	await 20 "web answers by the backup" fetch
	await 40 "web answers by the other port of LACP" answers_beyond $(($(answers) + 4))
	link_set $cut true
	link_set $((cut + 2)) true
	sleep 6 # LACP's own time to take the port back
done
await 40 "web answers by both ports of LACP" answers_beyond $(($(answers) + 3))
expect "answers that failed meanwhile" "$failed" "$(pod_logs asks | grep -c failed || :)"
expect "restarts of the pod" 0 "$(pod web '.status.containerStatuses[0].restartCount')"
expect "the Node's address" "$BRIDGE_NET.10" "$(api GET /api/v1/nodes/host-0 | jq -r '.status.addresses[] | select(.type == "InternalIP").address')"
