# curl: the HTTP/1.1 client; TLS by mbedtls, everything but http and https left out
#
# Names are looked up in a thread of libcurl's own, so that a slow resolver never holds up an event loop.
curl_variants := musl native
curl_deps := mbedtls
curl_libs := -lcurl -lpthread
curl_licence := COPYING:e18f1989333b7004
define curl_build
	off="alt-svc ares aws cookies dict digest-auth docs doh file form-api ftp gopher hsts imap ipfs
		kerberos-auth ldap ldaps libgcc manual mime mqtt negotiate-auth netrc ntlm pop3 progress-meter
		rtsp sha512-256 shared smb smtp sspi telnet tftp tls-srp websockets"
	args=
	for o in $$off; do args+=" --disable-$$o"; done
	./configure -q --host=$$HOST --prefix=$$PREFIX --with-mbedtls=$$PKG_mbedtls --enable-threaded-resolver \
		--without-zlib --without-brotli --without-zstd --without-libpsl --without-libidn2 --without-nghttp2 \
		--without-libssh2 --without-librtmp --without-ca-bundle --without-ca-path $$args
	make -s -C lib
	make -s -C lib install-libLTLIBRARIES
	rm $$PREFIX/lib/*.la
	make -s -C include install
endef
$(eval $(call package,curl))
