// SPDX-License-Identifier: Apache-2.0
/* What comes from outside as text: names, challenges, manifests, configurations, records. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "oci/challenge.h"
#include "oci/manifest.h"
#include "oci/ref.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define DIGEST "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void try_name(const char *text)
{
	char full[OCI_NAME_MAX], again[OCI_NAME_MAX];
	struct oci_ref ref;

	if (oci_ref_parse(text, &ref, NULL) < 0)
		return;
	oci_ref_name(&ref, full);
	if (oci_ref_parse(full, &ref, NULL) < 0 || !str_eq(oci_ref_name(&ref, again), full))
		abort();
	if (strstr(ref.repository, "..") || ref.repository[0] == '/' || strpbrk(full, " ?#%\n"))
		abort();
}

static void try_challenge(const char *text)
{
	struct oci_challenge c;
	char url[300];

	if (oci_challenge_parse(text, &c) == 0)
		oci_challenge_url(&c, url, sizeof(url));
}

static void try_documents(const char *text, size_t len, size_t layers)
{
	struct buf b = BUF_INIT(0);
	struct oci_manifest *m = mem_alloc(sizeof(*m));
	struct oci_record record;
	struct err e = ERR_INIT;

	if (oci_manifest_parse(text, len, m, &e) == 0)
		for (size_t i = 0; i < m->layer_count; i++)
			if (!oci_digest_valid(m->layers[i].digest))
				abort();
	free(m);
	if (oci_config_record(text, len, DIGEST, layers, &b, &e) == 0) {
		if (oci_record_parse(b.data, b.len, &record, &e) < 0 ||
		    record.image.layer_count != layers)
			abort();
		oci_record_done(&record);
	}
	if (oci_record_parse(text, len, &record, &e) == 0)
		oci_record_done(&record);
	buf_done(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text;

	if (size < 1)
		return 0;
	text = mem_strndup((const char *)data + 1, size - 1);
	switch (data[0] & 3) {
	case 0:
		try_name(text);
		break;
	case 1:
		try_challenge(text);
		break;
	default:
		try_documents((const char *)data + 1, size - 1, data[0] >> 6);
		break;
	}
	free(text);
	return 0;
}
