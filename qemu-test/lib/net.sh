# shellcheck shell=bash
# The network an environment's hosts live in.
#
# NET=user    QEMU's own user-mode network; needs no rights. Every host is 10.0.2.15 in a network of its own and finds
#             this machine's loopback as 10.0.2.2. Nothing reaches a host but through forwards on 127.0.0.1, host i:
#               API_FORWARD + i              -> 10250
#               HOSTPORT_FORWARD + 100 i + k -> 8080 + k, k = 0…9
#             so port 8080 of host 0 is port 8080 here, port 8080 of host 1 is 8180, and so on, unless they were taken.
# NET=bridge  (root) a network namespace with a bridge, one tap per host and dnsmasq for DHCP, TFTP and the boot file
#             name, as on a real network: its configuration is what `controller boot-config` prints. DHCP=range: it is
#             the only DHCP server. DHCP=proxy: BusyBox's udhcpd is, in another namespace on the bridge, BRIDGE_NET.2;
#             it knows nothing of booting. Host i is BRIDGE_NET.(10 + i). Controller and registry run in the namespace
#             too, as BRIDGE_NET.1, and so does in_net CMD. A veth pair called as the namespace gives this machine the
#             address BRIDGE_NET.254, so that curl, hyper and kubectl reach all of it without entering the namespace.
#             BRIDGE_NET is a network that this machine has no route to. The hosts have no way out to the Internet.
# NET=auto    bridge for several hosts where it can be had, otherwise user

NET=${NET:-auto}
DHCP=${DHCP:-range}
HOSTPORTS=10 # forwarded host ports per host in NET=user, from 8080 on

# Runs CMD where controller, registry and hosts can be reached
in_net() {
	if [ "$NET" = bridge ] && [ -n "${NETNS:-}" ]; then ip netns exec "$NETNS" "$@"; else "$@"; fi
}

# The address under which hosts find this machine
gateway() {
	case $NET in user) echo 10.0.2.2 ;; bridge) echo "$BRIDGE_NET.1" ;; esac
}

host_mac() { printf '52:54:00:48:4d:%02x\n' "$1"; }

# Settles what NET=auto is
net_pick() {
	[ "$NET" = auto ] || return 0
	NET=user
	if [ "$HOSTS" -gt 1 ] && bridge_possible; then NET=bridge; fi
}

# Root in a container often may not make namespaces, so it is tried
bridge_possible() {
	[ "$(id -u)" = 0 ] && [ -w /dev/net/tun ] && command -v dnsmasq >/dev/null &&
		unshare --net --mount ip link add hm-try type bridge 2>/dev/null
}

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
	NETNS=hm-$(printf %s "$RUN" | sha256sum | cut -c1-8)
	net_down # of one that nobody took down
	bridge_pick
	remember NETNS BRIDGE_NET
	ip netns add "$NETNS"
	in_net ip link set lo up
	in_net ip link add br0 type bridge
	in_net ip address add "$BRIDGE_NET.1/24" dev br0
	in_net ip link set br0 up
	for ((i = 0; i < HOSTS; i++)); do
		in_net ip tuntap add "tap$i" mode tap
		in_net ip link set "tap$i" master br0 up
	done
	ip link add "$NETNS" type veth peer name outside netns "$NETNS"
	in_net ip link set outside master br0 up
	ip address add "$BRIDGE_NET.254/24" dev "$NETNS"
	ip link set "$NETNS" up
}

# Sets BRIDGE_NET to the first of some networks, meant for documentation and for measurements, that no route but the
# default one covers and no other environment has claimed
bridge_pick() {
	local net routes
	for net in 192.0.2 198.51.100 203.0.113 198.18.{0..15}; do
		routes=$(ip -4 route show to match "$net.0/24" && ip -4 route show to root "$net.0/24")
		if ! grep -q '^[0-9]' <<<"$routes" && claim "net-$net"; then BRIDGE_NET=$net && return; fi
	done
	die "NET=bridge: this machine has routes to every network that it would use"
}

# What firmware gets by TFTP: iPXE for its kind
tftp_fill() {
	mkdir -p "$RUN/tftp"
	cp "$(images_dir)"/{undionly.kpxe,snponly.efi} "$RUN/tftp/"
}

# And what iPXE does then, which a UEFI one reads where it came from
tftp_autoexec() {
	in_net curl -sSf --max-time 20 -o "$RUN/tftp/autoexec.ipxe" "http://127.0.0.1:$BOOT_PORT/boot/autoexec.ipxe"
}

# After the controller's ports are known
bridge_dhcp_up() {
	local args=(--boot-url "$BOOT_URL" --interface br0 --tftp-root "$RUN/tftp") i
	case $DHCP in
	range) args+=(--range "$BRIDGE_NET.100,$BRIDGE_NET.200" --router "$BRIDGE_NET.1") ;;
	proxy) args+=(--proxy "$BRIDGE_NET.0") && udhcpd_start "$NETNS-dhcp" ;;
	*) die "DHCP=$DHCP is not known (range, proxy)" ;;
	esac
	{
		"$OUT/bin/controller" boot-config "${args[@]}"
		cat <<-CONF

			# The harness's own: who it is, and fixed addresses
			user=root
			log-facility=-
			pid-file=$RUN/dnsmasq.pid
			dhcp-leasefile=$RUN/dnsmasq.leases
		CONF
		for ((i = 0; i < HOSTS; i++)); do echo "dhcp-host=$(host_mac "$i"),$BRIDGE_NET.$((10 + i))"; done
	} >"$RUN/dnsmasq.conf"
	in_net_start dnsmasq dnsmasq --keep-in-foreground --conf-file="$RUN/dnsmasq.conf"
}

bridge_dhcp_down() {
	proc_stop dnsmasq
	proc_stop udhcpd
}

# A DHCP server of another make, on a machine of its own: addresses and nothing else
udhcpd_start() { # NAMESPACE
	local i
	if [ ! -e "/run/netns/$1" ]; then
		ip netns add "$1"
		in_net ip link add dhcp type veth peer name eth0 netns "$1"
		in_net ip link set dhcp master br0 up
		ip -n "$1" link set lo up
		ip -n "$1" address add "$BRIDGE_NET.2/24" dev eth0
		ip -n "$1" link set eth0 up
	fi
	{
		cat <<-CONF
			interface eth0
			start $BRIDGE_NET.100
			end $BRIDGE_NET.200
			lease_file $RUN/udhcpd.leases
			pidfile $RUN/udhcpd.pid
			option subnet 255.255.255.0
			option router $BRIDGE_NET.1
			option lease 3600
		CONF
		for ((i = 0; i < HOSTS; i++)); do echo "static_lease $(host_mac "$i") $BRIDGE_NET.$((10 + i))"; done
	} >"$RUN/udhcpd.conf"
	: >"$RUN/udhcpd.leases"
	proc_start udhcpd ip netns exec "$1" "$OUT/pkg/musl/busybox-demo/bin/busybox" udhcpd -f "$RUN/udhcpd.conf"
}

# proc_start for a program that belongs into the environment's network
in_net_start() { # NAME CMD...
	local name=$1
	shift
	if [ -n "${NETNS:-}" ]; then set -- ip netns exec "$NETNS" "$@"; fi
	proc_start "$name" "$@"
}

# The veth pair first: a namespace with all that is in it goes some time after the last one who uses it
net_down() {
	local name
	[ -n "${NETNS:-}" ] || return 0
	if [ -e "/sys/class/net/$NETNS" ]; then ip link del "$NETNS"; fi
	for name in "$NETNS-dhcp" "$NETNS"; do
		if [ -e "/run/netns/$name" ]; then ip netns del "$name"; fi
	done
}

# Ports of 127.0.0.1 that lead to the hosts, settled once for the whole environment
net_pick_forwards() {
	[ "$NET" = user ] || return 0
	API_FORWARD=${API_FORWARD:-10250} HOSTPORT_FORWARD=${HOSTPORT_FORWARD:-8080}
	until forwards_take "$API_FORWARD" 1 1; do API_FORWARD=$((API_FORWARD + 50)); done
	until forwards_take "$HOSTPORT_FORWARD" 100 $HOSTPORTS; do HOSTPORT_FORWARD=$((HOSTPORT_FORWARD + 10)); done
	[ "$HOSTPORT_FORWARD" = 8080 ] || say "ports 8080… of the hosts are ports $HOSTPORT_FORWARD… here, 8080… being in use"
	remember API_FORWARD HOSTPORT_FORWARD
}

# COUNT ports for each host; what is claimed before one turns out to be taken stays so
forwards_take() { # FIRST STEP COUNT
	local i k
	for ((i = 0; i < HOSTS; i++)); do
		for ((k = 0; k < $3; k++)); do port_take $(($1 + i * $2 + k)) || return 1; done
	done
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
net_qemu_arg() { # INDEX
	local arg k file
	if [ "$NET" = bridge ]; then
		echo "tap,id=net0,ifname=tap$1,script=no,downscript=no"
		return
	fi
	case $BOOT in
	uefi-pxe | secureboot-pxe) file=snponly.efi ;;
	uefi-http) file=$BOOT_URL/boot/snponly.efi ;;
	secureboot-http) file=$BOOT_URL/boot/hypermetal-uki.efi ;;
	*) file= ;;
	esac
	# The card's ROM is iPXE
	if [ -z "$file" ] || [ "$CARD" != virtio ]; then file=$BOOT_URL/boot/ipxe; fi
	arg="user,id=net0,tftp=$RUN/tftp,bootfile=$file,hostfwd=tcp:$(host_address "$1" 10250)-:10250"
	for ((k = 8080; k < 8080 + HOSTPORTS; k++)); do arg+=",hostfwd=tcp:$(host_address "$1" $k)-:$k"; done
	echo "$arg"
}
