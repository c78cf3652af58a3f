#!/bin/bash
# fetch.sh - get the pinned third-party sources of sources.lock, verified
#
# usage: fetch.sh NAME...        fetch what is missing; print each tarball's path
#        fetch.sh --key NAME     print what the tarball is known by (the sha256 that is or will be taken); no network
#        fetch.sh --version NAME print its version, likewise
#        fetch.sh --all          fetch everything
#        LOCK=FILE fetch.sh ...  another list (build/firmware.lock)
#        fetch.sh --update-lock  write point releases that were taken instead of pinned ones into sources.lock
#
# Order: local cache, the machine's own Debian mirror (a private apt state, so neither root nor any change to the
# system is needed), the project's own address. The sha256 of the lock decides at each step. `apt-get source` may end
# non-zero when a mirror lacks a part of a source package that is not wanted here: only the tarball counts.
# A policy `series` entry may be replaced by a newer point release whose checksum the *signed* archive states; that
# choice is kept beside the tarball (NAME.instead) until the lock's line changes.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
lock=${LOCK:-$here/sources.lock}
cache=${HYPERMETAL_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/hypermetal}
src=$cache/src

say() { echo "fetch: $*" >&2; }
die() { say "$*"; exit 1; }

# shellcheck source=build/apt.sh
. "$here/apt.sh"

usage() { sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0"; }

# Read NAME's line of the lock, or the one taken instead of it, into the variables below
entry() { # NAME
	local line
	line=$(grep -E "^$1 " "$lock") || die "$1 is not in build/sources.lock"
	pinned=$(echo "$line" | sha256sum | cut -c1-16)
	if [ -s "$src/$1.instead" ] && [ "$(head -n1 "$src/$1.instead")" = "$pinned" ]; then
		line=$(tail -n1 "$src/$1.instead")
	fi
	read -r name version file sha256 source suite upstream policy <<<"$line"
	case $file in *.deb) types=deb ;; *) types=deb-src ;; esac
	component=
	case $suite in */*) component=${suite#*/} suite=${suite%%/*} types=$types-$component ;; esac
}

good() { [ -f "$1" ] && [ "$(sha256sum <"$1" | cut -d' ' -f1)" = "$2" ]; } # FILE SHA256

# The tarball is in the cache and was verified: .ok holds its checksum, so that 150 MB are hashed once only
cached() {
	[ -f "$src/$file" ] || return 1
	[ "$(cat "$src/$file.ok" 2>/dev/null)" = "$sha256" ] && return 0
	good "$src/$file" "$sha256" && echo "$sha256" >"$src/$file.ok"
}

accept() { # FILE: verified download into the cache
	good "$1" "$sha256" || { say "$name: ${1##*/} has another checksum than the lock's: thrown away"; rm -f "$1"; return 1; }
	mv "$1" "$src/$file"
	echo "$sha256" >"$src/$file.ok"
}

# Every (version, sha256, file) of the suite's signed lists whose file is upstream's tarball (a native package has no other), newest
# first; or, where the lock names a binary package, whose file that is
archive_versions() {
	case $file in
	*.deb)
		apt apt-cache show "$source" 2>/dev/null | awk '
			/^Version:/ { v = $2 }
			/^Filename:/ { f = $2; sub(/.*\//, "", f) }
			/^SHA256:/ { print v, $2, f }' | sort -rV -u
		return
		;;
	esac
	apt apt-cache showsrc --only-source "$source" 2>/dev/null | awk '
		/^Version:/ { v = $2 }
		/^[A-Za-z0-9-]+:/ { sha = ($1 == "Checksums-Sha256:") }
		sha && $3 ~ /\.tar\.[a-z0-9]+$/ && $3 !~ /\.debian\.tar\./ { print v, $1, $3 }' | sort -rV -u
}

download() { # VERSION: whatever of the package arrives, into $tmp
	case $file in *.deb) (cd "$tmp" && apt apt-get download "$source=$1") >"$tmp/log" 2>&1 && return ;; esac
	(cd "$tmp" && apt apt-get source --download-only --tar-only --only-source "$source=$1") >"$tmp/log" 2>&1
}

from_archive() {
	local v s f
	apt_state || return 1
	while read -r v s f; do
		[ "$s" = "$sha256" ] || continue
		download "$v" || :
		if [ -f "$tmp/$f" ] && accept "$tmp/$f"; then return 0; fi
	done < <(archive_versions)
	return 1
}

from_upstream() {
	[ "$upstream" != - ] || return 1
	if command -v curl >/dev/null; then
		curl -fsSL --retry 2 --connect-timeout 20 -o "$tmp/up" "$upstream" 2>/dev/null || return 1
	elif command -v wget >/dev/null; then
		wget -q -T 20 -t 3 -O "$tmp/up" "$upstream" || return 1
	else
		return 1
	fi
	accept "$tmp/up"
}

# A newer point release of the same series, its checksum from the signed archive
from_series() {
	local v s f new line was=$version series=${version%.*}
	[ "$policy" = series ] || return 1
	while read -r v s f; do
		new=${v%%-*}
		case $new in "$series".*) ;; *) continue ;; esac
		# A binary package is also rebuilt for the same version
		[ "$new" != "$was" ] || [[ $file == *.deb ]] || continue
		[ "$(printf '%s\n' "$was" "$new" | sort -V | tail -n1)" = "$new" ] || continue
		download "$v" || :
		[ -f "$tmp/$f" ] || continue
		version=$new file=$f sha256=$s
		accept "$tmp/$f" || continue
		line="$name $version $file $sha256 $source $suite - $policy"
		printf '%s\n%s\n' "$pinned" "$line" >"$src/$name.instead"
		say "WARNING: $name $was is on no mirror any more: building $version of the signed $suite archive instead."
		say "WARNING: \`make update-lock\` writes that into build/sources.lock."
		return 0
	done < <(archive_versions)
	return 1
}

fetch() { # NAME
	local tmp
	entry "$1"
	mkdir -p "$src"
	exec 8>"$src/.$1.lock"
	flock 8
	entry "$1"
	if ! cached; then
		tmp=$(mktemp -d "$src/.tmp.XXXXXX")
		exec 7>"$cache/.apt.lock"
		flock 7
		from_archive || from_upstream || from_series || {
			rm -rf "$tmp"
			die "$name $version: neither this machine's Debian mirror ($suite) nor the project's site has $file"
		}
		exec 7>&-
		rm -rf "$tmp"
	fi
	exec 8>&-
	echo "$src/$file"
}

update_lock() {
	local f n line
	for f in "$src"/*.instead; do
		[ -f "$f" ] || continue
		n=$(basename "$f" .instead)
		entry "$n"
		line="$name $version $file $sha256 $source $suite $upstream $policy"
		sed -i "s|^$n .*|$line|" "$lock"
		rm -f "$f"
		echo "build/sources.lock: $n is now $version"
	done
}

names() { awk '!/^#/ && NF { print $1 }' "$lock"; }

case ${1:-} in
-h | --help) usage ;;
--key) entry "$2"; echo "$sha256" ;;
--version) entry "$2"; echo "$version" ;;
--all) for n in $(names); do fetch "$n"; done ;;
--update-lock) update_lock ;;
-* | '') usage >&2; exit 2 ;;
*) for n in "$@"; do fetch "$n"; done ;;
esac
