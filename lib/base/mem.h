/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory and ownership helpers.
 *
 * Small allocations of a size that we chose abort when memory is out: every daemon is supervised and
 * crash-only. A size that comes from network, guest or disk never goes through these: it goes
 * through buf_reserve() with a cap. Cleanup attributes release at the end of the scope; take_fd()
 * and take_ptr() move ownership out of it.
 */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define MIN(a, b)     ((a) < (b) ? (a) : (b))
#define MAX(a, b)     ((a) > (b) ? (a) : (b))

#ifndef container_of
#define container_of(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))
#endif

/* Zeroed allocations that abort on failure. */
void *mem_alloc(size_t size);
void *mem_array(size_t count, size_t size);
char *mem_strdup(const char *s);
char *mem_strndup(const char *s, size_t len);
char *mem_printf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/** mem_wipe() - Clear a secret; not removed by the optimiser */
void mem_wipe(void *p, size_t len);

/** mem_free_secret() - Clear and free a string; NULL is fine. Return: NULL */
char *mem_free_secret(char *s);

static inline void mem_cleanup_free(void *p)
{
	free(*(void **)p);
}

static inline void mem_cleanup_fd(const int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

#define _cleanup_(fn)  __attribute__((cleanup(fn)))
#define _cleanup_free_ _cleanup_(mem_cleanup_free)
#define _cleanup_fd_   _cleanup_(mem_cleanup_fd)

/** take_fd() - Move a descriptor out of its variable, which becomes -1 */
static inline int take_fd(int *fd)
{
	int r = *fd;

	*fd = -1;
	return r;
}

/** take_ptr() - Move a pointer out of its variable, which becomes NULL */
#define take_ptr(p)                            \
	({                                     \
		__typeof__(p) take_ptr_ = (p); \
		(p) = NULL;                    \
		take_ptr_;                     \
	})

#endif
