/* SPDX-License-Identifier: Apache-2.0 */
/* usageNanoCores of a Summary: what two of them, one after the other, say together. */
#ifndef API_RATES_H
#define API_RATES_H

#include <stdbool.h>

#include "json/json.h"

#define RATES_OLD_MS 120000 /* a summary that is older says nothing of now */

/* All zero at first. */
struct rates {
	struct json_doc *last, *before; /* owned; @last has its rates */
};

void rates_done(struct rates *r);

/**
 * rates_add() - Take a summary over and put its rates in
 * @doc: owned by @r from now on; one that was added before is dropped
 * Return: the summary to show, valid until the next call.
 */
const struct json *rates_add(struct rates *r, struct json_doc *doc);

/** rates_known() - Whether the last summary has rates; else another should be taken a second later */
bool rates_known(const struct rates *r);

#endif
