// SPDX-License-Identifier: Apache-2.0
/*
 * Whole requests of an administrator, a node and a service account to an API over an empty store: lines of
 * method, path, query, content type, then the body. The body is also shown as a bearer's token.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "api/internal.h"
#include "base/mem.h"
#include "base/str.h"
#include "tests/token_key.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct store *store;
static struct api_site site = {.ca_pem = "CA"};

static void request(const char *user, const char *group, char *const line[4], const char *body,
		    size_t len)
{
	struct api_call *c = mem_alloc(sizeof(*c));
	struct api_user u = {.name = ""};

	str_copy(u.name, sizeof(u.name), user);
	user_add_group(&u, group);
	c->store = store;
	c->site = &site;
	c->method = line[0];
	c->path = line[1];
	c->content_type = line[3];
	c->accept = "application/json;as=Table;v=v1;g=meta.k8s.io";
	c->body = body;
	c->body_len = len;
	c->user = &u;
	if (query_parse(&c->query, line[2]) == 0) {
		rest_handle(c);
		if (!c->reply.stream && !c->reply.status)
			__builtin_trap(); /* an answer is always there */
	}
	query_done(&c->query);
	buf_done(&c->reply.body);
	buf_done(&c->reply.headers);
	free(c);
}

/* Nobody has such a token. */
static void bearer(const char *token)
{
	_cleanup_free_ char *text = mem_printf("Bearer %s", token);
	struct api_user u = {.name = ""};

	if (auth_bearer(store, &site, text, &u) == 0 && *u.name)
		__builtin_trap();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct store_config config = {.ring_size = 16};
	char *text = mem_strndup((const char *)data, size), *rest = text, *line[4];
	size_t copied = strlen(text);
	char root[] = "POST", path[] = "/api/v1/namespaces", none[] = "";
	char *const make[4] = {root, path, none, none};
	static const char body[] = "{\"metadata\":{\"name\":\"default\"}}";

	if (!site.tokens && jwt_key_new(token_key, &site.tokens, NULL) < 0)
		abort();
	if (copied == size || memchr(data, '\0', size)) {
		if (store_open(NULL, &config, &store, NULL) < 0)
			abort();
		request("admin", "system:masters", make, body, sizeof(body) - 1);
		for (int i = 0; i < 4; i++) {
			line[i] = strsep(&rest, "\n");
			if (!line[i] || !rest)
				break;
			if (i == 3) {
				size_t at = (size_t)(rest - text);

				request("admin", "system:masters", line, (const char *)data + at,
					size - at);
				request("system:node:h1", "system:nodes", line,
					(const char *)data + at, size - at);
				request("system:serviceaccount:default:default",
					"system:serviceaccounts", line, (const char *)data + at,
					size - at);
				bearer(text + at);
			}
		}
		store = store_close(store);
	}
	free(text);
	return 0;
}
