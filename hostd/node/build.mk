hostd_node := $(wildcard hostd/node/*.c)
$(eval $(call fuzz_target,fuzz_watch,hostd/fuzz/fuzz_watch.c hostd/node/split.c,base,,hostd/fuzz/corpus/watch))
$(eval $(call unit_test,test_node,hostd/tests/test_node.c hostd/tests/fake_api.c hostd/tests/fake_signer.c $(hostd_node),http/client http/server json x509 base,mbedtls))
$(eval $(call unit_test,test_fetch,hostd/tests/test_fetch.c hostd/tests/fake_api.c $(hostd_node),http/client http/server json x509 base,mbedtls))
