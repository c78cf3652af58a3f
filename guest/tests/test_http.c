// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "http.h"

static void requests(void **state)
{
	static const char *const more[] = {"Host: me", "accept: text/html", "X: y"};
	const struct guest_strings none = {NULL, 0}, some = {more, 3};
	char out[256];
	long n = http_request("10.1.2.3:80", "", &none, out, sizeof(out));

	(void)state;
	assert_int_equal(n, strlen(out));
	assert_string_equal(out,
			    "GET / HTTP/1.1\r\nHost: 10.1.2.3:80\r\nUser-Agent: kube-probe/1.33\r\n"
			    "Accept: */*\r\nConnection: close\r\n\r\n");
	assert_true(http_request("h:1", "/a?b", &some, out, sizeof(out)) > 0);
	assert_string_equal(out, "GET /a?b HTTP/1.1\r\nUser-Agent: kube-probe/1.33\r\nHost: me\r\n"
				 "accept: text/html\r\nX: y\r\nConnection: close\r\n\r\n");
	for (size_t size = 0; size < 100; size++)
		assert_int_equal(http_request("h:1", "/a?b", &some, out, size), -E2BIG);
}

static void replies(void **state)
{
	static const struct {
		const char *text;
		int result, status;
		bool head_over, complete;
		const char *location;
	} cases[] = {
		{"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", 0, 200, true, true, ""},
		{"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nhi", 0, 200, true, false, ""},
		{"HTTP/1.0 503 No\r\n\r\n", 0, 503, true, false, ""},
		{"HTTP/1.1 204 \r\n\r\n", 0, 204, true, true, ""},
		{"HTTP/1.1 302 F\r\nlocation:  /x \r\nX: y\r\n\r\n", 0, 302, true, false, "/x "},
		{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n", 0,
		 200, true, true, ""},
		{"HTTP/1.1 200 OK\n\nbody", 0, 200, true, false, ""},
		{"HTTP/1.1 200 OK\r\nA: b\r\n", 0, 0, false, false, ""},
		{"HTTP/1.1 2000 OK\r\n\r\n", 0, 200, true, false, ""},
		{"HTTP/1.1 099 OK\r\n\r\n", -EPROTO, 99, true, false, ""},
		{"HTTP/2 200\r\n\r\n", -EPROTO, 0, true, false, ""},
		{"SSH-2.0-x\r\n\r\n", -EPROTO, 0, true, false, ""},
		{"\n\n\n\n", -EPROTO, 0, true, false, ""},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		/* in one piece, and byte by byte */
		for (int pieces = 0; pieces < 2; pieces++) {
			struct http_reply r = {0};
			size_t len = strlen(cases[i].text), step = pieces ? 1 : len;
			int result = 0;

			for (size_t at = 0; at < len && result == 0; at += step)
				result = http_reply_add(&r, cases[i].text + at, step);
			assert_int_equal(result, cases[i].result);
			assert_int_equal(r.status, cases[i].status);
			assert_int_equal(r.head_over, cases[i].head_over);
			if (result == 0)
				assert_int_equal(r.complete, cases[i].complete);
			assert_string_equal(r.location, cases[i].location);
		}
	}
}

/* A head without end is judged by what is there; a body without end is not waited for. */
static void endless(void **state)
{
	struct http_reply r = {0};
	char data[1024];

	(void)state;
	memset(data, 'x', sizeof(data));
	assert_int_equal(http_reply_add(&r, "HTTP/1.1 200 OK\r\nX: ", 20), 0);
	for (int i = 0; i < 4; i++)
		assert_int_equal(http_reply_add(&r, data, sizeof(data)), 0);
	assert_true(r.head_over);
	assert_false(r.complete);
	for (int i = 0; i < 10; i++)
		assert_int_equal(http_reply_add(&r, data, sizeof(data)), 0);
	assert_true(r.complete);
	assert_int_equal(r.status, 200);
}

static void redirects(void **state)
{
	static const struct {
		const char *location;
		bool followed;
		const char *path;
		uint16_t port;
	} cases[] = {
		{"/x?y=z#frag", true, "/x?y=z", 81},
		{"http://10.1.2.3:8080/a", true, "/a", 8080},
		{"http://10.1.2.3", true, "", 80},
		{"//10.1.2.3/b", true, "/b", 80},
		{"http://10.1.2.30/a", false, "/old", 81},
		{"http://other/a", false, "/old", 81},
		{"https://10.1.2.3/a", false, "/old", 81},
		{"http://10.1.2.3:0/a", false, "/old", 81},
		{"http://10.1.2.3:99999999/a", false, "/old", 81},
		{"relative", false, "/old", 81},
		{"", false, "/old", 81},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char path[GUEST_PATH_LEN_MAX + 1] = "/old";
		uint16_t port = 81;

		assert_int_equal(http_redirect(cases[i].location, "10.1.2.3:81", path, &port),
				 cases[i].followed);
		assert_string_equal(path, cases[i].path);
		assert_int_equal(port, cases[i].port);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests),
		cmocka_unit_test(replies),
		cmocka_unit_test(endless),
		cmocka_unit_test(redirects),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
