# zstd: the decoder, for layers of images (musl); the whole library for mkfs.erofs at build time (native)
zstd_variants := musl native
zstd_libs := -lzstd
zstd_licence := LICENSE:7055266497633c90
define zstd_build
	set -- lib/common/*.c lib/decompress/*.c
	if [ $$VARIANT = native ]; then set -- "$$@" lib/compress/*.c; fi
	mkdir -p $$PREFIX/include $$PREFIX/lib
	for f; do
		$$CC $$CFLAGS -DZSTD_LEGACY_SUPPORT=0 -DZSTD_DISABLE_ASM -DXXH_NAMESPACE=ZSTD_ -c $$f
	done
	cp lib/zstd.h lib/zstd_errors.h $$PREFIX/include/
	ar rcsD $$PREFIX/lib/libzstd.a *.o
endef
$(eval $(call package,zstd))
