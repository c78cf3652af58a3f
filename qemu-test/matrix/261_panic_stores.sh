#!/bin/bash
# Where a kernel leaves its last lines without ERST: in a piece of RAM that survives a warm reset (ramoops), also the console of
# a machine that hung until its watchdog bit; and in the firmware's variables (EFI).
# environment: own
# deadline: 900

HOST_SETTINGS=(watchdog=20)
QEMU_EXTRA="-device i6300esb -action watchdog=reset"

boot_id() { api GET /api/v1/nodes/host-0 | jq -r .status.nodeInfo.bootID; }
reset() { api GET /api/v1/nodes/host-0 | jq -r --arg key "$1" '.status.conditions[] | select(.type == "UnexpectedReset") | .[$key]'; }
another_boot() { [ "$(boot_id)" != "$1" ] && node_ready host-0; } # BOOT_ID
shell_ready() { host_shell 0 true 10; }

panics() { # STORE
	expect_match "the store" "store=$1 " "$(grep -a ev=traces "$RUN/host-0/serial.log")"
	await 60 "the console has a shell" shell_ready
	booted=$(boot_id)
	host_shell 0 'echo c >/proc/sysrq-trigger' 2 || :
	await 240 "host-0 is back" another_boot "$booted"
	expect "a panic, by $1" "True KernelPanic" "$(reset status) $(reset reason)"
	expect_match "its message" $'^Kernel panic - not syncing: sysrq triggered crash\n.*sysrq: Trigger a crash.*Call Trace:' "$(reset message)"
	await 60 "the console has a shell" shell_ready
	await 30 "the records are removed" host_shell 0 'test -z "$(ls /sys/fs/pstore)"'
}

# RAM, under a BIOS; its iPXE takes the first "mem=" for the end of memory, docs/what-happened.md
HOST_KERNEL_ARGS="hyper.debug hyper.mem=2G reserve_mem=2M:4096:oops ramoops.mem_name=oops"
env_up
panics ramoops
booted=$(boot_id)
host_shell 0 'echo "<2>the last that was heard of it" >/dev/kmsg; kill -STOP $(pidof hostd)'
await 240 "host-0 is back" another_boot "$booted"
expect "a machine that hung" "True Watchdog" "$(reset status) $(reset reason)"
expect_match "its console" "the last that was heard of it" "$(reset message)"
env_down

# The firmware's variables
HOST_KERNEL_ARGS=hyper.debug
BOOT=uefi-pxe
env_up
panics efi_pstore
