# kernel-guest: HyperKernel, what runs in each HyperVM (kernel/guest)
kernel-guest_variants := native
kernel-guest_source := linux
kernel-guest_licence := COPYING:fb5a425bd3b3cd60
kernel-guest_inputs := $(sort $(wildcard kernel/guest/*.config)) kernel/check-config.sh kernel/build.sh
define kernel-guest_build
	$$ROOT/kernel/build.sh guest
endef
$(eval $(call package,kernel-guest))
