// SPDX-License-Identifier: Apache-2.0
/* Calls go in as strings, answers come out as documents. */
#include "api_world.h"

#include <stdio.h>

#include "base/mem.h"
#include "token_key.h"

static const char *const system_namespaces[] = {"default", "kube-system", "kube-node-lease"};

void be(struct world *w, const char *name, const char *group)
{
	memset(&w->user, 0, sizeof(w->user));
	str_copy(w->user.name, sizeof(w->user.name), name);
	user_add_group(&w->user, group);
}

int ask_bytes(struct world *w, const char *method, const char *path, const char *query,
	      const void *body, size_t len)
{
	struct api_call *c = mem_alloc(sizeof(*c));
	int status;

	w->answer = json_doc_free(w->answer);
	c->store = w->store;
	c->site = &w->site;
	c->method = method;
	c->path = path;
	c->accept = w->accept ? w->accept : "";
	c->content_type = w->type ? w->type : "application/json";
	c->body = body;
	c->body_len = len;
	c->user = &w->user;
	assert_int_equal(query_parse(&c->query, query), 0);
	rest_handle(c);
	status = c->reply.stream ? -1 : c->reply.status;
	str_copy(w->headers, sizeof(w->headers), buf_str(&c->reply.headers));
	if (c->reply.body.len && str_eq(c->reply.content_type, "application/json") &&
	    json_parse(c->reply.body.data, c->reply.body.len, &w->answer, NULL) < 0)
		fail_msg("not JSON: %s", buf_str(&c->reply.body));
	query_done(&c->query);
	buf_done(&c->reply.body);
	buf_done(&c->reply.headers);
	free(c);
	return status;
}

int ask(struct world *w, const char *method, const char *path, const char *query, const char *body)
{
	return ask_bytes(w, method, path, query, body, strlen(body));
}

int world_set_up(void **state)
{
	static const char *const volatiles[] = {"leases", "events", NULL};
	struct store_config config = {.volatiles = volatiles};
	struct world *w = mem_alloc(sizeof(*w));
	char body[100];

	assert_int_equal(store_open(NULL, &config, &w->store, NULL), 0);
	w->site.ca_pem = "the CA\n";
	assert_int_equal(jwt_key_new(token_key, &w->site.tokens, NULL), 0);
	be(w, "admin", "system:masters");
	for (size_t i = 0; i < ARRAY_SIZE(system_namespaces); i++) {
		snprintf(body, sizeof(body), "{\"metadata\":{\"name\":\"%s\"}}",
			 system_namespaces[i]);
		assert_int_equal(ask(w, "POST", "/api/v1/namespaces", "", body), 201);
	}
	*state = w;
	return 0;
}

int world_tear_down(void **state)
{
	struct world *w = *state;

	json_doc_free(w->answer);
	store_close(w->store);
	jwt_key_free(w->site.tokens);
	free(w);
	return 0;
}

void add_pod(struct world *w, const char *body)
{
	int status = ask(w, "POST", PODS, "", body);

	if (status != 201)
		fail_msg("%d %s", status, TEXT(w, "message"));
}

void add_node(struct world *w, const char *name)
{
	char body[100];

	snprintf(
		body, sizeof(body),
		"{\"metadata\":{\"name\":\"%s\"},\"status\":{\"nodeInfo\":{\"kubeletVersion\":\"v1\"}}}",
		name);
	assert_int_equal(ask(w, "POST", "/api/v1/nodes", "", body), 201);
}
