# busybox: PID 1, udhcpc, ntpd, the boot scripts' tools and the debug shell; what is in it says rootfs/busybox.config
#
# BusyBox's Kconfig knows no merging: the symbols asked for replace allnoconfig's, and `no` is the answer to what these
# bring into sight.
busybox_variants := musl
busybox_licence := LICENSE:bbfc9843646d483c
busybox_inputs := rootfs/busybox.config kernel/check-config.sh
define busybox_build
	export KCONFIG_NOTIMESTAMP=1
	make -s HOSTCC=gcc allnoconfig >/dev/null
	grep ^CONFIG_ $$ROOT/rootfs/busybox.config >asked
	sed -i -E "/^(# )?($$(cut -d= -f1 asked | paste -sd '|'))( is not set|=.*)\$$/d" .config
	cat asked >>.config
	(set +o pipefail; yes n | make -s HOSTCC=gcc oldconfig >/dev/null)
	$$ROOT/kernel/check-config.sh .config $$ROOT/rootfs/busybox.config
	unset LDFLAGS # the specs say it all; ld -r takes no -pie
	make -s HOSTCC=gcc CC=$$CC LD=ld busybox busybox.links
	mkdir -p $$PREFIX/bin
	cp busybox $$PREFIX/bin/
	while read -r link; do ln -sf busybox $$PREFIX/bin/$${link##*/}; done <busybox.links
endef
$(eval $(call package,busybox))
