#!/bin/bash
# What `controller boot-config` prints, with UEFI's own PXE client and its HTTP client: as DHCP server and as a proxy beside
# another one. A host becomes Ready each time.
# environment: own
# deadline: 1500

bridge_possible || fail "this needs root, network namespaces and dnsmasq"
NET=bridge HOSTS=1
for DHCP in proxy range; do
	for BOOT in uefi-http uefi-pxe; do
		start=$(now)
		env_up
		echo "$DHCP, $BOOT: Ready after $(($(now) - start)) s"
		console=$(tr -d '\r' <"$RUN/host-0/serial.log")
		case $BOOT in
		uefi-pxe) expect_match "the firmware's words" 'NBP filename is snponly.efi' "$console" ;;
		uefi-http) expect_match "the firmware's words" 'URI: http://[0-9.:]*/boot/snponly.efi' "$console" ;;
		esac
		if [ $DHCP = proxy ]; then
			grep -q "sending ACK to $BRIDGE_NET.10" "$RUN/log/udhcpd.log" || fail "the other server gave no address"
			if grep -q 'DHCPACK(br0)' "$RUN/log/dnsmasq.log"; then fail "the proxy gave an address"; fi
		fi
		env_down
	done
done
