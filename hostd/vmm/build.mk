# hypervm, the VMM: libc and lib/base only
$(eval $(call program,hypervm,$(wildcard hostd/vmm/*.c hostd/vmm/virtio/*.c),base,))

vmm_blk := $(addprefix hostd/vmm/,mem.c virtio/queue.c virtio/mmio.c virtio/blk.c)
$(eval $(call unit_test,test_vmm_queue,hostd/vmm/tests/test_queue.c $(addprefix hostd/vmm/,mem.c virtio/queue.c virtio/mmio.c),base,))
$(eval $(call unit_test,test_vmm_mmio,hostd/vmm/tests/test_mmio.c $(addprefix hostd/vmm/,mem.c virtio/queue.c virtio/mmio.c),base,))
$(eval $(call unit_test,test_vmm_vhost,hostd/vmm/tests/test_vhost.c $(addprefix hostd/vmm/,mem.c virtio/queue.c virtio/mmio.c virtio/vhost.c),base,))
$(eval $(call unit_test,test_vmm_blk,hostd/vmm/tests/test_blk.c $(vmm_blk),base,))
$(eval $(call unit_test,test_vmm_balloon,hostd/vmm/tests/test_balloon.c $(addprefix hostd/vmm/,mem.c virtio/queue.c virtio/mmio.c virtio/balloon.c),base,))
$(eval $(call unit_test,test_vmm_boot,hostd/vmm/tests/test_boot.c $(addprefix hostd/vmm/,boot.c elf.c mem.c mptable.c),base,))
$(eval $(call unit_test,test_vmm_spec,hostd/vmm/tests/test_spec.c $(addprefix hostd/vmm/,cpuid.c serial.c spec.c),base,))
$(eval $(call fuzz_target,fuzz_vmm_dev,hostd/vmm/fuzz/fuzz_dev.c $(vmm_blk),base,,hostd/vmm/fuzz/corpus/dev))
$(eval $(call fuzz_target,fuzz_vmm_boot,hostd/vmm/fuzz/fuzz_boot.c $(addprefix hostd/vmm/,boot.c elf.c mem.c mptable.c),base,,hostd/vmm/fuzz/corpus/boot))
$(eval $(call fuzz_target,fuzz_vmm_spec,hostd/vmm/fuzz/fuzz_spec.c hostd/vmm/spec.c $(vmm_blk),base,,hostd/vmm/fuzz/corpus/spec))
