// SPDX-License-Identifier: Apache-2.0
#include "state.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"

static void copy(char *dst, size_t size, const char *src)
{
	memmove(dst, src, strnlen(src, size - 1) + 1);
	dst[size - 1] = '\0';
}

#define COPY(dst, src) copy(dst, sizeof(dst), src)

static bool usable(const struct state_images *images, const char *version)
{
	return *version && images->usable(version, images->arg);
}

/* What there is besides @want: the last good one, the default, anything. */
static const char *other_than(const struct state *s, const struct state_images *images,
			      const char *want)
{
	const char *const others[] = {s->good, images->standard, images->any};

	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		if (!str_eq(others[i], want) && usable(images, others[i]))
			return others[i];
	return "";
}

static void fail(struct state *s, unsigned int limit_s)
{
	COPY(s->failed, s->trying);
	if (s->attempts >= TRIAL_BOOTS)
		snprintf(s->why, sizeof(s->why), "%s: not Ready after %u boots", s->trying,
			 s->attempts);
	else if (limit_s >= 120)
		snprintf(s->why, sizeof(s->why), "%s: not Ready within %u minutes", s->trying,
			 limit_s / 60);
	else
		snprintf(s->why, sizeof(s->why), "%s: not Ready within %u seconds", s->trying,
			 limit_s);
}

static bool late(const struct state *s, uint64_t now_s, unsigned int limit_s)
{
	/* A clock that was set back must not make a trial eternal. */
	return now_s < s->since_s || now_s - s->since_s >= limit_s;
}

const char *state_choose(struct state *s, const struct state_images *images, const char *boot_id,
			 uint64_t now_s, unsigned int limit_s, bool *on_trial)
{
	const char *want = *s->assigned ? s->assigned : images->standard, *other;

	*on_trial = false;
	COPY(s->boot_id, boot_id);
	if (!usable(images, want)) {
		if (*want)
			snprintf(s->why, sizeof(s->why),
				 "%s: not among the controller's images, or unreadable", want);
		s->trying[0] = '\0';
		return other_than(s, images, want);
	}
	if (str_eq(want, s->good)) {
		s->trying[0] = s->failed[0] = s->why[0] = '\0';
		return want;
	}
	other = other_than(s, images, want);
	if (str_eq(want, s->failed) && *other)
		return other;
	if (!str_eq(want, s->trying)) {
		COPY(s->trying, want);
		s->attempts = 0;
		s->since_s = now_s;
		s->failed[0] = s->why[0] = '\0';
	}
	if (*other && s->attempts && (s->attempts >= TRIAL_BOOTS || late(s, now_s, limit_s))) {
		fail(s, limit_s);
		s->trying[0] = '\0';
		return other;
	}
	s->attempts++;
	*on_trial = *other != '\0';
	return want;
}

bool state_expire(struct state *s, uint64_t now_s, unsigned int limit_s)
{
	if (!*s->trying || !s->attempts || str_eq(s->failed, s->trying) || !late(s, now_s, limit_s))
		return false;
	fail(s, limit_s);
	s->trying[0] = '\0';
	return true;
}

bool state_ready(struct state *s, const struct state_images *images, const char *running,
		 const char *boot_id)
{
	const char *want = *s->assigned ? s->assigned : images->standard;
	const char *is = running;
	bool changed;

	/* What the Node says of the boot before proves nothing. */
	if (*s->boot_id && str_eq(s->boot_id, boot_id))
		return false;
	if (str_starts(s->trying, images->nameless))
		is = s->trying;
	else if (!*s->trying && str_starts(s->good, images->nameless))
		is = s->good;
	if (!usable(images, is))
		return false; /* not one of ours */
	changed = !str_eq(s->good, is);
	COPY(s->good, is);
	if (*s->trying && !str_eq(s->trying, is))
		return changed; /* it is up with something else, the trial goes on */
	changed |= *s->trying || (*s->why && str_eq(is, want));
	s->trying[0] = '\0';
	s->attempts = 0;
	if (str_eq(is, want))
		s->failed[0] = s->why[0] = '\0';
	return changed;
}

bool state_assign(struct state *s, const char *version, bool again)
{
	if (str_eq(s->assigned, version) && !(again && *s->why))
		return false;
	COPY(s->assigned, version);
	s->failed[0] = s->why[0] = s->trying[0] = '\0';
	s->attempts = 0;
	return true;
}
