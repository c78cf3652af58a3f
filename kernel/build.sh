#!/bin/bash
# build.sh - build one of the two kernels in an unpacked source tree
#
# usage: build.sh guest|host        called by build/pkg/kernel-*.mk in the source tree; PREFIX and ROOT are set
#
# Fragments kernel/NAME/*.config go onto allnoconfig: what is not asked for is not there. guest makes hyperkernel, the
# stripped ELF that the VMM maps; host makes bzImage and modules/. Nothing of the machine or of the time
# of the build gets in: the date is the release's.
set -euo pipefail

[ "${1:-}" = guest ] || [ "${1:-}" = host ] || { sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0"; exit 2; }
dir=$ROOT/kernel/$1
KBUILD_BUILD_TIMESTAMP=$(date -u -r Makefile '+%Y-%m-%d')
export KBUILD_BUILD_TIMESTAMP KBUILD_BUILD_USER=hypermetal KBUILD_BUILD_HOST=hypermetal
export KBUILD_BUILD_VERSION=1 KCFLAGS="-ffile-prefix-map=$PWD/=" KAFLAGS="-ffile-prefix-map=$PWD/="
export PATH=$PATH:/sbin:/usr/sbin # depmod
unset CFLAGS CPPFLAGS LDFLAGS CC AR STRIP

kmake() { nice make ARCH=x86 "$@"; }

ARCH=x86 scripts/kconfig/merge_config.sh -n "$dir"/*.config >merge.log 2>&1 || { cat merge.log; exit 1; }
"$ROOT/kernel/check-config.sh" .config "$dir"/*.config

if [ "$1" = guest ]; then
	kmake vmlinux
	strip --strip-all -R .comment -o "$PREFIX/hyperkernel" vmlinux
else
	kmake vmlinux modules
	kmake INSTALL_MOD_PATH="$PREFIX/modules" INSTALL_MOD_STRIP=1 modules_install
	rm -f "$PREFIX"/modules/lib/modules/*/build
	"$ROOT/kernel/hash-modules.sh" vmlinux "$PREFIX/modules"
	kmake bzImage
	cp arch/x86/boot/bzImage "$PREFIX/"
fi
cp .config "$PREFIX/config"
cp System.map "$PREFIX/"
