# mbedtls: TLS 1.2 and 1.3, X.509, and the hashes that everything else needs; trimmed by its own configuration
mbedtls_variants := musl native
mbedtls_libs := -lmbedtls -lmbedx509 -lmbedcrypto
mbedtls_licence := LICENSE:9b405ef4c89342f5
define mbedtls_build
	cp $$ROOT/build/pkg/mbedtls/mbedtls_config.h include/mbedtls/mbedtls_config.h
	make -s -C library static AR=ar CFLAGS="$$CFLAGS" WARNING_CFLAGS=
	mkdir -p $$PREFIX/include $$PREFIX/lib
	cp -r include/mbedtls include/psa $$PREFIX/include/
	cp library/*.a $$PREFIX/lib/
endef
$(eval $(call package,mbedtls))
