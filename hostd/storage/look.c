// SPDX-License-Identifier: Apache-2.0
/*
 * libblkid says what it finds; damaged superblocks count as well as good ones. It is asked for everything that it can find,
 * not for the best answer: a disk often carries the remains of several lives.
 */
#include "storage/look.h"

#include <blkid/blkid.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/str.h"
#include "storage/label.h"

#define LOOK_END_BYTES	 ((uint64_t)4 << 20) /* at head and tail: all known superblocks lie there */
#define LOOK_PIECE	 ((size_t)256 << 10)
#define LOOK_SAMPLES	 64
#define LOOK_SAMPLE	 4096
#define LOOK_FOUND_MAX	 8 /* signatures that are named */
#define LOOK_PARTS_MAX	 16 /* partitions that are looked into */
#define LOOK_TYPE_MAX	 64
#define LOOK_SECTOR_UNIT 512 /* that libblkid counts in, whatever the disk's are */

const char *look_name(enum look_state state)
{
	static const char *const names[] = {
		[LOOK_EMPTY] = "empty",
		[LOOK_OURS] = "ours",
		[LOOK_OTHER_FLEET] = "other-fleet",
		[LOOK_FOREIGN] = "foreign",
		[LOOK_UNREADABLE] = "unreadable",
	};

	return names[state];
}

/* ---- zeros ---- */

/* Return: 1 when all is zero, 0 when not, -errno */
static int look_zeros(int fd, uint64_t from, uint64_t len, uint8_t *piece)
{
	while (len) {
		size_t want = (size_t)MIN(len, (uint64_t)LOOK_PIECE);
		ssize_t n = pread(fd, piece, want, (off_t)from);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		if (piece[0] || memcmp(piece, piece + 1, (size_t)n - 1) != 0)
			return 0;
		from += (uint64_t)n;
		len -= (uint64_t)n;
	}
	return 1;
}

static int look_empty(int fd, uint64_t size)
{
	_cleanup_free_ uint8_t *piece = mem_alloc(LOOK_PIECE);
	uint64_t head = MIN(size, LOOK_END_BYTES), tail = size > head ? size - head : 0;
	int r = look_zeros(fd, 0, head, piece);

	if (r == 1 && tail)
		r = look_zeros(fd, MAX(tail, head), size - MAX(tail, head), piece);
	for (uint64_t i = 1; r == 1 && tail > head && i < LOOK_SAMPLES; i++)
		r = look_zeros(fd, size / LOOK_SAMPLES * i / LOOK_SAMPLE * LOOK_SAMPLE, LOOK_SAMPLE,
			       piece);
	return r;
}

/* ---- signatures ---- */

struct look_probe {
	char types[LOOK_FOUND_MAX][LOOK_TYPE_MAX];
	char uuid[LOOK_TYPE_MAX]; /* of the first */
	size_t count;
};

static void look_note(struct look_probe *p, const char *type)
{
	char safe[LOOK_TYPE_MAX];

	str_printable(safe, sizeof(safe), type);
	for (size_t i = 0; i < p->count; i++)
		if (str_eq(p->types[i], safe))
			return;
	if (p->count < LOOK_FOUND_MAX)
		(void)str_copy(p->types[p->count++], LOOK_TYPE_MAX, safe);
}

static blkid_probe look_open(int fd, uint64_t offset, uint64_t size, uint32_t sector)
{
	blkid_probe pr = blkid_new_probe();

	if (!pr)
		return NULL;
	if (blkid_probe_set_device(pr, fd, (blkid_loff_t)offset, (blkid_loff_t)size) < 0 ||
	    blkid_probe_set_sectorsize(pr, sector) < 0) {
		blkid_free_probe(pr);
		return NULL;
	}
	return pr;
}

/* Everything that is found in a range of the disk. Return: 0 or -EIO */
static int look_probe(int fd, uint64_t offset, uint64_t size, uint32_t sector, bool tables,
		      struct look_probe *found)
{
	blkid_probe pr = look_open(fd, offset, size, sector);
	const char *value;
	int r;

	*found = (struct look_probe){0};
	if (!pr)
		return -EIO;
	blkid_probe_enable_superblocks(pr, 1);
	blkid_probe_set_superblocks_flags(pr, BLKID_SUBLKS_TYPE | BLKID_SUBLKS_UUID |
						      BLKID_SUBLKS_BADCSUM);
	blkid_probe_enable_partitions(pr, tables);
	for (int i = 0; i < 4 * LOOK_FOUND_MAX && (r = blkid_do_probe(pr)) == 0; i++) {
		if (blkid_probe_lookup_value(pr, "TYPE", &value, NULL) == 0)
			look_note(found, value);
		if (blkid_probe_lookup_value(pr, "PTTYPE", &value, NULL) == 0)
			look_note(found, value);
		if (!*found->uuid && blkid_probe_lookup_value(pr, "UUID", &value, NULL) == 0)
			(void)str_copy(found->uuid, sizeof(found->uuid), value);
	}
	blkid_free_probe(pr);
	return r < 0 ? -EIO : 0;
}

static void look_say(struct buf *b, const struct look_probe *found)
{
	for (size_t i = 0; i < found->count; i++)
		(void)buf_printf(b, "%s%s", b->len && !str_ends(buf_str(b), ": ") ? ", " : "",
				 found->types[i]);
}

/* What lies in the partitions, behind the name of their table */
static void look_parts(int fd, uint32_t sector, blkid_partlist list, struct buf *b)
{
	int count = blkid_partlist_numof_partitions(list);
	struct look_probe found;

	if (count > 0)
		(void)buf_puts(b, ": ");
	for (int i = 0; i < MIN(count, LOOK_PARTS_MAX); i++) {
		blkid_partition part = blkid_partlist_get_partition(list, i);
		uint64_t size = (uint64_t)blkid_partition_get_size(part) * LOOK_SECTOR_UNIT;

		if (size == 0 || blkid_partition_is_extended(part))
			continue;
		if (look_probe(fd, (uint64_t)blkid_partition_get_start(part) * LOOK_SECTOR_UNIT,
			       size, sector, false, &found) == 0)
			look_say(b, &found);
	}
	if (str_ends(buf_str(b), ": "))
		(void)buf_printf(b, "%d partition%s", count, count == 1 ? "" : "s");
}

/*
 * Whether a partition table is our label, and what lies behind it ours. Encrypted, that is noise, but for zeros where
 * most superblocks would begin.
 */
static bool look_label(int fd, uint32_t sector, blkid_partlist list, const char *fleet,
		       struct look *l)
{
	blkid_partition part = blkid_partlist_get_partition(list, 0);
	blkid_parttable table = blkid_partlist_get_table(list);
	char name[LABEL_NAME_MAX], uuid[LABEL_UUID_MAX];
	struct look_probe found;
	const char *type, *is;

	type = part ? blkid_partition_get_type_string(part) : NULL;
	if (!table || !str_eq(blkid_parttable_get_type(table), "gpt") || !type ||
	    !str_eq(type, LABEL_TYPE) || blkid_partlist_numof_partitions(list) != 1)
		return false;
	is = blkid_partition_get_name(part);
	l->part_offset_bytes = (uint64_t)blkid_partition_get_start(part) * LOOK_SECTOR_UNIT;
	l->part_bytes = (uint64_t)blkid_partition_get_size(part) * LOOK_SECTOR_UNIT;
	if (!is || !str_eq(is, label_name(fleet, name))) {
		l->state = LOOK_OTHER_FLEET;
		str_printable(l->holds, sizeof(l->holds), is ? is : "no name");
		return true;
	}
	if (look_probe(fd, l->part_offset_bytes, l->part_bytes, sector, false, &found) < 0)
		return false;
	if (found.count && (found.count > 1 || !str_starts(found.types[0], "ext") ||
			    !str_eq(found.uuid, label_uuid(fleet, uuid))))
		return false; /* somebody has put the disk to another use */
	l->state = LOOK_OURS;
	(void)str_copy(l->holds, sizeof(l->holds), name);
	return true;
}

static int look_signatures(int fd, uint64_t size, uint32_t sector, const char *fleet,
			   struct look *l)
{
	struct buf b = BUF_INIT(LOOK_HOLDS_MAX - 1);
	struct look_probe found;
	blkid_probe pr;
	blkid_partlist list;
	int r = look_probe(fd, 0, size, sector, true, &found);

	if (r < 0)
		return r;
	pr = look_open(fd, 0, size, sector);
	if (!pr)
		return -EIO;
	blkid_probe_enable_superblocks(pr, 0);
	blkid_probe_enable_partitions(pr, 1);
	list = blkid_probe_get_partitions(pr);
	/* Beside a label of ours there is nothing else */
	if (!list || found.count != 1 || !look_label(fd, sector, list, fleet, l)) {
		l->state = LOOK_FOREIGN;
		look_say(&b, &found);
		if (list && blkid_partlist_get_table(list))
			look_parts(fd, sector, list, &b);
		(void)str_copy(l->holds, sizeof(l->holds), buf_str(&b));
	}
	buf_done(&b);
	blkid_free_probe(pr);
	return 0;
}

void look_at(int fd, uint64_t size, uint32_t sector, const char *fleet, struct look *l)
{
	int r = look_empty(fd, size);

	*l = (struct look){.state = LOOK_EMPTY};
	if (r == 0)
		r = look_signatures(fd, size, sector, fleet, l);
	if (r < 0) {
		l->state = LOOK_UNREADABLE;
		(void)str_copy(l->holds, sizeof(l->holds), strerror(-r));
	} else if (l->state == LOOK_FOREIGN && !*l->holds) {
		(void)str_copy(l->holds, sizeof(l->holds), "data that nobody here knows");
	}
	(void)posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
}
