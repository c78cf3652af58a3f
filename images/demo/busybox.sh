# shellcheck shell=bash
# The project's own static busybox as an image: one file and its links.

recipe_inputs() { # BUSYBOX
	[[ ${1:-} == /* ]] || die "busybox: give its absolute path"
	[ -x "${1:-}" ] || die "busybox: $1 is not there"
	sha256sum <"$1"
}

recipe_make() { # BUSYBOX
	local busybox=$1 root=root applet
	mkdir -p "$root"/{bin,etc,home,root,tmp,usr/bin,usr/sbin,sbin,var/www}
	chmod 700 "$root/root"
	chmod 1777 "$root/tmp"
	install -m 755 "$busybox" "$root/bin/busybox"
	for applet in $("$busybox" --list); do
		[ "$applet" = busybox ] || ln -s busybox "$root/bin/$applet"
	done
	printf '%s\n' root:x:0:0:root:/root:/bin/sh nobody:x:65534:65534:nobody:/home:/bin/false >"$root/etc/passwd"
	printf '%s\n' root:x:0: nogroup:x:65534: >"$root/etc/group"
	pack_layer "$root" busybox.tar
	# shellcheck disable=SC2034  # read through its name
	local config=(--config.cmd=sh --config.env=PATH=/bin:/sbin:/usr/bin:/usr/sbin)
	make_layout layout config busybox.tar
}
