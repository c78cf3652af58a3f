// SPDX-License-Identifier: Apache-2.0
/*
 * hostd-inventory: looks at the machine once, prints {"labels": {...}, "inventory": {...}}, ends.
 *
 * hostd starts it, because much of what it reads comes from others: tables of firmware, registers
 * and firmware of devices, disks that may hang. Root's rights are needed for SMBIOS' tables and for
 * the questions to disks; both come first, then it becomes nobody in particular and looks at what
 * was read.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/sandbox.h"
#include "base/str.h"
#include "inventory/gather.h"
#include "inventory/health.h"
#include "inventory/inventory.h"

#define MAIN_ENTRY_MAX	  64
#define MAIN_TABLE_MAX	  ((size_t)1 << 20)
#define MAIN_HEALTH_MS	  4000
#define MAIN_MEMORY_BYTES ((unsigned long)128 << 20)
#define MAIN_CPU_SECONDS  30
#define MAIN_UID_MAX	  65535
#define MAIN_ARGS	  5
#define MAIN_DMI	  "firmware/dmi/tables"

static void main_gather(struct gather *g, const struct gather_firmware *f,
			struct health_asked *asked)
{
	gather_firmware(g, f);
	gather_cpu(g);
	gather_memory(g);
	gather_nics(g);
	gather_pci(g);
	gather_bmc(g);
	gather_tpm(g);
	gather_boot(g);
	health_ask_wait(asked, MAIN_HEALTH_MS);
	gather_disks(g, asked);
}

static int main_print(struct gather *g)
{
	struct json *out = json_new_obj(g->doc);
	struct buf b = BUF_INIT(INVENTORY_REPLY_MAX);
	int r;

	json_put(g->doc, out, "labels", gather_labels(g->doc, g->root));
	gather_fit(g->doc, g->root, INVENTORY_TEXT_MAX);
	json_put(g->doc, out, "inventory", g->root);
	r = json_write(out, &b);
	if (r == 0)
		r = fd_write_full(STDOUT_FILENO, buf_str(&b), b.len);
	buf_done(&b);
	return r;
}

/* What root alone may do. Return: 0 or -errno; afterwards there is no way back */
static int main_as_root(struct gather *g, struct health_asked *asked, uint64_t id,
			struct gather_firmware *f)
{
	static char entry[MAIN_ENTRY_MAX];
	char *table = mem_alloc(MAIN_TABLE_MAX);

	f->entry = entry;
	f->entry_len = gather_bytes(g->sys, MAIN_DMI "/smbios_entry_point", entry, sizeof(entry));
	f->table = table;
	f->table_len = gather_bytes(g->sys, MAIN_DMI "/DMI", table, MAIN_TABLE_MAX);
	gather_disks_ask(g, asked);
	return geteuid() ? 0 : sandbox_identity((uid_t)id, (gid_t)id);
}

int main(int argc, char **argv)
{
	struct gather g = {.doc = json_doc_new()};
	struct gather_firmware f;
	struct health_asked *asked;
	uint64_t id;

	if (argc != MAIN_ARGS || str_u64(argv[3], MAIN_UID_MAX, &id) < 0) {
		fprintf(stderr, "usage: hostd-inventory LOCK-DIR LLDP-DIR UID BOOT-MAC\n");
		return 2;
	}
	(void)sandbox_limit(RLIMIT_CORE, 0);
	(void)sandbox_limit(RLIMIT_AS, MAIN_MEMORY_BYTES);
	(void)sandbox_limit(RLIMIT_CPU, MAIN_CPU_SECONDS);
	g.root = json_new_obj(g.doc);
	g.boot_mac = argv[4];
	g.sys = open("/sys", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	g.proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	g.lldp = open(argv[2], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	asked = health_ask_new(argv[1]);
	if (main_as_root(&g, asked, id, &f) < 0)
		return 1;
	main_gather(&g, &f, asked);
	return main_print(&g) < 0;
}
