// SPDX-License-Identifier: Apache-2.0
#include "vmm/elf.h"

#include <elf.h>
#include <errno.h>
#include <string.h>

#define ELF_PHDRS_MAX		  64
#define ELF_NOTE_XEN_PHYS32_ENTRY 18

static bool elf_inside(uint64_t offset, uint64_t len, size_t size)
{
	return offset <= size && len <= size - offset;
}

/* The notes of one segment; those that do not add up end the walk. */
static void elf_read_notes(const uint8_t *p, size_t len, struct elf_kernel *k)
{
	Elf64_Nhdr note;

	while (len >= sizeof(note)) {
		uint64_t name_bytes, total;

		memcpy(&note, p, sizeof(note));
		name_bytes = ((uint64_t)note.n_namesz + 3) & ~3ULL;
		total = sizeof(note) + name_bytes + (((uint64_t)note.n_descsz + 3) & ~3ULL);
		if (total > len)
			return;
		if (note.n_type == ELF_NOTE_XEN_PHYS32_ENTRY && note.n_namesz == 4 &&
		    note.n_descsz >= 4 && memcmp(p + sizeof(note), "Xen", 4) == 0)
			memcpy(&k->pvh_entry, p + sizeof(note) + name_bytes, sizeof(k->pvh_entry));
		p += total;
		len -= total;
	}
}

static int elf_add_segment(const Elf64_Phdr *ph, size_t size, struct elf_kernel *k, struct err *e)
{
	struct elf_segment *s = &k->segments[k->count];

	if (ph->p_memsz == 0)
		return 0;
	if (k->count == ELF_SEGMENTS_MAX)
		return err_set(e, -ENOEXEC, "more than %d segments", ELF_SEGMENTS_MAX);
	if (!elf_inside(ph->p_offset, ph->p_filesz, size) || ph->p_filesz > ph->p_memsz ||
	    ph->p_paddr + ph->p_memsz < ph->p_paddr)
		return err_set(e, -ENOEXEC, "segment %zu does not fit the file", k->count);
	*s = (struct elf_segment){.paddr = ph->p_paddr,
				  .offset = ph->p_offset,
				  .file_bytes = ph->p_filesz,
				  .mem_bytes = ph->p_memsz,
				  .writable = ph->p_flags & PF_W};
	if (s->paddr + s->mem_bytes > k->end)
		k->end = s->paddr + s->mem_bytes;
	k->count++;
	return 0;
}

int elf_parse(const void *data, size_t size, struct elf_kernel *k, struct err *e)
{
	const uint8_t *file = data;
	Elf64_Ehdr eh;
	int r;

	*k = (struct elf_kernel){0};
	if (size < sizeof(eh))
		return err_set(e, -ENOEXEC, "too short for an ELF file");
	memcpy(&eh, file, sizeof(eh));
	if (memcmp(eh.e_ident, ELFMAG, SELFMAG) != 0 || eh.e_ident[EI_CLASS] != ELFCLASS64 ||
	    eh.e_ident[EI_DATA] != ELFDATA2LSB || eh.e_machine != EM_X86_64 || eh.e_type != ET_EXEC)
		return err_set(e, -ENOEXEC, "not an uncompressed x86-64 ELF kernel");
	if (eh.e_phentsize != sizeof(Elf64_Phdr) || eh.e_phnum > ELF_PHDRS_MAX ||
	    !elf_inside(eh.e_phoff, (uint64_t)eh.e_phnum * sizeof(Elf64_Phdr), size))
		return err_set(e, -ENOEXEC, "bad program headers");
	k->entry64 = eh.e_entry;
	for (size_t i = 0; i < eh.e_phnum; i++) {
		Elf64_Phdr ph;

		memcpy(&ph, file + eh.e_phoff + i * sizeof(ph), sizeof(ph));
		if (ph.p_type == PT_NOTE && elf_inside(ph.p_offset, ph.p_filesz, size))
			elf_read_notes(file + ph.p_offset, ph.p_filesz, k);
		if (ph.p_type != PT_LOAD)
			continue;
		r = elf_add_segment(&ph, size, k, e);
		if (r < 0)
			return r;
	}
	return k->count ? 0 : err_set(e, -ENOEXEC, "nothing to load");
}
