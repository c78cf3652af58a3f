// SPDX-License-Identifier: Apache-2.0
#include "storage/erase.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"

#define ERASE_BLOCK	    ((size_t)4096)
#define ERASE_EDGE	    16 /* blocks at head and tail */
#define ERASE_SPREAD	    64
#define ERASE_SAMPLES	    (2 * ERASE_EDGE + ERASE_SPREAD)
#define ERASE_PIECE	    ((size_t)4 << 20)
#define ERASE_DISCARD_PIECE ((uint64_t)4 << 30)
#define ERASE_WHOLE	    10000

static const char *const erase_names[ERASE_METHODS] = {
	[ERASE_AUTO] = "auto",
	[ERASE_DISCARD] = "discard",
	[ERASE_NVME_FORMAT] = "nvme-format",
	[ERASE_NVME_SANITIZE] = "nvme-sanitize",
	[ERASE_ATA] = "ata-secure-erase",
	[ERASE_OVERWRITE] = "overwrite",
};

const char *erase_name(enum erase_method method)
{
	return erase_names[method];
}

int erase_parse(const char *name)
{
	for (int i = 0; i < ERASE_METHODS; i++)
		if (str_eq(name, erase_names[i]))
			return i;
	return -EINVAL;
}

static void erase_tell(const struct erase *x, enum erase_method method, uint64_t done)
{
	if (x->on_progress)
		x->on_progress(method, (unsigned int)(done / (x->size_bytes / ERASE_WHOLE + 1)),
			       x->arg);
}

/* ---- samples ---- */

static uint64_t sample_at(uint64_t size, unsigned int i)
{
	uint64_t blocks = size / ERASE_BLOCK;

	if (i < ERASE_EDGE)
		return MIN((uint64_t)i, blocks - 1) * ERASE_BLOCK;
	if (i < 2 * ERASE_EDGE)
		return (blocks - MIN((uint64_t)(i - ERASE_EDGE + 1), blocks)) * ERASE_BLOCK;
	return blocks / (ERASE_SPREAD + 1) * (i - 2 * ERASE_EDGE + 1) * ERASE_BLOCK;
}

/* From the disk, not from what the kernel remembers of it */
static int samples_read(const struct erase *x, uint8_t *to, struct err *e)
{
	(void)ioctl(x->fd, BLKFLSBUF);
	(void)posix_fadvise(x->fd, 0, 0, POSIX_FADV_DONTNEED);
	for (unsigned int i = 0; i < ERASE_SAMPLES; i++) {
		ssize_t n = pread(x->fd, to + i * ERASE_BLOCK, ERASE_BLOCK,
				  (off_t)sample_at(x->size_bytes, i));

		if (n != (ssize_t)ERASE_BLOCK)
			return err_sys(e, n < 0 ? -errno : -EIO, "read it again");
	}
	return 0;
}

static bool block_is_zero(const uint8_t *block)
{
	return !block[0] && memcmp(block, block + 1, ERASE_BLOCK - 1) == 0;
}

/* @must_be_zero: after this method; else it is enough that nothing is as it was */
static int samples_judge(const uint8_t *was, const uint8_t *is, bool must_be_zero,
			 struct erase_report *report, struct err *e)
{
	unsigned int kept = 0, zero = 0;

	for (size_t i = 0; i < ERASE_SAMPLES; i++) {
		const uint8_t *a = was + i * ERASE_BLOCK, *b = is + i * ERASE_BLOCK;
		bool empty = block_is_zero(b);

		zero += empty;
		kept += !empty && memcmp(a, b, ERASE_BLOCK) == 0;
	}
	report->samples = ERASE_SAMPLES;
	report->zero = zero == ERASE_SAMPLES;
	if (kept)
		return err_set(e, -EIO, "%u of %u samples can still be read", kept, ERASE_SAMPLES);
	if (must_be_zero && !report->zero)
		return err_set(e, -EIO, "%u of %u samples are not zero", ERASE_SAMPLES - zero,
			       ERASE_SAMPLES);
	return 0;
}

/* ---- the kernel's ways ---- */

static int erase_discard(struct erase *x, struct err *e)
{
	for (uint64_t at = 0; at < x->size_bytes; at += ERASE_DISCARD_PIECE) {
		uint64_t range[2] = {at, MIN(x->size_bytes - at, ERASE_DISCARD_PIECE)};

		if (ioctl(x->fd, BLKDISCARD, range) < 0)
			return errno == EOPNOTSUPP ? err_set(e, -ENOTSUP, "it does not know TRIM")
						   : err_sys(e, -errno, "TRIM");
		erase_tell(x, ERASE_DISCARD, at + range[1]);
	}
	return 0;
}

/* Past the page cache, which would only hold what nobody reads */
static int erase_overwrite(struct erase *x, struct err *e)
{
	_cleanup_free_ char *path = mem_printf("/proc/self/fd/%d", x->fd);
	_cleanup_fd_ int direct = open(path, O_WRONLY | O_DIRECT | O_CLOEXEC);
	_cleanup_free_ void *zeros = NULL;
	int fd = direct >= 0 ? direct : x->fd;

	if (posix_memalign(&zeros, ERASE_BLOCK, ERASE_PIECE))
		return err_set(e, -ENOMEM, "no memory");
	memset(zeros, 0, ERASE_PIECE);
	for (uint64_t at = 0; at < x->size_bytes;) {
		size_t want = (size_t)MIN(x->size_bytes - at, (uint64_t)ERASE_PIECE);
		ssize_t n = pwrite(fd, zeros, want, (off_t)at);

		if (n <= 0)
			return err_sys(e, n < 0 ? -errno : -EIO, "write zeros at byte %llu",
				       (unsigned long long)at);
		at += (uint64_t)n;
		erase_tell(x, ERASE_OVERWRITE, at);
	}
	return fsync(x->fd) < 0 ? err_sys(e, -errno, "write zeros") : 0;
}

/* ---- one method, then all ---- */

static int erase_by(struct erase *x, enum erase_method method, struct err *e)
{
	static int (*const fns[ERASE_METHODS])(struct erase * x, struct err * e) = {
		[ERASE_DISCARD] = erase_discard,
		[ERASE_NVME_FORMAT] = erase_nvme_format,
		[ERASE_NVME_SANITIZE] = erase_nvme_sanitize,
		[ERASE_ATA] = erase_ata,
		[ERASE_OVERWRITE] = erase_overwrite,
	};

	erase_tell(x, method, 0);
	return fns[method](x, e);
}

static int erase_once(struct erase *x, enum erase_method method, const uint8_t *was, uint8_t *is,
		      struct erase_report *report, struct err *e)
{
	bool zeros = method == ERASE_DISCARD || method == ERASE_OVERWRITE;
	int r = erase_by(x, method, e);

	report->method = method;
	report->samples = 0;
	if (r == 0)
		r = samples_read(x, is, e);
	return r == 0 ? samples_judge(was, is, zeros, report, e) : r;
}

static int erase_all(struct erase *x, const uint8_t *was, uint8_t *is, struct erase_report *report,
		     struct err *e)
{
	static const enum erase_method order[] = {ERASE_NVME_FORMAT, ERASE_ATA, ERASE_DISCARD,
						  ERASE_OVERWRITE};
	int r = -ENOTSUP;

	for (size_t i = 0; i < ARRAY_SIZE(order) && r < 0; i++) {
		size_t n = strlen(report->tried);

		err_clear(e);
		r = erase_once(x, order[i], was, is, report, e);
		if (r < 0 && r != -ENOTSUP)
			snprintf(report->tried + n, sizeof(report->tried) - n, "%s%s: %s",
				 n ? "; " : "", erase_name(order[i]), err_msg(e));
	}
	return r;
}

int erase_run(struct erase *x, enum erase_method method, struct erase_report *report, struct err *e)
{
	_cleanup_free_ uint8_t *was = mem_alloc(ERASE_SAMPLES * ERASE_BLOCK);
	_cleanup_free_ uint8_t *is = mem_alloc(ERASE_SAMPLES * ERASE_BLOCK);
	struct err minor = ERR_INIT;

	*report = (struct erase_report){.method = method, .bytes = x->size_bytes};
	if (x->size_bytes < ERASE_BLOCK)
		return err_set(e, -EINVAL, "it has no room");
	/* One that cannot be read any more may still be able to erase itself */
	if (samples_read(x, was, &minor) < 0)
		memset(was, 0, ERASE_SAMPLES * ERASE_BLOCK);
	if (method == ERASE_AUTO)
		return erase_all(x, was, is, report, e);
	return erase_once(x, method, was, is, report, e);
}
