// SPDX-License-Identifier: Apache-2.0
/* What disks say of themselves, and what becomes of one that does not. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fd.h"
#include "base/mem.h"
#include "inventory/health.h"

static void test_nvme(void **state)
{
	uint8_t log[HEALTH_PAGE_SIZE] = {0};
	struct health h;

	(void)state;
	log[3] = 100;
	log[5] = 7;
	log[128] = 0x10;
	log[129] = 0x27;
	health_parse_nvme(log, &h);
	assert_int_equal(h.state, HEALTH_GOOD);
	assert_int_equal(h.on_hours, 10000);
	assert_int_equal(h.used_percent, 7);
	assert_int_equal(h.media_errors, 0);
	memset(log + 144, 0xff, 16);
	log[5] = 130;
	health_parse_nvme(log, &h);
	assert_int_equal(h.state, HEALTH_WARNING);
	assert_int_equal(h.unsafe_shutdowns, INT64_MAX);
	assert_string_equal(h.why, "its promised life is used up");
	log[0] = 1 << 2 | 1 << 0;
	health_parse_nvme(log, &h);
	assert_int_equal(h.state, HEALTH_FAILING);
	assert_string_equal(h.why, "its reliability is degraded");
}

static void attribute(uint8_t *data, int place, uint8_t id, uint32_t raw)
{
	uint8_t *a = data + 2 + place * 12;

	a[0] = id;
	for (int i = 0; i < 4; i++)
		a[5 + i] = (uint8_t)(raw >> 8 * i);
	data[511] = 0;
	for (int i = 0; i < 511; i++)
		data[511] = (uint8_t)(data[511] - data[i]);
}

static void test_ata(void **state)
{
	uint8_t data[HEALTH_PAGE_SIZE] = {0};
	struct health h;

	(void)state;
	attribute(data, 0, 9, 30000);
	attribute(data, 29, 5, 8);
	health_parse_ata(data, 0, &h);
	assert_int_equal(h.state, HEALTH_GOOD);
	assert_int_equal(h.on_hours, 30000);
	assert_int_equal(h.reallocated, 8);
	assert_int_equal(h.pending, -1);
	health_parse_ata(data, -1, &h);
	assert_int_equal(h.state, HEALTH_UNKNOWN);
	attribute(data, 3, 197, 1);
	health_parse_ata(data, 0, &h);
	assert_int_equal(h.state, HEALTH_WARNING);
	health_parse_ata(data, 1, &h);
	assert_int_equal(h.state, HEALTH_FAILING);
	data[0]++; /* the checksum is wrong: nothing of it is believed */
	health_parse_ata(data, -1, &h);
	assert_int_equal(h.state, HEALTH_UNKNOWN);
	assert_int_equal(h.on_hours, -1);
	assert_string_equal(h.why, "its answer makes no sense");
}

/* A disk that is none, and one that somebody asks already */
static void test_asked(void **state)
{
	char path[128];
	struct health_asked *a;
	char dir[] = "/tmp/test-health-XXXXXX";
	int fd;

	(void)state;
	assert_non_null(mkdtemp(dir));
	a = health_ask_new(dir);
	health_ask_disk(a, "no-such-disk", HEALTH_NVME);
	health_ask_disk(a, "null", HEALTH_ATA);
	health_ask_wait(a, 5000);
	assert_string_equal(health_ask_result(a, "no-such-disk")->why, "it cannot be opened");
	assert_string_equal(health_ask_result(a, "null")->why, "it refuses to tell");
	assert_null(health_ask_result(a, "other"));
	health_ask_free(a);

	snprintf(path, sizeof(path), "%s/null", dir);
	fd = open(path, O_RDWR | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(flock(fd, LOCK_EX), 0);
	a = health_ask_new(dir);
	health_ask_disk(a, "null", HEALTH_NVME);
	health_ask_wait(a, 5000);
	assert_string_equal(health_ask_result(a, "null")->why,
			    "it has not answered an earlier question");
	health_ask_free(a);
	close(fd);

	/* A disk that takes longer than the deadline is not waited for */
	a = health_ask_new(dir);
	health_ask_disk(a, "null", HEALTH_NVME);
	health_ask_wait(a, 0);
	assert_string_equal(health_ask_result(a, "null")->why, "it does not answer");
	health_ask_free(a);
	assert_int_equal(file_remove_tree(AT_FDCWD, dir), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nvme),
		cmocka_unit_test(test_ata),
		cmocka_unit_test(test_asked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
