// SPDX-License-Identifier: Apache-2.0
#include "api.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "http/client.h"
#include "http/tunnel.h"

#define API_REPLY_MAX	   (64 << 20)
#define API_TIMEOUT_MS	   30000
#define API_TUNNEL_HEADERS 8

struct api {
	struct http_client *http;
	struct http_client_config config; /* borrowed from the kubeconfig */
	char *server;
	char *authorization; /* header value, or NULL */
};

int api_new(const struct kubeconfig *k, struct api **api, struct err *e)
{
	const struct http_client_config config = {.user_agent = "hyper",
						  .ca_pem = k->ca_pem,
						  .cert_pem = k->cert_pem,
						  .key_pem = k->key_pem};
	struct http_client *http;
	int r = http_client_new(NULL, &config, &http, e);

	if (r < 0)
		return r;
	*api = mem_alloc(sizeof(**api));
	(*api)->http = http;
	(*api)->config = config;
	(*api)->server = mem_strdup(k->server);
	(*api)->authorization = k->token ? mem_printf("Bearer %s", k->token) : NULL;
	return 0;
}

struct api *api_free(struct api *api)
{
	if (!api)
		return NULL;
	http_client_free(api->http);
	free(api->server);
	free(api->authorization);
	free(api);
	return NULL;
}

static int api_refusal(int status, const struct json *answer, struct err *e)
{
	const char *message = json_str(json_get(answer, "message"), NULL);
	const char *reason = json_str(json_get(answer, "reason"), "");
	char safe[ERR_MSG_MAX];
	int code = -EINVAL;

	if (status == 404)
		code = -ENOENT;
	else if (status == 409 && str_eq(reason, "AlreadyExists"))
		code = -EEXIST;
	else if (status == 401 || status == 403)
		code = -EPERM;
	if (!message)
		return err_set(e, code, "the server answered with HTTP status %d", status);
	return err_set(e, code, "%s", str_visible(safe, sizeof(safe), message));
}

static const char *api_type(const char *method)
{
	return str_eq(method, "PATCH") ? "application/strategic-merge-patch+json"
				       : "application/json";
}

static void api_headers(const struct api *api, const char *type, struct http_header headers[4])
{
	size_t n = 0;

	headers[n++] = (struct http_header){"Accept", "application/json"};
	headers[n++] = (struct http_header){"Content-Type", type};
	if (api->authorization)
		headers[n++] = (struct http_header){"Authorization", api->authorization};
	headers[n] = (struct http_header){NULL, NULL};
}

static int api_unreachable(const struct api *api, int r, struct err *e)
{
	return err_wrap(e, r, "cannot reach the controller at %s", api->server);
}

static int api_send(struct api *api, const char *method, const char *path, const char *type,
		    const void *data, size_t len, struct json_doc **doc, struct err *e)
{
	_cleanup_free_ char *url = mem_printf("%s%s", api->server, path);
	_cleanup_json_ struct json_doc *answer = NULL;
	struct http_header headers[4];
	const struct http_call_spec spec = {.method = method,
					    .url = url,
					    .headers = headers,
					    .body = data,
					    .body_len = len,
					    .reply_cap = API_REPLY_MAX,
					    .timeout_ms = API_TIMEOUT_MS};
	struct http_reply reply;
	int r;

	api_headers(api, type, headers);
	r = http_client_do(api->http, &spec, NULL, NULL, &reply, e);
	if (r < 0)
		return api_unreachable(api, r, e);
	if (json_parse(buf_str(&reply.body), reply.body.len, &answer, e) < 0 && reply.status < 300)
		r = err_wrap(e, -EBADMSG, "%s %s", method, path);
	else if (reply.status >= 300)
		r = api_refusal(reply.status, json_root(answer), e);
	else if (doc)
		*doc = take_ptr(answer);
	http_reply_done(&reply);
	return r;
}

int api_call(struct api *api, const char *method, const char *path, const struct json *body,
	     struct json_doc **doc, struct err *e)
{
	struct buf text = BUF_INIT(0);
	int r = body ? json_write(body, &text) : 0;

	if (r < 0)
		err_sys(e, r, "write the request");
	else
		r = api_send(api, method, path, api_type(method), text.data, text.len, doc, e);
	buf_done(&text);
	return r;
}

int api_put_bytes(struct api *api, const char *path, const void *data, size_t len, struct err *e)
{
	return api_send(api, "PUT", path, "application/octet-stream", data, len, NULL, e);
}

struct api_stream {
	int (*on_data)(const void *data, size_t len, void *arg);
	void *arg;
	int status;
	struct buf refusal;
};

static void api_stream_head(struct http_call *call, const struct http_reply *reply, void *arg)
{
	struct api_stream *s = arg;

	(void)call;
	s->status = reply->status;
}

static int api_stream_data(struct http_call *call, const void *data, size_t len, void *arg)
{
	struct api_stream *s = arg;

	(void)call;
	return s->status == 200 ? s->on_data(data, len, s->arg)
				: buf_append(&s->refusal, data, len);
}

int api_stream(struct api *api, const char *path,
	       int (*on_data)(const void *data, size_t len, void *arg), void *arg, struct err *e)
{
	static const struct http_call_ops ops = {.on_head = api_stream_head,
						 .on_data = api_stream_data};
	_cleanup_free_ char *url = mem_printf("%s%s", api->server, path);
	struct api_stream s = {.on_data = on_data, .arg = arg, .refusal = BUF_INIT(1 << 20)};
	struct http_header headers[4];
	const struct http_call_spec spec = {
		.method = "GET", .url = url, .headers = headers, .timeout_ms = -1};
	struct http_reply reply;
	int r;

	api_headers(api, api_type("GET"), headers);
	r = http_client_do(api->http, &spec, &ops, &s, &reply, e);
	if (r < 0) {
		api_unreachable(api, r, e);
	} else {
		if (reply.status >= 300) {
			_cleanup_json_ struct json_doc *doc = NULL;

			if (json_parse(buf_str(&s.refusal), s.refusal.len, &doc, NULL) < 0)
				r = err_set(e, -EINVAL, "%s", buf_str(&s.refusal));
			else
				r = api_refusal(reply.status, json_root(doc), e);
		}
		http_reply_done(&reply);
	}
	buf_done(&s.refusal);
	return r;
}

int api_refused(int status, const char *body, struct err *e)
{
	_cleanup_json_ struct json_doc *doc = NULL;

	if (json_parse(body, strlen(body), &doc, NULL) < 0)
		return api_refusal(status, NULL, e);
	return api_refusal(status, json_root(doc), e);
}

int api_tunnel(struct api *api, struct loop *loop, const char *path,
	       const struct http_header *headers, const struct http_tunnel_ops *ops, void *arg,
	       struct http_tunnel **tunnel, struct err *e)
{
	_cleanup_free_ char *url = mem_printf("%s%s", api->server, path);
	struct http_header all[API_TUNNEL_HEADERS + 2];
	const struct http_tunnel_spec spec = {.method = "GET", .url = url, .headers = all};
	size_t n = 0;
	int r;

	for (; n < API_TUNNEL_HEADERS && headers[n].name; n++)
		all[n] = headers[n];
	if (api->authorization)
		all[n++] = (struct http_header){"Authorization", api->authorization};
	all[n] = (struct http_header){NULL, NULL};
	r = http_tunnel_new(loop, &api->config, &spec, ops, arg, tunnel, e);
	return r < 0 ? api_unreachable(api, r, e) : 0;
}
