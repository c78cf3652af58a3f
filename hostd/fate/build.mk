hostd_fate := $(wildcard hostd/fate/*.c)
$(eval $(call unit_test,test_fate,hostd/fate/tests/test_fate.c $(hostd_fate),json base,))
$(eval $(call fuzz_target,fuzz_fate,hostd/fate/fuzz/fuzz_fate.c $(hostd_fate),json base,,hostd/fate/fuzz/corpus))
