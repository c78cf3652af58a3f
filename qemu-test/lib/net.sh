# shellcheck shell=bash
# The network an environment's hosts live in.
#
# NET=user    QEMU's own user-mode network; needs no rights. Every host is 10.0.2.15 in a network of its own and finds
#             this machine's loopback as 10.0.2.2. Nothing reaches a host but through forwards on 127.0.0.1, host i:
#               API_FORWARD + i              -> 10250
#               HOSTPORT_FORWARD + 100 i + k -> 8080 + k, k = 0…9
#             so port 8080 of host 0 is port 8080 here, port 8080 of host 1 is 8180, and so on, unless they were taken.
# NET=bridge  (root) a network namespace with a bridge, one tap per host and dnsmasq for DHCP, TFTP and the boot file
#             name, as on a real network. Host i is 192.0.2.(10 + i). Controller and registry run in the namespace too,
#             and so does in_net CMD.

NET=${NET:-user}
BRIDGE_NET=192.0.2
HOSTPORTS=10 # forwarded host ports per host in NET=user, from 8080 on

# Runs CMD where controller, registry and hosts can be reached
in_net() {
	if [ "$NET" = bridge ] && [ -n "${NETNS:-}" ]; then ip netns exec "$NETNS" "$@"; else "$@"; fi
}

# The address under which hosts find this machine
gateway() {
	case $NET in user) echo 10.0.2.2 ;; bridge) echo $BRIDGE_NET.1 ;; esac
}

host_mac() { printf '52:54:00:48:4d:%02x\n' "$1"; }

net_up() {
	case $NET in
	user) ;;
	bridge) bridge_up ;;
	*) die "NET=$NET is not known (user, bridge)" ;;
	esac
}

bridge_up() {
	local i
	[ "$(id -u)" = 0 ] || die "NET=bridge needs root"
	need dnsmasq dnsmasq-base
	[ -f /usr/lib/ipxe/undionly.kpxe ] || die "undionly.kpxe is missing: apt-get install ipxe (or make deps)"
	NETNS=hm-$(printf %s "$RUN" | sha256sum | cut -c1-8)
	remember NETNS
	ip netns add "$NETNS"
	in_net ip link set lo up
	in_net ip link add br0 type bridge
	in_net ip address add $BRIDGE_NET.1/24 dev br0
	in_net ip link set br0 up
	for ((i = 0; i < HOSTS; i++)); do
		in_net ip tuntap add "tap$i" mode tap
		in_net ip link set "tap$i" master br0 up
	done
}

# After the controller's ports are known. A NIC's own ROM gets undionly.kpxe by TFTP; iPXE, which QEMU's ROM already
# is, gets the boot service's address.
bridge_dhcp_up() { # BOOT_URL
	local i
	mkdir -p "$RUN/tftp"
	cp /usr/lib/ipxe/undionly.kpxe "$RUN/tftp/"
	{
		cat <<-CONF
			interface=br0
			bind-interfaces
			except-interface=lo
			port=0
			user=root
			dhcp-leasefile=$RUN/dnsmasq.leases
			dhcp-range=$BRIDGE_NET.100,$BRIDGE_NET.200,1h
			enable-tftp
			tftp-root=$RUN/tftp
			dhcp-userclass=set:ipxe,iPXE
			dhcp-boot=tag:!ipxe,undionly.kpxe
			dhcp-boot=tag:ipxe,$1
			log-dhcp
			log-facility=-
		CONF
		for ((i = 0; i < HOSTS; i++)); do echo "dhcp-host=$(host_mac $i),$BRIDGE_NET.$((10 + i))"; done
	} >"$RUN/dnsmasq.conf"
	in_net_start dnsmasq dnsmasq --keep-in-foreground --conf-file="$RUN/dnsmasq.conf"
}

# proc_start for a program that belongs into the environment's network
in_net_start() { # NAME CMD...
	local name=$1
	shift
	if [ -n "${NETNS:-}" ]; then set -- ip netns exec "$NETNS" "$@"; fi
	proc_start "$name" "$@"
}

net_down() {
	[ -z "${NETNS:-}" ] || ! ip netns list | grep -q "^$NETNS\b" || ip netns del "$NETNS"
}

# Ports of 127.0.0.1 that lead to the hosts, settled once for the whole environment
net_pick_forwards() {
	[ "$NET" = user ] || return 0
	API_FORWARD=${API_FORWARD:-10250} HOSTPORT_FORWARD=${HOSTPORT_FORWARD:-8080}
	while forwards_busy "$API_FORWARD" 1 1; do API_FORWARD=$((API_FORWARD + 50)); done
	while forwards_busy "$HOSTPORT_FORWARD" 100 $HOSTPORTS; do HOSTPORT_FORWARD=$((HOSTPORT_FORWARD + 10)); done
	[ "$HOSTPORT_FORWARD" = 8080 ] || say "ports 8080… of the hosts are ports $HOSTPORT_FORWARD… here, 8080… being in use"
	remember API_FORWARD HOSTPORT_FORWARD
}

forwards_busy() { # FIRST STEP COUNT
	local i k
	for ((i = 0; i < HOSTS; i++)); do
		for ((k = 0; k < $3; k++)); do
			if port_busy $(($1 + i * $2 + k)); then return 0; fi
		done
	done
	return 1
}

# ADDR:PORT, reachable by in_net, of a port of host INDEX
host_address() { # INDEX PORT
	case $NET:$2 in
	bridge:*) echo "$BRIDGE_NET.$((10 + $1)):$2" ;;
	user:10250) echo "127.0.0.1:$((API_FORWARD + $1))" ;;
	user:*) echo "127.0.0.1:$((HOSTPORT_FORWARD + 100 * $1 + $2 - 8080))" ;;
	esac
}

# QEMU's -netdev argument for host INDEX
net_qemu_arg() { # INDEX BOOT_URL
	local arg k
	if [ "$NET" = bridge ]; then
		echo "tap,id=net0,ifname=tap$1,script=no,downscript=no"
		return
	fi
	arg="user,id=net0,tftp=$RUN/tftp,bootfile=$2,hostfwd=tcp:$(host_address "$1" 10250)-:10250"
	for ((k = 8080; k < 8080 + HOSTPORTS; k++)); do arg+=",hostfwd=tcp:$(host_address "$1" $k)-:$k"; done
	echo "$arg"
}
