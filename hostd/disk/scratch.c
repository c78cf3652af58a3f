// SPDX-License-Identifier: Apache-2.0
/*
 * The scratch file system is written by libext2fs into a sparse file. Only the superblock, the group
 * descriptors, the bitmaps of the first group and the root folder are really stored: bitmaps and
 * inode tables of the other groups are marked uninitialised, and the tables are marked as zeroed,
 * which a hole is. So a pod of a gigabyte costs a few dozen kilobytes until it writes.
 */
#include "disk/disk.h"

#include <errno.h>
#include <ext2fs/ext2_fs.h>
#include <ext2fs/ext2fs.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"

#define SCRATCH_BYTES_PER_INODE 16384
#define SCRATCH_INODES_MIN	1024
#define SCRATCH_NOBODY		0xffff /* who may use blocks that are out of use */
/* What ext4 sets aside when it mounts a file system with extents (ext4_calculate_resv_clusters()) */
#define SCRATCH_KERNEL_PART 50
#define SCRATCH_KERNEL_MAX  4096

static int scratch_failed(struct err *e, const char *path, const char *what, errcode_t code)
{
	/* Codes below the library's own range are errno values. */
	if (code > 0 && code < 4096)
		return err_sys(e, -(int)code, "scratch disk %s: %s", path, what);
	return err_set(e, -EIO, "scratch disk %s: %s: libext2fs error %ld", path, what, (long)code);
}

static void scratch_parameters(struct ext2_super_block *sb, uint64_t blocks)
{
	ext2fs_blocks_count_set(sb, blocks);
	sb->s_log_block_size = 2; /* 4096 bytes */
	sb->s_log_cluster_size = 2;
	sb->s_rev_level = EXT2_DYNAMIC_REV;
	sb->s_inode_size = 256;
	sb->s_inodes_count = (uint32_t)MAX(
		MIN(blocks * DISK_ALIGN / SCRATCH_BYTES_PER_INODE, UINT32_MAX), SCRATCH_INODES_MIN);
	sb->s_feature_compat = EXT2_FEATURE_COMPAT_DIR_INDEX | EXT2_FEATURE_COMPAT_EXT_ATTR;
	sb->s_feature_incompat = EXT2_FEATURE_INCOMPAT_FILETYPE | EXT3_FEATURE_INCOMPAT_EXTENTS |
				 EXT4_FEATURE_INCOMPAT_FLEX_BG;
	sb->s_feature_ro_compat =
		EXT2_FEATURE_RO_COMPAT_SPARSE_SUPER | EXT2_FEATURE_RO_COMPAT_LARGE_FILE |
		EXT4_FEATURE_RO_COMPAT_HUGE_FILE | EXT4_FEATURE_RO_COMPAT_DIR_NLINK |
		EXT4_FEATURE_RO_COMPAT_EXTRA_ISIZE | EXT4_FEATURE_RO_COMPAT_GDT_CSUM;
	sb->s_log_groups_per_flex = 4;
	sb->s_min_extra_isize = 32;
	sb->s_want_extra_isize = 32;
}

/* Holes are zeros: nothing of the tables has to be written, nor to be initialised by the guest. */
static void scratch_mark_uninitialised(ext2_filsys fs)
{
	for (dgrp_t g = 0; g < fs->group_desc_count; g++) {
		ext2fs_bg_flags_set(fs, g, EXT2_BG_INODE_ZEROED);
		if (g > 0) {
			ext2fs_bg_flags_set(fs, g, EXT2_BG_INODE_UNINIT);
			ext2fs_bg_itable_unused_set(fs, g, fs->super->s_inodes_per_group);
		}
		ext2fs_group_desc_csum_set(fs, g);
	}
}

/* All blocks beyond the limit are reserved for a user that nobody is. */
static int scratch_limit(ext2_filsys fs, const char *path, uint64_t limit_bytes, struct err *e)
{
	uint64_t blocks = ext2fs_blocks_count(fs->super);
	uint64_t free = ext2fs_free_blocks_count(fs->super);
	uint64_t wanted = limit_bytes / DISK_ALIGN +
			  MIN(blocks / SCRATCH_KERNEL_PART, (uint64_t)SCRATCH_KERNEL_MAX);

	if (!limit_bytes)
		return 0;
	if (free < wanted)
		return err_set(e, -EINVAL, "scratch disk %s: no room for a volume of %llu bytes",
			       path, (unsigned long long)limit_bytes);
	ext2fs_r_blocks_count_set(fs->super, free - wanted);
	fs->super->s_def_resuid = SCRATCH_NOBODY;
	fs->super->s_def_resgid = SCRATCH_NOBODY;
	return 0;
}

static int scratch_fill(ext2_filsys fs, const char *path, uint64_t limit_bytes, struct err *e)
{
	errcode_t code = ext2fs_allocate_tables(fs);

	if (code)
		return scratch_failed(e, path, "allocate tables", code);
	scratch_mark_uninitialised(fs);
	code = ext2fs_mkdir(fs, EXT2_ROOT_INO, EXT2_ROOT_INO, NULL);
	if (code)
		return scratch_failed(e, path, "make the root folder", code);
	for (ext2_ino_t ino = EXT2_ROOT_INO + 1; ino < EXT2_FIRST_INODE(fs->super); ino++)
		ext2fs_inode_alloc_stats2(fs, ino, +1, 0);
	ext2fs_inode_alloc_stats2(fs, EXT2_BAD_INO, +1, 0);
	fs->super->s_state |= EXT2_VALID_FS;
	ext2fs_mark_super_dirty(fs);
	return scratch_limit(fs, path, limit_bytes, e);
}

static int scratch_make_sparse(const char *path, uint64_t size_bytes, struct err *e)
{
	_cleanup_fd_ int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0)
		return err_sys(e, -errno, "scratch disk %s", path);
	if (ftruncate(fd, (off_t)size_bytes) < 0)
		return err_sys(e, -errno, "scratch disk %s: size %llu", path,
			       (unsigned long long)size_bytes);
	return 0;
}

static int scratch_make_part(const char *path, const struct disk_part *part, struct err *e)
{
	struct ext2_super_block sb = {0};
	char offset[64];
	ext2_filsys fs = NULL;
	errcode_t code;
	int r;

	if (!part->size_bytes)
		return 0;
	scratch_parameters(&sb, part->size_bytes / DISK_ALIGN);
	code = ext2fs_initialize(path, EXT2_FLAG_64BITS | EXT2_FLAG_EXCLUSIVE, &sb, unix_io_manager,
				 &fs);
	if (code)
		return scratch_failed(e, path, "initialise", code);
	/* Nothing was written yet: from here on all is. */
	snprintf(offset, sizeof(offset), "offset=%llu", (unsigned long long)part->offset_bytes);
	code = io_channel_set_options(fs->io, offset);
	r = code ? scratch_failed(e, path, "set the offset", code)
		 : scratch_fill(fs, path, part->limit_bytes, e);
	if (r < 0) {
		ext2fs_free(fs);
		return r;
	}
	code = ext2fs_close_free(&fs);
	return code ? scratch_failed(e, path, "write", code) : 0;
}

int disk_scratch_create(const char *path, const struct disk_scratch *s, struct err *e)
{
	int r = scratch_make_sparse(path, s->size_bytes, e);

	if (r == 0)
		r = scratch_make_part(path, &s->scratch, e);
	for (size_t i = 0; i < s->count && r == 0; i++)
		r = scratch_make_part(path, &s->volumes[i], e);
	if (r < 0)
		unlink(path);
	return r;
}
