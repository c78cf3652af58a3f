#!/bin/bash
# firmware.sh - firmware files of the built modules, and microcode, out of pinned Debian packages
#
# usage: firmware.sh MODULES OUTPUT      called by rootfs/build.mk for FIRMWARE=1
#
# OUTPUT/firmware    what the modules below MODULES ask for, as /usr/lib/firmware
# OUTPUT/microcode   GenuineIntel.bin and AuthenticAMD.bin, as the kernel looks for them in front of an initramfs
# OUTPUT/licenses    the packages' copyright files
set -euo pipefail
case ${1:-} in -h | --help | '') sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0"; exit 0 ;; esac
modules=$1 output=$2
here=$(dirname "$0")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
rm -rf "$output"
mkdir -p "$output"/{firmware,microcode,licenses}

while read -r package; do
	deb=$(LOCK=$here/firmware.lock "$here/fetch.sh" "$package")
	dpkg-deb -x "$deb" "$work"
	mkdir "$output/licenses/$package"
	cp "$work/usr/share/doc/$package/copyright" "$output/licenses/$package/"
done < <(awk '!/^#/ && NF { print $1 }' "$here/firmware.lock")

while read -r file; do
	[ -e "$work/usr/lib/firmware/$file" ] || continue # check-firmware.sh says which may be missing
	mkdir -p "$output/firmware/$(dirname "$file")"
	cp -L "$work/usr/lib/firmware/$file" "$output/firmware/$file"
done < <(find "$modules" -name '*.ko*' -exec modinfo -F firmware {} \; | sort -u)
cat "$work"/usr/lib/firmware/intel-ucode/* >"$output/microcode/GenuineIntel.bin"
cat "$work"/usr/lib/firmware/amd-ucode/microcode_amd*.bin >"$output/microcode/AuthenticAMD.bin"
chmod -R u=rwX,go=rX "$output"
touch "$output"
