# zlib: gzip layers of images
zlib_variants := musl native
zlib_libs := -lz
zlib_licence := LICENSE:845efc77857d485d
define zlib_build
	./configure --static --prefix=$$PREFIX
	make -s libz.a
	install -D -m 644 -t $$PREFIX/include zlib.h zconf.h
	install -D -m 644 -t $$PREFIX/lib libz.a
endef
$(eval $(call package,zlib))
