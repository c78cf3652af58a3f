/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of api/ share: one call's way through them.
 *
 * A call is made of plain strings, so that everything but the glue of api.c and stream.c runs without
 * a server. Handlers put their answer into call->reply and return nothing: an answer is always there.
 */
#ifndef API_INTERNAL_H
#define API_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "json/json.h"
#include "jwt/jwt.h"
#include "store/store.h"

#define API_NAME_MAX   254
#define API_USER_MAX   352 /* a service account has its namespace and its name in it */
#define API_GROUP_MAX  160
#define API_GROUPS_MAX 12
#define API_QUERY_MAX  544 /* an exec has its arguments there */
#define API_ERRORS_MAX 32
#define API_EVENTS_MAX 20000 /* they live in memory only */

/* query.c: the query string. */
struct query {
	char *text; /* decoded in place */
	size_t count;
	struct query_pair {
		const char *key, *value;
	} pairs[API_QUERY_MAX];
};

int query_parse(struct query *q, const char *raw);
void query_done(struct query *q);
const char *query_get(const struct query *q, const char *key); /* NULL if absent */
bool query_bool(const struct query *q, const char *key);

/* resource.c: what is served. */
enum api_verb {
	VERB_GET = 1 << 0,
	VERB_LIST = 1 << 1,
	VERB_WATCH = 1 << 2,
	VERB_CREATE = 1 << 3,
	VERB_UPDATE = 1 << 4,
	VERB_PATCH = 1 << 5,
	VERB_DELETE = 1 << 6,
	VERB_DELETE_ALL = 1 << 7,
};
#define VERBS_ALL 0xffU
const char *verb_name(enum api_verb verb);

struct api_call;
struct schema;

struct api_column {
	const char *name, *type, *format, *description;
	int priority;
};

struct api_kind {
	const char *group, *version; /* group "" is the core */
	const char *plural, *singular, *kind;
	const char *short_names; /* separated by blanks */
	const char *categories;
	bool namespaced;
	bool computed; /* not kept: made for each answer of what hosts tell (metrics.c) */
	unsigned int verbs;
	const char *subresources; /* separated by blanks */
	const char *fields; /* what field selectors may ask for, besides metadata.{name,namespace} */
	bool has_status; /* spec and status are written apart */
	bool status_at_create; /* the first status comes with the object */
	bool has_generation;

	const struct schema *schema; /* its members; NULL: only metadata is looked at */

	/* Defaults and checks; errors go to field_error(). @old is NULL at creation. */
	void (*prepare)(struct api_call *c, struct json_doc *doc, const struct json *old);
	/* The same for the status subresource. */
	void (*prepare_status)(struct api_call *c, struct json_doc *doc, const struct json *old);

	/* Columns of the table, and one row's cells pushed to @cells. */
	const struct api_column *columns;
	size_t column_count;
	void (*cells)(struct json_doc *doc, struct json *cells, const struct json *object);
};

const struct api_kind *kind_find(const char *group, const char *version, const char *plural);
const struct api_kind *kind_at(size_t index); /* NULL behind the last */
/* Whether a list separated by blanks has the word */
bool words_have(const char *words, const char *word);
bool kind_has_sub(const struct api_kind *k, const char *sub);
const char *kind_api_version(const struct api_kind *k, char *out, size_t size);
const char *kind_resource(const struct api_kind *k, char *out,
			  size_t size); /* "pods", "leases.coordination.k8s.io" */

/* What is the same for all calls. */
#define API_ISSUER \
	"https://kubernetes.default.svc.cluster.local" /* of tokens; their first audience, too */
struct api_images;
struct api_site {
	const char *ca_pem; /* of this server; NULL: not given to namespaces */
	const struct api_images *images; /* NULL: there are none */
	struct jwt_key *tokens; /* signs service accounts' tokens; NULL: there are none */
};

/* One request and its answer. */
struct api_user {
	char name[API_USER_MAX]; /* "" when anonymous */
	char groups[API_GROUPS_MAX][API_GROUP_MAX];
	size_t group_count;
	/* of a service account; "" else */
	char uid[64], token_id[64];
	char pod_name[API_NAME_MAX], pod_uid[64], node_name[API_NAME_MAX], node_uid[64];
};
bool user_in_group(const struct api_user *u, const char *group);
void user_add_group(struct api_user *u, const char *group);
/* The node's name when it is one, else NULL */
const char *user_node(const struct api_user *u);

struct api_reply {
	int status;
	const char *content_type;
	struct buf body;
	struct buf headers; /* "Name: value\r\n"... */
	bool stream; /* a watch or a log: the glue goes on with it */
};

struct api_call {
	struct api *api;
	struct store *store;
	const struct api_site *site; /* NULL in tests that need none */
	/* as it came; the strings live as long as the call */
	const char *method, *path, *accept, *content_type;
	const char *host; /* as the client called us, or NULL */
	const void *body;
	size_t body_len;
	struct query query;
	const struct api_user *user;
	/* what it means */
	const struct api_kind *kind;
	char namespace[API_NAME_MAX], name[API_NAME_MAX], sub[32];
	const char *rest; /* of the path, behind the subresource proxy */
	enum api_verb verb;
	struct api_reply reply;
	/* found wrong so far */
	size_t error_count;
	struct field_error {
		const char *reason; /* FieldValueInvalid... */
		char field[200];
		char message[480];
	} errors[API_ERRORS_MAX];
};

/* status.c: answers. */
void reply_fail(struct api_call *c, int code, const char *reason, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
void reply_not_found(struct api_call *c, const char *name);
void reply_no_resource(struct api_call *c);
void reply_conflict(struct api_call *c, const char *why);
void reply_store_error(struct api_call *c, int code, const struct err *e);
void reply_invalid(struct api_call *c); /* 422 made of c->errors */
void reply_text(struct api_call *c, int status, const char *text, size_t len);
void reply_doc(struct api_call *c, int status, const struct json *v);
void reply_object(struct api_call *c, int status, const struct store_object *o);
void reply_success(struct api_call *c, const char *uid);
void reply_warn(struct api_call *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
struct json *status_json(struct json_doc *doc, int code, const char *reason, const char *message);

/* Checks collect what is wrong; the words are those of Kubernetes' field.Error. */
void field_required(struct api_call *c, const char *detail, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void field_invalid(struct api_call *c, const char *value, const char *detail, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
void field_forbidden(struct api_call *c, const char *detail, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void field_too_long(struct api_call *c, size_t max_bytes, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void field_duplicate(struct api_call *c, const char *value, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void field_unsupported(struct api_call *c, const char *value, const char *const *allowed,
		       const char *fmt, ...) __attribute__((format(printf, 4, 5)));
void field_unknown_ref(struct api_call *c, const char *value, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* names.c: what names may look like (RFC 1123). */
bool name_is_label(const char *s);
bool name_is_subdomain(const char *s);
bool name_is_qualified(const char *s);
bool name_is_label_value(const char *s);
#define NAME_RANDOM_SIZE 6
/* Five characters that spell no words, and NUL */
void name_random(char out[NAME_RANDOM_SIZE]);
extern const char name_label_rule[], name_subdomain_rule[], name_qualified_rule[],
	name_label_value_rule[];
void check_meta(struct api_call *c, const struct json *meta);

/* selector.c */
struct selector; /* a label and a field selector */
int selector_new(const char *labels, const char *fields, const struct api_kind *k,
		 struct selector **out, struct err *e);
struct selector *selector_free(struct selector *s);
bool selector_matches(const struct selector *s, const struct json *object);
/* The value that a field selector demands of a path, or NULL */
const char *selector_field(const struct selector *s, const char *path);

/* patch.c, strategic.c: all change @doc, whose root is the object. -EBADMSG: the patch is wrong */
int patch_merge(struct json_doc *doc, const struct json *patch, struct err *e);
int patch_json(struct json_doc *doc, const struct json *ops, struct err *e);
int patch_strategic(struct json_doc *doc, const struct json *patch, struct err *e);

/* protobuf.c: bodies that begin with "k8s\0". -ENOTSUP: a kind that is not known there */
bool protobuf_is(const void *body, size_t len);
int protobuf_parse(const void *body, size_t len, struct json_doc **out, struct err *e);

/* table.c */
bool table_wanted(const char *accept);
/* @objects: @count of them; @head: with the column definitions; @include: None, Object, or NULL for Metadata */
void table_make(struct json_doc *doc, const struct api_kind *k, const struct json *const *objects,
		size_t count, bool head, const char *include);
char *table_age(char *out, size_t size, const char *timestamp);

/* auth.c: who asks, and what he may. */
#define API_ROLE_LABEL \
	"hypermetal.io/role" /* of a ServiceAccount: view or admin of its namespace */
struct auth_ask {
	const char *verb, *group, *resource, *sub, *namespace, *name;
	const char *path; /* of a request that is for no resource, else NULL */
	bool node_selector; /* a pod list that asks for the caller's own node */
};
/* Return: 0; -EACCES when a token was shown that is not valid */
int auth_bearer(struct store *s, const struct api_site *site, const char *authorization,
		struct api_user *out);
bool auth_allowed(const struct api_user *u, struct store *s, const struct auth_ask *ask);
/* The paths that everybody who is known may get. Return: a value of @doc */
struct json *auth_paths(struct json_doc *doc);
/* Let an administrator be somebody else for this call. Return: false when it answered */
bool auth_impersonate(struct api_call *c, struct api_user *u, const char *as,
		      const char *const *groups, size_t group_count);
/* Write the refusal as the real server words it */
void auth_refuse(struct api_call *c, const struct auth_ask *ask);

/* rest.c: one call from its path to its answer. */
void rest_handle(struct api_call *c);
bool rest_body(struct api_call *c, struct json_doc **doc);
struct store_object *rest_object(struct api_call *c); /* what the path names; answers 404 else */

/* read.c, write.c, patching.c, delete.c: the verbs. */
void rest_get(struct api_call *c);
void rest_list(struct api_call *c);
void rest_create(struct api_call *c);
void rest_update(struct api_call *c);
void rest_patch(struct api_call *c);
void rest_delete(struct api_call *c);
void rest_delete_all(struct api_call *c);
/* Check @doc against @old (NULL: new) and store it, or say why not. @doc is taken over. */
void rest_store(struct api_call *c, struct json_doc *doc, struct store_object *old, uint64_t rev);
/* Remove or start removing; shared by delete, eviction and the namespace's end. Return: 0 or -errno */
struct delete_options {
	int64_t grace_s; /* -1: the object's own */
	char uid[64], resource_version[32]; /* preconditions, "" for none */
	bool dry_run;
};
int object_delete(struct store *s, const struct api_kind *k, struct store_object *o,
		  const struct delete_options *opt, struct store_object **left, struct err *e);
bool delete_options_read(struct api_call *c, struct delete_options *opt);
/** delete_preconditions() - Whether it is the object that was meant. Return: false when it answered 409 */
bool delete_preconditions(struct api_call *c, const struct store_object *o,
			  const struct delete_options *opt);

/* Subresources and reviews that are not objects. Return: whether it was one of theirs. */
bool subresource_handle(struct api_call *c); /* pods/binding, pods/eviction, serviceaccounts/token */
bool review_handle(struct api_call *c); /* authentication.k8s.io, authorization.k8s.io */

/* kinds/: defaults, checks and columns */
void pod_prepare(struct api_call *c, struct json_doc *doc, const struct json *old);
void pod_prepare_status(struct api_call *c, struct json_doc *doc, const struct json *old);
void node_prepare(struct api_call *c, struct json_doc *doc, const struct json *old);
void event_prepare(struct api_call *c, struct json_doc *doc, const struct json *old);
void lease_prepare(struct api_call *c, struct json_doc *doc, const struct json *old);
void csr_prepare(struct api_call *c, struct json_doc *doc, const struct json *old);
void namespace_prepare(struct api_call *c, struct json_doc *doc, const struct json *old);
void configmap_prepare(struct api_call *c, struct json_doc *doc, const struct json *old);
void service_account_prepare(struct api_call *c, struct json_doc *doc, const struct json *old);
void runtime_class_prepare(struct api_call *c, struct json_doc *doc, const struct json *old);
void secret_prepare(struct api_call *c, struct json_doc *doc, const struct json *old);
/* Unknown fields of what was sent; nulls go. Return: false when it answered (fieldValidation=Strict) */
bool strict_check(struct api_call *c, struct json *root);

/* metrics.c: metrics.k8s.io, made of the hosts' Summaries. */
struct metrics_ask {
	const struct api_kind *kind;
	char namespace[API_NAME_MAX], name[API_NAME_MAX]; /* "" for all */
	struct selector *selector;
};
/* Read what a call asks for. Return: false when it answered; metrics_ask_done() in any case */
bool metrics_ask_init(struct metrics_ask *a, struct api_call *c);
void metrics_ask_done(struct metrics_ask *a);
/* Name each host whose Summary is needed, some more than once */
void metrics_hosts(const struct metrics_ask *a, struct store *s,
		   void (*fn)(const char *node, void *arg), void *arg);
/* The answer, its root in @doc; @summary gives a host's Summary, or NULL. Return: the HTTP status */
int metrics_make(const struct metrics_ask *a, struct store *s,
		 const struct json *(*summary)(const char *node, void *arg), void *arg,
		 struct json_doc *doc);

/* image.c: what machines boot. Return: whether the path was one of its */
bool image_handle(struct api_call *c);

/* discovery.c: what is served where. Return: whether the path was one of these */
bool discovery_handle(struct api_call *c);
bool openapi_handle(struct api_call *c);

#endif
