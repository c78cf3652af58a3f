/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parts of hostd-inventory. Each reads one kind of thing and puts it into the document, in the
 * form that docs/hardware.md describes; what a machine does not tell is left out. All reads are
 * bounded; a part that is missing or malformed costs nothing but itself.
 */
#ifndef INVENTORY_GATHER_H
#define INVENTORY_GATHER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "json/json.h"

#define GATHER_LINE_MAX	 256 /* longer ones are cut */
#define GATHER_NAME_MAX	 64
#define GATHER_NICS_MAX	 128
#define GATHER_DISKS_MAX 256
#define GATHER_PCI_MAX	 1024

/* Where to look: descriptors of folders, so that tests may bring their own. */
struct gather {
	struct json_doc *doc;
	struct json *root; /* the document that is made */
	int sys, proc;
	int lldp; /* a frame for each card, by its name; -1: none */
	const char *boot_mac; /* "aa:bb:cc:dd:ee:ff" of BOOTIF, "" unknown */
};

/* ---- read.c ---- */

/** gather_line() - First line of a file, trimmed, in printable ASCII; "" when there is none. Return: @out */
char *gather_line(int dirfd, const char *path, char out[GATHER_LINE_MAX]);

/** gather_number() - A file's decimal number, which may be negative. Return: it, or @otherwise */
int64_t gather_number(int dirfd, const char *path, int64_t otherwise);

/** gather_link() - The last part of what a symbolic link names, "" when it is none. Return: @out */
char *gather_link(int dirfd, const char *path, char out[GATHER_LINE_MAX]);

/** gather_bytes() - At most @size bytes of a file. Return: how many, 0 when there is none */
size_t gather_bytes(int dirfd, const char *path, void *data, size_t size);

/**
 * gather_names() - A folder's entries, sorted: eth2 before eth10, but PCI's addresses as text
 * @names: room for @max; free each
 * Return: how many; those beyond @max are left out.
 */
size_t gather_names(int dirfd, const char *path, char **names, size_t max);
void gather_names_free(char **names, size_t count);

/** gather_pci_address() - The PCI function that a device hangs on, "" when none: from its path in sysfs. Return: @out */
char *gather_pci_address(int dirfd, const char *path, char out[GATHER_NAME_MAX]);

/** gather_put() - As json_put_str(), but "" is left out */
void gather_put(struct json_doc *doc, struct json *obj, const char *key, const char *value);

/* ---- the parts ---- */

struct gather_firmware {
	const void *entry, *table; /* of SMBIOS */
	size_t entry_len, table_len;
};

/** gather_firmware() - system, board, chassis, bios, memory.dimms, bmc, tpm as SMBIOS has them; blank */
void gather_firmware(struct gather *g, const struct gather_firmware *f);

void gather_cpu(struct gather *g); /* cpu */
void gather_memory(struct gather *g); /* memory.totalBytes, numa */
void gather_nics(struct gather *g); /* nics, with who is at the other end */
void gather_pci(struct gather *g); /* pci, noDriver */
void gather_bmc(struct gather *g); /* bmc, beside what SMBIOS has */
void gather_tpm(struct gather *g); /* tpm, the same */
void gather_boot(struct gather *g); /* boot; after nics */

struct health_asked;
/** gather_disks_ask() - Ask all disks that know such questions for their health; needs root */
void gather_disks_ask(struct gather *g, struct health_asked *asked);
/** gather_disks() - disks; @asked: with what was learned, or NULL */
void gather_disks(struct gather *g, struct health_asked *asked);

/** gather_pci_matters() - Whether somebody would use a function of that class ("020000"): storage, network, accelerators */
bool gather_pci_matters(const char *class);

/** gather_nic_mac_is() - Whether a NIC's object has that MAC address, in any case */
bool gather_nic_mac_is(const struct json *nic, const char *mac);

/* ---- what is made of it ---- */

/**
 * gather_labels() - The facts that one selects hosts by
 * Return: an object of @doc: every name that we ever use, with a valid label value or null.
 */
struct json *gather_labels(struct json_doc *doc, const struct json *root);

/**
 * gather_fit() - Cut the document until its text has at most @max_bytes
 *
 * First PCI functions that nobody looks for go, then what else comes in long lists, from the end;
 * `cut` says how many of what.
 */
void gather_fit(struct json_doc *doc, struct json *root, size_t max_bytes);

#endif
