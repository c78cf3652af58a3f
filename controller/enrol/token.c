// SPDX-License-Identifier: Apache-2.0
/*
 * One-time tokens, kept as Kubernetes' bootstrap token Secrets, so that the same objects work against
 * a real API server. What makes them one-time is here: an annotation binds a token to the host that
 * it was minted for, another to the key it was spent on, and the first sign of life with the new
 * certificate deletes it.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/base64.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/random.h"
#include "base/str.h"
#include "internal.h"

#define TOKEN_LIFETIME_S 600
#define NS		 "kube-system"
#define PREFIX		 "bootstrap-token-"

/* @len characters of [a-z0-9], each of the 36 as likely as the others. */
static void random_text(char *out, size_t len)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789";
	unsigned char b;

	for (size_t i = 0; i < len;) {
		random_fill(&b, 1);
		if (b < 252)
			out[i++] = letters[b % 36];
	}
	out[len] = '\0';
}

static void put_data(struct json_doc *doc, struct json *data, const char *key, const char *text)
{
	struct buf b = BUF_INIT(0);

	base64_encode(&b, text, strlen(text));
	json_put_str(doc, data, key, buf_str(&b));
	mem_wipe(b.data, b.len);
	buf_done(&b);
}

static const char *annotation(const struct json *object, const char *key)
{
	return json_str(json_at(object, "metadata", "annotations", key, NULL), "");
}

int token_mint(struct store *s, const char *node, char token[ENROL_TOKEN_SIZE], struct err *e)
{
	struct json_doc *doc = json_doc_new();
	struct json *root = json_new_obj(doc), *meta, *data;
	char id[8], secret[20], name[32], until[CLOCK_RFC3339_MAX];
	int r;

	token_burn(s, node, false);
	random_text(id, 6);
	random_text(secret, 16);
	snprintf(name, sizeof(name), PREFIX "%s", id);
	json_set_root(doc, root);
	json_put_str(doc, root, "kind", "Secret");
	json_put_str(doc, root, "apiVersion", "v1");
	json_put_str(doc, root, "type", "bootstrap.kubernetes.io/token");
	meta = json_obj_of(doc, root, "metadata");
	json_put_str(doc, meta, "name", name);
	json_put_str(doc, meta, "namespace", NS);
	json_put_str(doc, json_obj_of(doc, meta, "annotations"), TOKEN_HOST_KEY, node);
	data = json_obj_of(doc, root, "data");
	put_data(doc, data, "token-id", id);
	put_data(doc, data, "token-secret", secret);
	put_data(doc, data, "usage-bootstrap-authentication", "true");
	put_data(doc, data, "auth-extra-groups", "system:bootstrappers:hosts");
	put_data(doc, data, "expiration", clock_rfc3339(until, time(NULL) + TOKEN_LIFETIME_S));
	r = store_create(s, "secrets", NS, name, doc, NULL, e);
	if (r == 0) {
		snprintf(token, ENROL_TOKEN_SIZE, "%.6s.%.16s", id, secret);
		log_info("enrol", "ev=token_minted node=%s id=%s", node, id);
	}
	mem_wipe(secret, sizeof(secret));
	return r;
}

static struct store_object *token_get(struct store *s, const char *id)
{
	char name[32];

	snprintf(name, sizeof(name), PREFIX "%.8s", id);
	return store_get(s, "secrets", NS, name);
}

void token_look_up(struct store *s, struct csr_facts *f)
{
	struct store_object *o = *f->token_id ? token_get(s, f->token_id) : NULL;

	if (!o)
		return;
	str_copy(f->token_node, sizeof(f->token_node),
		 annotation(json_root(o->doc), TOKEN_HOST_KEY));
	str_copy(f->token_key, sizeof(f->token_key), annotation(json_root(o->doc), TOKEN_KEY_KEY));
}

int token_spend(struct store *s, const char *id, const char *key_id, struct err *e)
{
	struct store_object *o = token_get(s, id);
	struct json_doc *doc;
	struct json *meta;

	if (!o)
		return err_set(e, -ENOENT, "token %s is gone", id);
	doc = json_doc_new();
	json_set_root(doc, json_copy(doc, json_root(o->doc)));
	meta = json_obj_of(doc, json_root(doc), "metadata");
	json_put_str(doc, json_obj_of(doc, meta, "annotations"), TOKEN_KEY_KEY, key_id);
	return store_update(s, "secrets", NS, o->name, o->rev, doc, NULL, e);
}

/* Call @wanted for each token; delete those that it says. */
static void sweep(struct store *s, bool (*wanted)(const struct json *secret, const void *arg),
		  const void *arg, const char *event)
{
	char at[256] = PREFIX;
	struct store_object *o;

	while ((o = store_next(s, "secrets", NS, NS, at)) && str_starts(o->name, PREFIX)) {
		str_copy(at, sizeof(at), o->name);
		if (!wanted(json_root(o->doc), arg))
			continue;
		log_info("enrol", "ev=%s node=%s id=%s", event,
			 annotation(json_root(o->doc), TOKEN_HOST_KEY), at + strlen(PREFIX));
		store_delete(s, "secrets", NS, at, 0, NULL);
	}
}

static bool is_of_node(const struct json *secret, const void *node)
{
	return str_eq(annotation(secret, TOKEN_HOST_KEY), node);
}

static bool is_spent_of_node(const struct json *secret, const void *node)
{
	return is_of_node(secret, node) && *annotation(secret, TOKEN_KEY_KEY);
}

bool token_lives(struct store *s, const char *node)
{
	char at[256] = PREFIX;
	struct store_object *o;

	while ((o = store_next(s, "secrets", NS, NS, at)) && str_starts(o->name, PREFIX)) {
		str_copy(at, sizeof(at), o->name);
		if (is_of_node(json_root(o->doc), node))
			return true;
	}
	return false;
}

void token_burn(struct store *s, const char *node, bool spent_only)
{
	sweep(s, spent_only ? is_spent_of_node : is_of_node, node,
	      spent_only ? "token_burnt" : "token_revoked");
}

static bool is_expired(const struct json *secret, const void *arg)
{
	const char *text = json_str(json_at(secret, "data", "expiration", NULL), "");
	struct buf b = BUF_INIT(64);
	uint64_t until;
	bool expired;

	(void)arg;
	expired = *text && base64_decode(&b, text) == 0 &&
		  clock_parse_rfc3339(buf_str(&b), &until) == 0 && until <= clock_real_ns();
	buf_done(&b);
	return expired;
}

void token_expire(struct store *s)
{
	sweep(s, is_expired, NULL, "token_expired");
}
