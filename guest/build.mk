# hyperstart, PID 1 of a HyperVM, and the cpio that carries it
guest_sources := $(filter-out guest/main.c,$(wildcard guest/*.c))

$(eval $(call program,hyperstart,guest/main.c $(guest_sources),proto base,))
$(eval $(call unit_test,test_guest,guest/tests/test_guest.c guest/ring.c guest/user.c guest/signame.c,base,))
$(eval $(call unit_test,test_volume,guest/tests/test_volume.c guest/path.c guest/atomic.c,proto base,))
$(eval $(call unit_test,test_http,guest/tests/test_http.c guest/http.c,base,))
$(eval $(call fuzz_target,fuzz_http,guest/fuzz/fuzz_http.c guest/http.c,base,,guest/fuzz/corpus_http))
$(eval $(call fuzz_target,fuzz_user,guest/fuzz/fuzz_user.c guest/user.c,base,,guest/fuzz/corpus_user))
$(eval $(call fuzz_target,fuzz_files,guest/fuzz/fuzz_files.c guest/path.c guest/atomic.c,proto base,,guest/fuzz/corpus_files))
$(eval $(call fuzz_target,fuzz_link,guest/fuzz/fuzz_link.c guest/link.c guest/exec.c,proto base,,guest/fuzz/corpus_link))

# The other end of hyperstart for tests: hostd's session code on a command line
drive_tests := $(addprefix guest/tests/,drive.c drive_exec.c drive_life.c drive_volume.c)
drive_sources := $(drive_tests) $(addprefix hostd/vm/,session.c exec.c alive.c)
$(call cflags,$(drive_tests),-Ihostd)
$(eval $(call sources,musl,$(drive_sources),))
$(O)/test/drive: $(call link_inputs,musl,$(drive_sources),proto base,)
	@mkdir -p $(@D)
	$(Q)$(call link,musl,$@,$(drive_sources),proto base,)

# What the probes of the tests probe
serve_sources := guest/tests/serve.c
$(eval $(call sources,musl,$(serve_sources),))
$(O)/test/serve: $(call link_inputs,musl,$(serve_sources),,)
	@mkdir -p $(@D)
	$(Q)$(call link,musl,$@,$(serve_sources),,)

# What they try under a filter
trycalls_sources := guest/tests/trycalls.c
$(eval $(call sources,musl,$(trycalls_sources),))
$(O)/test/trycalls: $(call link_inputs,musl,$(trycalls_sources),,)
	@mkdir -p $(@D)
	$(Q)$(call link,musl,$@,$(trycalls_sources),,)

C ?=
guest_test_tools := $(O)/pkg/native/erofs-utils $(O)/pkg/musl/busybox-debug
.PHONY: guest-test
guest-test: $(O)/kernel/hyperkernel $(O)/kernel/hyperstart.cpio $(O)/test/drive $(O)/test/serve $(O)/test/trycalls $(addsuffix .stamp,$(guest_test_tools)) # hyperstart alone in a QEMU microvm (C=case)
	$(Q)guest/tests/qemu.sh $(O)/kernel/hyperkernel $(O)/kernel/hyperstart.cpio $(O)/test/drive \
		$(O)/pkg/musl/busybox-debug/bin/busybox $(O)/pkg/native/erofs-utils/bin/mkfs.erofs mke2fs $(C)
