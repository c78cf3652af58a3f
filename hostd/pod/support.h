/* SPDX-License-Identifier: Apache-2.0 */
/* What becomes of each field of a pod. */
#ifndef POD_SUPPORT_H
#define POD_SUPPORT_H

#include <stddef.h>

#include "base/err.h"
#include "json/json.h"

enum spec_verdict {
	SPEC_WORKS,
	SPEC_REFUSED, /* the pod fails, with the field's path */
	SPEC_IGNORED,
};

/* When a field is refused. null and what is missing never are. */
enum spec_refuse {
	SPEC_REFUSE_NEVER,
	SPEC_REFUSE_IF_TRUE,
	SPEC_REFUSE_IF_SET, /* "" and empty lists and objects are fine */
	SPEC_REFUSE_IF_THERE, /* only "" and an empty list are */
};

struct spec_support {
	const char *
		path; /* "containers[].env[].name"; stands for all below it, unless that has a row of its own */
	enum spec_verdict verdict;
	enum spec_refuse when;
	const char *note; /* why, or how far; "" */
};

extern const struct spec_support spec_supports[];
extern const size_t spec_support_count;

/** spec_support_check() - Return: 0; -ENOTSUP for the first refused field of a pod's spec, whose path is in @e */
int spec_support_check(const struct json *spec, struct err *e);

#endif
