# linux-headers: the kernel's own exported headers, for musl
linux-headers_variants := musl
linux-headers_source := linux
linux-headers_unpack := */Makefile */Kbuild* */include/* */scripts/* */arch/x86/* */usr/* */COPYING
linux-headers_licence := COPYING:fb5a425bd3b3cd60
define linux-headers_build
	make -s ARCH=x86 HOSTCC=gcc INSTALL_HDR_PATH=$$PREFIX headers_install
endef
$(eval $(call package,linux-headers))
