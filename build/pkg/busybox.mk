# busybox: PID 1, udhcpc and ntpd, no more; what is in it says rootfs/busybox.config
#
# BusyBox's Kconfig knows no merging: the symbols asked for replace those of the configuration they are laid on, and
# `no` is the answer to what these bring into sight.
busybox_variants := musl
busybox_licence := LICENSE:bbfc9843646d483c
busybox_inputs := rootfs/busybox.config kernel/check-config.sh
define busybox_recipe # BASE CONFIG...
	export KCONFIG_NOTIMESTAMP=1
	make -s HOSTCC=gcc $(1) >/dev/null
	# The last file that names a symbol counts
	cat $(2:%=$$ROOT/%) | awk '/^(# )?CONFIG_/ && match($$0, /CONFIG_[A-Za-z0-9_]+/) {
		last[substr($$0, RSTART, RLENGTH)] = $$0 } END { for (n in last) print last[n] }' | sort >asked
	sed -i -E "/^(# )?($$(grep -oE 'CONFIG_[A-Za-z0-9_]+' asked | paste -sd '|'))( is not set|=.*)\$$/d" .config
	cat asked >>.config
	(set +o pipefail; yes n | make -s HOSTCC=gcc oldconfig >/dev/null)
	$$ROOT/kernel/check-config.sh .config $(2:%=$$ROOT/%)
	unset LDFLAGS # the specs say it all; ld -r takes no -pie
	make -s HOSTCC=gcc CC=$$CC LD=ld busybox busybox.links
	mkdir -p $$PREFIX/bin
	cp busybox $$PREFIX/bin/
	sed 's|.*/||' busybox.links | sort >$$PREFIX/applets
	while read -r link; do ln -sf busybox $$PREFIX/bin/$${link##*/}; done <busybox.links
endef
busybox_build = $(call busybox_recipe,allnoconfig,rootfs/busybox.config)
$(eval $(call package,busybox))
