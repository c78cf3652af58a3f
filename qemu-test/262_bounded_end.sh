#!/bin/bash
# However a host is told to end, it does within its time: the power button under a pod that does not listen to SIGTERM and
# has a long grace; Ctrl-Alt-Del with a disk that hangs under a file system, which the kernel is made to leave behind. The
# next boot says who asked, and the pod runs again.
# environment: own
# deadline: 900

HOST_KERNEL_ARGS=hyper.debug
QEMU_EXTRA="-drive if=none,id=slow,format=raw,file=$RUN/slow -device virtio-blk-pci,drive=slow,serial=SLOW"
env_prepare
truncate -s 32M "$RUN/slow"
mke2fs -q -t ext4 "$RUN/slow"
env_controller
host_start 0
env_await_hosts

boot_id() { api GET /api/v1/nodes/host-0 | jq -r .status.nodeInfo.bootID; }
reset() { api GET /api/v1/nodes/host-0 | jq -r --arg key "$1" '.status.conditions[] | select(.type == "UnexpectedReset") | .[$key]'; }
another_boot() { [ "$(boot_id)" != "$1" ] && node_ready host-0; } # BOOT_ID
shell_ready() { host_shell 0 true 10; }
qmp() { printf '%s\n' '{"execute":"qmp_capabilities"}' "$1" | socat -t 2 - "UNIX-CONNECT:$RUN/host-0/qmp.sock" >/dev/null; }
serial() { tr -d '\r' <"$RUN/host-0/serial.log" | grep -a "$1"; }

pod_create deaf busybox '["sh", "-c", "trap \"\" TERM; while :; do sleep 1; done"]' \
	'{"spec": {"restartPolicy": "Always", "terminationGracePeriodSeconds": 300}}'
await 150 "deaf runs" pod_running deaf

# The button: off within half a minute, though the pod was promised five
booted=$(boot_id) start=$(now)
qmp '{"execute":"system_powerdown"}'
await 90 "the host is off" not proc_running host-0
echo "power button: off after $(($(now) - start)) s"
expect_match "what it said" "ev=power_off patience_s=5" "$(serial ev=power_off)"
host_start 0
await 180 "host-0 is back" another_boot "$booted"
expect "behind the button" "False Requested" "$(reset status) $(reset reason)"
expect_match "its message" "^the power button was pressed" "$(reset message)"
await 150 "deaf runs again" pod_running deaf
pod_remove deaf

# A disk that does not write any more, and somebody who presses Ctrl-Alt-Del (which is this signal to init)
await 60 "the console has a shell" shell_ready
host_shell 0 'd=/dev/$(cd /sys/block; grep -l SLOW */serial | cut -d/ -f1); mkdir /tmp/m && mount -t ext4 $d /tmp/m && echo before >/tmp/m/a'
# ... when the host has told all there is to tell of its boot
boot_told() { api GET /api/v1/nodes/host-0 | jq -e '. as $n | .metadata.annotations["hypermetal.io/boot-times"] // "" | contains($n.status.nodeInfo.bootID)'; }
await 60 "the host has told how it booted" boot_told
sleep 5
qmp '{"execute":"block_set_io_throttle","arguments":{"device":"slow","bps":0,"bps_rd":0,"bps_wr":1,"iops":0,"iops_rd":0,"iops_wr":0}}'
booted=$(boot_id) start=$(now)
host_shell 0 'dd if=/dev/zero of=/tmp/m/b bs=64k count=64 2>/dev/null; kill -INT 1' 5 || :
await 240 "host-0 is back" another_boot "$booted"
echo "Ctrl-Alt-Del with a stuck disk: Ready after $(($(now) - start)) s"
expect_match "what it said" "the machine does not end in time" "$(tr -d '\r' <"$RUN/host-0/serial.log")"
expect "behind Ctrl-Alt-Del" "False Requested" "$(reset status) $(reset reason)"
expect_match "its message" "^Ctrl-Alt-Del was pressed" "$(reset message)"
