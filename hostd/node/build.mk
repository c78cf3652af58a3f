hostd_node := $(wildcard hostd/node/*.c)
$(eval $(call fuzz_target,fuzz_watch,hostd/fuzz/fuzz_watch.c hostd/node/split.c,base,,hostd/fuzz/corpus/watch))
