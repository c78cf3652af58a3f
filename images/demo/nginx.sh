# shellcheck shell=bash
# Debian's nginx as an image: what the packages hold, without documentation and without the packages that only their
# maintainer scripts need (debconf, perl, iproute2). None of those scripts runs, so no root and no chroot is needed;
# what they would have set up is in the second layer, together with the settings that make it a good container.

# shellcheck disable=SC2034  # apt_sources reads these
suite=$(. /etc/os-release && echo "$VERSION_CODENAME") types=deb
# shellcheck source=build/apt.sh
# shellcheck disable=SC2154
. "$here/../build/apt.sh"

recipe_inputs() {
	echo "suite $suite"
}

recipe_make() {
	local root=packages site=settings
	apt_sources >sources.list
	[ -s sources.list ] || die "apt is configured with no Debian mirror of suite $suite"
	mmdebstrap --mode=chrootless --variant=extract --include=nginx,base-files,dash "$suite" "$root" - <sources.list

	find "$root/usr/share/doc" ! -type d ! -name copyright -delete
	find "$root/usr/share/doc" -type d -empty -delete
	(cd "$root" && rm -rf usr/share/{apport,bash-completion,bug,debconf,info,lintian,locale,man,menu,perl5,vim} \
		usr/share/{dict,pixmaps,polkit-1,dpkg,common-licenses} usr/lib/*/{gconv,perl*} \
		usr/bin/*perl* usr/bin/*deb* usr/bin/dpkg* usr/sbin/*dpkg* \
		var/lib/{dpkg,apt} var/cache/* var/log/apt etc/{apt,dpkg,alternatives,cron.daily} boot dev/*)
	find "$root" ! -type d \( -name 'libdb-5*' -o -name 'libbpf*' -o -name 'libperl*' -o -name libmvec.so.1 \
		-o -path '*/bin/tar' -o -path '*/sbin/tc' -o -path '*/bin/ip' \) -delete
	# These modes depend on whether root runs this
	chmod 1777 "$root/tmp" "$root/var/tmp"
	chmod 00755 "$root/var/local" "$root/var/lock"
	[ -e "$root/bin/sh" ] || ln -s dash "$root/bin/sh"

	mkdir -p "$site"/etc/nginx/{conf.d,sites-available} "$site"/var/log/nginx "$site"/var/lib/nginx
	printf '%s\n' root:x:0:0:root:/root:/bin/sh www-data:x:33:33:www-data:/var/www:/usr/sbin/nologin >"$site/etc/passwd"
	printf '%s\n' root:x:0: www-data:x:33: >"$site/etc/group"
	ln -s /dev/stdout "$site/var/log/nginx/access.log"
	ln -s /dev/stderr "$site/var/log/nginx/error.log"
	cat >"$site/etc/nginx/conf.d/default.conf" <<-'CONF'
		server {
			listen 80 default_server;
			root /usr/share/nginx/html;
			index index.html;
		}
	CONF
	: >"$site/etc/nginx/sites-available/.wh.default" # a whiteout: the package's own site would need its postinst

	pack_layer "$root" packages.tar
	pack_layer "$site" settings.tar
	# shellcheck disable=SC2034  # read through its name
	local config=(--clear=config.cmd --config.entrypoint=nginx --config.cmd=-g --config.cmd='daemon off;'
		--config.exposedports=80/tcp --config.stopsignal=SIGQUIT
		--config.env=PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin)
	make_layout layout config packages.tar settings.tar
}
