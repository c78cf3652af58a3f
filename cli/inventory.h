/* SPDX-License-Identifier: Apache-2.0 */
/* What a host says it is made of (docs/hardware.md): an annotation of its Node. */
#ifndef CLI_INVENTORY_H
#define CLI_INVENTORY_H

#include <stdio.h>

#include "json/json.h"

/** inventory_of() - Its document, to be freed; NULL when the Node has none that can be read */
struct json_doc *inventory_of(const struct json *node);

/** inventory_print() - It as a page: a line for each thing there is one of, a table for each kind of things */
void inventory_print(const struct json *inventory, FILE *out);

#endif
