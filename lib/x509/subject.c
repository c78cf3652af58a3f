// SPDX-License-Identifier: Apache-2.0
/*
 * Names as texts. They come from requests, host objects and options, so what they hold is escaped
 * where a distinguished name is written (RFC 4514 §2.4): a comma in a name starts no second attribute.
 */
#include <errno.h>
#include <string.h>

#include "base/str.h"
#include "x509/x509.h"

int x509_names_add(struct x509_names *n, const char *text)
{
	if (x509_names_has(n, text))
		return 0;
	if (n->count == X509_NAMES_MAX || strlen(text) >= X509_TEXT_MAX)
		return -E2BIG;
	str_copy(n->text[n->count++], X509_TEXT_MAX, text);
	return 0;
}

bool x509_names_has(const struct x509_names *n, const char *text)
{
	for (size_t i = 0; i < n->count; i++) {
		if (str_eq(n->text[i], text))
			return true;
	}
	return false;
}

static int attribute_append(struct buf *b, const char *key, const char *value)
{
	int r = buf_printf(b, "%s%s=", b->len ? "," : "", key);

	for (; r == 0 && *value; value++) {
		if (strchr(",=+<>#;\"\\", *value))
			r = buf_puts(b, "\\");
		if (r == 0)
			r = buf_append(b, value, 1);
	}
	return r;
}

int x509_subject_name(const struct x509_subject *s, struct buf *b)
{
	int r = s->orgs.count > 1 ? -E2BIG : 0;

	if (r == 0 && s->orgs.count)
		r = attribute_append(b, "O", s->orgs.text[0]);
	return r ? r : attribute_append(b, "CN", s->common_name);
}
