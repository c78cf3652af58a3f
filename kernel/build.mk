# The kernels: built by build/pkg/kernel-*.mk out of one source, kept in the cache; here their parts get their places
#
#   out/kernel/hyperkernel   guest kernel, stripped ELF; hyperkernel-full: that of class hypervm-full
#   out/kernel/modules/      VERSION/ with the host's modules and depmod's tables

EXTRA += $(O)/kernel/hyperkernel $(O)/kernel/hyperkernel-full

$(O)/kernel/hyperkernel: $(O)/pkg/native/kernel-guest.stamp
	@mkdir -p $(@D)
	$(Q)cp $(O)/pkg/native/kernel-guest/hyperkernel $@

$(O)/kernel/hyperkernel-full: $(O)/pkg/native/kernel-guest-full.stamp
	@mkdir -p $(@D)
	$(Q)cp $(O)/pkg/native/kernel-guest-full/hyperkernel $@

# Times of what is inside do not matter, so the folder's own is set last
$(O)/kernel/modules: $(O)/pkg/native/kernel-host.stamp
	@mkdir -p $(@D)
	$(Q)rm -rf $@ && cp -r $(O)/pkg/native/kernel-host/modules/lib/modules $@ && touch $@

$(O)/kernel/modules-virtio: $(O)/kernel/modules kernel/virtio.modules kernel/subset-modules.sh
	$(Q)kernel/subset-modules.sh $< $@ kernel/virtio.modules && touch $@
