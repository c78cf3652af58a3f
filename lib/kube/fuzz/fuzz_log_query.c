// SPDX-License-Identifier: Apache-2.0
/* The query string of a log, from its bytes to what is asked for. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "kube/log_query.h"

#define PAIRS_MAX 16

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct pairs {
	const char *keys[PAIRS_MAX], *values[PAIRS_MAX];
	size_t count;
};

static const char *get(const char *key, const void *arg)
{
	const struct pairs *p = arg;

	for (size_t i = 0; i < p->count; i++)
		if (str_eq(p->keys[i], key))
			return p->values[i];
	return NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_free_ char *text = mem_strndup((const char *)data, size);
	struct pairs p = {.count = 0};
	struct log_query q;
	struct err e = ERR_INIT;
	char *rest = text;

	while (p.count < PAIRS_MAX &&
	       str_query_next(&rest, &p.keys[p.count], &p.values[p.count]) > 0)
		p.count++;
	if (log_query_parse(get, &p, &q, &e) < 0) {
		if (!*err_msg(&e))
			abort();
		return 0;
	}
	if (q.tail_lines < -1 || q.limit_bytes < 0 || q.since_seconds < 0 ||
	    (q.since_seconds && q.since_ns) || (!q.want_stdout && !q.want_stderr))
		abort();
	return 0;
}
