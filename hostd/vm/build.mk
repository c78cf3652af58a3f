$(eval $(call unit_test,test_vm,hostd/vm/tests/test_vm.c hostd/vm/vm.c,base,))
