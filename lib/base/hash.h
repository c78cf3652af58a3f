/* SPDX-License-Identifier: Apache-2.0 */
/* FNV-1a, 64 bits: for tables and to tell contents apart, not against somebody who looks for collisions. */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

#define HASH_START \
	0xcbf29ce484222325ULL /* xor a random number, where collisions must not be foreseen */

/** hash_more() - Go on from @hash, HASH_START at first, with these bytes */
static inline uint64_t hash_more(uint64_t hash, const void *data, size_t len)
{
	const unsigned char *c = data;

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ c[i]) * 0x100000001b3ULL;
	return hash;
}

#endif
