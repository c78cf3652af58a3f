/* SPDX-License-Identifier: Apache-2.0 */
/* What is known of one host's images, and the rules; private to trial/. No clock, no store. */
#ifndef TRIAL_STATE_H
#define TRIAL_STATE_H

#include <stdint.h>

#include "trial/trial.h"

#define TRIAL_WHY_MAX	  160
#define TRIAL_BOOT_ID_MAX 64

struct state {
	char assigned[TRIAL_VERSION_MAX]; /* "": the default */
	char good[TRIAL_VERSION_MAX]; /* the host was Ready on it, last */
	char trying[TRIAL_VERSION_MAX]; /* handed out, and not Ready since */
	unsigned int attempts; /* boots of trying */
	uint64_t since_s; /* of the first of them */
	char boot_id[TRIAL_BOOT_ID_MAX]; /* that the Node had when it was handed out last */
	char failed[TRIAL_VERSION_MAX]; /* is not handed out while there is another */
	char why[TRIAL_WHY_MAX]; /* the trouble in words; "": none */
};

/* The images, as the rules see them */
struct state_images {
	const char *standard, *any;
	const char *nameless; /* begins a version that the image itself does not know */
	bool (*usable)(const char *version, void *arg);
	void *arg;
};

/**
 * state_choose() - What the host gets now; counts the attempt
 * @boot_id:  of its Node, "" if it has none
 * @on_trial: set: whether there is another one to go back to, should this one fail
 * Return: the version, "" when there is none; valid as long as @s and @images.
 */
const char *state_choose(struct state *s, const struct state_images *images, const char *boot_id,
			 uint64_t now_s, unsigned int limit_s, bool *on_trial);

/** state_expire() - The time of a trial may be over. Return: whether it has just failed */
bool state_expire(struct state *s, uint64_t now_s, unsigned int limit_s);

/** state_ready() - The host is Ready. @running: what it says it runs. Return: whether anything changed */
bool state_ready(struct state *s, const struct state_images *images, const char *running,
		 const char *boot_id);

/** state_assign() - The assignment is this; @again: it was made anew. Return: whether anything changed */
bool state_assign(struct state *s, const char *version, bool again);

#endif
