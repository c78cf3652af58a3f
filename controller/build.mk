# controller: the API, enrolment, boot service and scheduler
controller_store := $(wildcard controller/store/*.c)
controller_api := $(wildcard controller/api/*.c)
controller_enrol := $(wildcard controller/enrol/*.c)
controller_boot := $(wildcard controller/boot/*.c)
controller_sched := $(wildcard controller/sched/*.c)
controller_image := $(wildcard controller/image/*.c)
controller_trial := $(wildcard controller/trial/*.c)
controller_remote := $(wildcard controller/remote/*.c)
controller_libs := http/tunnel http/client http/server http/ws kube/log kube jwt json x509 base

$(eval $(call program,controller,controller/main.c controller/boot_config.c controller/options.c controller/rollout.c $(controller_store) $(controller_api) \
	$(controller_enrol) $(controller_boot) $(controller_sched) $(controller_image) $(controller_trial) \
	$(controller_remote),$(controller_libs),sqlite mbedtls))

$(eval $(call unit_test,test_store,controller/tests/test_store.c $(controller_store),json base,sqlite))
$(eval $(call unit_test,test_enrol,controller/tests/test_enrol.c $(controller_enrol) $(controller_store),json x509 base,sqlite))
$(eval $(call unit_test,test_sched,controller/tests/test_sched.c $(controller_sched) $(controller_store),json base,sqlite))
$(eval $(call unit_test,test_image,controller/tests/test_image.c $(controller_image),json base,mbedtls))
$(eval $(call unit_test,test_trial,controller/tests/test_trial.c $(controller_trial) $(controller_store),json base,sqlite))
$(eval $(call fuzz_target,fuzz_image,controller/fuzz/fuzz_image.c $(controller_image),json base,mbedtls,\
	controller/fuzz/corpus_image))
$(eval $(call unit_test,test_boot,controller/tests/test_boot.c controller/boot/cpio.c controller/boot/settings.c \
	controller/boot/host.c,json base,))
$(eval $(call unit_test,test_boot_config,controller/tests/test_boot_config.c controller/boot_config.c controller/options.c,base,))
$(eval $(call unit_test,test_boot_service,controller/tests/test_boot_service.c $(controller_boot),http/server http/client json base,))

# The API without its server: what unit tests and fuzz targets call directly
controller_api_core := $(filter-out %/api.c %/watch.c %/log.c %/exec.c %/to_host.c %/measure.c,$(controller_api))
$(eval $(call unit_test,test_patch,controller/tests/test_patch.c $(controller_api_core) $(controller_store),jwt json base,sqlite))
$(eval $(call unit_test,test_api,controller/tests/test_api.c controller/tests/api_world.c $(controller_api_core) $(controller_store),jwt json base,sqlite))
$(eval $(call unit_test,test_objects,controller/tests/test_objects.c controller/tests/api_world.c $(controller_api_core) $(controller_store),jwt json base,sqlite))
$(eval $(call unit_test,test_token,controller/tests/test_token.c controller/tests/api_world.c $(controller_api_core) $(controller_store),jwt json base,sqlite))
$(eval $(call unit_test,test_admit,controller/tests/test_admit.c controller/tests/api_world.c $(controller_api_core) $(controller_store),jwt json base,sqlite))
$(eval $(call unit_test,test_pod_check,controller/tests/test_pod_check.c controller/tests/api_world.c $(controller_api_core) $(controller_store),jwt json base,sqlite))
$(eval $(call unit_test,test_auth,controller/tests/test_auth.c controller/tests/api_world.c $(controller_api_core) $(controller_store),jwt json base,sqlite))
$(eval $(call unit_test,test_image_api,controller/tests/test_image_api.c controller/tests/api_world.c $(controller_api_core) $(controller_store),jwt json base,sqlite))
$(eval $(call unit_test,test_metrics_api,controller/tests/test_metrics_api.c controller/tests/api_world.c $(controller_api_core) $(controller_store),jwt json base,sqlite))
$(eval $(call unit_test,test_measure_api,controller/tests/test_measure_api.c controller/tests/api_world.c controller/api/measure.c \
	controller/api/to_host.c $(controller_api_core) $(controller_store),jwt json base,sqlite))
$(eval $(call unit_test,test_watch,controller/tests/test_watch.c controller/tests/api_world.c controller/api/watch.c \
	$(controller_api_core) $(controller_store),jwt json base,sqlite))

$(eval $(call fuzz_target,fuzz_patch,controller/fuzz/fuzz_patch.c controller/api/patch.c controller/api/strategic.c,json base,,\
	controller/fuzz/corpus_patch))
$(eval $(call fuzz_target,fuzz_request,controller/fuzz/fuzz_request.c $(controller_api_core) $(controller_store),jwt json base,sqlite,\
	controller/fuzz/corpus_request))
$(eval $(call fuzz_target,fuzz_csr,controller/fuzz/fuzz_csr.c controller/enrol/csr.c,json x509 base,,\
	controller/fuzz/corpus_csr))
$(eval $(call unit_test,test_remote,controller/tests/test_remote.c $(controller_remote) $(controller_store),json base,sqlite))
