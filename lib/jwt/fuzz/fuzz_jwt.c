// SPDX-License-Identifier: Apache-2.0
/* Tokens of strangers: taken apart, or refused without a trace. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/mem.h"
#include "jwt/jwt.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *token = mem_strndup((const char *)data, size);
	struct buf bytes = BUF_INIT(0), text = BUF_INIT(0);
	struct jwt t;

	if (jwt_parse(token, &t, NULL) == 0) {
		if (!json_is_obj(json_root(t.header)) || !json_is_obj(json_root(t.claims)) ||
		    token[t.signed_len] != '.')
			abort();
		jwt_done(&t);
	} else if (t.header || t.claims) {
		abort();
	}
	/* one text for any bytes */
	if (base64url_decode(&bytes, (const char *)data, size) == 0 &&
	    (base64url_encode(&text, bytes.data, bytes.len) < 0 || text.len != size ||
	     memcmp(buf_str(&text), data, size) != 0))
		abort();
	buf_done(&bytes);
	buf_done(&text);
	free(token);
	return 0;
}
