// SPDX-License-Identifier: Apache-2.0
/* TLS and client certificates, server and client against each other. */
#include "http_fixture.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "certs.h"

enum outcome { SERVED, NAMED, REFUSED };

static const struct {
	enum http_client_cert wanted;
	enum outcome outcome;
	const char *cert, *key;
} handshakes[] = {
	{HTTP_CLIENT_CERT_NONE, SERVED, NULL, NULL},
	{HTTP_CLIENT_CERT_NONE, SERVED, TEST_CLIENT_CRT, TEST_CLIENT_KEY},
	{HTTP_CLIENT_CERT_OPTIONAL, SERVED, NULL, NULL},
	{HTTP_CLIENT_CERT_OPTIONAL, NAMED, TEST_CLIENT_CRT, TEST_CLIENT_KEY},
	{HTTP_CLIENT_CERT_OPTIONAL, REFUSED, TEST_FOREIGN_CRT, TEST_FOREIGN_KEY},
	{HTTP_CLIENT_CERT_OPTIONAL, REFUSED, TEST_TWICE_CRT, TEST_TWICE_KEY},
	{HTTP_CLIENT_CERT_REQUIRED, REFUSED, NULL, NULL},
	{HTTP_CLIENT_CERT_REQUIRED, NAMED, TEST_CLIENT_CRT, TEST_CLIENT_KEY},
	{HTTP_CLIENT_CERT_REQUIRED, REFUSED, TEST_FOREIGN_CRT, TEST_FOREIGN_KEY},
	/* a server's certificate is no client's */
	{HTTP_CLIENT_CERT_REQUIRED, REFUSED, TEST_SERVER_CRT, TEST_SERVER_KEY},
	{HTTP_CLIENT_CERT_OPTIONAL, REFUSED, TEST_SERVER_CRT, TEST_SERVER_KEY},
};

static const struct http_server_config tls_config = {
	.cert_pem = TEST_SERVER_CRT,
	.key_pem = TEST_SERVER_KEY,
	.client_ca_pem = TEST_CA_CRT,
	.stream_cap = 65536,
	.idle_timeout_s = 1,
};

static void test_client_certs(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(handshakes); i++) {
		struct http_client_config client = {
			.ca_pem = TEST_CA_CRT,
			.cert_pem = handshakes[i].cert,
			.key_pem = handshakes[i].key,
		};
		struct http_server_config config = tls_config;
		struct fixture f;

		config.client_cert = handshakes[i].wanted;
		fixture_start(&f, &config, &client);
		fixture_call(&f, "GET", "/x", NULL, 0);
		print_message("%zu: %d %s\n", i, f.status, err_msg(&f.error));
		assert_int_equal(f.status, handshakes[i].outcome == REFUSED ? 0 : 200);
		assert_int_equal(f.requests, handshakes[i].outcome == REFUSED ? 0 : 1);
		assert_int_equal(f.peer.verified, handshakes[i].outcome == NAMED);
		if (handshakes[i].outcome == NAMED) {
			assert_string_equal(f.peer.common_name, "system:node:h1");
			assert_int_equal(f.peer.group_count, 2);
			assert_string_equal(f.peer.groups[0], "system:nodes");
			assert_string_equal(f.peer.groups[1], "racks");
			assert_true(strlen(f.peer.serial) > 0);
		} else {
			assert_int_equal(f.peer.group_count, 0);
			assert_string_equal(f.peer.common_name, "");
		}
		fixture_stop(&f);
	}
}

static void test_server_is_verified(void **state)
{
	struct http_client_config client = {.ca_pem = TEST_OTHER_CRT};
	struct fixture f;

	(void)state;
	fixture_start(&f, &tls_config, &client);
	fixture_call(&f, "GET", "/x", NULL, 0);
	assert_int_equal(f.status, 0);
	assert_int_equal(f.error.code, -EKEYREJECTED);
	assert_int_equal(f.requests, 0);
	fixture_stop(&f);
}

static int start(void **state)
{
	static const struct http_client_config client = {.ca_pem = TEST_CA_CRT};
	static struct fixture f;

	fixture_start(&f, &tls_config, &client);
	*state = &f;
	return 0;
}

static int stop(void **state)
{
	fixture_stop(*state);
	return 0;
}

static void test_stream(void **state)
{
	struct fixture *f = *state;
	size_t total = 3000000;

	for (int round = 0; round < 2; round++) {
		f->stream_left = total;
		fixture_call(f, "GET", "/stream", NULL, 0);
		assert_int_equal(f->streamed, total);
		for (size_t i = 0; i < total; i++)
			assert_int_equal((unsigned char)f->body.data[i], (total - i) % 251);
	}
	assert_true(f->refused_room);
	fixture_call(f, "GET", "/file", NULL, 0);
	assert_int_equal(f->streamed, 3000000);
}

static void test_large_body(void **state)
{
	struct fixture *f = *state;
	char *body = mem_alloc(1000000);

	memset(body, 'x', 1000000);
	fixture_call(f, "PUT", "/p", body, 1000000);
	assert_int_equal(f->status, 200);
	assert_true(f->body.len > 1000000);
	free(body);
}

/* Neither plain HTTP nor silence gets anywhere */
static void test_no_tls(void **state)
{
	struct fixture *f = *state;
	struct buf b = BUF_INIT(0);
	int fd = fixture_connect(f);

	fixture_send(f, fd, "GET / HTTP/1.1\r\nHost: x\r\n\r\n", 28);
	assert_true(fixture_read(f, fd, &b, NULL, 1000));
	assert_null(strstr(buf_str(&b), "HTTP/"));
	close(fd);
	fd = fixture_connect(f);
	assert_true(fixture_read(f, fd, &b, NULL, 2000));
	close(fd);
	assert_int_equal(f->requests, 0);
	buf_done(&b);
}

static void test_bad_config(void **state)
{
	static const struct http_server_ops ops = {NULL};
	struct http_server_config configs[] = {
		{.cert_pem = "no", .key_pem = TEST_SERVER_KEY},
		{.cert_pem = TEST_SERVER_CRT},
		{.cert_pem = TEST_SERVER_CRT, .key_pem = TEST_CLIENT_KEY},
		{.cert_pem = TEST_SERVER_CRT,
		 .key_pem = TEST_SERVER_KEY,
		 .client_cert = HTTP_CLIENT_CERT_REQUIRED},
		{.address = "localhost"},
	};
	struct http_server *server;
	struct loop loop;

	(void)state;
	assert_int_equal(loop_init(&loop), 0);
	for (size_t i = 0; i < ARRAY_SIZE(configs); i++) {
		struct err e = ERR_INIT;

		configs[i].listen_fd = -1;
		if (!configs[i].address)
			configs[i].address = "127.0.0.1";
		assert_int_equal(http_server_new(&loop, &configs[i], &ops, NULL, &server, &e),
				 -EINVAL);
		assert_true(strlen(e.msg) > 10);
	}
	loop_done(&loop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_client_certs),
		cmocka_unit_test(test_server_is_verified),
		cmocka_unit_test_setup_teardown(test_stream, start, stop),
		cmocka_unit_test_setup_teardown(test_large_body, start, stop),
		cmocka_unit_test_setup_teardown(test_no_tls, start, stop),
		cmocka_unit_test(test_bad_config),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
