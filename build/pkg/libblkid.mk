# libblkid (util-linux): says what is on a disk; in hostd-disk
libblkid_variants := musl native
libblkid_source := util-linux
libblkid_libs := -lblkid
libblkid_licence := Documentation/licenses/COPYING.LGPL-2.1-or-later:dc626520dcd53a22
define libblkid_build
	./configure -q --host=$$HOST --prefix=$$PREFIX --disable-all-programs --enable-libblkid --disable-shared --enable-static \
		--disable-nls --disable-year2038 --without-systemd --without-udev --without-ncurses --without-ncursesw --without-tinfo \
		CC="$$CC" CFLAGS="$$CFLAGS" LDFLAGS=
	make -s libblkid.la
	mkdir -p $$PREFIX/include/blkid $$PREFIX/lib
	cp libblkid/src/blkid.h $$PREFIX/include/blkid/
	cp .libs/libblkid.a $$PREFIX/lib/
endef
$(eval $(call package,libblkid))
