/* SPDX-License-Identifier: Apache-2.0 */
/* How much each source may say: one that says too much is cut, and how much was cut is said instead. */
#ifndef JOURNAL_GATE_H
#define JOURNAL_GATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bucket.h"
#include "journal/line.h"

#define GATE_SOURCES_MAX 12 /* what comes after shares the last place */
#define GATE_BURST	 4000 /* lines: more than a boot or a hundred pods' starts */
#define GATE_EACH_MS	 50 /* one more each */

struct gate_source {
	char name[LINE_SOURCE_MAX];
	struct bucket bucket;
	uint64_t cut; /* lines since the last gate_cut() */
};

struct gate {
	struct gate_source sources[GATE_SOURCES_MAX];
	unsigned int count;
};

/** gate_pass() - Whether one more line of @source is kept */
bool gate_pass(struct gate *g, const char *source, uint64_t now_ms);

/**
 * gate_cut() - The next source that was cut and may speak again
 * @lines: set to how many lines were cut; they are forgotten
 * Return: its name, or NULL.
 */
const char *gate_cut(struct gate *g, uint64_t now_ms, uint64_t *lines);

/** gate_pending() - Whether any source was cut that gate_cut() has not told yet */
bool gate_pending(const struct gate *g);

#endif
