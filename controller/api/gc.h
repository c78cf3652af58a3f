/* SPDX-License-Identifier: Apache-2.0 */
/* Removal of what nobody removes by hand; private to api/. */
#ifndef API_GC_H
#define API_GC_H

#include "base/err.h"
#include "base/loop.h"
#include "store/store.h"

struct gc;

int gc_new(struct loop *loop, struct store *store, struct gc **out, struct err *e);
struct gc *gc_free(struct gc *gc);

#endif
