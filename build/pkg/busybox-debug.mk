# busybox-debug: BusyBox of the debug image: the host's one, a shell and tools; rootfs/busybox-debug.config on top of its
busybox-debug_variants := musl
busybox-debug_source := busybox
busybox-debug_licence = $(busybox_licence)
busybox-debug_inputs := build/pkg/busybox.mk rootfs/busybox.config rootfs/busybox-debug.config kernel/check-config.sh
busybox-debug_build = $(call busybox_recipe,allnoconfig,rootfs/busybox.config rootfs/busybox-debug.config)
$(eval $(call package,busybox-debug))
