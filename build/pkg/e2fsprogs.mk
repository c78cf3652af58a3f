# e2fsprogs: libext2fs, which makes scratch disks and volumes
e2fsprogs_variants := musl native
e2fsprogs_libs := -lext2fs -lcom_err
e2fsprogs_licence := NOTICE:5da5ef153e559c1d
define e2fsprogs_build
	./configure -q --host=$$HOST --prefix=$$PREFIX --disable-nls --disable-tdb --disable-mmp --disable-testio-debug \
		--disable-debugfs --disable-imager --disable-resizer --disable-defrag --disable-fsck --disable-e2initrd-helper \
		--disable-uuidd --disable-backtrace --without-libarchive --without-pthread CC="$$CC" CFLAGS="$$CFLAGS" LDFLAGS=
	make -s subs
	make -s -C lib/et all
	make -s -C lib/ext2fs all
	mkdir -p $$PREFIX/include/ext2fs $$PREFIX/include/et $$PREFIX/lib
	cp lib/ext2fs/ext2fs.h lib/ext2fs/ext2_types.h lib/ext2fs/ext2_fs.h lib/ext2fs/ext2_io.h lib/ext2fs/ext2_err.h \
		lib/ext2fs/ext2_ext_attr.h lib/ext2fs/ext3_extents.h lib/ext2fs/bitops.h lib/ext2fs/tdb.h lib/ext2fs/qcow2.h \
		lib/ext2fs/hashmap.h $$PREFIX/include/ext2fs/
	cp lib/et/com_err.h $$PREFIX/include/et/
	cp lib/ext2fs/libext2fs.a lib/et/libcom_err.a $$PREFIX/lib/
endef
$(eval $(call package,e2fsprogs))
