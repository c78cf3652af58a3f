// SPDX-License-Identifier: Apache-2.0
/* The query string of a request: decoded once into pairs; surplus pairs are an error, not a loss. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "internal.h"

int query_parse(struct query *q, const char *raw)
{
	struct query_pair pair;
	char *rest;
	int r;

	memset(q, 0, sizeof(*q));
	rest = q->text = mem_strdup(raw);
	while ((r = str_query_next(&rest, &pair.key, &pair.value)) > 0) {
		if (q->count == API_QUERY_MAX)
			return -E2BIG;
		q->pairs[q->count++] = pair;
	}
	return r;
}

void query_done(struct query *q)
{
	free(q->text);
	q->text = NULL;
	q->count = 0;
}

const char *query_get(const struct query *q, const char *key)
{
	for (size_t i = 0; i < q->count; i++) {
		if (str_eq(q->pairs[i].key, key))
			return q->pairs[i].value;
	}
	return NULL;
}

bool query_bool(const struct query *q, const char *key)
{
	return str_query_flag(query_get(q, key));
}
