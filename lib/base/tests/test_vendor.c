// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/vendor.h"

static void test_blank(void **state)
{
	static const char *const blank[] = {
		"",	    "0",	"00000000",   "XXXXXXX",	"xxXX",
		"None",	    "N/A",	"..........", "0000-0000",	"To be filled by O.E.M.",
		" ",	    "--",	"?",	      "Default string", "System Serial Number",
		"SKU",	    "SerNum00", "0123456789", "AssetTagNum3",	"Not Specified",
		"FFFFFFFF",
	};
	static const char *const values[] = {"1",	  "A",	    "HM-0",	"01234567890",
					     "Rack-9000", "SerNum", "SerNum0a", "NoneSuch",
					     "10",	  "0x"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(blank); i++)
		if (!vendor_left_blank(blank[i]))
			fail_msg("'%s' is taken for a value", blank[i]);
	for (size_t i = 0; i < ARRAY_SIZE(values); i++)
		if (vendor_left_blank(values[i]))
			fail_msg("'%s' is taken for blank", values[i]);
}

static void test_uuid(void **state)
{
	(void)state;
	assert_true(vendor_uuid_blank(""));
	assert_true(vendor_uuid_blank("00000000-0000-0000-0000-000000000000"));
	assert_true(vendor_uuid_blank("FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF"));
	assert_true(vendor_uuid_blank("03000200-0400-0500-0006-000700080009"));
	assert_false(vendor_uuid_blank("5df2f770-6b9d-43ab-8f1b-154d51f94cb9"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_blank),
		cmocka_unit_test(test_uuid),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
