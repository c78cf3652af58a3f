// SPDX-License-Identifier: Apache-2.0
/* Another API server, played by a fake of the HTTP client: the test answers each call by hand. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/str.h"
#include "remote/internal.h"

struct http_client {
	int unused;
};

struct http_call {
	struct http_call *next;
	char *method, *url, *body, *authorization;
	struct http_call_ops ops;
	void *arg;
};

static struct http_call *calls;

int http_client_new(struct loop *loop, const struct http_client_config *config,
		    struct http_client **client, struct err *e)
{
	(void)loop;
	(void)config;
	(void)e;
	*client = mem_alloc(sizeof(**client));
	return 0;
}

struct http_client *http_client_free(struct http_client *client)
{
	free(client);
	return NULL;
}

static void call_free(struct http_call *c)
{
	struct http_call **at = &calls;

	while (*at != c)
		at = &(*at)->next;
	*at = c->next;
	free(c->method);
	free(c->url);
	free(c->body);
	free(c->authorization);
	free(c);
}

struct http_call *http_call_start(struct http_client *client, const struct http_call_spec *spec,
				  const struct http_call_ops *ops, void *arg, struct err *e)
{
	struct http_call *c = mem_alloc(sizeof(*c));

	(void)client;
	(void)e;
	c->method = mem_strdup(spec->method);
	c->url = mem_strdup(spec->url);
	c->body = mem_strndup(spec->body ? spec->body : "", spec->body_len);
	for (const struct http_header *h = spec->headers; h->name; h++) {
		if (str_eq(h->name, "Authorization"))
			c->authorization = mem_strdup(h->value);
	}
	c->ops = *ops;
	c->arg = arg;
	c->next = calls;
	calls = c;
	return c;
}

void http_call_cancel(struct http_call *call)
{
	call_free(call);
}

/* The open call whose method and URL begin so, or NULL. */
static struct http_call *find(const char *method, const char *url)
{
	for (struct http_call *c = calls; c; c = c->next) {
		if (str_eq(c->method, method) && strstr(c->url, url))
			return c;
	}
	return NULL;
}

static void answer(struct http_call *c, int status, const char *body)
{
	struct http_reply reply = {.status = status, .body = BUF_INIT(0)};
	struct err e = ERR_INIT;

	assert_non_null(c);
	if (c->ops.on_data && status == 200)
		c->ops.on_data(c, body, strlen(body), c->arg);
	else
		buf_puts(&reply.body, body);
	if (!status)
		err_set(&e, -ECONNREFUSED, "refused");
	c->ops.on_done(c, &reply, status ? NULL : &e, c->arg);
	buf_done(&reply.body);
	call_free(c);
}

static void feed(struct http_call *c, const char *text)
{
	assert_int_equal(c->ops.on_data(c, text, strlen(text), c->arg), 0);
}

struct world {
	struct loop loop;
	struct store *store;
	struct remote *remote;
};

static const char *const volatiles[] = {REMOTE_VOLATILES, NULL};

static void settle(struct world *w, int ms)
{
	for (int i = 0; i < ms / 10; i++)
		loop_once(&w->loop, 10);
}

static int set_up(void **state)
{
	struct store_config sc = {.volatiles = volatiles};
	struct remote_config rc = {.url = "https://kube:6443", .token = "t0k"};
	struct world *w = mem_alloc(sizeof(*w));

	assert_int_equal(loop_init(&w->loop), 0);
	assert_int_equal(store_open(&w->loop, &sc, &w->store, NULL), 0);
	assert_int_equal(remote_new(&w->loop, w->store, &rc, &w->remote, NULL), 0);
	settle(w, 30);
	*state = w;
	return 0;
}

static int tear_down(void **state)
{
	struct world *w = *state;

	remote_free(w->remote);
	store_close(w->store);
	loop_done(&w->loop);
	assert_null(calls);
	free(w);
	return 0;
}

#define CSR_LIST                                                                                \
	"{\"metadata\":{\"resourceVersion\":\"77\"},\"items\":[{\"metadata\":{\"name\":\"c1\"," \
	"\"uid\":\"u1\",\"resourceVersion\":\"70\"},\"spec\":{\"username\":\"x\"}}]}"

static void test_mirror(void **state)
{
	struct world *w = *state;
	struct http_call *c = find("GET", "/certificatesigningrequests");
	struct store_object *o;

	assert_string_equal(c->authorization, "Bearer t0k");
	assert_null(strstr(c->url, "watch="));
	answer(c, 200, CSR_LIST);
	o = store_get(w->store, "certificatesigningrequests", "", "c1");
	assert_non_null(o);
	assert_string_equal(json_str(json_get(json_root(o->doc), "kind"), ""),
			    "CertificateSigningRequest");
	settle(w, 300);
	c = find("GET", "/certificatesigningrequests?watch=true");
	assert_non_null(strstr(c->url, "resourceVersion=77"));
	/* events, cut anywhere */
	feed(c, "{\"type\":\"ADDED\",\"object\":{\"metadata\":{\"name\":\"c2\",\"res");
	feed(c, "ourceVersion\":\"80\"}}}\n{\"type\":\"BOOKMARK\",");
	assert_non_null(store_get(w->store, "certificatesigningrequests", "", "c2"));
	answer(c, 200,
	       "\"object\":{\"metadata\":{\"resourceVersion\":\"90\"}}}\n"
	       "{\"type\":\"DELETED\",\"object\":{\"metadata\":{\"name\":\"c1\",\"resourceVersion\":\"91\"}}}\n");
	assert_null(store_get(w->store, "certificatesigningrequests", "", "c1"));
	settle(w, 300);
	c = find("GET", "resourceVersion=91"); /* goes on where it was */
	answer(c, 200, "{\"type\":\"ERROR\",\"object\":{\"code\":410}}\n");
	settle(w, 300);
	c = find("GET", "/certificatesigningrequests"); /* and lists again when that is too old */
	assert_null(strstr(c->url, "watch="));
	answer(c, 200, "{\"metadata\":{\"resourceVersion\":\"99\"},\"items\":[]}");
	assert_int_equal(store_count(w->store, "certificatesigningrequests"), 0);
}

static void test_silence(void **state)
{
	struct world *w = *state;

	answer(find("GET", "/nodes"), 0, "");
	settle(w, 300);
	assert_null(find("GET", "/nodes")); /* not at once */
	settle(w, 1000);
	answer(find("GET", "/nodes"), 500, "{}");
	settle(w, 2200);
	answer(find("GET", "/nodes"), 200, "not JSON");
	assert_int_equal(store_count(w->store, "nodes"), 0);
}

static void add_secret(struct world *w, const char *name)
{
	struct json_doc *doc = json_doc_new();

	json_set_root(doc, json_new_obj(doc));
	json_put_str(doc, json_obj_of(doc, json_root(doc), "metadata"), "name", name);
	assert_int_equal(store_create(w->store, "secrets", "kube-system", name, doc, NULL, NULL),
			 0);
}

static void test_outbox(void **state)
{
	struct world *w = *state;
	struct http_call *c;

	add_secret(w, "bootstrap-token-aaaaaa");
	add_secret(w, "other");
	add_secret(w, "bootstrap-token-bbbbbb");
	store_delete(w->store, "secrets", "kube-system", "bootstrap-token-aaaaaa", 0, NULL);
	settle(w, 30);
	/* one at a time, in order; silence repeats, an answer does not */
	c = find("POST", "/namespaces/kube-system/secrets");
	assert_non_null(strstr(c->body, "bootstrap-token-aaaaaa"));
	assert_null(strstr(c->body, "resourceVersion"));
	assert_null(strstr(c->body, "\"uid\""));
	answer(c, 0, "");
	assert_null(find("POST", "/secrets"));
	settle(w, 1200);
	answer(find("POST", "/secrets"), 409, "{}");
	c = find("POST", "/secrets");
	assert_non_null(strstr(c->body, "bootstrap-token-bbbbbb"));
	assert_null(find("DELETE", "/secrets"));
	answer(c, 201, "{}");
	answer(find("DELETE", "/secrets/bootstrap-token-aaaaaa"), 200, "{}");
	assert_null(find("DELETE", ""));
}

static void test_decision(void **state)
{
	struct world *w = *state;
	_cleanup_json_ struct json_doc *doc = NULL;
	struct http_call *c;

	answer(find("GET", "/certificatesigningrequests"), 200, CSR_LIST);
	remote_decide(w->remote, store_get(w->store, "certificatesigningrequests", "", "c1"),
		      "Approved", "Because", "why");
	c = find("PUT", "/certificatesigningrequests/c1/approval");
	assert_int_equal(json_parse(c->body, strlen(c->body), &doc, NULL), 0);
	assert_string_equal(
		json_str(json_at(json_root(doc), "metadata", "resourceVersion", NULL), ""), "70");
	assert_string_equal(json_str(json_at(json_root(doc), "metadata", "uid", NULL), ""), "u1");
	assert_non_null(store_condition(json_root(doc), "Approved"));
	assert_null(json_get(json_root(doc), REMOTE_REV_KEY));
	answer(c, 200, "{}");
}

static void test_annotation(void **state)
{
	struct world *w = *state;
	struct http_call *c;

	remote_annotate(w->remote, "h1", "hypermetal.io/x", "why \"so\"");
	remote_annotate(w->remote, "h1", "hypermetal.io/x", NULL);
	c = find("PATCH", "/api/v1/nodes/h1");
	assert_string_equal(
		c->body,
		"{\"metadata\":{\"annotations\":{\"hypermetal.io/x\":\"why \\\"so\\\"\"}}}");
	answer(c, 200, "{}");
	c = find("PATCH", "/api/v1/nodes/h1");
	assert_string_equal(c->body, "{\"metadata\":{\"annotations\":{\"hypermetal.io/x\":null}}}");
	answer(c, 404, "{}");
	assert_null(find("PATCH", ""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_mirror, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_silence, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_outbox, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_decision, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_annotation, set_up, tear_down),
	};

	return cmocka_run_group_tests_name("remote", tests, NULL, NULL);
}
