# kernel-guest-full: the HyperKernel of class hypervm-full: the other one's source, patches and fragments, and those of
# kernel/guest/full. Both sets in one folder stand in for kernel/guest, so that the same script builds it.
kernel-guest-full_variants := native
kernel-guest-full_source := linux
kernel-guest-full_licence := COPYING:fb5a425bd3b3cd60
kernel-guest-full_inputs := $(sort $(wildcard build/pkg/kernel-guest/*.patch kernel/guest/*.config kernel/guest/full/*.config)) \
	kernel/check-config.sh kernel/build.sh
define kernel-guest-full_build
	mkdir -p both/kernel/guest
	cp $$ROOT/kernel/guest/*.config $$ROOT/kernel/guest/full/*.config both/kernel/guest
	cp $$ROOT/kernel/check-config.sh both/kernel
	ROOT=$$PWD/both $$ROOT/kernel/build.sh guest
endef
$(eval $(call package,kernel-guest-full))
