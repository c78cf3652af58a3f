/* SPDX-License-Identifier: Apache-2.0 */
/* What the pod's files share. */
#ifndef API_POD_H
#define API_POD_H

#include "internal.h"

/* admit.c: what a new pod gets from its account and its runtime class. Return: false when it answered */
bool pod_admit(struct api_call *c, struct json_doc *doc, struct json *spec);

/* pod_check.c: a defaulted spec; what is wrong goes to field_*(). */
void pod_check(struct api_call *c, const struct json *spec);

#endif
