# busybox: PID 1, udhcpc, ntpd, the boot scripts' tools and the debug shell; what is in it says rootfs/busybox.config
#
# BusyBox's Kconfig knows no merging: the symbols asked for replace those of the configuration they are laid on, and
# `no` is the answer to what these bring into sight.
busybox_variants := musl
busybox_licence := LICENSE:bbfc9843646d483c
busybox_inputs := rootfs/busybox.config kernel/check-config.sh
define busybox_recipe # BASE CONFIG
	export KCONFIG_NOTIMESTAMP=1
	make -s HOSTCC=gcc $(1) >/dev/null
	grep -E '^(# )?CONFIG_' $$ROOT/$(2) >asked
	sed -i -E "/^(# )?($$(grep -oE 'CONFIG_[A-Za-z0-9_]+' asked | paste -sd '|'))( is not set|=.*)\$$/d" .config
	cat asked >>.config
	(set +o pipefail; yes n | make -s HOSTCC=gcc oldconfig >/dev/null)
	$$ROOT/kernel/check-config.sh .config $$ROOT/$(2)
	unset LDFLAGS # the specs say it all; ld -r takes no -pie
	make -s HOSTCC=gcc CC=$$CC LD=ld busybox busybox.links
	mkdir -p $$PREFIX/bin
	cp busybox $$PREFIX/bin/
	while read -r link; do ln -sf busybox $$PREFIX/bin/$${link##*/}; done <busybox.links
endef
busybox_build = $(call busybox_recipe,allnoconfig,rootfs/busybox.config)
$(eval $(call package,busybox))
