/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The object store: Kubernetes objects as JSON, keyed by (resource, namespace, name).
 *
 * Every write gets the next number of one global counter, the resourceVersion. Objects are immutable:
 * a write puts a new one in the place of the old. Whoever keeps a pointer over a return to the event
 * loop takes a reference. Writes are on disk when the call returns, except those of volatile
 * resources (leases, events), which live in memory only.
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/list.h"
#include "base/loop.h"
#include "json/json.h"

#define STORE_UID_SIZE	 37
#define STORE_OBJECT_MAX ((size_t)3 << 20) /* bytes of an object as JSON; patches make them grow */

struct store;

/* One version of an object; read only. */
struct store_object {
	unsigned int refs;
	uint64_t rev; /* metadata.resourceVersion */
	const char *namespace; /* "" when cluster-scoped */
	const char *name;
	struct json_doc *doc; /* as text, parsed */
	const char *text;
	size_t len;
};

struct store_config {
	const char *path; /* database file; NULL: memory only (tests) */
	const char *const *volatiles; /* resources that are never written, NULL-terminated; or NULL */
	size_t ring_size; /* events kept per resource, at least; 0: 4,096 */
};

/**
 * store_open() - Open or make the database and load all objects
 * @loop: delivers events behind the current callback; NULL: only store_dispatch() does
 * Return: 0; -errno with the reason in @e (-EBUSY: another process has it open).
 */
int store_open(struct loop *loop, const struct store_config *config, struct store **out,
	       struct err *e);

/** store_close() - Close; subscribers are forgotten. Return: NULL */
struct store *store_close(struct store *s);

/** store_rev() - The number of the last write */
uint64_t store_rev(const struct store *s);

/** store_get() - Look one object up; @namespace "" for cluster-scoped. Return: borrowed, or NULL */
struct store_object *store_get(struct store *s, const char *resource, const char *namespace,
			       const char *name);

/**
 * store_next() - The first object behind a key, in the order of (namespace, name)
 * @namespace:	only of this one; NULL: of all
 * @after_namespace, @after_name: the key; the object itself need not exist. NULL: from the start
 * Return: borrowed, or NULL at the end.
 */
struct store_object *store_next(struct store *s, const char *resource, const char *namespace,
				const char *after_namespace, const char *after_name);

/** store_count() - Number of objects of a resource */
size_t store_count(struct store *s, const char *resource);

struct store_object *store_ref(struct store_object *o);
void store_unref(struct store_object *o);

/**
 * store_create() - Add an object
 * @doc: taken over in any case. metadata.resourceVersion is set; uid and creationTimestamp where missing
 * @out: NULL or set to the stored object, borrowed
 * Return: 0; -EEXIST; -E2BIG beyond STORE_OBJECT_MAX; -errno with the reason in @e.
 */
int store_create(struct store *s, const char *resource, const char *namespace, const char *name,
		 struct json_doc *doc, struct store_object **out, struct err *e);

/**
 * store_update() - Replace an object
 * @rev: what it must be at, 0: at any
 * @doc: taken over in any case. uid and creationTimestamp are kept; a metadata.generation is counted
 *	 up when spec changed. A document equal to what is stored changes nothing, not even the number.
 * Return: 0; -ENOENT; -ESTALE when it is at another version; -E2BIG as above; -errno.
 */
int store_update(struct store *s, const char *resource, const char *namespace, const char *name,
		 uint64_t rev, struct json_doc *doc, struct store_object **out, struct err *e);

/** store_delete() - Remove an object; @rev as above. Return: 0; -ENOENT; -ESTALE; -errno */
int store_delete(struct store *s, const char *resource, const char *namespace, const char *name,
		 uint64_t rev, struct err *e);

/* Events. */
enum store_event_type { STORE_ADDED, STORE_MODIFIED, STORE_DELETED };

struct store_event {
	enum store_event_type type;
	uint64_t rev; /* of this change */
	struct store_object *
		object; /* as it is now; for DELETED the last state, its resourceVersion that of the deletion */
	struct store_object *old; /* before; NULL for ADDED */
};

struct store_table;

/*
 * One that wants the events of a resource. Embedded in its owner, as loop watches are. The callback
 * may write to the store and may unsubscribe anybody.
 */
struct store_sub {
	void (*fn)(struct store_sub *sub, const struct store_event *ev);
	struct list node;
	struct store_table *table; /* NULL while not subscribed */
	uint64_t next; /* place in the ring */
};

/**
 * store_subscribe() - Get every event behind @since_rev, those that are kept first
 * Return: 0; -EOVERFLOW when the events behind @since_rev are no longer kept (the reader must list).
 */
int store_subscribe(struct store *s, struct store_sub *sub, const char *resource,
		    uint64_t since_rev,
		    void (*fn)(struct store_sub *sub, const struct store_event *ev));

/** store_unsubscribe() - May be repeated, also on a zeroed one */
void store_unsubscribe(struct store_sub *sub);

/** store_dispatch() - Deliver what is due now (tests; the loop does it otherwise) */
void store_dispatch(struct store *s);

/** store_new_uid() - A random UUID of version 4 */
void store_new_uid(char out[STORE_UID_SIZE]);

/* What the API and the scheduler both do to objects. */

/**
 * store_set_condition() - Set an entry of status.conditions by its type (metav1.Condition)
 * @status: "True", "False" or "Unknown"; lastTransitionTime moves when it changes
 * Return: whether anything changed.
 */
bool store_set_condition(struct json_doc *doc, struct json *object, const char *type,
			 const char *status, const char *reason, const char *message);

/** store_condition() - The entry of status.conditions of that type, or NULL */
const struct json *store_condition(const struct json *object, const char *type);

/**
 * store_bind_pod() - Assign a pod to a node (the effect of pods/binding)
 * Return: 0; -ENOENT; -EEXIST when it has a node; -EBUSY when it is being deleted; -errno.
 */
int store_bind_pod(struct store *s, const char *namespace, const char *name, const char *node,
		   struct err *e);

/**
 * store_event() - Record an Event about an object in its namespace ("default" for cluster-scoped)
 * @kind: of the object, e.g. "Pod"
 * @type: "Normal" or "Warning"
 */
void store_event(struct store *s, const char *component, const char *kind,
		 const struct json *object, const char *type, const char *reason, const char *fmt,
		 ...) __attribute__((format(printf, 7, 8)));

#endif
