# toolchain: musl 1.2.5 under the system's gcc; everything it links is static, position independent, RELRO
#
# The specs decide that, not the caller: libtool drops -static, and a gcc that makes PIE by default would then
# silently link a dynamic program.
toolchain_variants := musl
toolchain_source := musl
toolchain_deps := linux-headers
toolchain_licence := COPYRIGHT:f9bc4423732350eb
define toolchain_build
	CFLAGS="$$PKG_CFLAGS -ffile-prefix-map=$$PWD=musl" ./configure --prefix=$$PREFIX --target=x86_64-linux-musl \
		--disable-shared --disable-wrapper --enable-optimize=size CC=gcc
	make -s install
	cp -r $$PKG_linux_headers/include/. $$PREFIX/include/
	sed "s|@ROOT@|$$PREFIX|g" $$ROOT/build/pkg/toolchain/musl.specs >$$PREFIX/lib/musl.specs
	mkdir -p $$PREFIX/bin
	printf '#!/bin/sh\nexec "$${REALGCC:-gcc}" -specs "%s" "$$@"\n' $$PREFIX/lib/musl.specs >$$PREFIX/bin/x86_64-hyper-linux-musl-gcc
	chmod +x $$PREFIX/bin/x86_64-hyper-linux-musl-gcc
	for t in ar ranlib strip nm objcopy objdump ld; do
		ln -s /usr/bin/$$t $$PREFIX/bin/x86_64-hyper-linux-musl-$$t
	done
endef
$(eval $(call package,toolchain))
