# The initramfs: the early stage and the root image. Not compressed: nearly all of it is the root image, which is. With
# FIRMWARE=1 it begins with microcode.
#
#   out/images/initramfs and out/images/bzImage with .sha256: what a host boots; out/images/version: what it calls itself
#   out/images-debug: the same with a shell and tools, for hyper.debug; its version says so
#   out/images/virtio/initramfs: without the drivers of real machines
#   out/images/minimal/initramfs: without our own programs, to try kernels with

$(eval $(call program,early,initramfs/early.c initramfs/settle.c,,))

IMAGES += $(foreach i,initramfs bzImage version,$(O)/images/$(i) $(O)/images/$(i).sha256)

# $(call initramfs,OUTPUT,ROOT IMAGE)
define initramfs
$(1): initramfs/initramfs.list initramfs/microcode.list $(O)/bin/early $(O)/rootfs/$(2)/rootfs.erofs $(GEN_INIT_CPIO_STAMP)
	@mkdir -p $$(@D)
	$$(Q)$$(call cpio,$(if $(firmware),$(if $(filter full debug,$(2)),initramfs/microcode.list)) $$<,$(O)/rootfs/$(2)/rootfs.erofs)
endef
$(eval $(call initramfs,$(O)/images/initramfs,full))
$(eval $(call initramfs,$(O)/images-debug/initramfs,debug))
$(eval $(call initramfs,$(O)/images/virtio/initramfs,virtio))
$(eval $(call initramfs,$(O)/images/minimal/initramfs,minimal))

$(O)/images/bzImage $(O)/images-debug/bzImage: $(O)/pkg/native/kernel-host.stamp
	@mkdir -p $(@D)
	$(Q)cp $(O)/pkg/native/kernel-host/bzImage $@

# As the image's own os-release has it
$(O)/images/version: $(O)/rootfs/os-release
$(O)/images-debug/version: $(O)/rootfs/os-release-debug
$(O)/images/version $(O)/images-debug/version:
	@mkdir -p $(@D)
	$(Q)sed -n 's/^VERSION_ID=//p' $< >$@

$(O)/%.sha256: $(O)/%
	$(Q)cd $(@D) && sha256sum $(*F) >$(@F)

# Loaders are the same ones; scenarios with a shell need no more
DEBUG_LOADERS := undionly.kpxe snponly.efi
EXTRA += $(foreach i,initramfs bzImage version $(DEBUG_LOADERS),$(O)/images-debug/$(i) $(O)/images-debug/$(i).sha256)
$(DEBUG_LOADERS:%=$(O)/images-debug/%): $(O)/images-debug/%: $(O)/images/%
	@mkdir -p $(@D)
	$(Q)cp $< $@
