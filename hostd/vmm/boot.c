// SPDX-License-Identifier: Apache-2.0
/*
 * The kernel is an uncompressed ELF file. Its segments are laid over guest RAM as private mappings,
 * so that loading costs no copying and all VMs share the pages that their kernel never changes.
 * A kernel with a PVH note starts there: the kernel builds its own page tables, and our part is a
 * small structure. Others get the 64-bit protocol: zero page and an identity map.
 */
#include "vmm/boot.h"

#include <asm/bootparam.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "vmm/elf.h"
#include "vmm/layout.h"
#include "vmm/mptable.h"

#define BOOT_KERNEL_MAX	  ((uint64_t)256 << 20)
#define BOOT_INITRD_MAX	  ((uint64_t)1 << 30)
#define BOOT_E820_MAX	  4
#define BOOT_E820_RAM	  1
#define BOOT_PVH_MAGIC	  0x336ec578U
#define BOOT_PAGE_DOWN(x) ((x) & ~(uint64_t)(GMEM_PAGE - 1))
#define BOOT_PAGE_UP(x)	  BOOT_PAGE_DOWN((x) + GMEM_PAGE - 1)

struct pvh_module {
	uint64_t address, size, cmdline, reserved;
};

struct pvh_range {
	uint64_t address, size;
	uint32_t type, reserved;
};

/* hvm_start_info with what it points to behind it, all in one page */
struct pvh_page {
	uint32_t magic, version, flags, module_count;
	uint64_t modules, cmdline, rsdp, memory_map;
	uint32_t memory_map_count, reserved;
	struct pvh_module module;
	struct pvh_range map[BOOT_E820_MAX];
};

struct boot_ramdisk {
	uint64_t gpa, size_bytes;
};

static int boot_file_size(int fd, uint64_t max, uint64_t *size_bytes, const char *what,
			  struct err *e)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_sys(e, -errno, "stat of the %s", what);
	if (!S_ISREG(st.st_mode) || st.st_size <= 0 || (uint64_t)st.st_size > max)
		return err_set(e, -EINVAL, "the %s is no regular file of 1..%llu MiB", what,
			       (unsigned long long)(max >> 20));
	*size_bytes = (uint64_t)st.st_size;
	return 0;
}

/* The whole pages of a segment are mapped; the zeros behind it are made where the file goes on. */
static int boot_load_segment(const struct gmem *m, int fd, const struct elf_segment *s)
{
	uint64_t skew = s->paddr % GMEM_PAGE, tail;
	void *at;
	int r = gmem_get(m, s->paddr, s->mem_bytes, &at);

	if (r < 0 || s->paddr < LAYOUT_HIGH_START)
		return -ENOSPC;
	if (s->file_bytes == 0)
		return 0;
	if (s->offset % GMEM_PAGE != skew)
		return -ENOEXEC;
	r = gmem_map_file(m, s->paddr - skew, fd, s->offset - skew, s->file_bytes + skew);
	if (r < 0)
		return r;
	tail = MIN(s->mem_bytes - s->file_bytes,
		   BOOT_PAGE_UP(s->paddr + s->file_bytes) - s->paddr - s->file_bytes);
	/* Data and what is freed (and overwritten) after the start: every page becomes the guest's own. */
	if (s->writable)
		gmem_populate(m, s->paddr, s->mem_bytes);
	memset((uint8_t *)at + s->file_bytes, 0, tail);
	return 0;
}

static int boot_load_kernel(const struct gmem *m, int fd, struct elf_kernel *k, struct err *e)
{
	uint64_t size_bytes, page_end = 0;
	void *file;
	int r;

	r = boot_file_size(fd, BOOT_KERNEL_MAX, &size_bytes, "kernel", e);
	if (r < 0)
		return r;
	file = mmap(NULL, size_bytes, PROT_READ, MAP_PRIVATE, fd, 0);
	if (file == MAP_FAILED)
		return err_sys(e, -errno, "map the kernel");
	r = elf_parse(file, size_bytes, k, e);
	munmap(file, size_bytes);
	for (size_t i = 0; r == 0 && i < k->count; i++) {
		if (BOOT_PAGE_DOWN(k->segments[i].paddr) < page_end)
			return err_set(e, -ENOEXEC, "kernel segments %zu and %zu share a page",
				       i - 1, i);
		page_end = BOOT_PAGE_UP(k->segments[i].paddr + k->segments[i].mem_bytes);
		r = boot_load_segment(m, fd, &k->segments[i]);
		if (r < 0)
			err_sys(e, r, "load kernel segment %zu", i);
	}
	return r;
}

/* As high as possible in low memory: the kernel unpacks it and frees the pages. */
static int boot_load_initrd(const struct gmem *m, int fd, uint64_t kernel_end,
			    struct boot_ramdisk *rd, struct err *e)
{
	uint64_t low_end = m->regions[0].size_bytes;
	int r;

	*rd = (struct boot_ramdisk){0};
	if (fd < 0)
		return 0;
	r = boot_file_size(fd, BOOT_INITRD_MAX, &rd->size_bytes, "initrd", e);
	if (r < 0)
		return r;
	if (BOOT_PAGE_UP(rd->size_bytes) > low_end ||
	    low_end - BOOT_PAGE_UP(rd->size_bytes) < BOOT_PAGE_UP(kernel_end))
		return err_set(e, -ENOSPC, "no room for the initrd in %llu MiB",
			       (unsigned long long)(low_end >> 20));
	rd->gpa = low_end - BOOT_PAGE_UP(rd->size_bytes);
	r = gmem_map_file(m, rd->gpa, fd, 0, rd->size_bytes);
	return r < 0 ? err_sys(e, r, "load the initrd") : 0;
}

static unsigned int boot_memory_map(const struct gmem *m, struct pvh_range *map)
{
	unsigned int n = 0;

	map[n++] = (struct pvh_range){.size = LAYOUT_LOW_END, .type = BOOT_E820_RAM};
	map[n++] = (struct pvh_range){.address = LAYOUT_HIGH_START,
				      .size = m->regions[0].size_bytes - LAYOUT_HIGH_START,
				      .type = BOOT_E820_RAM};
	if (m->count > 1)
		map[n++] = (struct pvh_range){.address = m->regions[1].gpa,
					      .size = m->regions[1].size_bytes,
					      .type = BOOT_E820_RAM};
	return n;
}

static int boot_write_pvh(const struct gmem *m, const struct boot_ramdisk *rd)
{
	struct pvh_page *p;
	void *at;
	int r = gmem_get(m, LAYOUT_PVH_INFO, sizeof(*p), &at);

	if (r < 0)
		return r;
	p = at;
	p->magic = BOOT_PVH_MAGIC;
	p->version = 1;
	p->cmdline = LAYOUT_CMDLINE;
	p->memory_map = LAYOUT_PVH_INFO + offsetof(struct pvh_page, map);
	p->memory_map_count = boot_memory_map(m, p->map);
	if (rd->size_bytes) {
		p->module_count = 1;
		p->modules = LAYOUT_PVH_INFO + offsetof(struct pvh_page, module);
		p->module.address = rd->gpa;
		p->module.size = rd->size_bytes;
	}
	return 0;
}

static int boot_write_zero_page(const struct gmem *m, const struct boot_ramdisk *rd)
{
	struct pvh_range map[BOOT_E820_MAX];
	struct boot_params *bp;
	uint64_t *tables;
	void *at;
	int r = gmem_get(m, LAYOUT_ZERO_PAGE, sizeof(*bp), &at);

	if (r < 0)
		return r;
	bp = at;
	bp->hdr.boot_flag = 0xaa55;
	memcpy(&bp->hdr.header, "HdrS", sizeof(bp->hdr.header));
	bp->hdr.version = 0x20f;
	bp->hdr.type_of_loader = 0xff;
	bp->hdr.loadflags = LOADED_HIGH;
	bp->hdr.cmd_line_ptr = LAYOUT_CMDLINE;
	bp->hdr.cmdline_size = LAYOUT_CMDLINE_MAX;
	bp->hdr.ramdisk_image = (uint32_t)rd->gpa;
	bp->hdr.ramdisk_size = (uint32_t)rd->size_bytes;
	bp->e820_entries = (uint8_t)boot_memory_map(m, map);
	for (unsigned int i = 0; i < bp->e820_entries; i++) {
		bp->e820_table[i].addr = map[i].address;
		bp->e820_table[i].size = map[i].size;
		bp->e820_table[i].type = map[i].type;
	}
	r = gmem_get(m, LAYOUT_PAGE_TABLES, 3 * GMEM_PAGE, &at);
	if (r < 0)
		return r;
	tables = at;
	tables[0] = (LAYOUT_PAGE_TABLES + GMEM_PAGE) | 3; /* present, writable */
	tables[512] = (LAYOUT_PAGE_TABLES + 2 * GMEM_PAGE) | 3;
	for (uint64_t i = 0; i < 512; i++)
		tables[1024 + i] = i << 21 | 0x83; /* 2 MiB page */
	return 0;
}

static int boot_write_tables(const struct gmem *m, const struct boot_source *src, struct err *e)
{
	size_t len = strlen(src->cmdline) + 1;
	void *at;
	int r;

	if (len > LAYOUT_CMDLINE_MAX)
		return err_set(e, -E2BIG, "kernel command line of %zu bytes", len);
	r = gmem_get(m, LAYOUT_CMDLINE, len, &at);
	if (r < 0)
		return err_sys(e, r, "command line");
	memcpy(at, src->cmdline, len);
	r = gmem_get(m, LAYOUT_MPTABLE, MPTABLE_SIZE_MAX, &at);
	if (r < 0)
		return err_sys(e, r, "MP table");
	mptable_write(at, LAYOUT_MPTABLE, src->vcpus);
	return 0;
}

int boot_load(const struct gmem *m, const struct boot_source *src, struct boot_entry *entry,
	      struct err *e)
{
	struct boot_ramdisk rd;
	struct elf_kernel k;
	int r;

	r = boot_load_kernel(m, src->kernel_fd, &k, e);
	if (r < 0)
		return r;
	r = boot_load_initrd(m, src->initrd_fd, k.end, &rd, e);
	if (r < 0)
		return r;
	r = boot_write_tables(m, src, e);
	if (r < 0)
		return r;
	entry->pvh = k.pvh_entry != 0;
	entry->address = entry->pvh ? k.pvh_entry : k.entry64;
	r = entry->pvh ? boot_write_pvh(m, &rd) : boot_write_zero_page(m, &rd);
	return r < 0 ? err_sys(e, r, "boot parameters") : 0;
}
