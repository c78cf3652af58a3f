# hyperstart, PID 1 of a HyperVM, and the cpio that carries it
guest_sources := $(filter-out guest/main.c,$(wildcard guest/*.c))

$(eval $(call program,hyperstart,guest/main.c $(guest_sources),proto base,))
$(eval $(call unit_test,test_guest,guest/tests/test_guest.c guest/ring.c guest/user.c guest/signame.c,base,))
$(eval $(call fuzz_target,fuzz_user,guest/fuzz/fuzz_user.c guest/user.c,base,,guest/fuzz/corpus_user))

# The other end of hyperstart for tests: hostd's session code on a command line
drive_sources := guest/tests/drive.c hostd/vm/session.c
$(call cflags,guest/tests/drive.c,-Ihostd)
$(eval $(call sources,musl,$(drive_sources),))
$(O)/test/drive: $(call link_inputs,musl,$(drive_sources),proto base,)
	@mkdir -p $(@D)
	$(Q)$(call link,musl,$@,$(drive_sources),proto base,)
