// SPDX-License-Identifier: Apache-2.0
#include "vmm/virtio/blk.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/virtio_ids.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"

#define BLK_SECTOR		512U
#define BLK_QUEUE_SIZE		64U
#define BLK_DISCARD_SECTORS_MAX (1U << 22) /* 2 GiB a request */

/* What is left of a chain: a position in a list of buffers that are used up from the front. */
struct blk_cursor {
	struct iovec *iov;
	unsigned int count;
};

static uint64_t blk_left(const struct blk_cursor *c)
{
	uint64_t total = 0;

	for (unsigned int i = 0; i < c->count; i++)
		total += c->iov[i].iov_len;
	return total;
}

static void blk_skip(struct blk_cursor *c, uint64_t n)
{
	while (n && c->count) {
		uint64_t part = MIN(n, (uint64_t)c->iov->iov_len);

		c->iov->iov_base = (uint8_t *)c->iov->iov_base + part;
		c->iov->iov_len -= part;
		n -= part;
		if (c->iov->iov_len)
			break;
		c->iov++;
		c->count--;
	}
}

/* Moves up to @n bytes between @data and the buffers. Return: bytes moved */
static size_t blk_copy(struct blk_cursor *c, void *data, size_t n, bool to_guest)
{
	uint8_t *p = data;
	size_t done = 0;

	while (done < n && c->count) {
		size_t part = MIN(n - done, c->iov->iov_len);

		if (to_guest)
			memcpy(c->iov->iov_base, p + done, part);
		else
			memcpy(p + done, c->iov->iov_base, part);
		done += part;
		blk_skip(c, part);
	}
	/* What was copied is what is looked at from now on, not what the guest makes of it. */
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	return done;
}

static void blk_zero(struct blk_cursor *c, uint64_t n)
{
	while (n && c->count) {
		size_t part = MIN(n, (uint64_t)c->iov->iov_len);

		memset(c->iov->iov_base, 0, part);
		n -= part;
		blk_skip(c, part);
	}
}

/*
 * One system call on a file for at most @max bytes. The list is cut for the call and mended after
 * it. Return: bytes moved, 0 at the file's end, -errno.
 */
static ssize_t blk_transfer(struct blk_cursor *c, int fd, uint64_t offset, uint64_t max, bool write)
{
	unsigned int n = 0;
	uint64_t sum = 0;
	size_t saved;
	ssize_t r;

	while (n < c->count && sum < max)
		sum += c->iov[n++].iov_len;
	if (n == 0)
		return 0;
	saved = c->iov[n - 1].iov_len;
	if (sum > max)
		c->iov[n - 1].iov_len -= sum - max;
	do
		r = write ? pwritev(fd, c->iov, (int)n, (off_t)offset)
			  : preadv(fd, c->iov, (int)n, (off_t)offset);
	while (r < 0 && errno == EINTR);
	r = r < 0 ? -errno : r;
	c->iov[n - 1].iov_len = saved;
	if (r > 0)
		blk_skip(c, (uint64_t)r);
	return r;
}

static const struct blk_extent *blk_find(const struct blk *b, uint64_t offset)
{
	unsigned int low = 0, high = b->extent_count;

	while (high - low > 1) {
		unsigned int mid = (low + high) / 2;

		if (b->extents[mid].start_bytes <= offset)
			low = mid;
		else
			high = mid;
	}
	return &b->extents[low];
}

static uint64_t blk_extent_end(const struct blk *b, const struct blk_extent *x)
{
	return x + 1 < b->extents + b->extent_count ? x[1].start_bytes : b->size_bytes;
}

static int blk_read(const struct blk *b, struct blk_cursor *c, uint64_t offset, uint64_t len)
{
	b->counters->read_bytes += len;
	while (len) {
		const struct blk_extent *x = blk_find(b, offset);
		uint64_t at = offset - x->start_bytes;
		uint64_t part = MIN(len, blk_extent_end(b, x) - offset);
		ssize_t n = 0;

		if (at < x->file_bytes)
			n = blk_transfer(c, x->fd, at, MIN(part, x->file_bytes - at), false);
		if (n < 0)
			return (int)n;
		if (n == 0) {
			blk_zero(c, part);
			n = (ssize_t)part;
		}
		offset += (uint64_t)n;
		len -= (uint64_t)n;
	}
	return 0;
}

static int blk_write(const struct blk *b, struct blk_cursor *c, uint64_t offset, uint64_t len)
{
	while (len) {
		ssize_t n = blk_transfer(c, b->extents[0].fd, offset, len, true);

		if (n <= 0)
			return n < 0 ? (int)n : -EIO;
		b->counters->written_bytes += (uint64_t)n;
		offset += (uint64_t)n;
		len -= (uint64_t)n;
	}
	return 0;
}

static bool blk_in_range(const struct blk *b, uint64_t sector, uint64_t sectors)
{
	uint64_t all = b->size_bytes / BLK_SECTOR;

	return sector <= all && sectors <= all - sector;
}

/* One range a request (§5.2.6.2). Gives the space back: on a tmpfs that is the host's memory. */
static uint8_t blk_discard(const struct blk *b, struct blk_cursor *c)
{
	struct virtio_blk_discard_write_zeroes range;

	if (blk_copy(c, &range, sizeof(range), false) != sizeof(range) || blk_left(c))
		return VIRTIO_BLK_S_IOERR;
	if (range.flags || range.num_sectors > BLK_DISCARD_SECTORS_MAX)
		return VIRTIO_BLK_S_UNSUPP;
	if (!blk_in_range(b, range.sector, range.num_sectors))
		return VIRTIO_BLK_S_IOERR;
	if (range.num_sectors &&
	    fallocate(b->extents[0].fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
		      (off_t)(range.sector * BLK_SECTOR),
		      (off_t)range.num_sectors * BLK_SECTOR) < 0)
		return errno == EOPNOTSUPP ? VIRTIO_BLK_S_OK : VIRTIO_BLK_S_IOERR;
	return VIRTIO_BLK_S_OK;
}

/* Whether a write that found no room is worth another attempt */
static bool blk_may_wait(struct blk *b)
{
	uint64_t now_ns = clock_mono_ns();

	if (!b->full_since_ns)
		b->full_since_ns = now_ns;
	return now_ns - b->full_since_ns < BLK_FULL_MAX_NS;
}

/*
 * @in holds what the device reads, behind the header; @out what it writes, without the status byte.
 * Return: the status byte; -ENOSPC: not now.
 */
static int blk_request(struct blk *b, const struct virtio_blk_outhdr *h, struct blk_cursor *in,
		       struct blk_cursor *out)
{
	uint64_t len = blk_left(h->type == VIRTIO_BLK_T_IN ? out : in);
	int r = 0;

	switch (h->type) {
	case VIRTIO_BLK_T_IN:
	case VIRTIO_BLK_T_OUT:
		if (len % BLK_SECTOR || !blk_in_range(b, h->sector, len / BLK_SECTOR) ||
		    (h->type == VIRTIO_BLK_T_OUT && b->readonly))
			return VIRTIO_BLK_S_IOERR;
		r = h->type == VIRTIO_BLK_T_IN ? blk_read(b, out, h->sector * BLK_SECTOR, len)
					       : blk_write(b, in, h->sector * BLK_SECTOR, len);
		if (r == -ENOSPC && blk_may_wait(b))
			return r;
		if (h->type == VIRTIO_BLK_T_OUT && r == 0)
			b->full_since_ns = 0;
		break;
	case VIRTIO_BLK_T_FLUSH:
		if (!b->readonly && fdatasync(b->extents[0].fd) < 0)
			r = -errno;
		break;
	case VIRTIO_BLK_T_GET_ID:
		blk_copy(out, b->serial, sizeof(b->serial), true);
		break;
	case VIRTIO_BLK_T_DISCARD:
		return b->readonly ? VIRTIO_BLK_S_UNSUPP : blk_discard(b, in);
	default:
		return VIRTIO_BLK_S_UNSUPP;
	}
	return r < 0 ? VIRTIO_BLK_S_IOERR : VIRTIO_BLK_S_OK;
}

static void blk_count(struct blk *b, uint32_t type, uint8_t status)
{
	struct vm_counters_disk *n = b->counters;

	n->reads += type == VIRTIO_BLK_T_IN;
	n->writes += type == VIRTIO_BLK_T_OUT;
	n->flushes += type == VIRTIO_BLK_T_FLUSH;
	n->discards += type == VIRTIO_BLK_T_DISCARD;
	n->errors += status != VIRTIO_BLK_S_OK;
}

/* Serves the chain in hand. Return: bytes written to the guest; -EBADMSG: it is no request; -ENOSPC: not now. */
static int64_t blk_handle(struct blk *b)
{
	struct vq_chain *c = &b->chain;
	struct blk_cursor in = {.iov = c->iov, .count = c->read_count};
	struct blk_cursor out = {.iov = c->iov + c->read_count, .count = c->write_count};
	struct virtio_blk_outhdr h;
	struct iovec *last;
	uint8_t *status;
	uint64_t room;
	int r;

	if (c->write_count == 0 || blk_copy(&in, &h, sizeof(h), false) != sizeof(h))
		return -EBADMSG;
	/* The status is the last byte that we write, wherever the driver cut its buffers. */
	room = blk_left(&out);
	last = &out.iov[out.count - 1];
	status = (uint8_t *)last->iov_base + last->iov_len - 1;
	if (--last->iov_len == 0)
		out.count--;
	r = blk_request(b, &h, &in, &out);
	if (r < 0)
		return r;
	*status = (uint8_t)r;
	blk_count(b, h.type, *status);
	return (int64_t)(room - blk_left(&out));
}

uint64_t blk_serve(struct blk *b)
{
	struct vdev *d = &b->dev;
	struct vq *q = &d->queues[0];
	/* Then others may have the lock: a driver that adds requests for ever could never reset. */
	unsigned int left = BLK_QUEUE_SIZE;
	uint64_t wait_ns = 0;
	int r = 0;

	pthread_mutex_lock(&d->lock);
	if (!d->active || !q->ready) {
		pthread_mutex_unlock(&d->lock);
		return 0;
	}
	do {
		vq_suppress(q);
		while (left && (r = vq_pop(q, d->mem, &b->chain)) > 0) {
			int64_t written = blk_handle(b);

			left--;
			if (written == -ENOSPC) {
				vq_unpop(q);
				wait_ns = BLK_FULL_WAIT_NS;
				left = 0;
				break;
			}
			if (b->limit)
				wait_ns =
					limit_take(b->limit, b->chain.total_bytes, clock_mono_ns());
			if (wait_ns)
				left = 0;
			if (written < 0) {
				r = (int)written;
				break;
			}
			vq_push(q, b->chain.head, (uint32_t)written);
			if (vq_wants_interrupt(q))
				vdev_interrupt(d);
		}
	} while (r == 0 && vq_rearm(q));
	if (r > 0)
		eventfd_write(d->kick_fds[0], 1);
	if (r < 0) {
		d->active = false;
		vdev_fail(d, "bad request");
	}
	pthread_mutex_unlock(&d->lock);
	return wait_ns;
}

void blk_run(struct blk *b)
{
	eventfd_t n;

	for (;;) {
		struct timespec wait;
		uint64_t ns;

		if (eventfd_read(b->dev.kick_fds[0], &n) < 0)
			continue;
		b->counters->kicks++;
		ns = blk_serve(b);
		wait = (struct timespec){.tv_sec = (time_t)(ns / 1000000000U),
					 .tv_nsec = (long)(ns % 1000000000U)};
		if (ns)
			clock_nanosleep(CLOCK_MONOTONIC, 0, &wait, NULL);
	}
}

static int blk_activate(struct vdev *d)
{
	struct blk *b = container_of(d, struct blk, dev);

	b->full_since_ns = 0;
	/* Requests may be there already: look once. */
	eventfd_write(d->kick_fds[0], 1);
	return d->queues[0].ready ? 0 : -EINVAL;
}

static void blk_reset(struct vdev *d)
{
	(void)d; /* the lock is held: no request is in hand */
}

static const struct vdev_ops blk_ops = {.activate = blk_activate, .reset = blk_reset};

static void blk_init_extents(struct blk *b, const struct vm_spec *spec, const struct vm_disk *disk,
			     struct blk_extent *extents, const int *fds)
{
	b->extent_count = disk->extent_count;
	b->extents = extents;
	for (uint32_t i = 0; i < disk->extent_count; i++) {
		const struct vm_extent *x = &spec->extents[disk->first_extent + i];
		uint64_t span = (x->size_bytes + VM_EXTENT_ALIGN - 1) &
				~(uint64_t)(VM_EXTENT_ALIGN - 1);

		/* A file that is written to may grow into the rest of its last page. */
		extents[i] = (struct blk_extent){.fd = fds[x->fd],
						 .start_bytes = b->size_bytes,
						 .file_bytes = b->readonly ? x->size_bytes : span};
		b->size_bytes += span;
	}
}

void blk_init(struct blk *b, const struct gmem *m, const struct vm_spec *spec,
	      const struct vm_disk *disk, struct blk_extent *extents, const int *fds)
{
	struct vdev *d = &b->dev;

	b->counters = &b->own;
	b->readonly = disk->flags & VM_DISK_READONLY;
	memcpy(b->serial, disk->serial, sizeof(b->serial));
	blk_init_extents(b, spec, disk, extents, fds);
	b->config = (struct virtio_blk_config){.capacity = b->size_bytes / BLK_SECTOR,
					       .seg_max = VQ_CHAIN_MAX - 4,
					       .blk_size = BLK_SECTOR};
	d->ops = &blk_ops;
	d->name = "blk";
	d->id = VIRTIO_ID_BLOCK;
	d->features = 1ULL << VIRTIO_BLK_F_SEG_MAX | 1ULL << VIRTIO_BLK_F_FLUSH |
		      1ULL << VIRTIO_RING_F_INDIRECT_DESC | 1ULL << VIRTIO_RING_F_EVENT_IDX;
	if (b->readonly) {
		d->features |= 1ULL << VIRTIO_BLK_F_RO;
	} else {
		d->features |= 1ULL << VIRTIO_BLK_F_DISCARD;
		b->config.max_discard_sectors = BLK_DISCARD_SECTORS_MAX;
		b->config.max_discard_seg = 1;
		b->config.discard_sector_alignment = VM_EXTENT_ALIGN / BLK_SECTOR;
	}
	d->config = &b->config;
	d->config_bytes = sizeof(b->config);
	d->queue_count = 1;
	d->queue_size = BLK_QUEUE_SIZE;
	vdev_init(d, m);
}
