#!/bin/bash
# No DHCP anywhere: a host that was booted from one EFI program gets its address from the words on its command line,
# fetches its settings and becomes Ready, though its clock stands in 2038. A word that is wrong is told and does no harm.
# environment: own
# deadline: 300

NET=bridge HOSTS=1 BOOT=uki QEMU_EXTRA="-rtc base=2038-01-01"
env_prepare
bridge_dhcp_down
HOST_KERNEL_ARGS="ip=$BRIDGE_NET.33::$BRIDGE_NET.1:255.255.255.0::$(host_mac 0 | tr : -):none:1400 nameserver=$BRIDGE_NET.1 vlan=nonsense:eth0"
env_controller
host_start 0
env_await_hosts

said() { tr -d '\r' <"$RUN/host-0/serial.log" | grep -aE "$1"; }
expect "the Node's address" "$BRIDGE_NET.33" "$(api GET /api/v1/nodes/host-0 | jq -r '.status.addresses[] | select(.type == "InternalIP").address')"
expect_match "how the clock was set" 'ev=clock_set source=boot .*by=-[0-9]{9}' "$(said 'ev=clock_set source=boot')"
expect_match "the wrong word" 'word="vlan=nonsense:eth0" error="vlan: nonsense does not end with' "$(said ev=network_word_refused | head -n 1)"
if said 'ev=(dhcp_|link_failed|address_failed)' >&2; then fail "something was tried that nobody asked for" "$(said 'ev=(dhcp_|link_failed|address_failed)')"; fi
