// SPDX-License-Identifier: Apache-2.0
/* Log lines and query values: the first byte says how the rest is cut into pieces. */
#include <stdlib.h>
#include <string.h>

#include "api/cri.h"
#include "base/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *get_text(const char *key, const void *arg)
{
	const char *text = arg, *at = strstr(text, key);

	return at ? at + strlen(key) : NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_free_ char *text = mem_strndup((const char *)data, size);
	struct cri_options o;
	struct cri_filter f;
	struct buf out = BUF_INIT(0);
	size_t step = size ? (size_t)data[0] % 64 + 1 : 1;

	if (cri_options_parse(get_text, text, 1, &o, NULL) < 0)
		o = (struct cri_options){
			.want_stdout = true, .want_stderr = true, .timestamps = true};
	cri_filter_init(&f, &o);
	for (size_t i = 0; i < size; i += step)
		if (cri_filter_feed(&f, (const char *)data + i, MIN(step, size - i), &out) < 0)
			abort();
	if (o.limited && out.len > o.limit_bytes)
		abort();
	cri_filter_done(&f);
	buf_done(&out);
	return 0;
}
