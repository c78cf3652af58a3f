/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of store/ share. */
#ifndef STORE_INTERNAL_H
#define STORE_INTERNAL_H

#include "store/store.h"

struct db;

struct store_table {
	struct store *store;
	struct list node;
	char *resource;
	bool is_volatile;
	struct store_object **objects; /* sorted by (namespace, name) */
	size_t count, size;

	struct store_event *ring; /* event number n is at n % ring_size */
	size_t ring_size;
	uint64_t first, next; /* numbers of the events kept: first <= n < next */
	uint64_t settled; /* every subscriber has had the events before this one */
	uint64_t lost_rev; /* revision of the last event that was dropped */
	struct list subs;
	struct list *cursor; /* next subscriber of a running delivery */
};

struct store {
	struct loop *loop;
	struct defer defer;
	bool dispatching;
	struct db *db; /* NULL: memory only */
	const char *const *volatiles;
	size_t ring_size;
	uint64_t rev, ceiling;
	uint64_t start_rev; /* nothing is known of events up to this one */
	struct list tables;
};

struct store_table *store_table(struct store *s, const char *resource);
void store_ring_add(struct store_table *t, enum store_event_type type, uint64_t rev,
		    struct store_object *object, struct store_object *old);
void store_ring_free(struct store_table *t);

#endif
