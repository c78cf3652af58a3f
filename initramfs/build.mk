# The initramfs: the early stage and the root image. Not compressed: nearly all of it is the root image, which is.
#
#   out/images/initramfs and out/images/bzImage with .sha256: what a host boots
#   out/images/virtio/initramfs: without the drivers of real machines
#   out/images/minimal/initramfs: without our own programs, to try kernels with

$(eval $(call program,early,initramfs/early.c,,))

IMAGES += $(foreach i,initramfs bzImage,$(O)/images/$(i) $(O)/images/$(i).sha256)

GEN_INIT_CPIO := $(O)/pkg/native/gen-init-cpio/bin/gen_init_cpio
GEN_INIT_CPIO_STAMP := $(O)/pkg/native/gen-init-cpio.stamp
# $(call cpio,LIST): LIST's archive becomes $@; @O@ stands for out/, @IMAGES@ for the folder of $@
cpio = sed 's|@O@|$(O)|; s|@IMAGES@|$(@D)|' $(1) | $(GEN_INIT_CPIO) -t $(SOURCE_DATE_EPOCH) - >$@

initramfs_outputs := $(O)/images/initramfs $(O)/images/minimal/initramfs $(O)/images/virtio/initramfs
$(initramfs_outputs): %/initramfs: initramfs/initramfs.list $(O)/bin/early %/rootfs.erofs $(GEN_INIT_CPIO_STAMP)
	$(Q)$(call cpio,$<)

$(O)/images/bzImage: $(O)/pkg/native/kernel-host.stamp
	@mkdir -p $(@D)
	$(Q)cp $(O)/pkg/native/kernel-host/bzImage $@

$(O)/images/%.sha256: $(O)/images/%
	$(Q)cd $(@D) && sha256sum $* >$(@F)
