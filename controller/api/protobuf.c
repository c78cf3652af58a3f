// SPDX-License-Identifier: Apache-2.0
/*
 * Kubernetes' protobuf bodies, as far as kubectl sends them: newer ones encode a few built-in kinds
 * so even where JSON is offered. The tables name the fields of those kinds (generated.proto of
 * k8s.io/api and apimachinery); what they don't name is skipped. The result is the JSON that the
 * client could have sent. Nesting is bounded by the tables, sizes by the body.
 */
#include <errno.h>
#include <string.h>

#include "base/base64.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"
#include "internal.h"

enum pb_type { PB_STR, PB_BYTES, PB_INT, PB_BOOL, PB_TIME, PB_MSG, PB_MAP, PB_BYTES_MAP };

struct pb_field {
	unsigned int number;
	enum pb_type type;
	bool repeated;
	const char *name; /* NULL ends a table */
	const struct pb_field *sub;
};

#define LIST   true
#define SINGLE false
#define END                                   \
	{                                     \
		0, PB_STR, SINGLE, NULL, NULL \
	}

static const struct pb_field metadata[] = {
	{1, PB_STR, SINGLE, "name", NULL},
	{2, PB_STR, SINGLE, "generateName", NULL},
	{3, PB_STR, SINGLE, "namespace", NULL},
	{5, PB_STR, SINGLE, "uid", NULL},
	{6, PB_STR, SINGLE, "resourceVersion", NULL},
	{8, PB_TIME, SINGLE, "creationTimestamp", NULL},
	{11, PB_MAP, SINGLE, "labels", NULL},
	{12, PB_MAP, SINGLE, "annotations", NULL},
	{14, PB_STR, LIST, "finalizers", NULL},
	END,
};

static const struct pb_field namespace_[] = {{1, PB_MSG, SINGLE, "metadata", metadata}, END};

static const struct pb_field config_map[] = {
	{1, PB_MSG, SINGLE, "metadata", metadata},
	{2, PB_MAP, SINGLE, "data", NULL},
	{3, PB_BYTES_MAP, SINGLE, "binaryData", NULL},
	{4, PB_BOOL, SINGLE, "immutable", NULL},
	END,
};

static const struct pb_field secret[] = {
	{1, PB_MSG, SINGLE, "metadata", metadata}, {2, PB_BYTES_MAP, SINGLE, "data", NULL},
	{3, PB_STR, SINGLE, "type", NULL},	   {4, PB_MAP, SINGLE, "stringData", NULL},
	{5, PB_BOOL, SINGLE, "immutable", NULL},   END,
};

static const struct pb_field local_ref[] = {{1, PB_STR, SINGLE, "name", NULL}, END};

static const struct pb_field service_account[] = {
	{1, PB_MSG, SINGLE, "metadata", metadata},
	{3, PB_MSG, LIST, "imagePullSecrets", local_ref},
	{4, PB_BOOL, SINGLE, "automountServiceAccountToken", NULL},
	END,
};

static const struct pb_field csr_spec[] = {
	{1, PB_BYTES, SINGLE, "request", NULL},
	{5, PB_STR, LIST, "usages", NULL},
	{7, PB_STR, SINGLE, "signerName", NULL},
	{8, PB_INT, SINGLE, "expirationSeconds", NULL},
	END,
};
static const struct pb_field csr_condition[] = {
	{1, PB_STR, SINGLE, "type", NULL},
	{2, PB_STR, SINGLE, "reason", NULL},
	{3, PB_STR, SINGLE, "message", NULL},
	{4, PB_TIME, SINGLE, "lastUpdateTime", NULL},
	{5, PB_TIME, SINGLE, "lastTransitionTime", NULL},
	{6, PB_STR, SINGLE, "status", NULL},
	END,
};
static const struct pb_field csr_status[] = {
	{1, PB_MSG, LIST, "conditions", csr_condition},
	{2, PB_BYTES, SINGLE, "certificate", NULL},
	END,
};
static const struct pb_field csr[] = {
	{1, PB_MSG, SINGLE, "metadata", metadata},
	{2, PB_MSG, SINGLE, "spec", csr_spec},
	{3, PB_MSG, SINGLE, "status", csr_status},
	END,
};

static const struct pb_field resource_attributes[] = {
	{1, PB_STR, SINGLE, "namespace", NULL}, {2, PB_STR, SINGLE, "verb", NULL},
	{3, PB_STR, SINGLE, "group", NULL},	{4, PB_STR, SINGLE, "version", NULL},
	{5, PB_STR, SINGLE, "resource", NULL},	{6, PB_STR, SINGLE, "subresource", NULL},
	{7, PB_STR, SINGLE, "name", NULL},	END,
};
static const struct pb_field other_attributes[] = {
	{1, PB_STR, SINGLE, "path", NULL},
	{2, PB_STR, SINGLE, "verb", NULL},
	END,
};
static const struct pb_field self_review_spec[] = {
	{1, PB_MSG, SINGLE, "resourceAttributes", resource_attributes},
	{2, PB_MSG, SINGLE, "nonResourceAttributes", other_attributes},
	END,
};
static const struct pb_field self_review[] = {
	{1, PB_MSG, SINGLE, "metadata", metadata},
	{2, PB_MSG, SINGLE, "spec", self_review_spec},
	END,
};

static const struct pb_field self_subject_review[] = {{1, PB_MSG, SINGLE, "metadata", metadata},
						      END};
static const struct pb_field rules_spec[] = {{1, PB_STR, SINGLE, "namespace", NULL}, END};
static const struct pb_field rules_review[] = {
	{1, PB_MSG, SINGLE, "metadata", metadata},
	{2, PB_MSG, SINGLE, "spec", rules_spec},
	END,
};
static const struct pb_field token_review_spec[] = {
	{1, PB_STR, SINGLE, "token", NULL},
	{2, PB_STR, LIST, "audiences", NULL},
	END,
};
static const struct pb_field token_review[] = {
	{1, PB_MSG, SINGLE, "metadata", metadata},
	{2, PB_MSG, SINGLE, "spec", token_review_spec},
	END,
};
static const struct pb_field bound_ref[] = {
	{1, PB_STR, SINGLE, "kind", NULL},
	{2, PB_STR, SINGLE, "apiVersion", NULL},
	{3, PB_STR, SINGLE, "name", NULL},
	{4, PB_STR, SINGLE, "uid", NULL},
	END,
};
static const struct pb_field token_request_spec[] = {
	{1, PB_STR, LIST, "audiences", NULL},
	{3, PB_MSG, SINGLE, "boundObjectRef", bound_ref},
	{4, PB_INT, SINGLE, "expirationSeconds", NULL},
	END,
};
static const struct pb_field token_request[] = {
	{1, PB_MSG, SINGLE, "metadata", metadata},
	{2, PB_MSG, SINGLE, "spec", token_request_spec},
	END,
};

static const struct pb_field preconditions[] = {
	{1, PB_STR, SINGLE, "uid", NULL},
	{2, PB_STR, SINGLE, "resourceVersion", NULL},
	END,
};
static const struct pb_field delete_options[] = {
	{1, PB_INT, SINGLE, "gracePeriodSeconds", NULL},
	{2, PB_MSG, SINGLE, "preconditions", preconditions},
	{4, PB_STR, SINGLE, "propagationPolicy", NULL},
	{5, PB_STR, LIST, "dryRun", NULL},
	END,
};
static const struct pb_field eviction[] = {
	{1, PB_MSG, SINGLE, "metadata", metadata},
	{2, PB_MSG, SINGLE, "deleteOptions", delete_options},
	END,
};

static const struct {
	const char *kind;
	const struct pb_field *fields;
} messages[] = {
	{"Namespace", namespace_},
	{"ConfigMap", config_map},
	{"Secret", secret},
	{"ServiceAccount", service_account},
	{"CertificateSigningRequest", csr},
	{"SelfSubjectAccessReview", self_review},
	{"SelfSubjectReview", self_subject_review},
	{"SelfSubjectRulesReview", rules_review},
	{"TokenReview", token_review},
	{"TokenRequest", token_request},
	{"DeleteOptions", delete_options},
	{"Eviction", eviction},
};

static const struct pb_field type_meta[] = {
	{1, PB_STR, SINGLE, "apiVersion", NULL},
	{2, PB_STR, SINGLE, "kind", NULL},
	END,
};

/* Bytes that are read from the front. */
struct pb {
	const unsigned char *p, *end;
};

static bool take_varint(struct pb *b, uint64_t *v)
{
	*v = 0;
	for (unsigned int shift = 0; b->p < b->end && shift < 64; shift += 7) {
		unsigned char c = *b->p++;

		*v |= (uint64_t)(c & 0x7f) << shift;
		if (!(c & 0x80))
			return true;
	}
	return false;
}

/* The next field: @sub is its bytes when it is length-delimited, else @v its number. */
static bool take_field(struct pb *b, unsigned int *number, struct pb *sub, uint64_t *v)
{
	uint64_t tag, skip;

	sub->p = sub->end = NULL;
	*v = 0;
	if (!take_varint(b, &tag) || tag >> 3 > UINT32_MAX)
		return false;
	*number = (unsigned int)(tag >> 3);
	if ((tag & 7) == 0)
		return take_varint(b, v);
	if ((tag & 7) == 2 && !take_varint(b, v))
		return false;
	skip = (tag & 7) == 1 ? 8 : (tag & 7) == 5 ? 4 : *v;
	if ((tag & 7) == 3 || (tag & 7) == 4 || (tag & 7) > 5 || skip > (uint64_t)(b->end - b->p))
		return false;
	sub->p = b->p;
	sub->end = b->p += skip;
	return true;
}

static int take_message(struct json_doc *doc, struct json *out, const struct pb_field *fields,
			struct pb b);

static struct json *bytes_json(struct json_doc *doc, struct pb b)
{
	struct buf text = BUF_INIT(0);
	struct json *v;

	base64_encode(&text, b.p, (size_t)(b.end - b.p));
	v = json_new_strn(doc, buf_str(&text), text.len);
	buf_done(&text);
	return v;
}

static struct json *text_json(struct json_doc *doc, struct pb b)
{
	return json_new_strn(doc, (const char *)b.p, (size_t)(b.end - b.p));
}

/* google.protobuf.Timestamp; the zero time is null. */
static struct json *time_json(struct json_doc *doc, struct pb b)
{
	char text[CLOCK_RFC3339_MAX];
	unsigned int number;
	uint64_t v, seconds = 0;
	struct pb sub;

	while (take_field(&b, &number, &sub, &v)) {
		if (number == 1 && !sub.p)
			seconds = v;
	}
	if (!seconds || seconds > 253402300799) /* the end of the year 9999 */
		return json_new_null(doc);
	return json_new_str(doc, clock_rfc3339(text, (int64_t)seconds));
}

/* One entry of a map: key 1, value 2. */
static int take_entry(struct json_doc *doc, struct json *map, struct pb b, bool bytes)
{
	struct pb sub, value = {NULL, NULL};
	_cleanup_free_ char *key = NULL;
	unsigned int number;
	uint64_t v;

	while (b.p < b.end) {
		if (!take_field(&b, &number, &sub, &v))
			return -EBADMSG;
		if (number == 1 && sub.p && !key) {
			if (memchr(sub.p, '\0', (size_t)(sub.end - sub.p)))
				return -EBADMSG;
			key = mem_strndup((const char *)sub.p, (size_t)(sub.end - sub.p));
		} else if (number == 2 && sub.p) {
			value = sub;
		}
	}
	if (!key)
		return -EBADMSG;
	if (value.p)
		json_put(doc, map, key, bytes ? bytes_json(doc, value) : text_json(doc, value));
	else
		json_put_str(doc, map, key, "");
	return 0;
}

static int take_value(struct json_doc *doc, struct json *out, const struct pb_field *f,
		      struct pb sub, uint64_t number)
{
	struct json *v = NULL;
	int r = 0;

	if ((f->type == PB_INT || f->type == PB_BOOL) != !sub.p)
		return -EBADMSG;
	switch (f->type) {
	case PB_STR:
		v = text_json(doc, sub);
		break;
	case PB_BYTES:
		v = bytes_json(doc, sub);
		break;
	case PB_INT:
		v = json_new_int(doc, (int64_t)number);
		break;
	case PB_BOOL:
		v = json_new_bool(doc, number != 0);
		break;
	case PB_TIME:
		v = time_json(doc, sub);
		break;
	case PB_MSG:
		v = json_new_obj(doc);
		r = take_message(doc, v, f->sub, sub);
		break;
	case PB_MAP:
	case PB_BYTES_MAP:
		return take_entry(doc, json_obj_of(doc, out, f->name), sub,
				  f->type == PB_BYTES_MAP);
	}
	if (f->repeated)
		json_push(doc, json_arr_of(doc, out, f->name), v);
	else if (f->type != PB_STR || sub.p != sub.end) /* unset strings are sent as "" */
		json_put(doc, out, f->name, v);
	return r;
}

static int take_message(struct json_doc *doc, struct json *out, const struct pb_field *fields,
			struct pb b)
{
	unsigned int number;
	struct pb sub;
	uint64_t v;
	int r = 0;

	while (r == 0 && b.p < b.end) {
		const struct pb_field *f = fields;

		if (!take_field(&b, &number, &sub, &v))
			return -EBADMSG;
		while (f->name && f->number != number)
			f++;
		if (f->name)
			r = take_value(doc, out, f, sub, v);
	}
	return r;
}

bool protobuf_is(const void *body, size_t len)
{
	return len >= 4 && memcmp(body, "k8s\0", 4) == 0;
}

int protobuf_parse(const void *body, size_t len, struct json_doc **out, struct err *e)
{
	struct json_doc *doc = json_doc_new();
	struct json *root = json_new_obj(doc);
	struct pb b = {.p = body, .end = (const unsigned char *)body + len}, sub;
	struct pb raw = {NULL, NULL};
	const struct pb_field *fields = NULL;
	unsigned int number;
	uint64_t v;
	int r = 0;

	json_set_root(doc, root);
	b.p += 4; /* runtime.Unknown follows: typeMeta 1, raw 2 */
	while (r == 0 && b.p < b.end) {
		if (!take_field(&b, &number, &sub, &v))
			r = -EBADMSG;
		else if (number == 1 && sub.p)
			r = take_message(doc, root, type_meta, sub);
		else if (number == 2 && sub.p)
			raw = sub;
	}
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(messages); i++) {
		if (str_eq(json_str(json_get(root, "kind"), ""), messages[i].kind))
			fields = messages[i].fields;
	}
	if (r == 0 && !fields)
		r = -ENOTSUP;
	if (r == 0)
		r = take_message(doc, root, fields, raw);
	if (r < 0) {
		err_set(e, r,
			r == -ENOTSUP ? "this kind is not read as protobuf" : "malformed protobuf");
		json_doc_free(doc);
		return r;
	}
	*out = doc;
	return 0;
}
