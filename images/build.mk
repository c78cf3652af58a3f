# What is booted besides kernel and initramfs (initramfs/build.mk), in out/images, each with a .sha256
#
#   undionly.kpxe, snponly.efi   iPXE, for BIOS and UEFI machines
#   hypermetal-uki.efi           kernel, initramfs and command line as one EFI program
#   hypermetal.iso               a CD with it, or a stick, that BIOS machines boot, too
#   hypermetal.raw.zst           a disk with it, for USB sticks and virtual media, likewise
#
# BOOT_URL=http://ADDR:PORT, the boot service, goes into the command line of the last three. Without it a host that they
# start takes the address from DHCP.

# KEYS=DIR, a fleet's keys (make keys), signs every EFI program among them for Secure Boot, and adds hypermetal.enrol.iso,
# which puts the keys into firmware. The programs as they were before lie in out/unsigned.

IPXE := undionly.kpxe snponly.efi
IMAGES += $(foreach i,$(IPXE) hypermetal-uki.efi hypermetal.iso hypermetal.raw.zst $(if $(KEYS),hypermetal.enrol.iso),$(O)/images/$(i) $(O)/images/$(i).sha256)

$(O)/images/undionly.kpxe $(O)/unsigned/snponly.efi: $(O)/pkg/native/ipxe.stamp
	@mkdir -p $(@D)
	$(Q)cp $(O)/pkg/native/ipxe/$(@F) $@

BOOT_URL ?=
ifneq ($(filter-out http://% https://%,$(BOOT_URL)),)
$(error BOOT_URL=$(BOOT_URL): not http://ADDR:PORT)
endif
uki_command_line := $(if $(BOOT_URL),hyper.boot=$(BOOT_URL))
$(shell mkdir -p $(O); [ -e $(O)/.uki ] && [ "$$(cat $(O)/.uki)" = "$(uki_command_line)" ] || echo "$(uki_command_line)" >$(O)/.uki)

KEYS ?=
ifneq ($(KEYS),)
$(if $(wildcard $(KEYS)/db.key),,$(if $(filter keys,$(MAKECMDGOALS)),,$(error KEYS=$(KEYS): no db.key there (make keys KEYS=$(KEYS) makes new keys))))
endif
# What is signed is made again when the key is another one; an ISO for other keys does not stay
$(shell k="$$(cat $(KEYS:%=%/db.crt) 2>/dev/null </dev/null | sha256sum)"; [ "$$k" = "$$(cat $(O)/.keys 2>/dev/null)" ] || \
	{ echo "$$k" >$(O)/.keys; rm -f $(O)/images/hypermetal.enrol.iso*; })

.PHONY: keys
keys: # a fleet's own keys for Secure Boot: KEYS=DIR, by default ~/.config/hypermetal/keys
	@images/keys.sh $(or $(KEYS),$(or $(XDG_CONFIG_HOME),$(HOME)/.config)/hypermetal/keys)

EFI_PROGRAMS := snponly.efi hypermetal-uki.efi
$(EFI_PROGRAMS:%=$(O)/images/%): $(O)/images/%: $(O)/unsigned/% images/sign.sh $(O)/.keys
	@mkdir -p $(@D)
	$(Q)$(if $(KEYS),images/sign.sh $(KEYS) $< $@,cp $< $@)

$(O)/images/hypermetal.enrol.iso: images/enrol.sh images/xorriso.sh images/fat.sh $(O)/.keys $(O)/pkg/native/systemd-boot-efi.stamp
	$(Q)images/enrol.sh $(O)/pkg/native/systemd-boot-efi/systemd-bootx64.efi $(KEYS) $@

$(O)/unsigned/hypermetal-uki.efi: images/uki.sh $(O)/images/bzImage $(O)/images/initramfs $(O)/rootfs/os-release \
		$(O)/pkg/native/systemd-boot-efi.stamp $(O)/.uki
	@mkdir -p $(@D)
	$(Q)images/uki.sh $(O)/pkg/native/systemd-boot-efi/linuxx64.efi.stub $(O)/images/bzImage $(O)/images/initramfs \
		$(O)/rootfs/os-release "$(uki_command_line)" $@

MEDIUM_NEEDS = images/grub.sh images/fat.sh images/xorriso.sh $(O)/images/hypermetal-uki.efi $(O)/pkg/native/grub.stamp
MEDIUM_ARGS = $(O)/images/hypermetal-uki.efi $(O)/pkg/native/grub "$(uki_command_line)"

$(O)/images/hypermetal.iso: images/iso.sh $(MEDIUM_NEEDS)
	$(Q)images/iso.sh $(MEDIUM_ARGS) $@

$(O)/images/hypermetal.raw.zst: images/disk.sh $(MEDIUM_NEEDS)
	$(Q)images/disk.sh $(MEDIUM_ARGS) $(@:.zst=) && zstd -q -f --rm -3 $(@:.zst=) -o $@

# The demo OCI images that the demo registry serves, as OCI layouts in out/oci (they are no part of what is booted)

DEMO_BUSYBOX ?= $(O)/pkg/musl/busybox-demo/bin/busybox

.PHONY: demo-images
demo-images: $(O)/oci/nginx/index.json $(O)/oci/busybox/index.json # nginx and busybox for the demo registry

$(O)/oci/nginx/index.json: images/demo-image.sh images/demo/nginx.sh
	$(Q)$(STEP) oci-nginx "" images/demo-image.sh nginx $(@D)
	@touch $@

$(O)/oci/busybox/index.json: images/demo-image.sh images/demo/busybox.sh \
		$(if $(filter $(O)/%,$(DEMO_BUSYBOX)),$(O)/pkg/musl/busybox-demo.stamp)
	$(Q)$(STEP) oci-busybox "" images/demo-image.sh busybox $(@D) $(abspath $(DEMO_BUSYBOX))
	@touch $@

# Ordinary software out of Debian packages, for tests only: images/debian.sh
ORDINARY_IMAGES := $(basename $(notdir $(wildcard images/ordinary/*.sh)))

.PHONY: ordinary-images
ordinary-images: $(ORDINARY_IMAGES:%=$(O)/oci/%/index.json) # redis, postgres, openjdk, … for qemu-test-images

$(O)/oci/podman/index.json: $(O)/oci/busybox/index.json
$(ORDINARY_IMAGES:%=$(O)/oci/%/index.json): $(O)/oci/%/index.json: images/demo-image.sh images/debian.sh images/ordinary/%.sh
	$(Q)$(STEP) oci-$* "" images/demo-image.sh $* $(@D) $(if $(filter podman,$*),$(abspath $(O)/oci/busybox))
	@touch $@
