// SPDX-License-Identifier: Apache-2.0
#include <stdint.h>
#include <stdlib.h>

#include "kube/kubeconfig.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct kubeconfig k;

	if (kubeconfig_parse((const char *)data, size, "/nonexistent", &k, NULL) == 0) {
		if (!k.server || !k.namespace)
			abort();
		kubeconfig_done(&k);
	}
	return 0;
}
