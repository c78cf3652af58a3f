// SPDX-License-Identifier: Apache-2.0
/* Who is let through, with the HTTP server and hostd played by this file. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "api/allow.h"
#include "base/mem.h"
#include "base/str.h"

struct http_request {
	struct http_peer peer;
	const char *method, *path;
	int status; /* 0: not answered */
	bool served;
	void (*on_close)(struct http_request *r, void *arg);
	void *arg;
};

static struct ask *open_ask;
static char asked[512]; /* the words, joined by blanks */
static int asked_count;

/* ---- the server ---- */

const struct http_peer *http_request_peer(const struct http_request *r)
{
	return &r->peer;
}

const char *http_request_method(const struct http_request *r)
{
	return r->method;
}

const char *http_request_path(const struct http_request *r)
{
	return r->path;
}

void http_request_on_close(struct http_request *r, void (*fn)(struct http_request *r, void *arg),
			   void *arg)
{
	r->on_close = fn;
	r->arg = arg;
}

void http_reply_text(struct http_request *r, int status, const char *fmt, ...)
{
	(void)fmt;
	r->status = status;
}

/* ---- hostd ---- */

int ask_send(struct asker *asker, struct ask *a, struct api_wire_ask *m)
{
	size_t at = 0;

	(void)asker;
	assert_int_equal(m->kind, API_WIRE_ALLOW);
	asked[0] = '\0';
	for (uint32_t i = 0; i < m->arg_count; i++) {
		snprintf(asked + strlen(asked), sizeof(asked) - strlen(asked), "%s%s", i ? " " : "",
			 m->args + at);
		at += strlen(m->args + at) + 1;
	}
	assert_int_equal(at, m->arg_bytes);
	asked_count++;
	open_ask = a;
	return 0;
}

void ask_cancel(struct ask *a)
{
	if (open_ask == a)
		open_ask = NULL;
}

static void answer(int code)
{
	const struct api_wire_answer m = {.code = code};
	struct ask *a = open_ask;

	assert_non_null(a);
	open_ask = NULL;
	a->answered(a, &m, NULL, 0);
}

/* ---- tests ---- */

static void serve(struct http_request *r, void *arg)
{
	assert_ptr_equal(arg, &asked);
	r->served = true;
}

static struct http_request request(const char *name, const char *group, const char *method,
				   const char *path)
{
	struct http_request r = {
		.peer = {.verified = true, .group_count = 1}, .method = method, .path = path};

	(void)str_copy(r.peer.common_name, sizeof(r.peer.common_name), name);
	(void)str_copy(r.peer.groups[0], sizeof(r.peer.groups[0]), group);
	return r;
}

static struct allow *begin(void)
{
	open_ask = NULL;
	asked_count = 0;
	return allow_new(NULL, serve, &asked);
}

static void attributes(void **state)
{
	static const char *const cases[][4] = {
		{"GET", "/stats/summary", "get", "stats"},
		{"GET", "/metrics", "get", "metrics"},
		{"GET", "/metrics/resource", "get", "metrics"},
		{"GET", "/metricsx", "get", "proxy"},
		{"GET", "/pods", "get", "proxy"},
		{"GET", "/healthz", "get", "proxy"},
		{"GET", "/containerLogs/a/b/c", "get", "proxy"},
		{"GET", "/exec/a/b/c", "create", "proxy"},
		{"POST", "/attach/a/b/c", "create", "proxy"},
		{"DELETE", "/pods", "delete", "proxy"},
		{"BREW", "/pods", "", "proxy"},
	};
	const char *verb, *sub;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		allow_attributes(cases[i][0], cases[i][1], &verb, &sub);
		assert_string_equal(verb, cases[i][2]);
		assert_string_equal(sub, cases[i][3]);
	}
}

static void masters_and_nobody(void **state)
{
	struct allow *a = begin();
	struct http_request master = request("kubelet-client", "system:masters", "GET", "/pods");
	struct http_request nobody = request("", "people", "GET", "/pods");

	(void)state;
	allow_request(a, &master);
	assert_true(master.served);
	allow_request(a, &nobody);
	assert_int_equal(nobody.status, 401);
	assert_int_equal(asked_count, 0);
	free(a);
}

static void the_api_decides(void **state)
{
	struct allow *a = begin();
	struct http_request yes = request("prometheus", "monitors", "GET", "/metrics");
	struct http_request again = yes,
			    exec = request("prometheus", "monitors", "GET", "/exec/a/b/c");
	struct http_request unsure = request("other", "monitors", "GET", "/metrics"),
			    later = unsure;

	(void)state;
	allow_request(a, &yes);
	assert_string_equal(asked, "prometheus get metrics monitors system:authenticated");
	assert_false(yes.served);
	answer(0);
	assert_true(yes.served && !yes.on_close);
	allow_request(a, &again); /* known by now */
	assert_true(again.served);
	assert_int_equal(asked_count, 1);

	/* To read is not to execute. */
	allow_request(a, &exec);
	assert_string_equal(asked, "prometheus create proxy monitors system:authenticated");
	answer(-EACCES);
	assert_true(!exec.served && exec.status == 403);
	exec.status = 0;
	allow_request(a, &exec);
	assert_int_equal(exec.status, 403);
	assert_int_equal(asked_count, 2);

	/* No answer is no permission, and nothing to remember. */
	allow_request(a, &unsure);
	answer(-EIO);
	assert_true(!unsure.served && unsure.status == 500);
	allow_request(a, &later);
	assert_int_equal(asked_count, 4);
	answer(-EACCES);
	assert_int_equal(later.status, 403);
	free(a);
}

/* Names of a certificate as long and as many as they can be: asked once, then known. */
static void longest_names(void **state)
{
	struct allow *a = begin();
	struct http_request r = request("", "", "GET", "/stats/summary"), again;

	(void)state;
	memset(r.peer.common_name, 'n', sizeof(r.peer.common_name) - 1);
	r.peer.group_count = HTTP_PEER_GROUPS_MAX;
	for (size_t i = 0; i < HTTP_PEER_GROUPS_MAX; i++)
		memset(r.peer.groups[i], 'a' + (int)i, sizeof(r.peer.groups[i]) - 1);
	again = r;
	allow_request(a, &r);
	assert_int_equal(asked_count, 1);
	answer(0);
	assert_true(r.served);
	allow_request(a, &again);
	assert_true(again.served);
	assert_int_equal(asked_count, 1);
	free(a);
}

static void client_goes_away(void **state)
{
	struct allow *a = begin();
	struct http_request r = request("prometheus", "monitors", "GET", "/metrics");

	(void)state;
	allow_request(a, &r);
	assert_non_null(open_ask);
	r.on_close(&r, r.arg);
	assert_null(open_ask);
	free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(attributes),	    cmocka_unit_test(masters_and_nobody),
		cmocka_unit_test(the_api_decides),  cmocka_unit_test(longest_names),
		cmocka_unit_test(client_goes_away),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
