#!/bin/bash
# up.sh - starts a controller, a registry with the demo images and hosts in QEMU; ends when every host is Ready
#
# usage: up.sh        (make up [NAME=VALUE]...)
#
#   HOSTS=1         number of hosts
#   BOOT=bios-pxe   how they boot: bios-pxe, uefi-pxe, uefi-http, uki, secureboot, secureboot-pxe, secureboot-http (KEYS=DIR or
#                   test keys), iso-bios, iso-uefi, stick-bios, stick-uefi (the ISO as a USB stick), disk, disk-bios
#   CARD=virtio     their network card: virtio, e1000e, vmxnet3, igb (QEMU 8.0 and later)
#   DISK=none       a disk of 64 MiB in each, behind: nvme, ahci, virtio-scsi, megasas
#   MEM=1024        memory of each in MiB
#   SMP=            CPUs of each; 2 with kvm, 1 when they are emulated (docs/qemu-test.md says why)
#   ACCEL=auto      kvm, tcg, or whichever this machine can do
#   NET=auto        user: no rights needed, ports forwarded on 127.0.0.1; bridge: root, hosts have own addresses;
#                   auto: bridge for several hosts where it can be had, otherwise user
#   RUN=out/run     where the state goes: kubeconfig, logs, consoles, process ids
#   API_PORT=6443 BOOT_PORT=6480 REGISTRY_PORT=5000   wanted ports; the next free one is taken
set -euo pipefail
# shellcheck source=qemu-test/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

case ${1:-} in
'') ;;
-h | --help | help) sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0" && exit 0 ;;
*) die "no argument is taken, see --help" ;;
esac

! env_is_up || die "something is running in ${RUN#"$ROOT"/} already: make down"
trap 'status=$?; if [ $status != 0 ]; then env_down; fi; exit $status' EXIT
trap 'exit 130' INT TERM
env_up
trap - EXIT
say "up: $HOSTS host(s) Ready, kubeconfig in ${RUN#"$ROOT"/}/kubeconfig"
env_hint
