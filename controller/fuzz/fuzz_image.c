// SPDX-License-Identifier: Apache-2.0
/* What strangers may say of an image: the version, the list of its files, a checksum's line. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "image/internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_free_ char *text = mem_strndup((const char *)data, size);
	const char *rest = strchr(text, '\n');
	_cleanup_free_ char *version = mem_strndup(text, strcspn(text, "\n"));
	char hex[65], name[IMAGE_VERSION_MAX];
	struct image_info info;
	struct json_doc *doc = NULL;

	(void)image_sum_parse(text, "bzImage", hex);
	(void)image_version_parse(text, name);
	if (rest && json_parse(rest + 1, strlen(rest + 1), &doc, NULL) == 0) {
		if (image_manifest_read(version, json_root(doc), &info, NULL) == 0 &&
		    (strchr(info.version, '/') || info.version[0] == '.' ||
		     image_bytes(&info) > IMAGE_BYTES_MAX))
			abort();
		json_doc_free(doc);
	}
	return 0;
}
