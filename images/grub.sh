#!/bin/bash
# grub.sh - the menu of the boot loader that BIOS machines start from a medium (GRUB), on standard output
#
# usage: grub.sh EFI_PROGRAM COMMAND_LINE PATH [IMAGE]
#
# The medium holds one EFI program with kernel and initramfs in it, at PATH, or at PATH in the file system IMAGE on it.
# UEFI machines start that program; for a BIOS the loader takes kernel and initramfs out of it: the file is opened as a
# disk, and the two are runs of its 512-byte blocks, where the sections of a PE begin.
#
# It speaks to display and keyboard, and to the first serial port where there is one; so does the kernel then. Without hyper.boot= on COMMAND_LINE the
# host takes the boot service's address from DHCP; the menu's second entry asks for it. With the key e the command line
# can be edited for one boot.
set -euo pipefail
case ${1:-} in -h | --help | '') sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0"; exit 0 ;; esac
program=$1 command_line=$2 path=$3 image=${4:-}

blocks() { # SECTION: as GRUB writes a run of blocks, START+COUNT
	objdump -h "$program" | while read -r _ name size _ _ offset _; do
		[ "$name" = "$1" ] || continue
		if [ $((0x$offset % 512)) != 0 ]; then echo "grub.sh: $1 does not begin with a block" >&2 && exit 1; fi
		echo "$((0x$offset / 512))+$(((0x$size + 511) / 512))"
	done
}
kernel=$(blocks .linux) initramfs=$(blocks .initrd)
if [ -z "$kernel" ] || [ -z "$initramfs" ]; then echo "grub.sh: $program has no .linux or no .initrd" >&2 && exit 1; fi

cat <<CONFIG
set consoles=
if serial --unit=0 --speed=115200; then
	set consoles='console=tty0 console=ttyS0,115200'
	terminal_input console serial
	terminal_output console serial
fi
set timeout=5
set default=0

function start {
	${image:+loopback medium (\$root)$image}
	loopback program ${image:+(medium)}$path
	echo 'Loading kernel and initramfs ...'
	linux (program)$kernel "\$@" $command_line \$consoles
	initrd (program)$initramfs
}
menuentry 'HyperMetal${command_line:+, $command_line}' {
	start
}
menuentry 'HyperMetal, boot service at an address to type' {
	echo 'Address of the boot service, such as 192.0.2.10:6480'
	read address
	if regexp '^https?://' "\$address"; then true; else set address="http://\$address"; fi
	start "hyper.boot=\$address"
}
menuentry 'Restart' {
	reboot
}
CONFIG
