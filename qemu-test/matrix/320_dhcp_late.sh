#!/bin/bash
# No DHCP server for three minutes after a machine is switched on, then one: firmware and iPXE try again, and it becomes
# Ready. Then the server goes while iPXE loads the kernel and comes back a minute later: hostd asks until it is there.
# environment: own
# deadline: 900

bridge_possible || fail "this needs root, network namespaces and dnsmasq"
NET=bridge HOSTS=1 BOOT=bios-pxe
said() { grep -aq "$1" "$RUN/host-0/serial.log"; } # REGEX
boot_id() { api GET /api/v1/nodes/host-0 | jq -r .status.nodeInfo.bootID; }
booted_again() { node_ready host-0 && [ "$(boot_id)" != "$before" ]; }

env_prepare
bridge_dhcp_down
env_controller
host_start 0
sleep 180
if said 'Linux version'; then fail "it booted without DHCP"; fi
bridge_dhcp_up
start=$(now)
await 240 "Ready after three minutes without DHCP" node_ready host-0
echo "Ready $(($(now) - start)) s after DHCP came"

host_stop 0
before=$(boot_id)
host_start 0
await 120 "iPXE has all it needs" said 'host/.*\.cpio\.\.\. ok'
bridge_dhcp_down
await 120 "hostd wants an address" said 'udhcpc: broadcasting discover'
sleep 60
if said 'ev=lease '; then fail "it got an address from nobody"; fi
bridge_dhcp_up
start=$(now)
await 120 "Ready after a minute without DHCP" booted_again
echo "Ready $(($(now) - start)) s after DHCP came back"
