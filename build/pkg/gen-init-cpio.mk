# gen-init-cpio: the kernel's own cpio writer; it makes device nodes without root and takes the time from its caller
gen-init-cpio_variants := native
gen-init-cpio_source := linux
gen-init-cpio_unpack := */usr/gen_init_cpio.c */COPYING
gen-init-cpio_licence := COPYING:fb5a425bd3b3cd60
define gen-init-cpio_build
	mkdir -p $$PREFIX/bin
	gcc -O2 -o $$PREFIX/bin/gen_init_cpio usr/gen_init_cpio.c
endef
$(eval $(call package,gen-init-cpio))
