/* SPDX-License-Identifier: Apache-2.0 */
/* hostd's side of wiping: who asked for what, a hostd-disk for each disk, and the report of all. A part of storage. */
#ifndef STORAGE_WIPE_H
#define STORAGE_WIPE_H

#include <stdbool.h>

#include "base/loop.h"
#include "json/json.h"

struct wipe;

struct wipe_config {
	struct loop *loop;
	const char *program; /* hostd-disk */
	const char *store; /* as in struct storage_config */
	const char *note; /* file: the report, for a later hostd of this boot */
	/* The report is another; @text is valid for the call */
	void (*on_report)(const char *text, void *arg);
	/* The disk that was in use is no longer: @name has been wiped, or that was tried */
	void (*on_end)(const char *name, void *arg);
	void *arg;
};

/** wipe_new() - All strings are borrowed. What an earlier hostd was at when it ended has failed */
struct wipe *wipe_new(const struct wipe_config *config);

/** wipe_free() - What runs is ended; a disk that erases itself goes on. NULL is fine. Return: NULL */
struct wipe *wipe_free(struct wipe *w);

/**
 * wipe_ask() - Take an operator's request
 * @request: {"id", "method", "disks": [{"name", "serial"}]}
 * Return: whether it is a new one, for wipe_begin(); the same id again, or one while another is under way, is not.
 */
bool wipe_ask(struct wipe *w, const struct json *request);

/** wipe_asked() - Whether wipe_begin() is due */
bool wipe_asked(const struct wipe *w);

/**
 * wipe_begin() - Begin, now that it is known which disks there are
 * @disks:    as hostd-disk look prints them
 * @in_use:   name of the disk with images and scratch, "" none
 * @released: that one may be taken out of use: no pod is left, and none comes
 * Return: whether it is.
 */
bool wipe_begin(struct wipe *w, const struct json *disks, const char *in_use, bool released);

#endif
