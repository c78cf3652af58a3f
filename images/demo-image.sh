#!/bin/bash
# demo-image.sh - assembles one of the OCI images that the demo registry and the tests serve
#
# usage: demo-image.sh NAME OUTDIR [ARGUMENT...]
#
# NAME is a recipe in images/demo/: nginx (Debian's own, no argument) or busybox (argument: the static busybox); or one in
# images/ordinary/, of Debian packages by the rules of debian.sh. OUTDIR becomes an OCI image layout with the image under the tag "latest".
#
# A recipe writes layers as plain tar files and an `umoci config` line; this script makes the layout from them, without
# root and without a daemon. The result is kept in the cache under the hash of everything it was made from, so that a
# clean tree does not ask the Debian mirror again. Every time stamp is the constant below: the same packages give the
# same digests.
set -euo pipefail
umask 022

usage() { sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0"; }
die() { echo "demo-image: $*" >&2; exit 1; }

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
export SOURCE_DATE_EPOCH=1735689600 # 2025-01-01
created=$(date -u -d "@$SOURCE_DATE_EPOCH" +%Y-%m-%dT%H:%M:%SZ)

# One layer from a folder: root owns everything, names sorted, one time stamp. Packed by whoever runs this.
pack_layer() { # FOLDER TAR
	tar --format=gnu --sort=name --owner=0 --group=0 --numeric-owner --mtime="@$SOURCE_DATE_EPOCH" \
		-C "$1" -cf "$2" .
}

# Adds LAYER.tar files in order to a new image, then sets its configuration
make_layout() { # LAYOUT CONFIG_ARRAY_NAME LAYER...
	local layout=$1 layer
	local -n options=$2
	shift 2
	umoci init --layout "$layout"
	umoci new --image "$layout:latest"
	for layer; do
		umoci raw add-layer --image "$layout:latest" --history.created "$created" \
			--history.created_by "${layer##*/}" "$layer"
	done
	umoci config --image "$layout:latest" --created "$created" --history.created "$created" "${options[@]}"
	umoci gc --layout "$layout"
}

main() {
	local name=${1:-} out=${2:-} recipe cache key
	case $name in -h | --help | help) usage && exit 0 ;; esac
	[ -n "$out" ] || { usage >&2 && exit 2; }
	recipe=$here/demo/$name.sh
	cache=${HYPERMETAL_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/hypermetal}/images
	mkdir -p "$cache"
	if [ ! -f "$recipe" ]; then
		recipe=$here/ordinary/$name.sh
		[ -f "$recipe" ] || die "no recipe $recipe"
		# shellcheck source=images/debian.sh
		. "$here/debian.sh"
	fi
	shift 2
	# shellcheck source=images/demo/nginx.sh
	. "$recipe" # defines recipe_inputs and recipe_make, or what debian.sh makes them of
	command -v umoci >/dev/null || die "umoci is missing (package umoci)"

	key=$({ sha256sum <"$0" && sha256sum <"$recipe" && recipe_inputs "$@"; } | sha256sum | cut -c1-16)
	exec 9>"$cache/$name.lock"
	flock 9
	if [ ! -f "$cache/$name-$key/index.json" ]; then
		work=$(mktemp -d "$cache/.$name.XXXXXX")
		trap 'chmod -R u+w "$work" && rm -rf "$work"' EXIT
		# In the background, since `set -e` does not hold on the left of ||
		(cd "$work" && recipe_make "$@") >"$cache/$name.log" 2>&1 &
		wait $! || { tail -n 20 "$cache/$name.log" >&2 && die "$name failed, see $cache/$name.log"; }
		rm -rf "$cache/$name-$key"
		mv "$work/layout" "$cache/$name-$key"
	fi
	rm -rf "$out"
	mkdir -p "$(dirname "$out")"
	cp -r "$cache/$name-$key" "$out"
}

main "$@"
