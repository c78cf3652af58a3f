$(eval $(call unit_test,test_disk,hostd/disk/tests/test_disk.c hostd/disk/plan.c hostd/disk/scratch.c hostd/disk/layout.c,base,e2fsprogs))
