#!/bin/bash
# The controller is not there when a host is switched on, and away again when the host wants to register: the host
# tries for ever, and becomes Ready without anybody's help.
# environment: own
# deadline: 480

env_prepare
host_start 0
sleep 20
expect "host-0 while there is no controller" "firmware, PXE" "$(host_stage 0)"
env_controller
await "$(host_deadline)" "the kernel of host-0 starts" grep -aq 'Linux version' "$RUN/host-0/serial.log"
proc_stop controller 0
sleep 20
proc_running host-0 || fail "host-0 has gone"
! grep -aq 'Kernel panic' "$RUN/host-0/serial.log" || fail "kernel panic without a controller"
env_controller
env_await_hosts
