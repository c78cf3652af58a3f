#!/bin/bash
# pack.sh - the root image from files.list
#
# usage: pack.sh [--with WORD]... [--minimal] OUTPUT      called by rootfs/build.mk; O is out/
#        pack.sh [--with WORD]... [--minimal] --sources   the files that the image is made of, one a line, for make
#
# --with takes the lines of files.list that end in WORD, too; without debug it is those that end in production. With
# PROFILE=virtio it has fewer drivers and one guest kernel.
#
# A tar stream carries modes and owners, so no root is needed; every time stamp is SOURCE_DATE_EPOCH, names are sorted
# where a tree is taken as a whole, and the UUID is fixed: two builds of a commit give the same bytes. --minimal leaves
# out what comes from out/bin: an image that boots to a shell before our own programs are built.
set -euo pipefail

O=${O:-out}
here=$(dirname "$0")
minimal='' with=' '
while [ "${1:-}" = --with ]; do with+="${2:-} "; shift 2; done
case $with in *' debug '*) ;; *) with+='production ' ;; esac
if [ "${1:-}" = --minimal ]; then minimal=1; shift; fi
case $#:${1:-} in 1:[!-]* | 1:--sources) ;; *) sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0"; exit 2 ;; esac

entries() { # mode uid gid path source
	awk -v minimal="$minimal" -v with="$with" -v O="$O" -v profile="${PROFILE:+-$PROFILE}" '
		/^#/ || !NF { next }
		NF != 5 && NF != 6 { printf "files.list:%d: not 5 or 6 fields\n", NR >"/dev/stderr"; exit 1 }
		NF == 6 && !index(with, " " $6 " ") { next }
		minimal && $5 ~ /^out\/(bin\/|kernel\/hyperstart|kernel\/hyperkernel-full)/ { next }
		profile && $5 == "out/kernel/hyperkernel-full" { next }
		{ sub(/^out\//, O "/", $5); sub(/^tree:out\//, "tree:" O "/", $5)
		if ($5 == "tree:" O "/kernel/modules") $5 = $5 profile
		print $1, $2, $3, $4, $5 }' "$here/files.list"
}

if [ "$1" = --sources ]; then
	entries | awk '$5 !~ /^(-|@)/ { sub(/^tree:/, "", $5); print $5 }'
	exit 0
fi

umask 022 # the mode of mkfs.erofs's inode for fragments comes from it
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
tar=$work/image.tar
mkdir "$work/folder"

add() { # DIR NAME PATH MODE TAR-OPTION...: DIR/NAME becomes PATH
	local dir=$1 name=$2 path=${3#/} mode=$4 pattern
	shift 4
	path=${path:-./} # without an entry of its own anybody could write to /
	# shellcheck disable=SC2001  # a set of characters
	pattern=$(sed 's/[][\.*^$|]/\\&/g' <<<"$name")
	tar --append -f "$tar" --format=gnu --sort=name --numeric-owner --owner=":$uid" --group=":$gid" \
		--mtime="@$SOURCE_DATE_EPOCH" ${mode:+--mode=$mode} --transform "s|^$pattern|$path|S" -C "$dir" "$@" -- "$name"
}

while read -r mode uid gid path source; do
	case $source in
	-) add "$work" folder "$path" "$mode" --no-recursion ;;
	@*)
		ln -sfn "${source#@}" "$work/link"
		add "$work" link "$path" ''
		;;
	tree:*)
		# The folder itself has an entry of its own when its mode matters
		source=${source#tree:}
		(cd "$source" && find . -mindepth 1 -maxdepth 1 -printf '%f\n' | LC_ALL=C sort) | while read -r name; do
			add "$(readlink -f "$source")" "$name" "$path/$name" u+rX,go+rX,go-w
		done
		;;
	*) add "$(dirname "$source")" "$(basename "$source")" "$path" "$mode" ;;
	esac
done < <(entries)

# lz4hc packs in 3 s and unpacks fastest at each boot; zstd 6 would save a fifth of a size that is far within its budget
rm -f "$1"
"${MKFS_EROFS:-mkfs.erofs}" --quiet -z"${EROFS_COMPRESSION:-lz4hc}" -C"${EROFS_CLUSTER:-65536}" \
	-Eztailpacking,fragments -T"$SOURCE_DATE_EPOCH" -U 68797065-726d-6574-616c-726f6f746673 --tar=f "$1" "$tar"
