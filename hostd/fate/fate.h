/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What became of the boot before this one, and how long the parts of this one took.
 *
 * A host keeps nothing over a reset but what its firmware, its watchdog and the API keep for it. Here these traces
 * are read and weighed; the machine's own parts (host) and the API (node) are wired to it by hostd/wire_fate.c.
 */
#ifndef FATE_FATE_H
#define FATE_FATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "json/json.h"

/* ---- Records: what a kernel wrote with its last breath (pstore) ---- */

#define FATE_FILES_MAX	  64 /* more are left for the next boot */
#define FATE_FILE_BYTES	  65536 /* of one; more is not read */
#define FATE_TEXT_BYTES	  262144 /* of one kernel's record in all its parts */
#define FATE_NAME_MAX	  64
#define FATE_HEADLINE_MAX 200
#define FATE_LINES_MAX	  1400

struct fate_records {
	bool panic, oops, console; /* what there was */
	char headline[FATE_HEADLINE_MAX]; /* "Kernel panic - not syncing: …"; "" none */
	char lines[FATE_LINES_MAX]; /* the last ones, a line feed between them */
	char names[FATE_FILES_MAX][FATE_NAME_MAX];
	size_t count; /* of names */
};

/**
 * fate_records_read() - Read what lies in a pstore file system
 * @dir: "/sys/fs/pstore"
 *
 * The text comes from firmware or from memory that survived: it is foreign. What is kept of it is printable.
 *
 * Return: 0, also when there is nothing; -errno.
 */
int fate_records_read(const char *dir, struct fate_records *r, struct err *e);

/** fate_records_remove() - Remove the files that were read, which makes room for the next ones */
void fate_records_remove(const char *dir, struct fate_records *r);

/**
 * fate_record_head() - Read the first line of a record, "Panic#2 Part1"
 * @panic: else an oops
 * @count: of the dumps of that kernel, from 1
 * @part:  1 is the youngest
 * Return: bytes that it takes; -EINVAL when it is none of the two.
 */
int fate_record_head(const char *text, size_t len, bool *panic, unsigned int *count,
		     unsigned int *part);

/** fate_records_pick() - Take headline and last lines out of a kernel's record, whole and in its order */
void fate_records_pick(const char *text, size_t len, struct fate_records *r);

/* ---- Verdict ---- */

#define FATE_CONDITION	 "UnexpectedReset" /* of the Node */
#define FATE_LEAVING	 "Leaving" /* its reason while a boot ends that was asked to */
#define FATE_MESSAGE_MAX 2048

struct fate_evidence {
	struct fate_records records;
	bool watchdog_bit; /* the hardware says that it reset the machine */
	bool watchdog; /* there is hardware that would say so */
	char store[32]; /* where a kernel leaves its last lines, "" nowhere */
	const char *boot_id; /* of this boot */
};

struct fate_verdict {
	bool unexpected;
	const char *reason;
	char message[FATE_MESSAGE_MAX];
};

/**
 * fate_judge() - Why the boot before this one ended
 * @before: the Node as that boot left it; NULL: there is none
 *
 * Return: true; false when @before is of this boot: what it says stands.
 */
bool fate_judge(const struct fate_evidence *ev, const struct json *before, struct fate_verdict *v);

/* ---- Times of this boot ---- */

#define FATE_TIMES_KEY	     "hypermetal.io/boot-times" /* annotation of the Node */
#define FATE_TIMES_BYTES     1024
#define FATE_TIMES_VALUE_MAX (24ULL * 3600 * 1000) /* a longer one is nonsense */

/* Ends of parts of a boot, in their order; each part begins where the one before ended, the first with the kernel */
enum fate_mark {
	FATE_KERNEL, /* the first program runs */
	FATE_EARLY, /* the root image's init is about to */
	FATE_INIT, /* hostd runs */
	FATE_DEVICES, /* drivers are loaded */
	FATE_NETWORK, /* there is an address */
	FATE_ENROL, /* there is an identity */
	FATE_READY, /* the API has seen the host Ready */
	FATE_MARKS,
};

struct fate_times {
	char path[128]; /* where they are kept, as long as the machine is up; "" nowhere */
	uint64_t at_ms[FATE_MARKS]; /* since the kernel's start; 0 unknown */
	uint64_t firmware_ms, loader_ms; /* as the firmware counted them; 0 unknown */
	uint64_t fetch_ms; /* from the boot script to the last file, by the boot service's clock; 0 unknown */
};

/** fate_times_load() - What the early stage, and an earlier hostd of this boot, noted: "NAME MS" lines; none: no harm */
void fate_times_load(struct fate_times *t, const char *path);

/** fate_times_mark() - A part has ended, if it has not done so before */
void fate_times_mark(struct fate_times *t, enum fate_mark mark, uint64_t now_ms);

/**
 * fate_times_before() - What is known of the time before the kernel
 * @fpdt_dir: "/sys/firmware/acpi/fpdt", the firmware's own figures (ACPI 6.5 §5.2.24)
 * @fetched:  file of the boot service's: "fetch_ms=N"
 */
void fate_times_before(struct fate_times *t, const char *fpdt_dir, const char *fetched);

/** fate_times_text() - The annotation; @out: FATE_TIMES_BYTES. Return: 0 or -errno */
int fate_times_text(const struct fate_times *t, const char *boot_id, char *out);

/* ---- Starts of hostd ---- */

#define FATE_ROW_S   300 /* that long it may begin again and again */
#define FATE_ROW_MIN 5 /* and so often at least */
#define FATE_CALM_S  60 /* a hostd that ran so long ends the row */

/**
 * fate_starts_note() - hostd has started; how long has this been going on?
 * @path:  where that is kept, as long as the machine is up
 * @now_s: seconds since boot
 * @words: 128 bytes: what to say when it was too often
 * Return: whether it was too often.
 */
bool fate_starts_note(const char *path, uint64_t now_s, char *words);

#endif
