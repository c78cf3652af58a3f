// SPDX-License-Identifier: Apache-2.0
/* Signing requests of strangers: the PEM or DER text that spec.request carries, and the decision. */
#include <stdint.h>
#include <string.h>

#include "base/base64.h"
#include "enrol/csr.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct json_doc *doc = json_doc_new();
	struct json *root = json_new_obj(doc), *spec = json_obj_of(doc, root, "spec");
	struct csr_facts f;
	struct buf text = BUF_INIT(0);
	char reason[CSR_REASON_MAX];

	json_set_root(doc, root);
	base64_encode(&text, data, size);
	json_put_str(doc, spec, "request", text.len ? text.data : "");
	json_put_str(doc, spec, "username", "system:bootstrap:abcdef");
	json_put_str(doc, spec, "signerName", "kubernetes.io/kube-apiserver-client-kubelet");
	json_push(doc, json_arr_of(doc, spec, "usages"), json_new_str(doc, "client auth"));
	if (csr_read(root, &f, NULL) == 0)
		csr_decide(&f, reason);
	csr_done(&f);
	buf_done(&text);
	json_doc_free(doc);
	return 0;
}
