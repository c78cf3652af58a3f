/* SPDX-License-Identifier: Apache-2.0 */
/* What a host says of its disks: what they hold, and what they are used for (docs/disks.md). */
#ifndef CLI_DISKS_H
#define CLI_DISKS_H

#include <stdio.h>

#include "json/json.h"

/** disks_of() - The report in a Node's annotation; NULL when there is none. Free it with json_doc_free() */
struct json_doc *disks_of(const struct json *node);

/** disks_print() - It, for people */
void disks_print(const struct json *report, FILE *out);

#endif
