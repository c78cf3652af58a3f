# hostd's end of the guests
hostd_session := $(addprefix hostd/vm/,session.c exec.c alive.c)
$(eval $(call unit_test,test_vm,hostd/vm/tests/test_vm.c hostd/vm/vm.c,base,))
$(eval $(call unit_test,test_session,hostd/vm/tests/test_session.c $(hostd_session),proto base,))
$(eval $(call unit_test,test_exec,hostd/vm/tests/test_exec.c $(hostd_session),proto base,))
$(eval $(call fuzz_target,fuzz_session,hostd/vm/fuzz/fuzz_session.c $(hostd_session),proto base,,hostd/vm/fuzz/corpus_session))
