// SPDX-License-Identifier: Apache-2.0
/* The bytes of commands that no emulator here knows, against the specifications; and what counts as wiped. */
#include <errno.h>
#include <fcntl.h>
#include <linux/nvme_ioctl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/random.h"
#include "storage/erase.h"

#define SIZE ((size_t)24 << 20)

static void test_names(void **state)
{
	(void)state;
	for (int i = 0; i < ERASE_METHODS; i++)
		assert_int_equal(erase_parse(erase_name((enum erase_method)i)), i);
	assert_int_equal(erase_parse("shred"), -EINVAL);
}

static void test_nvme_format(void **state)
{
	uint8_t controller[ERASE_IDENTIFY_NVME] = {0}, space[ERASE_IDENTIFY_NVME] = {0};
	uint8_t active[ERASE_IDENTIFY_NVME] = {1};
	struct nvme_passthru_cmd cmd;
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(erase_nvme_format_command(controller, space, active, 1, &cmd, &e),
			 -ENOTSUP);
	controller[256] = 2; /* OACS: Format NVM */
	assert_int_equal(erase_nvme_format_command(controller, space, active, 1, &cmd, &e), 0);
	assert_int_equal(cmd.opcode, 0x80);
	assert_int_equal(cmd.nsid, 1);
	assert_int_equal(cmd.cdw10, 1 << 9); /* SES 001b: user data erase */
	assert_true(cmd.timeout_ms > 3600000);
	controller[524] = 4; /* FNA: cryptographic erase */
	space[26] = 0x3 | 0x10 | 0x20; /* FLBAS: format 19, metadata at the end */
	space[29] = 0x2 | 0x8; /* DPS: type 2, at the beginning */
	assert_int_equal(erase_nvme_format_command(controller, space, active, 7, &cmd, &e), 0);
	assert_int_equal(cmd.nsid, 7);
	assert_int_equal(cmd.cdw10, 3 | 1 << 4 | 2 << 5 | 1 << 8 | 2 << 9 | 1 << 12);
	/* It applies to all namespaces, and there are two */
	active[4] = 2;
	assert_int_equal(erase_nvme_format_command(controller, space, active, 1, &cmd, &e), 0);
	for (uint8_t fna = 1; fna < 4; fna++) {
		controller[524] = fna;
		assert_int_equal(erase_nvme_format_command(controller, space, active, 1, &cmd, &e),
				 -EBUSY);
	}
}

static void test_nvme_sanitize(void **state)
{
	static const struct {
		uint8_t can;
		uint32_t cdw10;
	} cases[] = {
		{1, 4 | 1 << 3},	  {2, 2 | 1 << 3}, {3, 2 | 1 << 3},
		{4, 3 | 1 << 3 | 1 << 4}, {7, 2 | 1 << 3},
	};
	uint8_t controller[ERASE_IDENTIFY_NVME] = {0}, active[ERASE_IDENTIFY_NVME] = {1};
	struct nvme_passthru_cmd cmd;
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(erase_nvme_sanitize_command(controller, active, &cmd, &e), -ENOTSUP);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		controller[328] = cases[i].can; /* SANICAP */
		assert_int_equal(erase_nvme_sanitize_command(controller, active, &cmd, &e), 0);
		assert_int_equal(cmd.opcode, 0x84);
		assert_int_equal(cmd.nsid, 0);
		assert_int_equal(cmd.cdw10, cases[i].cdw10);
	}
	active[4] = 2;
	assert_int_equal(erase_nvme_sanitize_command(controller, active, &cmd, &e), -EBUSY);
}

static void test_nvme_sanitize_state(void **state)
{
	static const int results[] = {-EIO, 1, 0, -EIO, 1, -EIO, -EIO, -EIO};
	uint8_t page[512] = {0x00, 0x80};
	unsigned int part;

	(void)state;
	for (uint8_t i = 0; i < 8; i++) {
		page[2] = i | 0xf8; /* completed passes lie beside it */
		assert_int_equal(erase_nvme_sanitize_state(page, &part), results[i]);
		assert_int_equal(part, 5000);
	}
}

static void test_ata(void **state)
{
	uint8_t identify[ERASE_IDENTIFY_ATA] = {0}, cdb[16], data[512];
	struct erase_ata a;
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(erase_ata_can(identify, &a, &e), -ENOTSUP);
	identify[2 * 82] = 2;
	assert_int_equal(erase_ata_can(identify, &a, &e), -ENOTSUP);
	identify[2 * 128] = 1;
	identify[2 * 89] = 50;
	assert_int_equal(erase_ata_can(identify, &a, &e), 0);
	assert_false(a.enhanced);
	assert_int_equal(a.minutes, 100);
	identify[2 * 89] = 0xff; /* longer than can be said */
	assert_int_equal(erase_ata_can(identify, &a, &e), 0);
	assert_int_equal(a.minutes, 0);
	identify[2 * 128] = 1 | 1 << 5;
	identify[2 * 90] = 0x2c; /* 300 in the extended format */
	identify[2 * 90 + 1] = 0x81;
	assert_int_equal(erase_ata_can(identify, &a, &e), 0);
	assert_true(a.enhanced);
	assert_int_equal(a.minutes, 600);
	for (int bit = 1; bit < 4; bit++) { /* enabled, locked, frozen */
		identify[2 * 128] = (uint8_t)(1 | 1 << bit);
		assert_int_equal(erase_ata_can(identify, &a, &e), -EPERM);
	}
	{
		static const uint8_t unit[16] = {0x85, 5 << 1, 0x06, 0, 0, 0, 1,   0,
						 0,    0,      0,    0, 0, 0, 0xf4},
				     prepare[16] = {0x85, 3 << 1, 0, 0, 0, 0, 0,   0,
						    0,	  0,	  0, 0, 0, 0, 0xf3},
				     ask[16] = {0x85, 4 << 1, 0x0e, 0, 0, 0, 1,	  0,
						0,    0,      0,    0, 0, 0, 0xec};

		erase_ata_cdb(ERASE_ATA_UNIT, cdb);
		assert_memory_equal(cdb, unit, 16);
		erase_ata_cdb(ERASE_ATA_PREPARE, cdb);
		assert_memory_equal(cdb, prepare, 16);
		erase_ata_cdb(ERASE_ATA_IDENTIFY, cdb);
		assert_memory_equal(cdb, ask, 16);
	}
	erase_ata_data(ERASE_ATA_UNIT, true, data);
	assert_int_equal(data[0], 2);
	assert_int_equal(data[1], 0);
	assert_memory_equal(data + 2, "hypermetal\0", 11);
	erase_ata_data(ERASE_ATA_SET_PASSWORD, true, data);
	assert_int_equal(data[0], 0);
	assert_int_equal(data[1], 0); /* security level high: the master password could undo it */
}

/* On a file, which is no disk: only writing works, and auto finds that out */
static void test_run(void **state)
{
	char path[] = "/tmp/test-erase-XXXXXX";
	_cleanup_free_ uint8_t *noise = mem_alloc(SIZE), *is = mem_alloc(SIZE);
	struct erase x = {.fd = mkstemp(path), .disk = "none", .size_bytes = SIZE};
	struct erase_report report;
	struct err e = ERR_INIT;

	(void)state;
	random_fill(noise, SIZE);
	assert_int_equal(pwrite(x.fd, noise, SIZE, 0), SIZE);
	assert_int_equal(erase_run(&x, ERASE_NVME_FORMAT, &report, &e), -ENOTSUP);
	err_clear(&e);
	assert_int_equal(erase_run(&x, ERASE_NVME_SANITIZE, &report, &e), -ENOTSUP);
	err_clear(&e);
	assert_int_equal(erase_run(&x, ERASE_ATA, &report, &e), -ENOTSUP);
	err_clear(&e);
	assert_true(erase_run(&x, ERASE_DISCARD, &report, &e) < 0);
	err_clear(&e);
	assert_int_equal(pread(x.fd, is, SIZE, 0), SIZE);
	assert_memory_equal(is, noise, SIZE);
	assert_int_equal(erase_run(&x, ERASE_AUTO, &report, &e), 0);
	assert_int_equal(report.method, ERASE_OVERWRITE);
	assert_int_equal(report.samples, 96);
	assert_true(report.zero);
	assert_int_equal(pread(x.fd, is, SIZE, 0), SIZE);
	memset(noise, 0, SIZE);
	assert_memory_equal(is, noise, SIZE);
	close(x.fd);
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),	      cmocka_unit_test(test_nvme_format),
		cmocka_unit_test(test_nvme_sanitize), cmocka_unit_test(test_nvme_sanitize_state),
		cmocka_unit_test(test_ata),	      cmocka_unit_test(test_run),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
