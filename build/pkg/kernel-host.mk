# kernel-host: what a host boots, and its modules (kernel/host)
kernel-host_variants := native
kernel-host_source := linux
kernel-host_licence := COPYING:fb5a425bd3b3cd60
kernel-host_inputs := $(sort $(wildcard kernel/host/*.config)) kernel/check-config.sh kernel/build.sh kernel/hash-modules.sh
define kernel-host_build
	$$ROOT/kernel/build.sh host
endef
$(eval $(call package,kernel-host))
