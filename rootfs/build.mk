# The root image: one read-only, compressed EROFS out of rootfs/files.list
#
#   out/rootfs/full/rootfs.erofs      what is booted
#   out/rootfs/debug/rootfs.erofs     the same with a shell and tools
#   out/rootfs/virtio/rootfs.erofs    without the drivers of real machines, and without the kernel of class hypervm-full
#   out/rootfs/minimal/rootfs.erofs   the debug image without our own programs
#   out/kernel/hyperstart.cpio        the initramfs of HyperVMs

# Parts of packages stand for their stamps, those of firmware for its folder
rootfs_stamps = $(foreach f,$(1),$(if $(filter $(O)/firmware/%,$(f)),$(O)/firmware,$(if $(filter $(O)/pkg/%,$(f)),$(O)/pkg/$(subst $() ,/,$(wordlist 1,2,$(subst /, ,$(f:$(O)/pkg/%=%)))).stamp,$(f))))

# FIRMWARE=1: with firmware files, and microcode in front of the initramfs; kernel/host/firmware.md
FIRMWARE ?=
firmware := $(if $(filter 1,$(FIRMWARE)),$(O)/firmware)
$(shell mkdir -p $(O); [ -e $(O)/.firmware ] && [ "$$(cat $(O)/.firmware)" = "$(firmware)" ] || echo "$(firmware)" >$(O)/.firmware)
$(O)/firmware: build/firmware.sh build/firmware.lock $(O)/kernel/modules
	$(Q)build/firmware.sh $(O)/kernel/modules $@

# $(call rootfs_image,NAME,PROFILE,PACK ARGUMENTS)
define rootfs_image
$(O)/rootfs/$(1)/rootfs.erofs: private export PROFILE := $(2)
$(O)/rootfs/$(1)/rootfs.erofs: $(call rootfs_stamps,$(shell O=$(O) PROFILE=$(2) rootfs/pack.sh $(3) --sources)) rootfs/files.list \
		rootfs/pack.sh $(O)/pkg/native/erofs-utils.stamp $(O)/.commit $(O)/.firmware
	@mkdir -p $$(@D)
	$$(Q)MKFS_EROFS=$(O)/pkg/native/erofs-utils/bin/mkfs.erofs $(STEP) rootfs-$(1) "" rootfs/pack.sh $(3) $$@
endef
$(call step,rootfs-full)
$(eval $(call rootfs_image,full,,$(if $(firmware),--with firmware)))
$(eval $(call rootfs_image,debug,,--with debug $(if $(firmware),--with firmware)))
$(eval $(call rootfs_image,virtio,virtio,))
$(eval $(call rootfs_image,minimal,,--with debug --minimal))

# What the image carries of the commit: its time and its name
rootfs_version := $(shell git describe --always --abbrev=12 2>/dev/null || echo unknown)
$(shell mkdir -p $(O); c='$(SOURCE_DATE_EPOCH) $(rootfs_version)'; [ "$$(cat $(O)/.commit 2>/dev/null)" = "$$c" ] || echo "$$c" >$(O)/.commit)
$(O)/rootfs/os-release $(O)/rootfs/os-release-debug: $(O)/rootfs/os-release%: rootfs/build.mk $(O)/.commit
	@mkdir -p $(@D)
	$(Q)printf '%s\n' NAME=HyperMetal ID=hypermetal VERSION_ID=$(rootfs_version)$* \
		'PRETTY_NAME="HyperMetal $(rootfs_version)$*"' >$@

# Licence texts of all that is in the image: a folder for each source
rootfs_licensed := $(shell awk -F '|' '!/^\#/ && $$6 ~ /initramfs/ { print $$1 ":" $$2 }' build/sbom.list)
$(O)/rootfs/licenses: build/sbom.list LICENSE $(foreach l,$(rootfs_licensed),$(O)/pkg/$(lastword $(subst :, ,$(l))).stamp)
	$(Q)rm -rf $@ && mkdir -p $@/hypermetal && cp LICENSE $@/hypermetal/
	$(Q)for l in $(rootfs_licensed); do cp -r $(O)/pkg/$${l#*:}/licences $@/$${l%:*}; done

GEN_INIT_CPIO := $(O)/pkg/native/gen-init-cpio/bin/gen_init_cpio
GEN_INIT_CPIO_STAMP := $(O)/pkg/native/gen-init-cpio.stamp
# $(call cpio,LIST,ROOTFS): LIST's archive becomes $@; @O@ stands for out/, @ROOTFS@ for the root image
cpio = sed 's|@O@|$(O)|; s|@ROOTFS@|$(2)|' $(1) | $(GEN_INIT_CPIO) -t $(SOURCE_DATE_EPOCH) - >$@

$(O)/kernel/hyperstart.cpio: rootfs/hyperstart.list $(O)/bin/hyperstart $(O)/.commit $(GEN_INIT_CPIO_STAMP)
	@mkdir -p $(@D)
	$(Q)$(call cpio,$<)
