# hypervm, the VMM: libc and lib/base only
$(eval $(call program,hypervm,$(wildcard hostd/vmm/*.c hostd/vmm/virtio/*.c),base,))
