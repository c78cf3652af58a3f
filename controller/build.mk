# controller: the API, enrolment, boot service and scheduler
controller_store := $(wildcard controller/store/*.c)
controller_api := $(wildcard controller/api/*.c)
controller_enrol := $(wildcard controller/enrol/*.c)
controller_libs := http/client http/server json base

$(eval $(call program,controller,controller/main.c controller/options.c $(controller_store) $(controller_api) \
	$(controller_enrol),$(controller_libs),sqlite mbedtls))

$(eval $(call unit_test,test_store,controller/tests/test_store.c $(controller_store),json base,sqlite))
$(eval $(call unit_test,test_enrol,controller/tests/test_enrol.c $(controller_enrol) $(controller_store),json base,sqlite mbedtls))
