// SPDX-License-Identifier: Apache-2.0
#include "journal/gate.h"

#include "base/str.h"

static struct gate_source *gate_find(struct gate *g, const char *name)
{
	for (unsigned int i = 0; i < g->count; i++)
		if (str_eq(g->sources[i].name, name))
			return &g->sources[i];
	if (g->count == GATE_SOURCES_MAX)
		return &g->sources[GATE_SOURCES_MAX - 1];
	(void)str_copy(g->sources[g->count].name, LINE_SOURCE_MAX, name);
	return &g->sources[g->count++];
}

bool gate_pass(struct gate *g, const char *source, uint64_t now_ms)
{
	struct gate_source *s = gate_find(g, source);

	if (bucket_take(&s->bucket, GATE_BURST, GATE_EACH_MS, now_ms))
		return true;
	s->cut++;
	return false;
}

const char *gate_cut(struct gate *g, uint64_t now_ms, uint64_t *lines)
{
	for (unsigned int i = 0; i < g->count; i++) {
		struct gate_source *s = &g->sources[i];

		if (!s->cut || !bucket_take(&s->bucket, GATE_BURST, GATE_EACH_MS, now_ms))
			continue;
		*lines = s->cut;
		s->cut = 0;
		return s->name;
	}
	return NULL;
}

bool gate_pending(const struct gate *g)
{
	for (unsigned int i = 0; i < g->count; i++)
		if (g->sources[i].cut)
			return true;
	return false;
}
