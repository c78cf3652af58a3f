// SPDX-License-Identifier: Apache-2.0
/*
 * $(NAME) in commands, arguments and variables (k8s.io/kubernetes third_party/forked/golang/expansion).
 *
 * A pod may have thousands of variables and a million references: names are found by a hash, whose seed nobody
 * outside knows, and a text without a closing parenthesis is searched for one once.
 */
#include <errno.h>
#include <string.h>

#include "base/buf.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/retry.h"
#include "pod/spec.h"

#define NAMES_SLOTS_MIN 16

static uint32_t names_hash(const char *name, size_t len)
{
	static uint32_t seed;
	uint64_t hash;

	if (!seed)
		seed = retry_random() | 1;
	hash = hash_more(HASH_START ^ seed, name, len);
	return (uint32_t)(hash ^ hash >> 32);
}

void spec_names_init(struct spec_names *n, uint32_t max)
{
	uint32_t slots = NAMES_SLOTS_MIN;

	while (slots < 2 * max)
		slots *= 2;
	*n = (struct spec_names){.slots = mem_array(slots, sizeof(*n->slots)), .mask = slots - 1};
}

void spec_names_done(struct spec_names *n)
{
	free(n->slots);
	*n = (struct spec_names){0};
}

/* The slot of a name: its own, or the free one where it belongs */
static uint32_t *names_slot(const struct spec_names *n, const char *const *at, const char *name,
			    size_t len)
{
	uint32_t i = names_hash(name, len) & n->mask;

	for (; n->slots[i]; i = (i + 1) & n->mask) {
		const char *there = at[n->slots[i] - 1];

		if (strncmp(there, name, len) == 0 && there[len] == '=')
			break;
	}
	return &n->slots[i];
}

void spec_names_put(struct spec_names *n, const char *const *at, uint32_t index)
{
	*names_slot(n, at, at[index], strcspn(at[index], "=")) = index + 1;
}

int spec_names_find(const struct spec_names *n, const char *const *at, const char *name, size_t len)
{
	return n->slots ? (int)*names_slot(n, at, name, len) - 1 : -1;
}

int spec_expand(const char *text, const struct spec_names *names, const char *const *at,
		struct buf *out)
{
	/* Measured once: there may be a dollar at every second byte */
	const char *stop = text + strlen(text);
	bool closed = true; /* a ')' may follow */
	int r = 0;

	while (text < stop && r == 0) {
		const char *dollar = memchr(text, '$', (size_t)(stop - text)), *end;
		int found;
		size_t plain = (size_t)((dollar ? dollar : stop) - text);

		r = buf_append(out, text, plain);
		text += plain;
		if (r < 0 || text == stop)
			break;
		if (text[1] == '$') {
			r = buf_append(out, "$", 1);
			text += 2;
			continue;
		}
		end = NULL;
		if (text[1] == '(' && closed) {
			end = memchr(text, ')', (size_t)(stop - text));
			closed = end != NULL;
		}
		if (!end) {
			r = buf_append(out, text, 1);
			text++;
			continue;
		}
		found = spec_names_find(names, at, text + 2, (size_t)(end - text - 2));
		if (found >= 0)
			r = buf_puts(out, at[found] + (end - text - 2) + 1);
		else
			r = buf_append(out, text, (size_t)(end - text + 1));
		text = end + 1;
	}
	return r;
}
