# hostd links storage.c, choose.c and wipe.c: what touches disks is a process of its own
storage_disk := $(addprefix hostd/storage/,look.c label.c mkfs.c prepare.c crypt.c erase.c erase_nvme.c erase_ata.c)
storage_gather := $(addprefix hostd/inventory/,disk.c read.c health.c health_parse.c)
$(eval $(call program,hostd-disk,hostd/storage/disk_main.c $(storage_disk) $(storage_gather),json base,libblkid e2fsprogs zlib))

storage_tests := hostd/storage/tests
$(eval $(call unit_test,test_look,$(storage_tests)/test_look.c hostd/storage/look.c hostd/storage/label.c hostd/storage/mkfs.c,base,libblkid e2fsprogs zlib))
$(eval $(call unit_test,test_erase,$(storage_tests)/test_erase.c hostd/storage/erase.c hostd/storage/erase_nvme.c hostd/storage/erase_ata.c,base,))
$(eval $(call unit_test,test_storage,$(storage_tests)/test_storage.c hostd/storage/storage.c hostd/storage/choose.c hostd/storage/wipe.c,json base,))
$(eval $(call fuzz_target,fuzz_look,hostd/storage/fuzz/fuzz_look.c hostd/storage/look.c hostd/storage/label.c,base,libblkid zlib,hostd/storage/fuzz/corpus))
