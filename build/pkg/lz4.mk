# lz4: for mkfs.erofs at build time
lz4_variants := native
lz4_libs := -llz4
lz4_licence := lib/LICENSE:8b58c446121a109c
define lz4_build
	make -s -C lib liblz4.a
	install -D -m 644 -t $$PREFIX/include lib/lz4.h lib/lz4hc.h
	install -D -m 644 -t $$PREFIX/lib lib/liblz4.a
endef
$(eval $(call package,lz4))
