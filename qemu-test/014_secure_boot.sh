#!/bin/bash
# Secure Boot with a fleet's own keys, which the enrolment medium put into firmware: the signed EFI program makes a host
# Ready that says so itself, from a medium as well as by PXE, where the signed iPXE is sent that very program; firmware
# refuses the program without a signature, with somebody else's, and changed.
# environment: own
# deadline: 500

label() { api GET /api/v1/nodes/host-0 | jq -r ".metadata.labels[\"hypermetal.io/$1\"]"; }
for BOOT in secureboot-pxe secureboot; do
	env_up
	console=$(tr -d '\r' <"$RUN/host-0/serial.log")
	expect_match "$BOOT: the kernel's words" 'Secure boot enabled' "$console"
	expect_match "$BOOT: the kernel's words" 'Kernel is locked down' "$console"
	[ $BOOT = secureboot ] || expect_match "what iPXE loads" '/boot/image/[0-9a-z.-]*/uki\.' "$console"
	await 60 "$BOOT: the Node's labels say UEFI and Secure Boot" eval '[ "$(label firmware) $(label secure-boot)" = "uefi enabled" ]'
	env_down
done

# Other programs in the order in which firmware tries them
try=$RUN/try
mkdir -p "$try"
cp "$RUN/host-0/vars.fd" "$try/"
cp "$OUT/unsigned/hypermetal-uki.efi" "$try/unsigned"
# shellcheck disable=SC2153  # of the library
"$ROOT/images/keys.sh" "$try/keys" >/dev/null
"$ROOT/images/sign.sh" "$try/keys" "$try/unsigned" "$try/foreign"
cp "$RUN/images/hypermetal-uki.efi" "$try/changed"
printf X | dd of="$try/changed" bs=1 seek=$(($(stat -c %s "$RUN/images/hypermetal-uki.efi") / 2)) conv=notrunc status=none
args=() i=0
for name in unsigned foreign changed; do
	mkdir -p "$try/esp-$name/EFI/BOOT"
	cp "$try/$name" "$try/esp-$name/EFI/BOOT/BOOTX64.EFI"
	args+=(-drive "if=none,id=d$i,format=raw,readonly=on,file=fat:$try/esp-$name" -device "virtio-blk-pci,drive=d$i,bootindex=$i")
	i=$((i + 1))
done
secure_qemu "$try" "${args[@]}"
refused() { [ "$(grep -ac 'failed to load .*Access Denied' "$try/serial.log")" = 3 ]; }
await 100 "firmware refuses all three" refused
proc_stop firmware
expect "kernels started" 0 "$(grep -ac 'EFI stub\|Linux version' "$try/serial.log" || :)"
