#!/bin/bash
# The dnsmasq configuration that `controller boot-config` prints, on a network: what each kind of client is told, that all
# it is told of is there, and a BIOS host that becomes Ready by it; once with dnsmasq as the network's DHCP server, once as
# a proxy beside another one that knows nothing of booting. matrix/300 has the same for UEFI.
# environment: own
# deadline: 300

bridge_possible || fail "this needs root, network namespaces and dnsmasq"
NET=bridge HOSTS=1 BOOT=bios-pxe DHCP=range

# What dnsmasq tells a client, "FILE VENDOR_CLASS ADDRESS?", and that a file is to be had from itself
told() { # ARGUMENT...
	"$ROOT/qemu-test/lib/dhcp_ask.py" "$@" "$NETNS" "$BRIDGE_NET.1" |
		jq -r 'if .siaddr == .server or (.file | test("^(http.*)?$")) then . else .file += "@\(.siaddr)" end |
			[.file, .vendorClass, (.yiaddr != "0.0.0.0" | tostring)] | join(" ")'
}
kind() { echo "--arch $((10#$2)) --vendor-class $1Client:Arch:$2:UNDI:003000"; } # PXE|HTTP ARCHITECTURE
is_told() { # WHO WANTED ARGUMENT...
	local who=$1 wanted=$2
	shift 2
	expect "$who is told" "$wanted" "$(told "$@")"
}
same() { in_net curl -sf --max-time 20 "$1" | cmp - "$2" || fail "$1 is not ${2##*/}"; } # URL FILE
boot_id() { api GET /api/v1/nodes/host-0 | jq -r .status.nodeInfo.bootID; }
booted_again() { node_ready host-0 && [ "$(boot_id)" != "$before" ]; }

# --- dnsmasq is the DHCP server
env_up
before=$(boot_id)
grep -q 'DHCPACK(br0)' "$RUN/log/dnsmasq.log" || fail "dnsmasq gave no address"
script=$BOOT_URL/boot/ipxe
# shellcheck disable=SC2046  # lists of words
{
	is_told "a BIOS" "undionly.kpxe  true" $(kind PXE 00000)
	is_told "a BIOS without option 93" "undionly.kpxe  true" --vendor-class PXEClient:Arch:00000:UNDI:002001
	is_told "UEFI, 7" "snponly.efi  true" $(kind PXE 00007)
	is_told "UEFI, 9" "snponly.efi  true" $(kind PXE 00009)
	is_told "UEFI that lists two" "snponly.efi  true" --arch 6 $(kind PXE 00007)
	is_told "HTTP boot" "$BOOT_URL/boot/snponly.efi HTTPClient true" $(kind HTTP 00016)
	is_told "UEFI on ARM" "  true" $(kind PXE 00011)
	is_told "iPXE in a BIOS" "$script  true" $(kind PXE 00000) --user-class iPXE --ipxe
	is_told "iPXE without a user class" "$script  true" $(kind PXE 00007) --ipxe
	is_told "iPXE without options of its own" "$script  true" $(kind PXE 00009) --user-class iPXE
	is_told "iPXE out of HTTP boot" "$script HTTPClient true" $(kind HTTP 00016) --user-class iPXE
	is_told "a host from a medium" "$script  true" --vendor-class hypermetal
	is_told "who boots nothing" "  true"
}

# --- what they are told of is there
tftp_autoexec
for name in undionly.kpxe snponly.efi; do
	same "tftp://$BRIDGE_NET.1/$name" "$OUT/images/$name"
	same "$BOOT_URL/boot/$name" "$OUT/images/$name"
done
same "$BOOT_URL/boot/autoexec.ipxe" "$RUN/tftp/autoexec.ipxe"
expect_match "the script" '^#!ipxe' "$(in_net curl -sf "$script")"

# --- a proxy beside a server of another make
host_stop 0
bridge_dhcp_down
DHCP=proxy
bridge_dhcp_up
host_start 0
# shellcheck disable=SC2046
{
	is_told "a BIOS" " PXEClient false" $(kind PXE 00000)
	is_told "a BIOS, in a second answer" "undionly.kpxe PXEClient true" $(kind PXE 00000) --port 4011 --item
	is_told "UEFI, 7" " PXEClient false" $(kind PXE 00007)
	is_told "UEFI, 9, in a second answer" "snponly.efi PXEClient false" $(kind PXE 00009) --port 4011
	is_told "UEFI, 7, in a second answer" "snponly.efi PXEClient false" $(kind PXE 00007) --port 4011
	is_told "HTTP boot" "$BOOT_URL/boot/snponly.efi HTTPClient false" $(kind HTTP 00016)
	is_told "iPXE in a BIOS" "$script PXEClient false" $(kind PXE 00000) --user-class iPXE --ipxe
	is_told "iPXE in UEFI" "$script PXEClient false" $(kind PXE 00007) --ipxe
	is_told "who boots nothing" ""
}
await 120 "Ready with a proxy" booted_again
grep -q "sending OFFER to $BRIDGE_NET.10" "$RUN/log/udhcpd.log" || fail "the other server gave no address" "$(tail "$RUN/log/udhcpd.log")"
if grep -q 'DHCPACK(br0)\|DHCPOFFER(br0)' <(sed '1,/DHCP, proxy/d' "$RUN/log/dnsmasq.log"); then fail "the proxy gave addresses"; fi
