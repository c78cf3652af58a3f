#!/bin/bash
# The boot service does wrong, each time in another way, and a host of 256 MB becomes Ready without a hand: nonsense and
# 503 instead of a script, a kernel that breaks off, an initramfs that never comes, 503 for the host's own piece.
# matrix/310 goes on with this one.
# environment: own
# deadline: 400

PLAN=${PLAN:-'/boot/ipxe\? garbage 1
/boot/ipxe\? error 1
/kernel$ cut 1
/initramfs$ hang 1
\.cpio$ error 1'}
NET=user HOSTS=1 MEM=256 BOOT=bios-pxe

env_prepare
printf '%s\n' "$PLAN" >"$RUN/plan"
port_pick FAULT_PORT 6580
proc_start faults "$ROOT/qemu-test/lib/fault_proxy.py" "$FAULT_PORT" "$BOOT_PORT" "$RUN/plan"
BOOT_URL=http://$(gateway):$FAULT_PORT
env_controller
start=$(now)
host_start 0
await "${SECONDS_TO_READY:-300}" "host-0 is Ready" node_ready host-0
echo "Ready after $(($(now) - start)) s"
grep ^fault= "$RUN/log/faults.log"
expect "faults that were met" "$(awk '{ n += $3 } END { print n }' <<<"$PLAN")" "$(grep -c ^fault= "$RUN/log/faults.log")"
console=$(tr -d '\r' <"$RUN/host-0/serial.log")
expect_match "what iPXE said" 'The controller does not answer' "$console"
expect_match "what iPXE said" 'Loading failed' "$console"
