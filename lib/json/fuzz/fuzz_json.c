// SPDX-License-Identifier: Apache-2.0
/* Text that is taken is walked through all readers, written, and must mean the same when read again. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "json/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t walk(const struct json *v, unsigned int depth)
{
	struct json_iter it = json_iter(v);
	size_t n = strlen(json_str(v, "")) + (size_t)json_type(v);

	if (depth > JSON_DEPTH_MAX)
		abort();
	while (json_next(&it))
		n += walk(it.value, depth + 1) + (it.key ? strlen(it.key) : 0);
	return n + (size_t)json_int(v, 1) + json_bool(v, false) + (json_real(v, 0) > 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct json_doc *doc, *again, *copy;
	struct buf b = BUF_INIT(0);

	if (json_parse((const char *)data, size, &doc, NULL) < 0)
		return 0;
	walk(json_root(doc), 0);
	copy = json_doc_new();
	json_set_root(copy, json_copy(copy, json_root(doc)));
	if (json_write(json_root(copy), &b) < 0 || json_parse(b.data, b.len, &again, NULL) < 0)
		abort();
	/* Equality does not know what to make of doubled keys. */
	if (walk(json_root(again), 0) != walk(json_root(doc), 0))
		abort();
	json_put_str(doc, json_root(doc), "a", "b");
	json_remove(json_root(doc), "b");
	json_remove_item(json_root(doc), 0);
	json_doc_free(doc);
	json_doc_free(copy);
	json_doc_free(again);
	buf_done(&b);
	return 0;
}
