# Code shared by all programs. Dependencies run downwards: every module to base, base to libc.
$(eval $(call lib_module,base,$(wildcard lib/base/*.c),))
$(eval $(call lib_module,proto,$(wildcard lib/proto/*.c),))
$(eval $(call lib_module,json,$(wildcard lib/json/*.c),yyjson))
$(eval $(call lib_module,kube,$(wildcard lib/kube/*.c),libyaml))
$(eval $(call lib_module,x509,$(wildcard lib/x509/*.c),mbedtls))
$(eval $(call lib_module,jwt,$(wildcard lib/jwt/*.c),mbedtls))
$(eval $(call lib_module,http/client,$(wildcard lib/http/client*.c),curl))
$(eval $(call lib_module,http/ws,lib/http/ws.c,))
$(eval $(call lib_module,http/tunnel,lib/http/tunnel.c,curl))
$(eval $(call lib_module,http/server,$(wildcard lib/http/server*.c),picohttpparser mbedtls))

$(eval $(call unit_test,test_seccomp,lib/base/tests/test_seccomp.c,base,))
$(eval $(call unit_test,test_loop,lib/base/tests/test_loop.c,base,))
$(eval $(call unit_test,test_quantity,lib/base/tests/test_quantity.c,base,))
$(eval $(call unit_test,test_figures,lib/base/tests/test_figures.c,base,))
$(eval $(call unit_test,test_str,lib/base/tests/test_str.c,base,))
$(eval $(call unit_test,test_guest_msg,lib/proto/tests/test_guest_msg.c,proto base,))
$(eval $(call unit_test,test_guest_exec,lib/proto/tests/test_guest_exec.c,proto base,))
$(eval $(call unit_test,test_guest_stats,lib/proto/tests/test_guest_stats.c,proto base,))
$(eval $(call fuzz_target,fuzz_guest_msg,lib/proto/fuzz/fuzz_guest_msg.c,proto base,,lib/proto/fuzz/corpus_guest_msg))

$(eval $(call unit_test,test_x509,lib/x509/tests/test_x509.c,x509 base,))

$(eval $(call unit_test,test_jwt,lib/jwt/tests/test_jwt.c,jwt json base,))
$(eval $(call fuzz_target,fuzz_jwt,lib/jwt/fuzz/fuzz_jwt.c,jwt json base,,lib/jwt/fuzz/corpus_jwt))

http_tests := lib/http/tests/http_fixture.c
$(eval $(call unit_test,test_http_client,lib/http/tests/test_http_client.c $(http_tests),http/server http/client base,))
$(eval $(call unit_test,test_http_server,lib/http/tests/test_http_server.c $(http_tests),http/server http/client base,))
$(eval $(call unit_test,test_http_tls,lib/http/tests/test_http_tls.c $(http_tests),http/server http/client base,))
$(eval $(call unit_test,test_ws,lib/http/tests/test_ws.c,http/ws base,))
$(eval $(call fuzz_target,fuzz_ws,lib/http/fuzz/fuzz_ws.c,http/ws base,,lib/http/fuzz/corpus_ws))
$(eval $(call unit_test,test_http_tunnel,lib/http/tests/test_http_tunnel.c $(http_tests),http/server http/tunnel http/client base,))
$(eval $(call fuzz_target,fuzz_http_server,lib/http/fuzz/fuzz_http_server.c,http/server base,,lib/http/fuzz/corpus_server))

$(eval $(call unit_test,test_json,lib/json/tests/test_json.c,json base,))
$(eval $(call fuzz_target,fuzz_json,lib/json/fuzz/fuzz_json.c,json base,,lib/json/fuzz/corpus_json))
$(eval $(call fuzz_target,fuzz_kubeconfig,lib/kube/fuzz/fuzz_kubeconfig.c,kube base,,lib/kube/fuzz/corpus-kubeconfig))
