// SPDX-License-Identifier: Apache-2.0
/*
 * The figures are numbers only, so there is nothing to judge but their number: a container that is named
 * twice, or out of range, is refused here. Each container is a record: later versions may say more.
 */
#include "proto/guest_stats.h"

#include <errno.h>

#include "base/mem.h"
#include "proto/guest_frame.h"

/* All fields behind a container's index, in the order in which they are sent */
#define STATS_CONTAINER_FIELDS(c)                                                                  \
	{                                                                                          \
		&(c)->started_ns, &(c)->cpu_ns, &(c)->cpu_user_ns, &(c)->cpu_system_ns,            \
			&(c)->throttled_ns, &(c)->throttled, &(c)->memory_bytes,                   \
			&(c)->working_set_bytes, &(c)->rss_bytes, &(c)->faults, &(c)->major_faults \
	}
#define STATS_POD_FIELDS(m)                                                                  \
	{                                                                                    \
		&(m)->memory_bytes, &(m)->memory_available_bytes, &(m)->net.rx_bytes,        \
			&(m)->net.rx_packets, &(m)->net.rx_errors, &(m)->net.rx_dropped,     \
			&(m)->net.tx_bytes, &(m)->net.tx_packets, &(m)->net.tx_errors,       \
			&(m)->net.tx_dropped, &(m)->scratch_bytes, &(m)->scratch_free_bytes, \
			&(m)->scratch_inodes, &(m)->scratch_inodes_free                      \
	}

long guest_stats_ask_encode(uint32_t ask, void *out, size_t size)
{
	struct wire_writer w;

	frame_begin(&w, out, size, GUEST_MSG_STATS_ASK, 0);
	wire_put_u32(&w, ask);
	return frame_end(&w);
}

int guest_stats_ask_decode(const struct guest_frame *f, uint32_t *ask)
{
	struct wire_reader r;

	frame_read(&r, f);
	*ask = wire_u32(&r);
	return wire_ok(&r) ? 0 : -EBADMSG;
}

static void stats_put_container(struct wire_writer *w, const struct guest_stats_container *c)
{
	const uint64_t *const fields[] = STATS_CONTAINER_FIELDS(c);
	size_t begin = wire_begin(w);

	wire_put_u16(w, c->container);
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		wire_put_u64(w, *fields[i]);
	wire_put_u32(w, c->pids);
	wire_put_u32(w, c->oom_kills);
	wire_end(w, begin);
}

long guest_stats_encode(const struct guest_stats *m, void *out, size_t size)
{
	const uint64_t *const fields[] = STATS_POD_FIELDS(m);
	struct wire_writer w;

	if (m->container_count > GUEST_CONTAINERS_MAX || m->volume_count > GUEST_VOLUMES_MAX)
		return -EINVAL;
	frame_begin(&w, out, size, GUEST_MSG_STATS, 0);
	wire_put_u32(&w, m->ask);
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		wire_put_u64(&w, *fields[i]);
	wire_put_u32(&w, m->container_count);
	for (uint32_t i = 0; i < m->container_count; i++)
		stats_put_container(&w, &m->containers[i]);
	wire_put_u32(&w, m->volume_count);
	for (uint32_t i = 0; i < m->volume_count; i++) {
		const struct guest_stats_volume *v = &m->volumes[i];

		wire_put_u16(&w, v->volume);
		wire_put_u64(&w, v->bytes);
		wire_put_u64(&w, v->free_bytes);
		wire_put_u64(&w, v->inodes);
		wire_put_u64(&w, v->inodes_free);
	}
	return frame_end(&w);
}

static void stats_container(struct wire_reader *r, struct guest_stats_container *c)
{
	uint64_t *const fields[] = STATS_CONTAINER_FIELDS(c);
	struct wire_reader record;

	wire_record(r, &record);
	c->container = wire_u16(&record);
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		*fields[i] = wire_u64(&record);
	c->pids = wire_u32(&record);
	c->oom_kills = wire_u32(&record);
	if (!wire_ok(&record))
		r->failed = true;
}

/* In the order of the pod's volumes, so each is there once. */
static int stats_volumes(struct wire_reader *r, struct guest_stats *m)
{
	uint32_t next = 0;

	m->volume_count = wire_count(r, GUEST_VOLUMES_MAX);
	for (uint32_t i = 0; i < m->volume_count && wire_ok(r); i++) {
		struct guest_stats_volume *v = &m->volumes[i];

		v->volume = wire_u16(r);
		v->bytes = wire_u64(r);
		v->free_bytes = wire_u64(r);
		v->inodes = wire_u64(r);
		v->inodes_free = wire_u64(r);
		if (v->volume < next || v->volume >= GUEST_VOLUMES_MAX)
			return -EBADMSG;
		next = v->volume + 1U;
	}
	return wire_ok(r) ? 0 : -EBADMSG;
}

int guest_stats_decode(const struct guest_frame *f, struct guest_stats *m)
{
	uint64_t *const fields[] = STATS_POD_FIELDS(m);
	uint32_t seen = 0;
	struct wire_reader r;

	frame_read(&r, f);
	m->ask = wire_u32(&r);
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		*fields[i] = wire_u64(&r);
	m->container_count = wire_count(&r, GUEST_CONTAINERS_MAX);
	for (uint32_t i = 0; i < m->container_count && wire_ok(&r); i++) {
		const struct guest_stats_container *c = &m->containers[i];

		stats_container(&r, &m->containers[i]);
		if (!wire_ok(&r) || !container_valid(c->container) || seen & 1U << c->container)
			return -EBADMSG;
		seen |= 1U << c->container;
	}
	return stats_volumes(&r, m);
}
