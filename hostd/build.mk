# hostd's modules declare their tests in their own build.mk; the daemon is put together here
include $(wildcard hostd/*/build.mk)

$(eval $(call program,hostd,hostd/main.c $(hostd_host) $(hostd_node),http/client json base,kmod mbedtls))
