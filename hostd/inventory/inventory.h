/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What this machine is made of: gathered by a short-lived process (hostd-inventory), again when
 * something changed.
 *
 * A look is taken INVENTORY_SETTLE_MS after it was asked for, so that a burst of events costs one,
 * and not more often than every INVENTORY_GAP_MS. Disks tell nobody that they wear out, hence one
 * every few hours without an event. hostd waits for nothing: a process that does not end in time is
 * killed, and while one cannot be (a driver that hangs) there is no other.
 */
#ifndef INVENTORY_INVENTORY_H
#define INVENTORY_INVENTORY_H

#include <sys/types.h>

#include "base/err.h"
#include "base/loop.h"
#include "json/json.h"

#define INVENTORY_TEXT_MAX  ((size_t)32 << 10) /* of the document: it is an annotation */
#define INVENTORY_REPLY_MAX ((size_t)48 << 10) /* with the labels */

#define INVENTORY_SETTLE_MS 1000
#define INVENTORY_GAP_MS    10000

struct inventory;

struct inventory_config {
	struct loop *loop;
	const char *program; /* hostd-inventory */
	const char *lock_dir; /* of disks that were asked */
	const char *lldp_dir; /* with a frame for each card */
	const char *boot_mac; /* "" unknown */
	uid_t uid; /* that it becomes; 0: it stays what it is */
	/*
	 * There is a new document: @labels an object with strings and nulls (that are to be
	 * removed), @text the whole, at most INVENTORY_TEXT_MAX bytes. Both valid for the call.
	 * Told when it differs from the last.
	 */
	void (*on_facts)(const struct json *labels, const char *text, void *arg);
	void *arg;
	/* 0: the default. For tests */
	int settle_ms, gap_ms, deadline_ms;
};

/** inventory_new() - All strings are borrowed. Nothing happens before inventory_changed() */
struct inventory *inventory_new(const struct inventory_config *config);

/** inventory_free() - NULL is fine. Return: NULL */
struct inventory *inventory_free(struct inventory *inv);

/** inventory_changed() - Something may be another than before: look soon. As often as one likes; NULL is fine */
void inventory_changed(struct inventory *inv);

#endif
