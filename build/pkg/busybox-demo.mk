# busybox-demo: BusyBox as the demo image has it, with all the applets one knows; images/busybox.config
busybox-demo_variants := musl
busybox-demo_source := busybox
busybox-demo_licence = $(busybox_licence)
busybox-demo_inputs := build/pkg/busybox.mk images/busybox.config kernel/check-config.sh
busybox-demo_build = $(call busybox_recipe,defconfig,images/busybox.config)
$(eval $(call package,busybox-demo))
