// SPDX-License-Identifier: Apache-2.0
/* Kernels that load and files that are none; the tables that the kernel finds. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "vmm/boot.h"
#include "vmm/elf.h"
#include "vmm/layout.h"
#include "vmm/mptable.h"

#define MEM_BYTES   (32U << 20)
#define TEXT_OFFSET 0x1000U
#define DATA_OFFSET 0x3200U
#define TEXT_PADDR  0x1000000U
#define DATA_PADDR  0x1002200U
#define FILE_BYTES  0x4000U
#define PVH_ENTRY   0x1000040U

/* Two segments, the second neither page aligned nor page sized, and one note */
struct image {
	Elf64_Ehdr eh;
	Elf64_Phdr ph[3];
	struct {
		Elf64_Nhdr head;
		char name[4];
		uint64_t desc;
	} note;
	uint8_t rest[FILE_BYTES - sizeof(Elf64_Ehdr) - 3 * sizeof(Elf64_Phdr) - 24];
};

static struct image image;

static void image_reset(void)
{
	memset(&image, 0xcc, sizeof(image));
	memset(&image.eh, 0, sizeof(image.eh));
	memcpy(image.eh.e_ident, ELFMAG, SELFMAG);
	image.eh.e_ident[EI_CLASS] = ELFCLASS64;
	image.eh.e_ident[EI_DATA] = ELFDATA2LSB;
	image.eh.e_type = ET_EXEC;
	image.eh.e_machine = EM_X86_64;
	image.eh.e_entry = TEXT_PADDR + 0x123;
	image.eh.e_phoff = offsetof(struct image, ph);
	image.eh.e_phentsize = sizeof(Elf64_Phdr);
	image.eh.e_phnum = 3;
	image.ph[0] = (Elf64_Phdr){.p_type = PT_LOAD,
				   .p_offset = TEXT_OFFSET,
				   .p_paddr = TEXT_PADDR,
				   .p_filesz = 0x1800,
				   .p_memsz = 0x1800};
	image.ph[1] = (Elf64_Phdr){.p_type = PT_LOAD,
				   .p_offset = DATA_OFFSET,
				   .p_paddr = DATA_PADDR,
				   .p_filesz = 0x400,
				   .p_memsz = 0x5000};
	image.ph[2] = (Elf64_Phdr){.p_type = PT_NOTE,
				   .p_offset = offsetof(struct image, note),
				   .p_filesz = sizeof(image.note)};
	image.note.head = (Elf64_Nhdr){.n_namesz = 4, .n_descsz = 8, .n_type = 18};
	memcpy(image.note.name, "Xen", 4);
	image.note.desc = PVH_ENTRY;
}

static int image_fd(void)
{
	int fd = memfd_create("kernel", MFD_CLOEXEC);

	assert_int_equal(pwrite(fd, &image, sizeof(image), 0), sizeof(image));
	return fd;
}

static int image_parse(void)
{
	struct elf_kernel k;

	return elf_parse(&image, sizeof(image), &k, NULL);
}

static void test_elf(void **state)
{
	struct elf_kernel k;

	(void)state;
	image_reset();
	assert_int_equal(elf_parse(&image, sizeof(image), &k, NULL), 0);
	assert_int_equal(k.count, 2);
	assert_int_equal(k.pvh_entry, PVH_ENTRY);
	assert_int_equal(k.entry64, TEXT_PADDR + 0x123);
	assert_int_equal(k.end, DATA_PADDR + 0x5000);
	assert_int_equal(k.segments[1].file_bytes, 0x400);
	/* Every shorter file fails or still lies wholly inside what is there. */
	for (size_t n = 0; n < sizeof(image); n += 7) {
		if (elf_parse(&image, n, &k, NULL) < 0)
			continue;
		for (size_t i = 0; i < k.count; i++)
			assert_true(k.segments[i].offset + k.segments[i].file_bytes <= n);
	}
}

static void test_elf_refuses(void **state)
{
	(void)state;
	image_reset();
	image.eh.e_machine = EM_386;
	assert_int_equal(image_parse(), -ENOEXEC);
	image_reset();
	image.eh.e_type = ET_DYN;
	assert_int_equal(image_parse(), -ENOEXEC);
	image_reset();
	image.eh.e_phoff = UINT64_MAX - 8;
	assert_int_equal(image_parse(), -ENOEXEC);
	image_reset();
	image.eh.e_phnum = 0xffff;
	assert_int_equal(image_parse(), -ENOEXEC);
	image_reset();
	image.ph[0].p_offset = UINT64_MAX - 0x100;
	assert_int_equal(image_parse(), -ENOEXEC);
	image_reset();
	image.ph[0].p_filesz = image.ph[0].p_memsz + 1;
	assert_int_equal(image_parse(), -ENOEXEC);
	image_reset();
	image.ph[0].p_paddr = UINT64_MAX - 0x100;
	assert_int_equal(image_parse(), -ENOEXEC);
	image_reset();
	image.ph[0].p_type = image.ph[1].p_type = PT_NULL;
	assert_int_equal(image_parse(), -ENOEXEC);
	/* A damaged note is no note. */
	image_reset();
	image.note.head.n_descsz = UINT32_MAX;
	assert_int_equal(image_parse(), 0);
}

static int load(struct gmem *m, int kernel, int initrd, struct boot_entry *entry, struct err *e)
{
	struct boot_source src = {
		.kernel_fd = kernel, .initrd_fd = initrd, .cmdline = "quiet a=b", .vcpus = 2};

	assert_int_equal(gmem_init(m, MEM_BYTES, NULL), 0);
	return boot_load(m, &src, entry, e);
}

static uint8_t *at(const struct gmem *m, uint64_t gpa, uint64_t len)
{
	void *p;

	assert_int_equal(gmem_get(m, gpa, len, &p), 0);
	return p;
}

static void test_load_pvh(void **state)
{
	struct gmem m;
	struct boot_entry entry;
	int kernel, initrd = memfd_create("initrd", MFD_CLOEXEC);
	uint64_t rd = MEM_BYTES - 8192;
	const uint32_t *info;
	const uint64_t *module, *map;

	(void)state;
	image_reset();
	kernel = image_fd();
	assert_int_equal(ftruncate(initrd, 5000), 0);
	assert_int_equal(pwrite(initrd, "070701", 6, 0), 6);
	assert_int_equal(load(&m, kernel, initrd, &entry, NULL), 0);
	assert_true(entry.pvh);
	assert_int_equal(entry.address, PVH_ENTRY);
	assert_memory_equal(at(&m, TEXT_PADDR, 0x1800), (uint8_t *)&image + TEXT_OFFSET, 0x1800);
	assert_memory_equal(at(&m, DATA_PADDR, 0x400), (uint8_t *)&image + DATA_OFFSET, 0x400);
	for (uint32_t i = 0x400; i < 0x5000; i++)
		assert_int_equal(*at(&m, DATA_PADDR + i, 1), 0);
	assert_memory_equal(at(&m, rd, 6), "070701", 6);
	assert_string_equal((char *)at(&m, LAYOUT_CMDLINE, 64), "quiet a=b");
	/* struct hvm_start_info: magic, version, flags, nr_modules, modlist, cmdline, rsdp, memmap, n */
	info = (const uint32_t *)(void *)at(&m, LAYOUT_PVH_INFO, 56);
	assert_int_equal(info[0], 0x336ec578);
	assert_int_equal(info[1], 1);
	assert_int_equal(info[3], 1);
	assert_int_equal(info[6], LAYOUT_CMDLINE);
	assert_int_equal(info[12], 2);
	module = (const uint64_t *)(void *)at(&m, info[4], 32);
	assert_int_equal(module[0], rd);
	assert_int_equal(module[1], 5000);
	map = (const uint64_t *)(void *)at(&m, info[10], 48);
	assert_int_equal(map[0], 0);
	assert_int_equal(map[1], LAYOUT_LOW_END);
	assert_int_equal(map[3], LAYOUT_HIGH_START);
	assert_int_equal(map[4], MEM_BYTES - LAYOUT_HIGH_START);
	/* The guest's writes are its own. */
	*at(&m, TEXT_PADDR, 1) = 0x11;
	*at(&m, rd, 1) = 0x11;
	assert_int_equal(pread(kernel, &image.eh, 1, TEXT_OFFSET), 1);
	assert_int_equal(image.eh.e_ident[0], 0xcc);
	fd_close(kernel);
	fd_close(initrd);
	munmap(m.regions[0].hva, MEM_BYTES);
}

static void test_load_64bit(void **state)
{
	struct gmem m;
	struct boot_entry entry;
	const uint64_t *tables;
	int kernel;

	(void)state;
	image_reset();
	image.ph[2].p_type = PT_NULL;
	kernel = image_fd();
	assert_int_equal(load(&m, kernel, -1, &entry, NULL), 0);
	assert_false(entry.pvh);
	assert_int_equal(entry.address, TEXT_PADDR + 0x123);
	assert_memory_equal(at(&m, LAYOUT_ZERO_PAGE + 0x202, 4), "HdrS", 4);
	assert_int_equal(*at(&m, LAYOUT_ZERO_PAGE + 0x1e8, 1), 2);
	tables = (const uint64_t *)(void *)at(&m, LAYOUT_PAGE_TABLES, 3 * 4096);
	assert_int_equal(tables[0], LAYOUT_PAGE_TABLES + 4096 + 3);
	assert_int_equal(tables[1024 + 8], TEXT_PADDR | 0x83);
	fd_close(kernel);
	munmap(m.regions[0].hva, MEM_BYTES);
}

static void test_load_refuses(void **state)
{
	struct gmem m;
	struct boot_entry entry;
	struct err e = ERR_INIT;
	int kernel, empty = memfd_create("empty", MFD_CLOEXEC);

	(void)state;
	image_reset();
	kernel = image_fd();
	assert_int_equal(load(&m, empty, -1, &entry, &e), -EINVAL);
	assert_int_equal(load(&m, kernel, empty, &entry, &e), -EINVAL);
	assert_int_equal(ftruncate(empty, MEM_BYTES - (8U << 20)), 0);
	assert_int_equal(load(&m, kernel, empty, &entry, &e), -ENOSPC);
	fd_close(kernel);
	image.ph[1].p_paddr = MEM_BYTES - 0x1e00;
	kernel = image_fd();
	assert_int_equal(load(&m, kernel, -1, &entry, &e), -ENOSPC);
	fd_close(kernel);
	image.ph[1].p_paddr = 0x2200; /* where our own tables are */
	kernel = image_fd();
	assert_int_equal(load(&m, kernel, -1, &entry, &e), -ENOEXEC);
	fd_close(kernel);
	image_reset();
	image.ph[1].p_paddr++; /* not at the same place of its page as in the file */
	kernel = image_fd();
	assert_int_equal(load(&m, kernel, -1, &entry, &e), -ENOEXEC);
	fd_close(kernel);
	fd_close(empty);
}

static void test_mptable(void **state)
{
	static uint8_t table[MPTABLE_SIZE_MAX];
	size_t len;

	(void)state;
	for (unsigned int cpus = 1; cpus <= 32; cpus++) {
		uint8_t sum = 0;
		uint16_t length;

		memset(table, 0, sizeof(table));
		len = mptable_write(table, LAYOUT_MPTABLE, cpus);
		assert_true(len <= sizeof(table));
		for (size_t i = 0; i < 16; i++)
			sum = (uint8_t)(sum + table[i]);
		assert_int_equal(sum, 0);
		assert_memory_equal(table, "_MP_", 4);
		assert_memory_equal(table + 16, "PCMP", 4);
		memcpy(&length, table + 20, sizeof(length));
		assert_int_equal(length + 16, len);
		for (size_t i = 0; i < length; i++)
			sum = (uint8_t)(sum + table[16 + i]);
		assert_int_equal(sum, 0);
		/* entries: processors, bus, I/O APIC, 24 lines, 2 local */
		assert_int_equal(table[16 + 34], cpus + 1 + 1 + 24 + 2);
		assert_int_equal(len, 16 + 44 + 20 * cpus + 28 * 8);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_elf),	     cmocka_unit_test(test_elf_refuses),
		cmocka_unit_test(test_load_pvh),     cmocka_unit_test(test_load_64bit),
		cmocka_unit_test(test_load_refuses), cmocka_unit_test(test_mptable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
