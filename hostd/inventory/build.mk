# hostd links inventory.c alone: what reads the machine is a process of its own
inventory_parts := $(addprefix hostd/inventory/,cpu.c disk.c firmware.c fit.c health.c health_parse.c labels.c lldp.c nic.c pci.c platform.c read.c smbios.c)
$(eval $(call program,hostd-inventory,hostd/inventory/main.c $(inventory_parts),json base,))

inventory_tests := hostd/inventory/tests
$(eval $(call unit_test,test_smbios,$(inventory_tests)/test_smbios.c $(inventory_parts),json base,))
$(eval $(call unit_test,test_gather,$(inventory_tests)/test_gather.c $(inventory_parts),json base,))
$(eval $(call unit_test,test_labels,$(inventory_tests)/test_labels.c $(inventory_parts),json base,))
$(eval $(call unit_test,test_health,$(inventory_tests)/test_health.c $(inventory_parts),json base,))
$(eval $(call unit_test,test_inventory,$(inventory_tests)/test_inventory.c hostd/inventory/inventory.c,json base,))
$(eval $(call fuzz_target,fuzz_inventory,hostd/inventory/fuzz/fuzz_inventory.c $(inventory_parts),json base,,hostd/inventory/fuzz/corpus))
