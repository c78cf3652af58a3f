# hyperstart, PID 1 of a HyperVM, and the cpio that carries it
guest_sources := $(filter-out guest/main.c,$(wildcard guest/*.c))

$(eval $(call program,hyperstart,guest/main.c $(guest_sources),proto base,))
$(eval $(call unit_test,test_guest,guest/tests/test_guest.c guest/ring.c guest/user.c guest/signame.c,base,))
$(eval $(call fuzz_target,fuzz_user,guest/fuzz/fuzz_user.c guest/user.c,base,,guest/fuzz/corpus_user))
