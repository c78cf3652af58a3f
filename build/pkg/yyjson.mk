# yyjson: JSON in one source file, with a cap on memory
yyjson_variants := musl native
yyjson_libs := -lyyjson
yyjson_licence := LICENSE:45e384d3d52c73cb
define yyjson_build
	$$CC $$CFLAGS -DYYJSON_DISABLE_FAST_FP_CONV=1 -DYYJSON_DISABLE_NON_STANDARD=1 -c src/yyjson.c
	mkdir -p $$PREFIX/include $$PREFIX/lib
	cp src/yyjson.h $$PREFIX/include/
	ar rcsD $$PREFIX/lib/libyyjson.a yyjson.o
endef
$(eval $(call package,yyjson))
