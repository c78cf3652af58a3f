// SPDX-License-Identifier: Apache-2.0
#include "fake_api.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "http/server.h"
#include "json/json.h"

#define FAKE_REQUESTS_MAX 256

struct fake_request {
	char *method, *path, *body;
};

static struct {
	struct http_server *server;
	struct http_request *stream;
	char url[64], authorization[256];
	struct fake_rule rules[FAKE_RULES_MAX];
	int rule_count, request_count;
	struct fake_request requests[FAKE_REQUESTS_MAX];
} fake_api;

static struct fake_rule *fake_api_rule(const char *method, const char *path)
{
	for (int i = fake_api.rule_count; i-- > 0;) {
		struct fake_rule *r = &fake_api.rules[i];

		if (r->times >= 0 && str_eq(r->method, method) && str_starts(path, r->path))
			return r;
	}
	return NULL;
}

static void fake_api_closed(struct http_request *r, void *arg)
{
	(void)arg;
	if (fake_api.stream == r)
		fake_api.stream = NULL;
}

/* The object that was sent, as a server returns it. */
static void fake_api_echo(struct http_request *r, int status, const char *body)
{
	struct buf out = BUF_INIT(0);
	struct json_doc *doc;
	struct json *meta;

	if (json_parse(body, strlen(body), &doc, NULL) < 0)
		abort();
	meta = json_obj_of(doc, json_root(doc), "metadata");
	json_put_str(doc, meta, "uid", "uid-1");
	json_put_fmt(doc, meta, "resourceVersion", "%d", fake_api.request_count);
	json_write(json_root(doc), &out);
	http_reply(r, status, "application/json", out.data, out.len, NULL);
	buf_done(&out);
	json_doc_free(doc);
}

static void fake_api_request(struct http_request *r, void *arg)
{
	const char *query = http_request_query_raw(r),
		   *auth = http_request_header(r, "authorization");
	struct fake_request *q = &fake_api.requests[fake_api.request_count];
	struct fake_rule *rule;
	size_t len;

	(void)arg;
	if (fake_api.request_count == FAKE_REQUESTS_MAX)
		abort();
	fake_api.request_count++;
	q->method = mem_strdup(http_request_method(r));
	q->path = mem_printf("%s%s%s", http_request_path(r), *query ? "?" : "", query);
	q->body = mem_strdup(http_request_body(r, &len) ? http_request_body(r, &len) : "");
	(void)str_copy(fake_api.authorization, sizeof(fake_api.authorization), auth ? auth : "");
	rule = fake_api_rule(q->method, q->path);
	if (!rule) {
		static const char none[] = "{\"kind\":\"Status\",\"reason\":\"NotFound\","
					   "\"message\":\"no rule\",\"code\":404}";

		http_reply(r, 404, "application/json", none, strlen(none), NULL);
		return;
	}
	if (rule->times && --rule->times == 0)
		rule->times = -1;
	if (rule->stream) {
		fake_api.stream = r;
		http_request_on_close(r, fake_api_closed, NULL);
		http_stream_begin(r, rule->status, "application/json");
	} else if (!rule->body) {
		fake_api_echo(r, rule->status, q->body);
	} else {
		http_reply(r, rule->status, "application/json", rule->body, strlen(rule->body),
			   rule->headers);
	}
}

void fake_api_start(struct loop *loop)
{
	const struct http_server_config config = {.address = "127.0.0.1", .listen_fd = -1};
	static const struct http_server_ops ops = {.on_request = fake_api_request};
	struct err e = ERR_INIT;

	memset(&fake_api, 0, sizeof(fake_api));
	if (http_server_new(loop, &config, &ops, NULL, &fake_api.server, &e) < 0)
		abort();
	snprintf(fake_api.url, sizeof(fake_api.url), "http://127.0.0.1:%u",
		 http_server_port(fake_api.server));
}

void fake_api_stop(void)
{
	fake_api.server = http_server_free(fake_api.server);
	for (int i = 0; i < fake_api.request_count; i++) {
		free(fake_api.requests[i].method);
		free(fake_api.requests[i].path);
		free(fake_api.requests[i].body);
	}
	fake_api.request_count = 0;
}

const char *fake_api_url(void)
{
	return fake_api.url;
}

void fake_api_on(const struct fake_rule *rule)
{
	if (fake_api.rule_count == FAKE_RULES_MAX)
		abort();
	fake_api.rules[fake_api.rule_count++] = *rule;
}

static bool fake_api_fits(int i, const char *method, const char *path)
{
	return str_eq(fake_api.requests[i].method, method) &&
	       str_starts(fake_api.requests[i].path, path);
}

int fake_api_count(const char *method, const char *path)
{
	int n = 0;

	for (int i = 0; i < fake_api.request_count; i++)
		n += fake_api_fits(i, method, path);
	return n;
}

int fake_api_index(const char *method, const char *path)
{
	for (int i = 0; i < fake_api.request_count; i++)
		if (fake_api_fits(i, method, path))
			return i;
	return -1;
}

const char *fake_api_body(const char *method, const char *path)
{
	for (int i = fake_api.request_count; i-- > 0;)
		if (fake_api_fits(i, method, path))
			return fake_api.requests[i].body;
	return "";
}

const char *fake_api_authorization(void)
{
	return fake_api.authorization;
}

bool fake_api_stream(const char *text)
{
	if (!fake_api.stream)
		return false;
	if (!text) {
		http_stream_end(fake_api.stream);
		fake_api.stream = NULL;
	} else if (http_stream_write(fake_api.stream, text, strlen(text)) < 0) {
		return false;
	}
	return true;
}
