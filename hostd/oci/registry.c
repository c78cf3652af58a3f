// SPDX-License-Identifier: Apache-2.0
/*
 * Each place that may have the image (mirrors, then the registry) is an endpoint with its own token.
 * A request goes to one after another until one has what is asked for; when none has, the reasons of
 * all are told, each with the place it came from.
 *
 * A registry that answers 401 says where to get a token (challenge.c); it is got with the login for that
 * endpoint, or without any, and the request is repeated once. A registry that wants the login itself gets it. Plain HTTP is spoken only to a mirror that was given so, and a
 * token is never fetched over plain HTTP for an endpoint that is not.
 */
#include "oci/registry.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "http/client.h"
#include "json/json.h"
#include "oci/challenge.h"
#include "oci/digest.h"
#include "oci/login.h"
#include "oci/manifest.h"

#define REGISTRY_ENDPOINTS_MAX 9
#define REGISTRY_URL_MAX       1024
#define REGISTRY_TOKEN_MAX     ((size_t)64 << 10)
#define REGISTRY_WORDS_MAX     ((size_t)64 << 10)
#define REGISTRY_STALL_S       30
#define DOCKER_IO_HOST	       "registry-1.docker.io"

struct endpoint {
	char *base; /* URL without a slash at its end */
	char *basic; /* "Basic …", the login for this place, or NULL */
	char *authorization; /* what the registry is told, or NULL */
};

struct oci_registry {
	struct oci_ref ref;
	struct http_client *http;
	struct endpoint endpoints[REGISTRY_ENDPOINTS_MAX];
	size_t count;
};

/* One answer on its way in */
struct fetch {
	int status;
	bool delivered; /* some of it went to the sink */
	oci_sink sink;
	void *arg;
	struct buf words; /* what came with another status than 200 */
};

static int endpoint_add(struct oci_registry *g, const char *url, const struct oci_login *login,
			struct err *e)
{
	char *base;

	if (!str_starts(url, "http://") && !str_starts(url, "https://"))
		return err_set(e, -EINVAL, "mirror %.100s: no http:// or https:// URL", url);
	if (g->count == REGISTRY_ENDPOINTS_MAX)
		return err_set(e, -E2BIG, "more than %d mirrors", REGISTRY_ENDPOINTS_MAX - 1);
	base = mem_strdup(url);
	while (str_ends(base, "/"))
		base[strlen(base) - 1] = '\0';
	if (login)
		g->endpoints[g->count].basic = mem_printf("Basic %s", login->basic);
	g->endpoints[g->count++].base = base;
	return 0;
}

int oci_registry_new(const struct oci_ref *ref, const char *const *mirrors, size_t count,
		     const struct oci_login *logins, size_t login_count,
		     struct oci_registry **registry, struct err *e)
{
	const struct http_client_config config = {.user_agent = "hypermetal-image/0.1"};
	struct oci_registry *g = mem_alloc(sizeof(*g));
	_cleanup_free_ char *own = NULL;
	int r = 0;

	g->ref = *ref;
	for (size_t i = 0; i < count && r == 0; i++) {
		const char *url = str_starts(mirrors[i], ref->registry);
		char host[256] = "";

		if (!strchr(mirrors[i], '='))
			r = err_set(e, -EINVAL, "mirror %.100s: not REGISTRY=URL", mirrors[i]);
		else if (url && *url == '=' && login_host(url + 1, host, sizeof(host)) == 0)
			r = endpoint_add(g, url + 1, login_find(logins, login_count, host), e);
	}
	own = mem_printf("https://%s",
			 str_eq(ref->registry, "docker.io") ? DOCKER_IO_HOST : ref->registry);
	if (r == 0)
		r = endpoint_add(g, own, login_find(logins, login_count, ref->registry), e);
	if (r == 0)
		r = http_client_new(NULL, &config, &g->http, e);
	if (r < 0) {
		oci_registry_free(g);
		return r;
	}
	*registry = g;
	return 0;
}

struct oci_registry *oci_registry_free(struct oci_registry *registry)
{
	if (!registry)
		return NULL;
	http_client_free(registry->http);
	for (size_t i = 0; i < registry->count; i++) {
		free(registry->endpoints[i].base);
		mem_free_secret(registry->endpoints[i].basic);
		mem_free_secret(registry->endpoints[i].authorization);
	}
	free(registry);
	return NULL;
}

static void fetch_head(struct http_call *call, const struct http_reply *reply, void *arg)
{
	(void)call;
	((struct fetch *)arg)->status = reply->status;
}

static int fetch_data(struct http_call *call, const void *data, size_t len, void *arg)
{
	struct fetch *f = arg;

	(void)call;
	if (f->status == 200) {
		f->delivered = true;
		return f->sink(f->arg, data, len);
	}
	/* More than can be shown is not kept. */
	buf_append(&f->words, data, MIN(len, REGISTRY_WORDS_MAX - f->words.len));
	return 0;
}

/* The first error that the registry's answer tells: {"errors":[{"code","message"}…]} */
static int fetch_refused(const struct fetch *f, struct err *e)
{
	_cleanup_json_ struct json_doc *doc = NULL;
	char code[64], message[160];
	const struct json *error;
	int r = f->status == 404 ? -ENOENT : f->status == 401 || f->status == 403 ? -EACCES : -EIO;

	if (json_parse(buf_str(&f->words), f->words.len, &doc, NULL) < 0)
		doc = NULL;
	error = json_item(json_get(json_root(doc), "errors"), 0);
	str_printable(code, sizeof(code), json_str(json_get(error, "code"), ""));
	str_printable(message, sizeof(message), json_str(json_get(error, "message"), ""));
	if (*message)
		return err_set(e, r, "%s (%s, HTTP %d)", message, code, f->status);
	return err_set(e, r, "HTTP status %d", f->status);
}

/* Gets a token as the challenge says */
static int endpoint_authorize(struct oci_registry *g, struct endpoint *ep, const char *header,
			      struct err *e)
{
	_cleanup_json_ struct json_doc *doc = NULL;
	struct oci_challenge challenge;
	struct http_reply reply;
	char url[4096];
	const struct http_header headers[] = {{ep->basic ? "Authorization" : NULL, ep->basic},
					      {NULL, NULL}};
	struct http_call_spec spec = {
		.method = "GET",
		.url = url,
		.headers = headers,
		.reply_cap = REGISTRY_TOKEN_MAX,
	};
	const char *token;
	int r = oci_challenge_parse(header, &challenge);

	if (r == -ENOENT && ep->basic && strcasestr(header, "basic")) {
		mem_free_secret(ep->authorization);
		ep->authorization = mem_strdup(ep->basic);
		return 0;
	}
	if (r < 0)
		return err_set(e, -EACCES, "a login is wanted%s",
			       ep->basic ? " that is not supported" : "");
	if (str_starts(ep->base, "https://") && !str_starts(challenge.realm, "https://"))
		return err_set(e, -EACCES, "a login without TLS is wanted");
	if (!*challenge.scope)
		snprintf(challenge.scope, sizeof(challenge.scope), "repository:%s:pull",
			 g->ref.repository);
	if (oci_challenge_url(&challenge, url, sizeof(url)) < 0)
		return err_set(e, -E2BIG, "the login's address is too long");
	r = http_client_do(g->http, &spec, NULL, NULL, &reply, e);
	if (r == 0 && reply.status != 200)
		r = err_set(e, -EACCES, "the token service answered HTTP status %d", reply.status);
	if (r == 0 && json_parse(buf_str(&reply.body), reply.body.len, &doc, NULL) < 0)
		r = err_set(e, -EBADMSG, "the token service's answer is no JSON");
	http_reply_done(&reply);
	if (r < 0)
		return r;
	token = json_str(json_get(json_root(doc), "token"),
			 json_str(json_get(json_root(doc), "access_token"), NULL));
	if (!token || strpbrk(token, "\r\n"))
		return err_set(e, -EACCES, "the token service gave no token");
	mem_free_secret(ep->authorization);
	ep->authorization = mem_printf("Bearer %s", token);
	return 0;
}

/* One request to one endpoint, with a token if one is wanted */
static int endpoint_get(struct oci_registry *g, struct endpoint *ep, const char *what,
			const char *reference, const char *accept, struct fetch *f, struct err *e)
{
	static const struct http_call_ops ops = {.on_head = fetch_head, .on_data = fetch_data};
	char url[REGISTRY_URL_MAX];
	struct http_header headers[3] = {{"Accept", accept}};
	struct http_call_spec spec = {
		.method = "GET",
		.url = url,
		.headers = headers,
		.timeout_ms = -1,
		.stall_s = REGISTRY_STALL_S,
		.follow_redirects = true,
	};

	if ((size_t)snprintf(url, sizeof(url), "%s/v2/%s/%s/%s", ep->base, g->ref.repository, what,
			     reference) >= sizeof(url))
		return err_set(e, -E2BIG, "address too long");
	for (int tries = 0;; tries++) {
		struct http_reply reply;
		int r;

		headers[1] = (struct http_header){ep->authorization ? "Authorization" : NULL,
						  ep->authorization};
		f->status = 0;
		buf_clear(&f->words);
		r = http_client_do(g->http, &spec, &ops, f, &reply, e);
		if (r == 0 && f->status == 401 && tries == 0 && *reply.www_authenticate) {
			r = endpoint_authorize(g, ep, reply.www_authenticate, e);
			http_reply_done(&reply);
			if (r < 0)
				return r;
			continue;
		}
		http_reply_done(&reply);
		if (r < 0)
			return r;
		return f->status == 200 ? 0 : fetch_refused(f, e);
	}
}

static int registry_get(struct oci_registry *g, const char *what, const char *reference,
			const char *accept, oci_sink sink, void *arg, struct err *e)
{
	struct fetch f = {.sink = sink, .arg = arg, .words = BUF_INIT(REGISTRY_WORDS_MAX)};
	char told[ERR_MSG_MAX] = "";
	int first = 0;

	for (size_t i = 0; i < g->count; i++) {
		struct err one = ERR_INIT;
		size_t len = strlen(told);
		int r = endpoint_get(g, &g->endpoints[i], what, reference, accept, &f, &one);
		bool names_url = str_starts(one.msg, "GET ") != NULL;

		if (r == 0 || f.delivered) {
			/* A sink cannot take the same bytes again from elsewhere. */
			buf_done(&f.words);
			return r < 0 ? err_set(e, r, "%s", err_msg(&one)) : 0;
		}
		first = first ? first : r;
		/* What the connection says names the place itself. */
		snprintf(told + len, sizeof(told) - len, "%s%s%s%s", len ? "; " : "",
			 names_url ? "" : strstr(g->endpoints[i].base, "://") + 3,
			 names_url ? "" : ": ", err_msg(&one));
	}
	buf_done(&f.words);
	return err_set(e, first, "%s", told);
}

static int manifest_sink(void *arg, const void *data, size_t len)
{
	return buf_append(arg, data, len);
}

int oci_registry_manifest(struct oci_registry *registry, const char *reference, struct buf *text,
			  char *digest, struct err *e)
{
	int r;

	buf_done(text);
	buf_init(text, OCI_MANIFEST_SIZE_MAX);
	r = registry_get(registry, "manifests", reference, OCI_MANIFEST_ACCEPT, manifest_sink, text,
			 e);
	if (r < 0)
		return r;
	oci_digest_of(buf_str(text), text->len, digest);
	if (oci_digest_valid(reference) && !str_eq(digest, reference))
		return err_set(e, -EBADMSG, "manifest %s has the digest %s", reference, digest);
	return 0;
}

int oci_registry_blob(struct oci_registry *registry, const char *digest, oci_sink sink, void *arg,
		      struct err *e)
{
	return registry_get(registry, "blobs", digest, "*/*", sink, arg, e);
}
