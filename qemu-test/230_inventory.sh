#!/bin/bash
# What a host says it is made of, in its Node and by `hyper describe host`, against what QEMU was given; a link that goes
# down, a switch that says who it is and a disk that comes while it runs are seen.
# environment: own
# deadline: 300

disk() { truncate -s "$2" "$DISKS/$1" && echo "$DISKS/$1"; } # NAME SIZE
DISKS=$(mktemp -d "${TMPDIR:-/tmp}/inventory.XXXXXX")
trap 'rm -rf "$DISKS"' EXIT
QEMU_EXTRA="
-smbios type=0,vendor=Hyper-Firmware,version=1.2.3,date=02/03/2026,release=4.5
-smbios type=1,manufacturer=Acme,product=Rack-9000,version=rev-B,sku=R9-2S,family=Nines
-smbios type=2,manufacturer=Acme,product=Board-7,version=None,serial=BRD-0042,asset=0123456789
-smbios type=3,manufacturer=Acme,version=2U,serial=CHS-0007,asset=row7/rack12
-smbios type=17,loc_pfx=DIMM_A,bank=BANK_0,manufacturer=Rambus,serial=MEM-55,asset=None,part=R-2400,speed=2400
-netdev hubport,id=lone,hubid=9 -device e1000e,netdev=lone,mac=52:54:00:aa:bb:01,addr=10
-netdev dgram,id=wire,local.type=unix,local.path=$DISKS/wire,remote.type=unix,remote.path=$DISKS/nobody
-netdev hubport,id=wire0,hubid=9,netdev=wire
-netdev hubport,id=none,hubid=9 -device rtl8139,netdev=none,mac=52:54:00:aa:bb:02,addr=11
-netdev hubport,id=cut,hubid=9 -device virtio-net-pci,id=cut0,netdev=cut,mac=52:54:00:aa:bb:03,addr=15
-drive if=none,id=d0,format=raw,file=$(disk nvme 64M) -device nvme,drive=d0,serial=NVME-0001,addr=12
-drive if=none,id=d1,format=raw,file=$(disk sata 96M)
-device ide-hd,drive=d1,serial=SATA-0002,model=Spinner-96,ver=F1.0,bus=ide.0,rotation_rate=7200
-drive if=none,id=d2,format=raw,file=$(disk blk 32M)
-device virtio-blk-pci,drive=d2,serial=VIRT-0003,logical_block_size=4096,physical_block_size=4096,addr=13
-device virtio-scsi-pci,id=scsi0,addr=14
-device ipmi-bmc-sim,id=bmc0 -device isa-ipmi-kcs,bmc=bmc0
${QEMU_EXTRA:-}"
env_up

# One command by QMP; prints its answer
qmp() { # NAME [ARGUMENTS_JSON]
	jq -nc --arg name "$1" --argjson arguments "${2:-{\}}" '{execute: "qmp_capabilities"}, {execute: $name, arguments: $arguments}' |
		socat -t 2 - "UNIX-CONNECT:$RUN/host-0/qmp.sock" | tail -n 1
}
look() { hyper describe host host-0 -o json >"$RUN/node" && jq -e .inventory "$RUN/node" >"$RUN/inventory"; }
seen() { look && jq -e "$1" "$RUN/inventory"; } # JQ_CONDITION
has() { expect "$1" "$2" "$(jq -cr "$1" "$RUN/inventory")"; } # JQ_EXPRESSION VALUE
label() { expect "label $1" "$2" "$(jq -r --arg name "hypermetal.io/$1" '.metadata.labels[$name] // "none there"' "$RUN/node")"; }

await 30 "the inventory is there" seen '.disks | length == 3'

# SMBIOS
has '.bios | [.vendor, .version, .date, .release] | join(" ")' "Hyper-Firmware 1.2.3 02/03/2026 4.5"
has '.system | [.vendor, .product, .version, .serial, .sku, .family] | join(" ")' "Acme Rack-9000 rev-B HM-0 R9-2S Nines"
has .system.uuid "$(host_uuid 0)"
has '.board | [.vendor, .product, .serial] | join(" ")' "Acme Board-7 BRD-0042"
has '.board | has("version") or has("assetTag")' false
has '.blank | sort | join(" ")' "board.assetTag board.version"
has '.chassis | [.version, .serial, .assetTag] | join(" ")' "2U CHS-0007 row7/rack12"
has '.memory.dimms | length' 1
has '.memory.dimms[0] | [.slot, .bank, .vendor, .serial, .part, .ratedMTs, .speedMTs] | map(tostring) | join("|")' \
	"DIMM_A 0|BANK_0|Rambus|MEM-55|R-2400|2400|2400"
has '.memory.dimms[0].sizeBytes' $((MEM << 20))
has '.memory.dimms[0] | has("assetTag")' false
has .memory.errorCorrection multi-bit

# Processor, platform
has '.cpu | [.sockets, .cores, .threads] | map(tostring) | join(" ")' "1 1 $SMP"
if [ "$ACCEL" = tcg ]; then has '.cpu | [.vendor, .virtualization] | join(" ")' "AuthenticAMD svm"; fi
has '.cpu.microcode | startswith("0x")' true
has '.numa[0] | [.node, .cpus, .distances[0]] | map(tostring) | join(" ")' "0 0 10"
has '.bmc | [.present, .interface, .ipmi, .answers] | map(tostring) | join(" ")' "true KCS 2.0 true"
has .tpm.present false
has '.boot | [.firmware, .mac] | join(" ")' "BIOS $(host_mac 0)"
nic=$(jq -r .boot.nic "$RUN/inventory")
has ".nics[] | select(.name == \"$nic\") | [.mac, .driver, .boot] | map(tostring) | join(\" \")" "$(host_mac 0) virtio_net true"

# Disks: what was given, and their own words on their health
has '.disks[] | select(.serial == "NVME-0001") | [.sizeBytes, .sectorBytes, .rotational, .transport, .pci, .health.state, .health.mediaErrors]
	| map(tostring) | join(" ")' "$((64 << 20)) 512 false nvme 0000:00:12.0 good 0"
has '.disks[] | select(.serial == "SATA-0002") | [.model, .firmware, .sizeBytes, .rotational, .transport, .health.state, .health.reallocatedSectors]
	| map(tostring) | join(" ")' "Spinner-96 F1.0 $((96 << 20)) true sata good 0"
has '.disks[] | select(.serial == "VIRT-0003") | [.sizeBytes, .sectorBytes, .physicalSectorBytes, .transport] | map(tostring) | join(" ")' \
	"$((32 << 20)) 4096 4096 virtio"

# PCI: all of it, with drivers; the card that has none is named
has '.pci[] | select(.address == "0000:00:10.0") | [.class, .id, .driver] | join(" ")' "020000 8086:10d3 e1000e"
has '.pci[] | select(.id == "1b36:0010") | [.address, .class, .driver] | join(" ")' "0000:00:12.0 010802 nvme"
has '.pci[] | select(.id == "10ec:8139").driver' null
has '.noDriver | join(" ")' 0000:00:11.0

label vendor Acme
label product Rack-9000
label serial HM-0
label asset-tag row7-rack12
label memory-gib $((MEM / 1024))
label cpu-threads "$SMP"
label disks 3
label nics 3
label pci-no-driver 1
label disk-health good
label firmware bios
label secure-boot "none there"
label bmc present
label tpm none
expect "hosts of that rack" host-0 "$(api GET '/api/v1/nodes?labelSelector=hypermetal.io%2Fasset-tag%3Drow7-rack12' | jq -r '.items[].metadata.name')"

# Links
await 30 "the card has a link" seen '.nics[] | select(.mac == "52:54:00:aa:bb:01") | .link'
has '.nics[] | select(.mac == "52:54:00:aa:bb:01") | [.speedMbps, .duplex, .driver, .pci] | map(tostring) | join(" ")' "1000 full e1000e 0000:00:10.0"
label nic-mbps 1000
qmp set_link '{"name": "cut0", "up": false}' >/dev/null
await 30 "a link goes down" seen '.nics[] | select(.mac == "52:54:00:aa:bb:03") | .link | not'
qmp set_link '{"name": "cut0", "up": true}' >/dev/null
await 30 "and up" seen '.nics[] | select(.mac == "52:54:00:aa:bb:03") | .link'

# Who is at the other end of the wires: a switch's LLDP frame; its port is 1/PORT
switch_says() { # PORT
	printf '\x01\x80\xc2\x00\x00\x0e\x52\x54\x00\x00\x00\x01\x88\xcc\x02\x07\x04\x52\x54\x00\x00\x00\x01\x04\x04\x051/%s' "$1"
	printf '\x06\x02\x00\x78\x0a\x06leaf-7\xfe\x06\x00\x80\xc2\x01\x00\x64\x00\x00%030d' 0
}
told() { seen "[.nics[] | select(.lldp == {system: \"leaf-7\", port: \"1/$1\", chassis: \"52:54:00:00:00:01\", vlan: 100}) | .mac[-2:]] == [\"01\", \"03\"]"; }
switch_says 7 | socat -u - "UNIX-SENDTO:$DISKS/wire"
await 30 "the switch is known" told 7
expect_match "the page" 'eth[0-9] +52:54:00:aa:bb:01 +up .* leaf-7, 1/7' "$(hyper describe host host-0)"
switch_says 8 | socat -u - "UNIX-SENDTO:$DISKS/wire"
await 30 "another port is seen" told 8

# A disk that comes and goes
qmp blockdev-add "$(jq -nc --arg file "$(disk late 48M)" '{driver: "raw", "node-name": "late", file: {driver: "file", filename: $file}}')" >/dev/null
qmp device_add '{"driver": "scsi-hd", "id": "late0", "drive": "late", "serial": "LATE-0004", "bus": "scsi0.0"}' >/dev/null
await 60 "the new disk is there" seen '.disks[] | select(.serial == "LATE-0004") | .sizeBytes == 50331648'
has '.disks[] | select(.serial == "LATE-0004") | [.vendor, .model, .transport] | join(" ")' "QEMU QEMU HARDDISK virtio"
label disks 4
qmp device_del '{"id": "late0"}' >/dev/null
await 60 "it has gone" seen '.disks | length == 3'

# The page for people
page=$(hyper describe host host-0)
for line in 'System: +Acme Rack-9000, version rev-B, serial HM-0' 'Left blank: +board' 'sda +Spinner-96 +SATA-0002 +96 MiB +512 +sata, rotating +good' \
	'0000:00:11\.0 +Ethernet +10ec:8139' 'BMC: +IPMI 2\.0'; do
	expect_match "the page" "$line" "$page"
done

# A machine at rest is not looked at
annotation() { api GET /api/v1/nodes/host-0 | jq -r '.metadata.annotations["hypermetal.io/inventory"]'; }
before=$(grep -ac 'ev=inventory ' "$RUN/host-0/serial.log")
sleep 15
expect "looks at a machine at rest" "$before" "$(grep -ac 'ev=inventory ' "$RUN/host-0/serial.log")"
[ "$(annotation | wc -c)" -lt 32768 ] || fail "the annotation has $(annotation | wc -c) bytes"
if grep -a 'ev=inventory_failed\|ev=inventory_late\|ev=facts_refused' "$RUN/host-0/serial.log" >&2; then fail "the inventory complains"; fi
