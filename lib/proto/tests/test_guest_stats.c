// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/guest_stats.h"

static uint8_t data[GUEST_FRAME_HEADER + GUEST_FRAME_PAYLOAD_MAX];

/* As many containers as there may be, every field with a value of its own */
static void fill(struct guest_stats *m)
{
	uint64_t n = 1000;

	memset(m, 0, sizeof(*m));
	m->ask = 7;
	m->memory_bytes = n++;
	m->memory_available_bytes = n++;
	m->net = (struct guest_stats_net){n, n + 1, n + 2, n + 3, n + 4, n + 5, n + 6, n + 7};
	n += 8;
	m->scratch_bytes = n++;
	m->scratch_free_bytes = n++;
	m->scratch_inodes = n++;
	m->scratch_inodes_free = n++;
	m->container_count = GUEST_CONTAINERS_MAX;
	for (uint16_t i = 0; i < GUEST_CONTAINERS_MAX; i++, n += 20)
		m->containers[i] = (struct guest_stats_container){
			.container = (uint16_t)(GUEST_CONTAINERS_MAX - 1 - i),
			.started_ns = UINT64_MAX - n,
			.cpu_ns = n,
			.cpu_user_ns = n + 1,
			.cpu_system_ns = n + 2,
			.throttled_ns = n + 3,
			.throttled = n + 4,
			.memory_bytes = n + 5,
			.working_set_bytes = n + 6,
			.rss_bytes = n + 7,
			.faults = n + 8,
			.major_faults = n + 9,
			.pids = (uint32_t)n + 10,
			.oom_kills = (uint32_t)n + 11,
		};
	m->volume_count = 2;
	m->volumes[0] = (struct guest_stats_volume){3, n, n + 1, n + 2, n + 3};
	m->volumes[1] = (struct guest_stats_volume){GUEST_VOLUMES_MAX - 1, 5, 6, 7, 8};
}

static long encode(const struct guest_stats *m, struct guest_frame *f)
{
	long n = guest_stats_encode(m, data, sizeof(data));

	assert_true(n > 0);
	assert_int_equal(guest_frame_parse(data, (size_t)n, f), n);
	return n;
}

static void round_trip(void **state)
{
	static struct guest_stats m, back;
	struct guest_frame f;
	uint32_t ask = 0;
	long n;

	(void)state;
	fill(&m);
	encode(&m, &f);
	assert_int_equal(f.type, GUEST_MSG_STATS);
	assert_int_equal(guest_stats_decode(&f, &back), 0);
	assert_memory_equal(&m, &back, sizeof(m));
	n = guest_stats_ask_encode(12, data, sizeof(data));
	assert_true(n > 0 && guest_frame_parse(data, (size_t)n, &f) == n);
	assert_int_equal(f.type, GUEST_MSG_STATS_ASK);
	assert_int_equal(guest_stats_ask_decode(&f, &ask), 0);
	assert_int_equal(ask, 12);
}

static void cut_anywhere_is_refused(void **state)
{
	static struct guest_stats m, back;
	struct guest_frame f;
	uint32_t ask, len;

	(void)state;
	fill(&m);
	encode(&m, &f);
	for (len = f.len, f.len = 0; f.len < len; f.len++)
		assert_int_equal(guest_stats_decode(&f, &back), -EBADMSG);
	f.len = 3;
	assert_int_equal(guest_stats_ask_decode(&f, &ask), -EBADMSG);
}

static void bad_containers_are_refused(void **state)
{
	static struct guest_stats m, back;
	struct guest_frame f;

	(void)state;
	fill(&m);
	m.containers[3].container = m.containers[4].container;
	encode(&m, &f);
	assert_int_equal(guest_stats_decode(&f, &back), -EBADMSG);
	m.containers[3].container = GUEST_CONTAINERS_MAX;
	encode(&m, &f);
	assert_int_equal(guest_stats_decode(&f, &back), -EBADMSG);
	m.containers[3].container = 12;
	m.volumes[0].volume = m.volumes[1].volume;
	encode(&m, &f);
	assert_int_equal(guest_stats_decode(&f, &back), -EBADMSG);
	m.volumes[0].volume = 0;
	m.volumes[1].volume = GUEST_VOLUMES_MAX;
	encode(&m, &f);
	assert_int_equal(guest_stats_decode(&f, &back), -EBADMSG);
	m.container_count++;
	assert_int_equal(guest_stats_encode(&m, data, sizeof(data)), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(round_trip),
		cmocka_unit_test(cut_anywhere_is_refused),
		cmocka_unit_test(bad_containers_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
