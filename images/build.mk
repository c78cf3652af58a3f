# What is booted besides kernel and initramfs (initramfs/build.mk): the network boot loaders
#
#   out/images/undionly.kpxe, snponly.efi with .sha256: iPXE, for BIOS and UEFI machines

IPXE := undionly.kpxe snponly.efi
IMAGES += $(foreach i,$(IPXE),$(O)/images/$(i) $(O)/images/$(i).sha256)

$(IPXE:%=$(O)/images/%): $(O)/images/%: $(O)/pkg/native/ipxe.stamp
	@mkdir -p $(@D)
	$(Q)cp $(O)/pkg/native/ipxe/$* $@

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
