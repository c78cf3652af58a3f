# hostd's modules declare their tests in their own build.mk; the daemon is put together here
include $(wildcard hostd/*/build.mk)

hostd_below := $(hostd_oci) hostd/inventory/inventory.c hostd/storage/storage.c hostd/storage/choose.c hostd/storage/wipe.c $(wildcard hostd/disk/*.c) $(wildcard hostd/net/*.c) $(hostd_uplink) $(wildcard hostd/vm/*.c) hostd/api/api.c hostd/journal/journal.c
$(eval $(call program,hostd,$(wildcard hostd/*.c) $(hostd_host) $(hostd_fate) $(hostd_node) $(hostd_pod) $(hostd_below),\
	http/client json proto x509 nlink base,kmod mbedtls libnl e2fsprogs))
$(eval $(call unit_test,test_piece,hostd/tests/test_piece.c hostd/piece_files.c hostd/host/settings.c,json base,))
$(eval $(call fuzz_target,fuzz_piece,hostd/fuzz/fuzz_piece.c hostd/piece_files.c hostd/host/settings.c,json base,,hostd/fuzz/corpus/piece))
