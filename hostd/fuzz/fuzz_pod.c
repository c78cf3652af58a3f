// SPDX-License-Identifier: Apache-2.0
/* Pod JSON as an API server may send it. */
#include <stdlib.h>
#include <string.h>

#include "pod/spec.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	struct json_doc *doc = NULL;
	struct pod_spec *spec = NULL;
	struct spec_size s;

	if (json_parse((const char *)data, size, &doc, NULL) < 0)
		return 0;
	if (spec_parse(json_root(doc), &spec, NULL) == 0) {
		spec_size(spec, 4, &s);
		if (!s.vcpus || !s.vm_memory_bytes || strchr(spec->uid, '/') ||
		    spec->container_count > GUEST_CONTAINERS_MAX)
			abort();
	}
	spec_free(spec);
	json_doc_free(doc);
	return 0;
}
