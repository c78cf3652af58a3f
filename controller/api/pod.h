/* SPDX-License-Identifier: Apache-2.0 */
/* What the pod's files share. */
#ifndef API_POD_H
#define API_POD_H

#include "internal.h"

/* pod_check.c: a defaulted spec; what is wrong goes to field_*(). */
void pod_check(struct api_call *c, const struct json *spec);

#endif
