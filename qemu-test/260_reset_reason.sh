#!/bin/bash
# Why a host began anew is told at its next boot: asked for, a kernel's panic with its last lines, a hostd that hangs and is
# reset by the watchdog, a reset from outside. A hostd that is merely restarted takes the watchdog over.
# environment: own
# deadline: 900

HOST_KERNEL_ARGS=hyper.debug
HOST_SETTINGS=(watchdog=20)
QEMU_EXTRA="-object memory-backend-file,id=erst,mem-path=$RUN/erst,size=64K,share=on -device acpi-erst,memdev=erst"
QEMU_EXTRA+=" -device i6300esb -action watchdog=reset"
env_up

boot_id() { api GET /api/v1/nodes/host-0 | jq -r .status.nodeInfo.bootID; }
reset() { api GET /api/v1/nodes/host-0 | jq -r --arg key "$1" '.status.conditions[] | select(.type == "UnexpectedReset") | .[$key]'; }
another_boot() { [ "$(boot_id)" != "$1" ] && node_ready host-0; } # BOOT_ID
events() { api GET "$NS/events" | jq -r '.items[] | select(.reason == "Rebooted") | "\(.type) \(.message)"'; }
took() { echo "$1: $(($(now) - start)) s"; }
qmp() { printf '%s\n' '{"execute":"qmp_capabilities"}' "{\"execute\":\"$1\"}" | socat -t 2 - "UNIX-CONNECT:$RUN/host-0/qmp.sock" >/dev/null; }

# A shell that has come to the console
shell_ready() { host_shell 0 true 10; }

expect "the first boot" "False FirstBoot" "$(reset status) $(reset reason)"
expect_match "the watchdog" 'identity="i6300ESB timer" timeout_s=20' "$(grep -a ev=watchdog "$RUN/host-0/serial.log")"

# hostd begins anew, with the watchdog running: nothing happens, and the Node says what it said
booted=$(boot_id)
await 60 "the console has a shell" shell_ready
host_shell 0 'kill -9 $(pidof hostd)'
sleep 25
expect "bootID behind a restart of hostd" "$booted" "$(boot_id)"
await 60 "host-0 is Ready" node_ready host-0
expect "the condition behind a restart of hostd" "False FirstBoot" "$(reset status) $(reset reason)"

# Asked for
start=$(now)
expect "hyper reboot" host-0 "$(hyper reboot host-0)"
took "reboot that was asked for"
expect "a reboot that was asked for" "False Requested" "$(reset status) $(reset reason)"
expect_match "its message" "an operator asked" "$(reset message)"

# The kernel panics
booted=$(boot_id) start=$(now)
await 60 "the console has a shell" shell_ready
host_shell 0 'echo c >/proc/sysrq-trigger' 2 || :
await 180 "host-0 is back" another_boot "$booted"
took "panic"
expect "a panic" "True KernelPanic" "$(reset status) $(reset reason)"
expect_match "its message" $'^Kernel panic - not syncing: sysrq triggered crash\n.*sysrq: Trigger a crash.*Call Trace:' "$(reset message)"
await 30 "the event" grep -q 'Warning KernelPanic: Kernel panic - not syncing: sysrq' <(events)
expect_match "hyper describe" 'UnexpectedReset +True +KernelPanic +Kernel panic - not syncing: sysrq triggered crash' "$(hyper describe host host-0)"
await 60 "the console has a shell" shell_ready
await 30 "the record is removed" host_shell 0 'test -z "$(ls /sys/fs/pstore)"'

# hostd hangs
booted=$(boot_id) start=$(now)
host_shell 0 'kill -STOP $(pidof hostd)'
await 240 "host-0 is back" another_boot "$booted"
took "watchdog"
expect "a watchdog that bit" "True Watchdog" "$(reset status) $(reset reason)"

# A reset from outside
booted=$(boot_id) start=$(now)
qmp system_reset
await 180 "host-0 is back" another_boot "$booted"
took "reset"
expect "a reset from outside" "True PowerLoss" "$(reset status) $(reset reason)"
events

# How long it took: the parts that every host knows, and no part that makes no sense
boot_times() { api GET /api/v1/nodes/host-0 | jq -r '.metadata.annotations["hypermetal.io/boot-times"]'; }
await 60 "the times of this boot" eval '[ "$(boot_times | jq -r .bootID)" = "$(boot_id)" ]'
times=$(boot_times)
expect "boot times" true "$(jq '[.fetchMs, .kernelMs, .earlyMs, .initMs, .devicesMs, .networkMs, .enrolMs, .readyMs, .totalMs]
	| all(. != null and . >= 0 and . < 600000)' <<<"$times")"
expect "the parts' sum" true "$(jq '.kernelMs + .earlyMs + .initMs + .devicesMs + .networkMs + .enrolMs + .readyMs == .totalMs' <<<"$times")"
hyper describe host host-0 | sed -n '/^BOOT /,/^total/p'
expect_match "hyper describe" 'BOOT +MS +WHAT .*fetching +[0-9]+ .*kernel +[0-9]+ .*total +[0-9]+ ' "$(hyper describe host host-0 | tr '\n' ' ')"
