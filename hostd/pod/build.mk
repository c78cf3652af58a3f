hostd_pod := $(wildcard hostd/pod/*.c)
hostd_pod_spec := $(addprefix hostd/pod/,spec.c container.c expand.c capability.c)
$(eval $(call unit_test,test_spec,hostd/tests/test_spec.c $(hostd_pod_spec),json base,))
$(eval $(call fuzz_target,fuzz_pod,hostd/fuzz/fuzz_pod.c $(hostd_pod_spec),json base,,hostd/fuzz/corpus/pod))
