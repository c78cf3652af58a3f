#!/bin/bash
# A machine whose only watchdog is its BMC's (IPMI): hostd takes it, and a hostd that hangs is reset by it. What did it nobody
# tells, and the host says so.
# environment: own
# deadline: 600

HOST_KERNEL_ARGS="hyper.debug module_blacklist=iTCO_wdt"
HOST_SETTINGS=(watchdog=20)
QEMU_EXTRA="-device ipmi-bmc-sim,id=bmc0 -device isa-ipmi-kcs,bmc=bmc0"
env_up

boot_id() { api GET /api/v1/nodes/host-0 | jq -r .status.nodeInfo.bootID; }
reset() { api GET /api/v1/nodes/host-0 | jq -r --arg key "$1" '.status.conditions[] | select(.type == "UnexpectedReset") | .[$key]'; }
another_boot() { [ "$(boot_id)" != "$1" ] && node_ready host-0; } # BOOT_ID
shell_ready() { host_shell 0 true 10; }

expect_match "the watchdog" 'identity="IPMI" timeout_s=20' "$(grep -a ev=watchdog "$RUN/host-0/serial.log")"
await 60 "the console has a shell" shell_ready
booted=$(boot_id) start=$(now)
host_shell 0 'kill -STOP $(pidof hostd)'
await 240 "host-0 is back" another_boot "$booted"
echo "watchdog: Ready after $(($(now) - start)) s"
expect "the reason" "True Unknown" "$(reset status) $(reset reason)"
expect_match "its message" "no hardware watchdog that would tell" "$(reset message)"
