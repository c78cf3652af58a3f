#!/bin/bash
# A machine of one way to boot, one network card and one disk controller (BOOT, CARD, DISK) becomes Ready, its inventory
# names what it has, and a pod runs on it
# environment: own
# deadline: 400

env_up
inventory() { hyper describe host host-0 -o json | jq -r ".inventory$1"; }
driver=$CARD
[ "$CARD" != virtio ] || driver=virtio_net
await 60 "the inventory names the card's driver" eval '[[ $(inventory ".nics[].driver") == *$driver* ]]'
if [ "$DISK" != none ]; then
	await 60 "the inventory has the disk" eval '[ "$(inventory ".disks[] | select(.serial == \"DATA-0\") | .sizeBytes")" = 67108864 ]'
fi
pod_create there busybox '["true"]'
await 120 "a pod has run" pod_ended there
expect "how it ended" Succeeded "$(pod there .status.phase)"
