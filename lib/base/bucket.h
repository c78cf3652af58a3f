/* SPDX-License-Identifier: Apache-2.0 */
/*
 * So many at once, and then one each so often: a bucket of tokens. What is kept is when it will be full again,
 * so all zero is a full one.
 */
#ifndef BASE_BUCKET_H
#define BASE_BUCKET_H

#include <stdbool.h>
#include <stdint.h>

struct bucket {
	uint64_t full_ms; /* clock_mono_ms() */
};

/**
 * bucket_take() - Take a token
 * @burst:   that it holds
 * @each_ms: that one more comes after
 * Return: whether there was one.
 */
static inline bool bucket_take(struct bucket *b, uint32_t burst, uint32_t each_ms, uint64_t now_ms)
{
	uint64_t from_ms = b->full_ms > now_ms ? b->full_ms : now_ms;

	if (from_ms + each_ms - now_ms > (uint64_t)burst * each_ms)
		return false;
	b->full_ms = from_ms + each_ms;
	return true;
}

#endif
