// SPDX-License-Identifier: Apache-2.0
/* $(NAME) in commands, arguments and variables (k8s.io/kubernetes third_party/forked/golang/expansion). */
#include <errno.h>
#include <string.h>

#include "base/buf.h"
#include "pod/spec.h"

static const char *expand_lookup(const char *name, size_t len, const char *const *env,
				 uint32_t env_count)
{
	/* The last one of a name counts. */
	for (uint32_t i = env_count; i-- > 0;)
		if (strncmp(env[i], name, len) == 0 && env[i][len] == '=')
			return env[i] + len + 1;
	return NULL;
}

int spec_expand(const char *text, const char *const *env, uint32_t env_count, struct buf *out)
{
	int r = 0;

	while (*text && r == 0) {
		const char *dollar = strchr(text, '$'), *end, *value;
		size_t plain = dollar ? (size_t)(dollar - text) : strlen(text);

		r = buf_append(out, text, plain);
		text += plain;
		if (r < 0 || !*text)
			break;
		if (text[1] == '$') {
			r = buf_append(out, "$", 1);
			text += 2;
			continue;
		}
		end = text[1] == '(' ? strchr(text, ')') : NULL;
		if (!end) {
			r = buf_append(out, text, 1);
			text++;
			continue;
		}
		value = expand_lookup(text + 2, (size_t)(end - text - 2), env, env_count);
		if (value)
			r = buf_puts(out, value);
		else
			r = buf_append(out, text, (size_t)(end - text + 1));
		text = end + 1;
	}
	return r;
}
