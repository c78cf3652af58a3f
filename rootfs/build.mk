# The root image: one read-only, compressed EROFS out of rootfs/files.list
#
#   out/images/rootfs.erofs           what is booted; PROFILE=virtio leaves out the drivers of real machines
#   out/images/virtio/rootfs.erofs    that profile beside the other
#   out/images/minimal/rootfs.erofs   without our own programs: boots to a debug shell
#   out/kernel/hyperstart.cpio   the initramfs of HyperVMs

# $(call rootfs_image,FOLDER,PROFILE,PACK ARGUMENTS)
define rootfs_image
$(1)/rootfs.erofs: private export PROFILE := $(2)
$(1)/rootfs.erofs: $$(call rootfs_stamps,$$(shell PROFILE=$(2) rootfs/pack.sh $(3) --sources)) rootfs/files.list \
		rootfs/pack.sh $(O)/pkg/native/erofs-utils.stamp $(O)/.epoch
	@mkdir -p $$(@D)
	$$(Q)MKFS_EROFS=$(O)/pkg/native/erofs-utils/bin/mkfs.erofs $(STEP) rootfs "$(3)$(2)" rootfs/pack.sh $(3) $$@
endef

# Parts of packages stand for their stamps
rootfs_stamps = $(foreach f,$(1),$(if $(filter $(O)/pkg/%,$(f)),$(subst $() ,/,$(wordlist 1,4,$(subst /, ,$(f)))).stamp,$(f)))

PROFILE ?=
$(call step,rootfs)
$(eval $(call rootfs_image,$(O)/images,$(PROFILE),))
$(eval $(call rootfs_image,$(O)/images/virtio,virtio,))
$(eval $(call rootfs_image,$(O)/images/minimal,$(PROFILE),--minimal))

# What the image carries of the commit: its time and its name
$(shell mkdir -p $(O); [ "$$(cat $(O)/.epoch 2>/dev/null)" = $(SOURCE_DATE_EPOCH) ] || echo $(SOURCE_DATE_EPOCH) >$(O)/.epoch)
rootfs_version := $(shell git describe --always --abbrev=12 2>/dev/null || echo unknown)
$(O)/rootfs/os-release: rootfs/build.mk $(O)/.epoch
	@mkdir -p $(@D)
	$(Q)printf '%s\n' NAME=HyperMetal ID=hypermetal VERSION_ID=$(rootfs_version) \
		'PRETTY_NAME="HyperMetal $(rootfs_version)"' >$@

GEN_INIT_CPIO := $(O)/pkg/native/gen-init-cpio/bin/gen_init_cpio
GEN_INIT_CPIO_STAMP := $(O)/pkg/native/gen-init-cpio.stamp
# $(call cpio,LIST): LIST's archive becomes $@; @O@ stands for out/, @IMAGES@ for the folder of $@
cpio = sed 's|@O@|$(O)|; s|@IMAGES@|$(@D)|' $(1) | $(GEN_INIT_CPIO) -t $(SOURCE_DATE_EPOCH) - >$@

$(O)/kernel/hyperstart.cpio: rootfs/hyperstart.list $(O)/bin/hyperstart $(O)/.epoch $(GEN_INIT_CPIO_STAMP)
	@mkdir -p $(@D)
	$(Q)$(call cpio,$<)
