/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which image a machine is given at its next boot, and what became of it.
 *
 * An operator assigns a version by an annotation of the Node; without one a host boots the default.
 * A version that the host was not yet Ready on is on trial: after so many boots, or so many seconds,
 * without a Ready host it has failed, and from then on the host gets its last good image until another version is
 * assigned, or the same one again. What is known is an object of the resource "boots" in the store
 * (never served), named as the Node:
 *
 *	{"metadata":{"name":NODE},"spec":{"assigned","good","trying","attempts","since","bootID",
 *	 "failed","why"}}
 */
#ifndef TRIAL_TRIAL_H
#define TRIAL_TRIAL_H

#include <stdbool.h>

#include "base/err.h"
#include "base/loop.h"
#include "json/json.h"
#include "store/store.h"

#define TRIAL_VERSION_MAX 64
#define TRIAL_BOOTS	  3 /* attempts, at most */
#define TRIAL_S		  600 /* for all of them */

/* Annotations of a Node */
#define TRIAL_IMAGE_KEY	  "hypermetal.io/image" /* the operator's: the version that it should boot */
#define TRIAL_TROUBLE_KEY "hypermetal.io/image-trouble" /* ours: why it boots another */

struct trial;

struct trial_config {
	unsigned int limit_s; /* instead of TRIAL_S; 0: that */
	const char *hosts; /* the store's resource of hosts that may boot */
	const char *os_prefix; /* osImage of a Node without the version, "HyperMetal " */
	const char *nameless; /* begins a version that the image itself does not know, "sha256-" */
	/* The default version, "" when there is none */
	const char *(*standard)(void *arg);
	bool (*usable)(const char *version, void *arg);
	/* A version that can be read, "" when there is none */
	const char *(*any)(void *arg);
	/*
	 * Set an annotation of a Node of another API server; @value NULL removes it. NULL: the Nodes of
	 * the store are ours to write.
	 */
	void (*annotate)(const char *node, const char *key, const char *value, void *arg);
	void *annotate_arg;
	void *arg; /* of the others */
};

/** trial_new() - Follow the Nodes of the store. Return: 0 or -errno */
int trial_new(struct loop *loop, struct store *store, const struct trial_config *config,
	      struct trial **out, struct err *e);
struct trial *trial_free(struct trial *t);

struct trial_choice {
	char version[TRIAL_VERSION_MAX];
	unsigned int
		limit_s; /* on trial, and there is another one to go back to: so long; 0: for good */
};

/**
 * trial_choose() - A machine is about to boot: what it gets. Counts as an attempt
 * Return: 0; -ENOENT when there is no image that can be read, the reason in @e.
 */
int trial_choose(struct trial *t, const char *node, struct trial_choice *choice, struct err *e);

/**
 * trial_uses() - Whether a version is in use: assigned to a host, or the last good one of a host
 * @why: 160 bytes, for the operator
 */
bool trial_uses(struct trial *t, const char *version, char *why);

/** trial_hosts() - Push the names of the hosts that it is assigned to */
void trial_hosts(struct trial *t, const char *version, struct json_doc *doc, struct json *list);

#endif
