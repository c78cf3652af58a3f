// SPDX-License-Identifier: Apache-2.0
/*
 * The watch ring: the last events of each resource, and who reads them.
 *
 * A subscriber has a place in the ring, so that «everything since resourceVersion N» and «from now
 * on» are one thing. Delivery runs behind the writer's callback; a callback that writes adds to the
 * ring and is served in the same run, in order. Every resource has a ring of its own: a thousand
 * leases a minute do not push out the pods. An event that a subscriber has still to get is never
 * written over: one call that changes more objects than the ring has places (a namespace's end) makes
 * it larger.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/mem.h"
#include "internal.h"

static void event_done(struct store_event *ev)
{
	store_unref(ev->object);
	store_unref(ev->old);
}

static void on_defer(struct defer *d)
{
	store_dispatch(container_of(d, struct store, defer));
}

static void schedule(struct store *s)
{
	if (s->loop && !s->dispatching)
		loop_defer(s->loop, &s->defer, on_defer);
}

static void ring_grow(struct store_table *t)
{
	size_t size = t->ring_size * 2;
	struct store_event *ring = mem_array(size, sizeof(*ring));

	for (uint64_t n = t->first; n < t->next; n++)
		ring[n % size] = t->ring[n % t->ring_size];
	free(t->ring);
	t->ring = ring;
	t->ring_size = size;
}

void store_ring_add(struct store_table *t, enum store_event_type type, uint64_t rev,
		    struct store_object *object, struct store_object *old)
{
	struct store_event *ev;

	if (list_empty(&t->subs))
		t->settled = t->next;
	if (t->next - t->first == t->ring_size && t->first >= t->settled)
		ring_grow(t);
	ev = &t->ring[t->next % t->ring_size];
	if (t->next - t->first == t->ring_size) {
		t->lost_rev = ev->rev;
		event_done(ev);
		t->first++;
	}
	ev->type = type;
	ev->rev = rev;
	ev->object = store_ref(object);
	ev->old = old ? store_ref(old) : NULL;
	t->next++;
	if (!list_empty(&t->subs))
		schedule(t->store);
}

void store_ring_free(struct store_table *t)
{
	struct store_sub *sub, *tmp;

	list_for_each_safe(sub, tmp, &t->subs, node)
		store_unsubscribe(sub);
	for (; t->first < t->next; t->first++)
		event_done(&t->ring[t->first % t->ring_size]);
	free(t->ring);
}

int store_subscribe(struct store *s, struct store_sub *sub, const char *resource,
		    uint64_t since_rev,
		    void (*fn)(struct store_sub *sub, const struct store_event *ev))
{
	struct store_table *t = store_table(s, resource);
	uint64_t lo = t->first, hi = t->next;

	if (since_rev < t->lost_rev)
		return -EOVERFLOW;
	while (lo < hi) {
		uint64_t mid = lo + (hi - lo) / 2;

		if (t->ring[mid % t->ring_size].rev > since_rev)
			hi = mid;
		else
			lo = mid + 1;
	}
	sub->fn = fn;
	sub->table = t;
	sub->next = lo;
	t->settled = MIN(t->settled, lo);
	list_add(&t->subs, &sub->node);
	if (sub->next < t->next)
		schedule(s);
	return 0;
}

void store_unsubscribe(struct store_sub *sub)
{
	if (!sub->table)
		return;
	if (sub->table->cursor == &sub->node)
		sub->table->cursor = sub->node.next;
	list_del(&sub->node);
	sub->table = NULL;
}

static void deliver(struct store_table *t, struct store_sub *sub)
{
	struct store_event ev = t->ring[sub->next % t->ring_size];

	store_ref(ev.object);
	if (ev.old)
		store_ref(ev.old);
	sub->next++;
	sub->fn(sub, &ev);
	event_done(&ev);
}

/* One event to each subscriber of a table. Return: whether there was any. */
static bool dispatch_table(struct store_table *t)
{
	bool any = false;

	for (t->cursor = t->subs.next; t->cursor != &t->subs;) {
		struct store_sub *sub = list_entry(t->cursor, struct store_sub, node);

		t->cursor = t->cursor->next;
		if (sub->next < t->next) {
			any = true;
			deliver(t, sub);
		}
	}
	t->cursor = NULL;
	return any;
}

void store_dispatch(struct store *s)
{
	struct store_table *t;
	bool any;

	if (s->dispatching)
		return;
	s->dispatching = true;
	do {
		any = false;
		list_for_each(t, &s->tables, node)
			any |= dispatch_table(t);
	} while (any);
	list_for_each(t, &s->tables, node)
		t->settled = t->next;
	s->dispatching = false;
}
