# hypervm, the VMM: libc and lib/base only
$(eval $(call program,hypervm,$(wildcard hostd/vmm/*.c hostd/vmm/virtio/*.c),base,))

vmm_blk := $(addprefix hostd/vmm/,mem.c virtio/queue.c virtio/mmio.c virtio/blk.c virtio/limit.c)
$(eval $(call unit_test,test_vmm_limit,hostd/vmm/tests/test_limit.c hostd/vmm/virtio/limit.c,base,))
$(eval $(call unit_test,test_vmm_queue,hostd/vmm/tests/test_queue.c $(addprefix hostd/vmm/,mem.c virtio/queue.c virtio/mmio.c),base,))
$(eval $(call unit_test,test_vmm_mmio,hostd/vmm/tests/test_mmio.c $(addprefix hostd/vmm/,mem.c virtio/queue.c virtio/mmio.c),base,))
$(eval $(call unit_test,test_vmm_vhost,hostd/vmm/tests/test_vhost.c $(addprefix hostd/vmm/,mem.c virtio/queue.c virtio/mmio.c virtio/vhost.c),base,))
$(eval $(call unit_test,test_vmm_blk,hostd/vmm/tests/test_blk.c $(vmm_blk),base,))
$(eval $(call unit_test,test_vmm_balloon,hostd/vmm/tests/test_balloon.c $(addprefix hostd/vmm/,mem.c virtio/queue.c virtio/mmio.c virtio/balloon.c),base,))
$(eval $(call unit_test,test_vmm_boot,hostd/vmm/tests/test_boot.c $(addprefix hostd/vmm/,boot.c elf.c mem.c mptable.c),base,))
$(eval $(call unit_test,test_vmm_spec,hostd/vmm/tests/test_spec.c $(addprefix hostd/vmm/,cpuid.c serial.c spec.c),base,))
$(eval $(call fuzz_target,fuzz_vmm_dev,hostd/vmm/fuzz/fuzz_dev.c $(vmm_blk) $(addprefix hostd/vmm/virtio/,balloon.c vhost.c),base,,hostd/vmm/fuzz/corpus/dev))
$(eval $(call fuzz_target,fuzz_vmm_queue,hostd/vmm/fuzz/fuzz_queue.c $(addprefix hostd/vmm/,mem.c virtio/queue.c),base,,hostd/vmm/fuzz/corpus/queue))
$(eval $(call fuzz_target,fuzz_vmm_blk,hostd/vmm/fuzz/fuzz_blk.c $(vmm_blk),base,,hostd/vmm/fuzz/corpus/blk))
$(eval $(call fuzz_target,fuzz_vmm_boot,hostd/vmm/fuzz/fuzz_boot.c $(addprefix hostd/vmm/,boot.c elf.c mem.c mptable.c),base,,hostd/vmm/fuzz/corpus/boot))
$(eval $(call fuzz_target,fuzz_vmm_spec,hostd/vmm/fuzz/fuzz_spec.c hostd/vmm/spec.c $(vmm_blk),base,,hostd/vmm/fuzz/corpus/spec))

# A guest that attacks its VMM, for the scenarios; part of no image
hostile_c := $(addprefix hostd/vmm/hostile/,main.c attack.c)
hostile_flags := -std=gnu11 $(MAP) $(WARN) -O2 -ffreestanding -fno-pic -no-pie -mno-red-zone -mgeneral-regs-only -mno-sse \
	-fno-stack-protector -fno-asynchronous-unwind-tables -fcf-protection=none -fno-tree-loop-distribute-patterns \
	-nostdlib -static -Wl,-z,max-page-size=4096,--build-id=none,--no-warn-rwx-segments
$(O)/test/hostile: hostd/vmm/hostile/start.S hostd/vmm/hostile/hostile.lds $(hostile_c) $(wildcard hostd/vmm/hostile/*.h)
	@mkdir -p $(@D)
	$(Q)gcc $(hostile_flags) -T hostd/vmm/hostile/hostile.lds -o $@ hostd/vmm/hostile/start.S $(hostile_c)

# What an escape would find: for a scenario, run as root on a real host
jail_probe_c := hostd/vmm/tests/jail_probe.c hostd/vmm/jail.c hostd/vmm/seccomp.c
$(eval $(call sources,musl,$(jail_probe_c),))
$(O)/test/jail_probe: $(call link_inputs,musl,$(jail_probe_c),base,)
	@mkdir -p $(@D)
	$(Q)$(call link,musl,$@,$(jail_probe_c),base,)
