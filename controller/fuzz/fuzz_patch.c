// SPDX-License-Identifier: Apache-2.0
/* Patches: the first byte chooses the kind, an object and a patch follow, separated by a newline. */
#include <stdint.h>
#include <string.h>

#include "api/internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_json_ struct json_doc *doc = NULL, *patch = NULL, *again = NULL;
	const char *text = (const char *)data + 1, *nl;
	struct buf out = BUF_INIT(0);
	struct err e = ERR_INIT;
	int r;

	if (size < 2)
		return 0;
	nl = memchr(text, '\n', size - 1);
	if (!nl || json_parse(text, (size_t)(nl - text), &doc, &e) < 0 ||
	    json_parse(nl + 1, size - 1 - (size_t)(nl + 1 - text), &patch, &e) < 0)
		return 0;
	if (*data % 3 == 0)
		r = patch_merge(doc, json_root(patch), &e);
	else if (*data % 3 == 1)
		r = patch_json(doc, json_root(patch), &e);
	else
		r = patch_strategic(doc, json_root(patch), &e);
	/* what was made can be written and read again */
	if (r == 0 && json_write(json_root(doc), &out) == 0 &&
	    json_parse(out.data, out.len, &again, &e) < 0 && !strstr(e.msg, "deep"))
		__builtin_trap();
	buf_done(&out);
	return 0;
}
