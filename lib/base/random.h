/* SPDX-License-Identifier: Apache-2.0 */
/* The kernel's generator, which is all the randomness there is. */
#ifndef BASE_RANDOM_H
#define BASE_RANDOM_H

#include <stddef.h>

/** random_fill() - Random bytes, fit for keys; waits while the kernel has none yet */
void random_fill(void *out, size_t len);

/** random_feed() - random_fill() in the shape in which libraries take a generator. Return: 0 */
int random_feed(void *unused, unsigned char *out, size_t len);

#endif
