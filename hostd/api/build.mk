$(eval $(call program,hostd-api,hostd/api/main.c hostd/api/logs.c hostd/api/cri.c,http/server base,))
$(eval $(call unit_test,test_cri,hostd/api/tests/test_cri.c hostd/api/cri.c,base,))
$(eval $(call fuzz_target,fuzz_cri,hostd/api/fuzz/fuzz_cri.c hostd/api/cri.c,base,,hostd/api/fuzz/corpus-cri))
