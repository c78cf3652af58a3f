/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Disks for images and pods' scratch, and what all the others hold.
 *
 * hostd touches no disk itself: hostd-disk looks, prepares and wipes, a process each, and what it says is read here. The
 * default is that nothing is written. With `data=` one disk, the first that may be used, becomes the place of images and
 * scratch, in parallel to everything else that happens at boot; pods wait for that, up to a limit. A disk that cannot be
 * used costs the host nothing but the room: it goes on in RAM, and says so.
 */
#ifndef STORAGE_STORAGE_H
#define STORAGE_STORAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/loop.h"
#include "json/json.h"

#define STORAGE_REPLY_MAX ((size_t)128 << 10) /* of hostd-disk */
#define STORAGE_TEXT_MAX  ((size_t)24 << 10) /* of the report: it is an annotation */
#define STORAGE_NAME_MAX  32
#define STORAGE_WHY_MAX	  256
#define STORAGE_FLEET_MAX 65

struct storage;

struct storage_config {
	struct loop *loop;
	const char *program; /* hostd-disk */
	const char *lock_dir; /* of disks that are looked at */
	const char *store; /* what is prepared comes to STORE/data, STORE/scratch, STORE/images */
	const char *data; /* "none", "auto" or names with commas between them */
	bool encrypt; /* what lies on the disk */
	const char *fleet; /* 64 hex digits that name it on its disks */
	/* What all disks hold and are for, a JSON text; valid for the call. Told when it differs from the last */
	void (*on_report)(const char *text, void *arg);
	/* Once: pods may begin. @bytes: room on the disk; 0: images and scratch are in RAM */
	void (*on_settled)(uint64_t bytes, void *arg);
	/* What is wiped and has been, a JSON text; valid for the call */
	void (*on_wiped)(const char *text, void *arg);
	/* May the disk in use be taken away? No pod is left, and none comes */
	bool (*may_release)(void *arg);
	/* It begins, and it is over: storage_mounted() says whether it was */
	void (*on_release)(bool over, void *arg);
	/* @type: "Normal" or "Warning" */
	void (*on_event)(const char *type, const char *reason, const char *message, void *arg);
	/* Once: the disk that is used has failed; what lies there is lost until the next boot */
	void (*on_failed)(const char *why, void *arg);
	void *arg;
	/* 0: the default. For tests */
	int settle_ms, gap_ms, wait_ms, look_ms, prepare_ms;
};

/**
 * storage_new() - All strings are borrowed
 *
 * With data other than none it looks for a disk at once; else nothing happens before storage_changed(). on_settled comes
 * from the loop, never from inside.
 */
struct storage *storage_new(const struct storage_config *config);

/** storage_free() - NULL is fine; what is mounted stays. Return: NULL */
struct storage *storage_free(struct storage *s);

/** storage_waits() - Whether on_settled is still to come */
bool storage_waits(const struct storage *s);

/** storage_changed() - A disk may have come or gone: look soon. As often as one likes; NULL is fine */
void storage_changed(struct storage *s);

/**
 * storage_wipe() - An operator asks for disks to be wiped
 * @request: {"id", "method", "disks": [{"name", "serial"}]}; the same id again: no harm
 */
void storage_wipe(struct storage *s, const struct json *request);

/** storage_check() - Does the disk that is used still take what is written? From time to time; NULL is fine */
void storage_check(struct storage *s);

/** storage_mounted() - An earlier hostd of this boot has put images and scratch on a disk. Return: its room, 0 none */
uint64_t storage_mounted(const char *store);

/* ---- which disk; for tests ---- */

struct storage_choice {
	char name[STORAGE_NAME_MAX]; /* "": none may be used */
	char why[STORAGE_WHY_MAX]; /* why not */
};

/**
 * storage_choose() - The disk that the setting means
 * @disks: as hostd-disk look prints them; those with an "error" are passed over. Each gets "use": data, spare or left alone
 * @data:  the setting
 */
void storage_choose(struct json_doc *doc, struct json *disks, const char *data,
		    struct storage_choice *choice);

#endif
