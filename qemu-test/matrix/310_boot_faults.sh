#!/bin/bash
# 017 with what takes longer: the very first request fails and firmware tries again; an answer without an end, a kernel
# that comes late, an initramfs that comes slowly, a piece that never comes or breaks off; at last a web page instead of
# an initramfs, with which the kernel panics and the machine boots anew.
# environment: own
# deadline: 900

PLAN='/boot/ipxe$ error 1
/boot/ipxe\? close 1
/boot/ipxe\? hang 1
/kernel$ late 1
/kernel$ error 1
/initramfs$ slow 2
/initramfs$ wrong 1
\.cpio$ hang 1
\.cpio$ cut 1'
SECONDS_TO_READY=800
# shellcheck source=qemu-test/017_boot_faults.sh
. "$ROOT/qemu-test/017_boot_faults.sh"
grep -aq 'Kernel panic' "$RUN/host-0/serial.log" || fail "the kernel took a web page for its initramfs"
