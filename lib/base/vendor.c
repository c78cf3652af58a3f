// SPDX-License-Identifier: Apache-2.0
#include "base/vendor.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"

static const char *const vendor_fillers[] = {
	"(none)",
	"[empty]",
	"0123456789",
	"012345678",
	"123456789",
	"1234567890",
	"Asset-1234567890",
	"Base Board Asset Tag",
	"Base Board Serial Number",
	"Chassis Asset Tag",
	"Chassis Serial Number",
	"Chassis Version",
	"Default",
	"Default string",
	"Empty",
	"Invalid",
	"N/A",
	"NA",
	"NO DIMM",
	"No Asset Information",
	"No Asset Tag",
	"None",
	"Not Applicable",
	"Not Available",
	"Not Provided",
	"Not Set",
	"Not Specified",
	"Null",
	"O.E.M.",
	"OEM",
	"SKU",
	"Serial Number",
	"System Product Name",
	"System SKU",
	"System Serial Number",
	"System Version",
	"System manufacturer",
	"TBD",
	"To Be Filled",
	"To Be Filled By O.E.M.",
	"To Be Filled By O.E.M. by More String",
	"Type1Sku0",
	"Undefined",
	"Unknown",
	"Unspecified",
};

/* "AssetTagNum0", "PartNum1", "SerNum2": a filler and the number of the slot */
static const char *const vendor_numbered[] = {
	"A1_AssetTagNum", "AssetTagNum",      "Array1_PartNumber", "Array1_PartNum", "A1_SerNum",
	"Manufacturer",	  "ModulePartNumber", "PartNum",	   "SerNum",
};

static bool vendor_same_all_over(const char *s)
{
	char first = '\0';
	int count = 0;

	for (; *s; s++) {
		if (*s == ' ' || *s == '-')
			continue;
		if (first && tolower((unsigned char)*s) != first)
			return false;
		first = (char)tolower((unsigned char)*s);
		count++;
	}
	return count > 1 || !isalnum((unsigned char)first) || first == '0';
}

bool vendor_left_blank(const char *s)
{
	if (vendor_same_all_over(s))
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(vendor_fillers); i++)
		if (strcasecmp(s, vendor_fillers[i]) == 0)
			return true;
	for (size_t i = 0; i < ARRAY_SIZE(vendor_numbered); i++) {
		size_t len = strlen(vendor_numbered[i]);

		if (strncasecmp(s, vendor_numbered[i], len) == 0 && s[len] &&
		    strspn(s + len, "0123456789") == strlen(s + len))
			return true;
	}
	return false;
}

bool vendor_uuid_blank(const char *uuid)
{
	/* Of reference firmware, in both byte orders, and shipped by the thousand */
	static const char *const examples[] = {
		"03000200-0400-0500-0006-000700080009",
		"00020003-0004-0005-0006-000700080009",
		"12345678-1234-5678-90ab-cddeefaabbcc",
	};

	for (size_t i = 0; i < ARRAY_SIZE(examples); i++)
		if (strcasecmp(uuid, examples[i]) == 0)
			return true;
	return vendor_same_all_over(uuid);
}
