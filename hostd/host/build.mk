hostd_host := $(wildcard hostd/host/*.c)
hostd_host_pure := $(addprefix hostd/host/,settings.c network.c clock.c inventory.c links.c uevent.c)
$(eval $(call unit_test,test_host,hostd/tests/test_host.c $(hostd_host_pure),base,))
$(eval $(call fuzz_target,fuzz_settings,hostd/fuzz/fuzz_settings.c $(hostd_host_pure),base,,hostd/fuzz/corpus/settings))
