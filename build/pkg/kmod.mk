# kmod: libkmod, for coldplug; upstream builds no static library, so its sources are compiled here
kmod_variants := musl native
kmod_libs := -lkmod
kmod_licence := libkmod/COPYING:6095e9ffa777dd22
define kmod_build
	cp $$ROOT/build/pkg/kmod/config.h .
	for f in shared/*.c libkmod/libkmod*.c; do
		case $$f in *-file-xz.c | *-file-zlib.c | *-file-zstd.c) continue ;; esac
		$$CC $$CFLAGS -include config.h -I. -c $$f
	done
	mkdir -p $$PREFIX/include $$PREFIX/lib
	cp libkmod/libkmod.h $$PREFIX/include/
	ar rcsD $$PREFIX/lib/libkmod.a *.o
endef
$(eval $(call package,kmod))
