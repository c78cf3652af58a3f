// SPDX-License-Identifier: Apache-2.0
/*
 * Label and field selectors (apimachinery, labels.Parse and fields.ParseSelector).
 *
 * Both become one list of requirements that must all hold. A field is a path into the object; which
 * paths may be asked for is the kind's list, as in the real server, so that a misspelt field is an
 * error and not an empty answer.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "internal.h"

#define REQUIREMENTS_MAX 64
#define VALUES_MAX	 64

enum op { OP_EXISTS, OP_MISSING, OP_IN, OP_NOT_IN, OP_GREATER, OP_LESS };

struct requirement {
	enum op op;
	bool field;
	const char *key;
	size_t count;
	const char *values[VALUES_MAX];
};

struct selector {
	char *labels_text, *fields_text; /* the strings below point in here */
	size_t count;
	struct requirement list[REQUIREMENTS_MAX];
};

static char *skip_blanks(char *s)
{
	while (*s == ' ' || *s == '\t')
		s++;
	return s;
}

/* Cut a word off at the first of @stop; the character it ended at is returned in @end. */
static char *take_word(char **s, const char *stop, char *end)
{
	char *word = skip_blanks(*s), *p = word + strcspn(word, stop);

	*end = *p;
	*s = *p ? p + 1 : p;
	*p = '\0';
	return word;
}

static struct requirement *add(struct selector *s, enum op op, const char *key, struct err *e)
{
	struct requirement *r = &s->list[s->count];

	if (s->count == REQUIREMENTS_MAX) {
		err_set(e, -E2BIG, "more than %d requirements", REQUIREMENTS_MAX);
		return NULL;
	}
	s->count++;
	r->op = op;
	r->key = key;
	return r;
}

/* "a, b)" behind "key in (" */
static int take_values(struct requirement *r, char **s, struct err *e)
{
	char end = ',';

	*s = skip_blanks(*s);
	if (**s != '(')
		return err_set(e, -EINVAL, "found '%.20s', expected: '('", *s);
	(*s)++;
	while (end == ',') {
		if (r->count == VALUES_MAX)
			return err_set(e, -E2BIG, "more than %d values", VALUES_MAX);
		r->values[r->count] = str_trim(take_word(s, ",)", &end));
		if (!name_is_label_value(r->values[r->count]))
			return err_set(e, -EINVAL, "values[%zu][%s]: Invalid value: \"%.60s\": %s",
				       r->count, r->key, r->values[r->count],
				       name_label_value_rule);
		r->count++;
	}
	if (end != ')')
		return err_set(e, -EINVAL, "found '', expected: ',' or ')'");
	*s = skip_blanks(*s);
	if (**s && **s != ',')
		return err_set(e, -EINVAL, "found '%.20s', expected: ',' or 'end of string'", *s);
	*s += **s == ',';
	return 0;
}

/* "=v", "==v", "!=v", ">n", "<n" behind a key; *s stands behind @first */
static int take_operator(struct selector *sel, const char *key, char first, char **s, struct err *e)
{
	enum op op = first == '!'   ? OP_NOT_IN
		     : first == '>' ? OP_GREATER
		     : first == '<' ? OP_LESS
				    : OP_IN;
	struct requirement *r;
	uint64_t number;
	char end;

	if ((first == '!' || first == '=') && **s == '=')
		(*s)++;
	else if (first == '!')
		return err_set(e, -EINVAL, "found '!', expected: in, notin, =, ==, !=, gt, lt");
	r = add(sel, op, key, e);
	if (!r)
		return -E2BIG;
	r->values[r->count++] = str_trim(take_word(s, ",", &end));
	if ((op == OP_GREATER || op == OP_LESS) && str_u64(r->values[0], INT64_MAX, &number) < 0)
		return err_set(e, -EINVAL,
			       "for 'Gt', 'Lt' operators, the value must be an integer");
	if (!name_is_label_value(r->values[0]))
		return err_set(e, -EINVAL, "values[0][%s]: Invalid value: \"%.60s\": %s", key,
			       r->values[0], name_label_value_rule);
	return 0;
}

static int take_label(struct selector *sel, char **s, struct err *e)
{
	bool missing = **s == '!';
	struct requirement *r;
	char end;
	char *key, *word;
	int rc = 0;

	*s += missing;
	key = take_word(s, "=!<> \t,", &end);
	if (!name_is_qualified(key))
		return err_set(e, -EINVAL, "key: Invalid value: \"%.60s\": %s", key,
			       name_qualified_rule);
	if (end == ' ' || end == '\t') {
		*s = skip_blanks(*s);
		end = **s && strchr("=!<>,", **s) ? *(*s)++ : **s;
	}
	if (missing || !end || end == ',') {
		if (missing && end && end != ',')
			return err_set(e, -EINVAL, "found '%c', expected: ',' or 'end of string'",
				       end);
		return add(sel, missing ? OP_MISSING : OP_EXISTS, key, e) ? 0 : -E2BIG;
	}
	if (strchr("=!<>", end))
		return take_operator(sel, key, end, s, e);
	word = take_word(s, " \t(", &end);
	if (!str_eq(word, "in") && !str_eq(word, "notin"))
		return err_set(e, -EINVAL, "found '%.20s', expected: in, notin, =, ==, !=, gt, lt",
			       word);
	if (end == '(')
		*--*s = '(';
	r = add(sel, str_eq(word, "in") ? OP_IN : OP_NOT_IN, key, e);
	if (r)
		rc = take_values(r, s, e);
	return r ? rc : -E2BIG;
}

static bool field_known(const struct api_kind *k, const char *key)
{
	return str_eq(key, "metadata.name") || str_eq(key, "metadata.namespace") ||
	       (k && words_have(k->fields, key));
}

static int take_field(struct selector *sel, const struct api_kind *k, char **s, struct err *e)
{
	struct requirement *r;
	char end;
	char *key = take_word(s, "=!,", &end);
	bool negative = end == '!';

	if ((end != '=' && end != '!') || (negative && **s != '='))
		return err_set(e, -EINVAL, "invalid selector: '%.60s'; can't understand '%.60s'",
			       key, key);
	*s += **s == '=';
	key = str_trim(key);
	if (!field_known(k, key))
		return err_set(e, -EINVAL, "field label not supported: %.60s", key);
	r = add(sel, negative ? OP_NOT_IN : OP_IN, key, e);
	if (!r)
		return -E2BIG;
	r->field = true;
	r->values[r->count++] = str_trim(take_word(s, ",", &end));
	return 0;
}

int selector_new(const char *labels, const char *fields, const struct api_kind *k,
		 struct selector **out, struct err *e)
{
	struct selector *s = mem_alloc(sizeof(*s));
	char *at;
	int r = 0;

	s->labels_text = mem_strdup(labels ? labels : "");
	s->fields_text = mem_strdup(fields ? fields : "");
	for (at = skip_blanks(s->labels_text); *at && r == 0; at = skip_blanks(at))
		r = take_label(s, &at, e);
	if (r < 0)
		err_wrap(e, r, "unable to parse requirement");
	for (at = skip_blanks(s->fields_text); *at && r == 0; at = skip_blanks(at))
		r = take_field(s, k, &at, e);
	if (r < 0) {
		selector_free(s);
		return r;
	}
	*out = s;
	return 0;
}

struct selector *selector_free(struct selector *s)
{
	if (!s)
		return NULL;
	free(s->labels_text);
	free(s->fields_text);
	free(s);
	return NULL;
}

/* The value at a dotted path as text; "" when it is not there, as field selectors have it. */
static const char *field_value(const struct json *object, const char *path)
{
	char key[64];

	while (*path) {
		size_t len = strcspn(path, ".");

		if (len >= sizeof(key))
			return "";
		memcpy(key, path, len);
		key[len] = '\0';
		object = json_get(object, key);
		path += len + (path[len] == '.');
	}
	if (json_type(object) == JSON_BOOL)
		return json_bool(object, false) ? "true" : "false";
	return json_str(object, "");
}

static bool number_holds(enum op op, const char *have, const char *want)
{
	uint64_t a, b;

	if (str_u64(have, INT64_MAX, &a) < 0 || str_u64(want, INT64_MAX, &b) < 0)
		return false;
	return op == OP_GREATER ? a > b : a < b;
}

static bool holds(const struct requirement *r, const struct json *object)
{
	const char *have =
		r->field ? field_value(object, r->key)
			 : json_str(json_at(object, "metadata", "labels", r->key, NULL), NULL);
	bool in = false;

	if (r->field && str_eq(r->key, "spec.unschedulable") && !*have)
		have = "false";
	if (r->op == OP_EXISTS || r->op == OP_MISSING)
		return (have != NULL) == (r->op == OP_EXISTS);
	if (!have)
		return r->op == OP_NOT_IN;
	if (r->op == OP_GREATER || r->op == OP_LESS)
		return number_holds(r->op, have, r->values[0]);
	for (size_t i = 0; i < r->count && !in; i++)
		in = str_eq(have, r->values[i]);
	return in == (r->op == OP_IN);
}

bool selector_matches(const struct selector *s, const struct json *object)
{
	for (size_t i = 0; s && i < s->count; i++) {
		if (!holds(&s->list[i], object))
			return false;
	}
	return true;
}

const char *selector_field(const struct selector *s, const char *path)
{
	for (size_t i = 0; s && i < s->count; i++) {
		const struct requirement *r = &s->list[i];

		if (r->field && r->op == OP_IN && str_eq(r->key, path))
			return r->values[0];
	}
	return NULL;
}
