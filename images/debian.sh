# shellcheck shell=bash
# Ordinary images out of Debian packages, sourced by demo-image.sh for the recipes in images/ordinary/.
#
# Each image has three layers, as a Dockerfile would make them: a small Debian that all of them share, the packages with
# what they depend on, and settings: what maintainer scripts would have set up (none runs, so neither root nor a chroot
# is needed), users, and an entry point in the manner of the official images. A recipe sets
#   packages=(NAME…)        what is asked for, unversioned
#   users=(NAME:ID:HOME…)   added to Debian's own, each with a group of its name
#   config=(--config.…)     umoci's options: entry point, command, user, ports
# and may define prune, which removes from the folder packages/ what the image can do without, and settings, which fills
# the folder settings/.
# shellcheck disable=SC2154  # here, cache and the recipe's variables

# shellcheck disable=SC2034  # apt_sources reads these
suite=$(. /etc/os-release && echo "$VERSION_CODENAME") types=deb
# shellcheck source=build/apt.sh
. "$here/../build/apt.sh"

base_packages="base-files,base-passwd,bash,coreutils,dash,findutils,grep,hostname,libc-bin,mawk,sed,util-linux"
users=()

prune() { :; }
settings() { :; }

recipe_inputs() {
	echo "suite $suite"
	sha256sum <"$here/debian.sh"
	for layout; do cat "$layout/index.json"; done
}

# PACKAGES, by commas, and what they depend on, without documentation and the packages' own bookkeeping
debian_extract() { # ROOT PACKAGES
	local root=$1 dir
	apt_sources >sources.list
	[ -s sources.list ] || die "apt is configured with no Debian mirror of suite $suite"
	mmdebstrap --mode=chrootless --variant=extract --include="$2" "$suite" "$root" - <sources.list
	find "$root/usr/share/doc" ! -type d ! -name copyright -delete
	find "$root/usr/share/doc" -type d -empty -delete
	(cd "$root" && rm -rf usr/share/{apport,bash-completion,bug,debconf,info,lintian,locale,man,menu,perl5,vim,dpkg,doc-base} \
		usr/lib/*/{gconv,perl*,libperl*} usr/share/perl usr/bin/*perl* usr/bin/*deb* usr/bin/dpkg* usr/sbin/*dpkg* lib/systemd usr/lib/systemd \
		etc/{apt,dpkg,init.d,cron.*,rc?.d} var/lib/{dpkg,apt} var/cache/* var/log/* boot/* dev/* run/* etc/resolv.conf etc/hostname)
	# These modes depend on whether root runs this
	for dir in tmp var/tmp; do [ ! -d "$root/$dir" ] || chmod 1777 "$root/$dir"; done
	for dir in var/local var/lock; do [ ! -d "$root/$dir" ] || [ -L "$root/$dir" ] || chmod 00755 "$root/$dir"; done
}

# The layer that all share, kept apart in the cache: $base/root and $base/base.tar
debian_base() {
	local key
	key=$({ echo "$suite $SOURCE_DATE_EPOCH" && sha256sum <"$here/debian.sh"; } | sha256sum | cut -c1-16)
	base=$cache/debian-$key
	exec 8>"$cache/debian.lock"
	flock 8
	if [ ! -f "$base/base.tar" ]; then
		rm -rf "$base"
		mkdir "$base"
		(
			cd "$base" || exit
			debian_extract root "$base_packages"
			[ -e root/bin/sh ] || ln -s dash root/bin/sh
			# as the scripts of base-files and base-passwd do; passwords are locked either way
			mkdir -p root/{media,mnt,opt,srv,var/log}
			rm -rf root/var/{run,lock}
			ln -s /run root/var/run
			ln -s /run/lock root/var/lock
			: >root/var/log/lastlog
			cp root/usr/share/base-passwd/passwd.master root/etc/passwd
			cp root/usr/share/base-passwd/group.master root/etc/group
			pack_layer root base.new
			mv base.new base.tar
		)
	fi
	flock -u 8
}

# Takes out of ROOT what the base has just so; links and files only, as folders cost nothing
debian_subtract() { # ROOT
	(cd "$1" && find . \( -type f -o -type l \) -print0) | while IFS= read -r -d '' file; do
		if [ -L "$1/$file" ]; then
			[ "$(readlink "$1/$file")" != "$(readlink "$base/root/$file" || :)" ] || rm "$1/$file"
		elif [ -f "$base/root/$file" ] && cmp -s "$1/$file" "$base/root/$file"; then
			rm "$1/$file"
		fi
	done
	find "$1" -mindepth 1 -type d -empty -print0 | while IFS= read -r -d '' dir; do
		[ ! -d "$base/root/${dir#"$1"}" ] || rmdir "$dir"
	done
}

recipe_make() {
	local user name id home
	debian_base
	debian_extract packages "$(IFS=, && echo "${packages[*]}")"
	prune
	debian_subtract packages
	mkdir -p settings/etc
	cp "$base/root/etc/passwd" "$base/root/etc/group" settings/etc
	for user in "${users[@]}"; do
		IFS=: read -r name id home <<<"$user"
		echo "$name:*:$id:$id::$home:/usr/sbin/nologin" >>settings/etc/passwd
		echo "$name:*:$id:" >>settings/etc/group
	done
	settings "$@"
	pack_layer packages packages.tar
	pack_layer settings settings.tar
	config+=(--config.env=PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin)
	make_layout layout config "$base/base.tar" packages.tar settings.tar
}

# Standard input becomes an executable file
script() { # PATH
	mkdir -p "$(dirname "$1")"
	cat >"$1"
	chmod 755 "$1"
}
