# controller: the API, enrolment, boot service and scheduler
controller_store := $(wildcard controller/store/*.c)
controller_api := $(wildcard controller/api/*.c)
controller_enrol := $(wildcard controller/enrol/*.c)
controller_boot := $(wildcard controller/boot/*.c)
controller_sched := $(wildcard controller/sched/*.c)
controller_libs := http/client http/server json base

$(eval $(call program,controller,controller/main.c controller/options.c $(controller_store) $(controller_api) \
	$(controller_enrol) $(controller_boot) $(controller_sched),$(controller_libs),sqlite mbedtls))

$(eval $(call unit_test,test_store,controller/tests/test_store.c $(controller_store),json base,sqlite))
$(eval $(call unit_test,test_enrol,controller/tests/test_enrol.c $(controller_enrol) $(controller_store),json base,sqlite mbedtls))
$(eval $(call unit_test,test_sched,controller/tests/test_sched.c $(controller_sched) $(controller_store),json base,sqlite))
$(eval $(call unit_test,test_boot,controller/tests/test_boot.c controller/boot/cpio.c controller/boot/settings.c \
	controller/boot/host.c,json base,))
