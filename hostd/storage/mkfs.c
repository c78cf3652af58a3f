// SPDX-License-Identifier: Apache-2.0
/*
 * As mke2fs would do it with -O ^has_journal,^resize_inode,^metadata_csum and one inode for each MiB: what lies here are few and
 * large files. Groups that nothing was put into yet have neither bitmaps nor inode tables on the disk; the kernel makes
 * them when it needs them, and clears the tables in the background (lazyinit).
 */
#include <errno.h>
#include <ext2fs/ext2_fs.h>
#include <ext2fs/ext2fs.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "base/random.h"
#include "base/str.h"
#include "storage/prepare.h"

#define MKFS_BLOCK	     4096
#define MKFS_BYTES_PER_INODE ((uint64_t)1 << 20)
#define MKFS_INODES_MIN	     16384
#define MKFS_LABEL	     "hypermetal"

static int mkfs_failed(struct err *e, const char *what, errcode_t code)
{
	/* Codes below the library's own range are errno values. */
	if (code > 0 && code < 4096)
		return err_sys(e, -(int)code, "file system: %s", what);
	return err_set(e, -EIO, "file system: %s: libext2fs error %ld", what, (long)code);
}

static void mkfs_parameters(struct ext2_super_block *sb, uint64_t blocks)
{
	uint64_t inodes = blocks * MKFS_BLOCK / MKFS_BYTES_PER_INODE;

	ext2fs_blocks_count_set(sb, blocks);
	sb->s_log_block_size = 2;
	sb->s_log_cluster_size = 2;
	sb->s_rev_level = EXT2_DYNAMIC_REV;
	sb->s_inode_size = 256;
	sb->s_inodes_count =
		(uint32_t)MIN(MAX(inodes, (uint64_t)MKFS_INODES_MIN), (uint64_t)UINT32_MAX);
	sb->s_feature_compat = EXT2_FEATURE_COMPAT_DIR_INDEX | EXT2_FEATURE_COMPAT_EXT_ATTR;
	sb->s_feature_incompat = EXT2_FEATURE_INCOMPAT_FILETYPE | EXT3_FEATURE_INCOMPAT_EXTENTS |
				 EXT4_FEATURE_INCOMPAT_FLEX_BG;
	if (blocks > UINT32_MAX)
		sb->s_feature_incompat |= EXT4_FEATURE_INCOMPAT_64BIT;
	sb->s_feature_ro_compat =
		EXT2_FEATURE_RO_COMPAT_SPARSE_SUPER | EXT2_FEATURE_RO_COMPAT_LARGE_FILE |
		EXT4_FEATURE_RO_COMPAT_HUGE_FILE | EXT4_FEATURE_RO_COMPAT_DIR_NLINK |
		EXT4_FEATURE_RO_COMPAT_EXTRA_ISIZE | EXT4_FEATURE_RO_COMPAT_GDT_CSUM;
	sb->s_log_groups_per_flex = 4;
	sb->s_min_extra_isize = 32;
	sb->s_want_extra_isize = 32;
}

/* The first group's inodes are used at once: its table has to be zero. The others' are the kernel's */
static int mkfs_tables(ext2_filsys fs, struct err *e)
{
	errcode_t code = ext2fs_allocate_tables(fs);

	if (!code)
		code = ext2fs_zero_blocks2(fs, ext2fs_inode_table_loc(fs, 0),
					   (int)fs->inode_blocks_per_group, NULL, NULL);
	if (code)
		return mkfs_failed(e, "tables", code);
	ext2fs_bg_flags_set(fs, 0, EXT2_BG_INODE_ZEROED);
	return 0;
}

static int mkfs_fill(ext2_filsys fs, const uint8_t uuid[16], struct err *e)
{
	int r = mkfs_tables(fs, e);
	errcode_t code;

	if (r < 0)
		return r;
	memcpy(fs->super->s_uuid, uuid, 16);
	random_fill(fs->super->s_hash_seed, sizeof(fs->super->s_hash_seed));
	fs->super->s_def_hash_version = EXT2_HASH_HALF_MD4;
	memcpy(fs->super->s_volume_name, MKFS_LABEL, sizeof(MKFS_LABEL) - 1);
	ext2fs_r_blocks_count_set(fs->super, 0);
	fs->super->s_max_mnt_count = (uint16_t)-1;
	fs->super->s_errors = EXT2_ERRORS_RO;
	code = ext2fs_mkdir(fs, EXT2_ROOT_INO, EXT2_ROOT_INO, NULL);
	if (code)
		return mkfs_failed(e, "root folder", code);
	for (ext2_ino_t ino = EXT2_ROOT_INO + 1; ino < EXT2_FIRST_INODE(fs->super); ino++)
		ext2fs_inode_alloc_stats2(fs, ino, +1, 0);
	ext2fs_inode_alloc_stats2(fs, EXT2_BAD_INO, +1, 0);
	for (dgrp_t g = 0; g < fs->group_desc_count; g++)
		ext2fs_group_desc_csum_set(fs, g); /* with the UUID that it has now */
	fs->super->s_state |= EXT2_VALID_FS;
	ext2fs_mark_super_dirty(fs);
	return 0;
}

int prepare_mkfs(const char *device, uint64_t size, const char *uuid, struct err *e)
{
	struct ext2_super_block sb = {0};
	uint8_t raw[16];
	char hex[33];
	size_t n = 0;
	ext2_filsys fs = NULL;
	errcode_t code;
	int r;

	for (const char *p = uuid; *p && n < sizeof(hex) - 1; p++)
		if (*p != '-')
			hex[n++] = *p;
	hex[n] = '\0';
	if (str_unhex(raw, sizeof(raw), hex) < 0)
		return err_set(e, -EINVAL, "file system: %s is no UUID", uuid);
	mkfs_parameters(&sb, size / MKFS_BLOCK);
	code = ext2fs_initialize(device, EXT2_FLAG_64BITS | EXT2_FLAG_EXCLUSIVE, &sb,
				 unix_io_manager, &fs);
	if (code)
		return mkfs_failed(e, "initialise", code);
	r = mkfs_fill(fs, raw, e);
	if (r < 0) {
		ext2fs_free(fs);
		return r;
	}
	code = ext2fs_close_free(&fs);
	return code ? mkfs_failed(e, "write", code) : 0;
}
