# erofs-utils: mkfs.erofs. The musl one is on the image and turns layers (plain tar) into file systems, uncompressed;
# the native one packs the root image at build time, with zstd and lz4, and takes it apart for build/check-image.sh.
# Compiled without its autotools.
erofs-utils_variants := musl native
erofs-utils_deps_native := zstd lz4
erofs-utils_licence := COPYING:0df042de29b44887
define erofs-utils_build
	cp $$ROOT/build/pkg/erofs-utils/config.h .
	skip=" lib/compressor_liblzma.c lib/compressor_libdeflate.c lib/workqueue.c " libs=
	if [ $$VARIANT = native ]; then
		CPPFLAGS+=" -DLZ4_ENABLED=1 -DLZ4HC_ENABLED=1 -DHAVE_LIBZSTD=1 -DHAVE_ZSTD_GETFRAMECONTENTSIZE=1"
		libs="-lzstd -llz4"
	else
		skip+=" lib/compressor_lz4.c lib/compressor_lz4hc.c lib/compressor_libzstd.c "
	fi
	for f in lib/*.c mkfs/main.c; do
		case $$skip in *" $$f "*) continue ;; esac
		$$CC $$CFLAGS $$CPPFLAGS -D_LARGEFILE64_SOURCE -include config.h -I. -Iinclude -Ilib -c $$f
	done
	mkdir -p $$PREFIX/bin
	$$CC $$LDFLAGS -o $$PREFIX/bin/mkfs.erofs *.o $$libs
	if [ $$VARIANT = native ]; then
		$$CC $$CFLAGS $$CPPFLAGS -D_LARGEFILE64_SOURCE -include config.h -I. -Iinclude -Ilib -c fsck/main.c
		$$CC $$LDFLAGS -o $$PREFIX/bin/fsck.erofs *.o $$libs
	fi
	strip $$PREFIX/bin/*
endef
$(eval $(call package,erofs-utils))
