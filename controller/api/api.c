// SPDX-License-Identifier: Apache-2.0
/* The glue: a server's request becomes an api_call, its reply becomes the answer. */
#include "api/api.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "account.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "gc.h"
#include "stream.h"

#define BODY_CAP ((size_t)3 << 20) /* as the real server */

void reply_send(struct api_call *c, struct http_request *r)
{
	http_reply(r, c->reply.status, c->reply.content_type, c->reply.body.data, c->reply.body.len,
		   c->reply.headers.len ? buf_str(&c->reply.headers) : NULL);
}

/* Certificate first, as the handshake has proved it; else the Authorization header. */
static int find_user(struct api *a, struct http_request *r, struct api_user *u)
{
	const struct http_peer *peer = http_request_peer(r);
	const char *authorization = http_request_header(r, "authorization");

	memset(u, 0, sizeof(*u));
	if (peer && peer->verified) {
		str_copy(u->name, sizeof(u->name), peer->common_name);
		for (size_t i = 0; i < peer->group_count; i++)
			user_add_group(u, peer->groups[i]);
		user_add_group(u, "system:authenticated");
		return 0;
	}
	return authorization ? auth_bearer(a->store, &a->site, authorization, u) : 0;
}

/* kubectl --as. Return: false when it answered */
static bool impersonate(struct api_call *c, struct http_request *r, struct api_user *u)
{
	const char *as = http_request_header(r, "impersonate-user"), *groups[API_GROUPS_MAX];
	size_t n = 0;

	while (n < API_GROUPS_MAX &&
	       (groups[n] = http_request_header_nth(r, "impersonate-group", n)))
		n++;
	if (!as && !n && !http_request_header(r, "impersonate-uid"))
		return true;
	return auth_impersonate(c, u, as ? as : "", groups, n);
}

static void on_request(struct http_request *r, void *arg)
{
	struct api *a = arg;
	const char *accept = http_request_header(r, "accept");
	const char *type = http_request_header(r, "content-type");
	struct api_user user;
	struct api_call *c = mem_alloc(sizeof(*c));
	bool sent = false;

	c->api = a;
	c->store = a->store;
	c->site = &a->site;
	c->host = http_request_header(r, "host");
	c->method = http_request_method(r);
	c->path = http_request_path(r);
	c->accept = accept ? accept : "";
	c->content_type = type ? type : "";
	c->body = http_request_body(r, &c->body_len);
	c->user = &user;
	if (query_parse(&c->query, http_request_query_raw(r)) < 0)
		reply_fail(c, 400, "BadRequest", "the query string is malformed");
	else if (find_user(a, r, &user) < 0)
		reply_fail(c, 401, "Unauthorized", "Unauthorized");
	else if (impersonate(c, r, &user))
		rest_handle(c);
	if (c->reply.stream)
		sent = c->kind->computed	 ? measure_start(c, r)
		       : !*c->sub		 ? watch_start(c, r)
		       : str_eq(c->sub, "log")	 ? log_start(c, r)
		       : str_eq(c->sub, "proxy") ? proxy_start(c, r)
						 : exec_start(c, r);
	log_debug("api", "method=%s path=%s user=%s status=%d", c->method, c->path, user.name,
		  c->reply.status);
	if (!sent)
		reply_send(c, r);
	query_done(&c->query);
	buf_done(&c->reply.body);
	buf_done(&c->reply.headers);
	free(c);
}

/* POST as the server itself, unless the object is there. */
static int make(struct store *store, const char *plural, const char *name, const char *path,
		const char *body, struct err *e)
{
	struct api_user system = {.name = "system:apiserver"};
	struct api_call *c = mem_alloc(sizeof(*c));
	int r = 0;

	user_add_group(&system, "system:masters");
	c->store = store;
	c->method = "POST";
	c->path = path;
	c->accept = c->content_type = "";
	c->body = body;
	c->body_len = strlen(body);
	c->user = &system;
	if (!store_get(store, plural, "", name)) {
		rest_handle(c);
		if (c->reply.status != 201)
			r = err_set(e, -EIO, "%s %s: %s", plural, name, buf_str(&c->reply.body));
	}
	buf_done(&c->reply.body);
	free(c);
	return r;
}

int api_make_namespace(struct store *store, const char *name, struct err *e)
{
	_cleanup_free_ char *body = mem_printf("{\"metadata\":{\"name\":\"%s\"}}", name);

	return make(store, "namespaces", name, "/api/v1/namespaces", body, e);
}

/* What hosts run (docs/controller.md); the overhead is what a guest takes besides its containers. */
static int make_runtime_classes(struct store *store, struct err *e)
{
	static const struct {
		const char *name, *memory;
	} classes[] = {{"hypervm", "32Mi"}, {"hypervm-full", "64Mi"}};
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(classes); i++) {
		_cleanup_free_ char *body =
			mem_printf("{\"metadata\":{\"name\":\"%s\"},\"handler\":\"%s\","
				   "\"overhead\":{\"podFixed\":{\"memory\":\"%s\"}}}",
				   classes[i].name, classes[i].name, classes[i].memory);

		r = make(store, "runtimeclasses", classes[i].name,
			 "/apis/node.k8s.io/v1/runtimeclasses", body, e);
	}
	return r;
}

int api_new(struct loop *loop, struct store *store, const struct api_config *config,
	    struct api **out, struct err *e)
{
	static const struct http_server_ops ops = {.on_request = on_request};
	struct http_server_config server = {
		.address = config->address,
		.port = config->port,
		.listen_fd = -1,
		.cert_pem = config->cert_pem,
		.key_pem = config->key_pem,
		.client_ca_pem = config->ca_pem,
		.client_cert = HTTP_CLIENT_CERT_OPTIONAL,
		.body_cap = BODY_CAP,
		.stream_cap = API_STREAM_CAP,
		.connections_max = 16384,
		.idle_timeout_s = 120,
	};
	struct api *a = mem_alloc(sizeof(*a));
	int r;

	a->loop = loop;
	a->store = store;
	list_init(&a->watches);
	list_init(&a->logs);
	list_init(&a->execs);
	a->measures = measures_new(a);
	a->host_ca_pem = mem_strdup(config->ca_pem);
	a->host_cert_pem = mem_strdup(config->client_cert_pem);
	a->host_key_pem = mem_strdup(config->client_key_pem);
	a->host_config = (struct http_client_config){
		.user_agent = "hypermetal-controller",
		.ca_pem = a->host_ca_pem,
		.cert_pem = a->host_cert_pem,
		.key_pem = a->host_key_pem,
	};
	a->site.ca_pem = a->host_ca_pem;
	a->site.images = config->images;
	r = jwt_key_new(config->token_key_pem, &a->site.tokens, e);
	if (r == 0)
		r = account_keeper_new(store, &a->site, &a->accounts, e);
	if (r == 0)
		r = make_runtime_classes(store, e);
	if (r == 0)
		r = gc_new(loop, store, &a->gc, e);
	if (r == 0)
		r = http_client_new(loop, &a->host_config, &a->hosts, e);
	if (r == 0)
		r = http_server_new(loop, &server, &ops, a, &a->server, e);
	if (r < 0) {
		api_free(a);
		return err_wrap(e, r, "api");
	}
	*out = a;
	return 0;
}

struct api *api_free(struct api *a)
{
	if (!a)
		return NULL;
	watch_free_all(a);
	log_free_all(a);
	exec_free_all(a);
	measures_free(a->measures);
	gc_free(a->gc);
	account_keeper_free(a->accounts);
	jwt_key_free(a->site.tokens);
	http_server_free(a->server);
	http_client_free(a->hosts);
	free(a->host_ca_pem);
	free(a->host_cert_pem);
	mem_free_secret(a->host_key_pem);
	free(a);
	return NULL;
}

uint16_t api_port(const struct api *a)
{
	return http_server_port(a->server);
}
