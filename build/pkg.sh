#!/bin/bash
# pkg.sh - build one third-party package, or take it from the cache
#
# usage: pkg.sh NAME VARIANT "DEPENDENCIES" INPUT...        called by build/package.mk, which sets PKG_*
#
# The result lies in $HYPERMETAL_CACHE/pkg/NAME-VERSION-VARIANT-HASH, HASH being that of everything that goes in: the
# recipe, patches and other INPUTs, the lock's checksum, flags, compiler and the hashes of the dependencies. A lock
# file lets several trees share the cache; .done marks a complete entry. out/pkg/VARIANT/NAME links to it, and
# out/pkg/VARIANT/NAME.stamp holds the hash: it is written only when that changes.
set -euo pipefail

build() { # runs as a step: its output is the log
	local tarball src
	tarball=$(build/fetch.sh "$source")
	rm -rf "$dir" "$work"
	mkdir -p "$dir" "$work"
	case $tarball in
	*.deb) dpkg-deb -x "$tarball" "$work" ;;
	# shellcheck disable=SC2086  # a list of patterns
	*) tar -xf "$tarball" -C "$work" --strip-components=1 --no-same-owner ${PKG_UNPACK:+--wildcards $PKG_UNPACK} ;;
	esac
	# The date of what is built is the release's: the cache serves many commits
	export SOURCE_DATE_EPOCH
	SOURCE_DATE_EPOCH=$(find "$work" -type f -printf '%T@\n' | sort -n | tail -n 1 | cut -d. -f1)
	for i in "${inputs[@]}"; do
		case $i in *.patch) patch -d "$work" -p1 <"$i" ;; esac
	done
	export ROOT=$PWD PREFIX=$dir VARIANT=$variant VERSION=$version NAME=$name
	export CFLAGS="$PKG_CFLAGS -ffile-prefix-map=$work=$name -ffile-prefix-map=$dir=$name"
	export CPPFLAGS='' LDFLAGS='' AR=ar RANLIB=ranlib STRIP=strip CC=gcc HOST=x86_64-linux-gnu
	for d in $deps; do
		p=$(readlink -f "$O/pkg/$variant/$d")
		export "PKG_${d//-/_}=$p"
		[ "$d" = toolchain ] || CPPFLAGS+=" -I$p/include"
		if [ "$d" != toolchain ] && [ -d "$p/lib" ]; then LDFLAGS+=" -L$p/lib"; fi
		CFLAGS+=" -ffile-prefix-map=$p=$d"
	done
	if [ "$variant" = musl ]; then
		HOST=x86_64-hyper-linux-musl
		[ ! -d "${PKG_toolchain:-}" ] || CC=$PKG_toolchain/bin/$HOST-gcc
		LDFLAGS+=" -static-pie -Wl,-z,relro,-z,now,--gc-sections,--build-id=none"
	fi
	# Of our make's flags only its job server goes on: a recipe's make knows its rules and no V=1
	MAKEFLAGS=$(grep -o -- '--jobserver-auth=[^ ]*' <<<"${MAKEFLAGS:-}" || :)
	export MAKEFLAGS="-j$JOBS $MAKEFLAGS"
	unset MAKELEVEL MFLAGS MAKEOVERRIDES V O
	cd "$work"
	eval "$PKG_BUILD"
	mkdir -p "$dir/licences"
	for i in $PKG_LICENCE; do
		src=${i%%:*}
		case $(sha256sum <"$src") in
		"${i#*:}"*) cp "$src" "$dir/licences/$(basename "$src")" ;;
		*) echo "$name: licence $src is not the one that was read: $(sha256sum <"$src")"; exit 1 ;;
		esac
	done
	cd "$ROOT"
	rm -rf "$work"
	touch "$dir/.done"
}

case ${1:-} in -h | --help | '') sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0"; exit 0 ;; esac
name=$1 variant=$2 deps=$3
shift 3
inputs=("$@")
O=${O:-out}
source=${PKG_SOURCE:-$name}
version=$(build/fetch.sh --version "$source")
if [ "${PKG_STEP:-}" = 1 ]; then
	dir=$PKG_DIR work=$PKG_WORK
	build
	exit 0
fi
hash=$({
	echo "format 1 $name $variant $PKG_CFLAGS"
	build/fetch.sh --key "$source"
	cat "${inputs[@]}" | sha256sum
	gcc --version | head -n1
	for d in $deps; do cat "$O/pkg/$variant/$d.stamp"; done
} | sha256sum | cut -c1-16)
PKG_DIR=$HYPERMETAL_CACHE/pkg/$name-$version-$variant-$hash
PKG_WORK=$HYPERMETAL_CACHE/work/$name-$version-$variant-$hash
export PKG_DIR PKG_WORK
mkdir -p "$HYPERMETAL_CACHE/pkg" "$O/pkg/$variant" "$O/.done"
exec 9>"$PKG_DIR.lock"
flock 9
if [ ! -e "$PKG_DIR/.done" ]; then
	PKG_STEP=1 build/step.sh "pkg-$variant-$name" "$version" "$0" "$name" "$variant" "$deps" "${inputs[@]}" 9>&-
fi
touch "$O/.done/pkg-$variant-$name"
ln -sfn "$PKG_DIR" "$O/pkg/$variant/$name"
stamp=$O/pkg/$variant/$name.stamp
[ "$(cat "$stamp" 2>/dev/null)" = "$hash" ] || echo "$hash" >"$stamp"
