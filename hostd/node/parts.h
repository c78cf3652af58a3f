/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of struct node, each with its own timers and its own call under way. */
#ifndef NODE_PARTS_H
#define NODE_PARTS_H

#include "base/bucket.h"
#include "base/buf.h"
#include "base/list.h"
#include "base/retry.h"
#include "node/csr.h"
#include "node/kube.h"
#include "node/node.h"

#define NODE_PATH_MAX 512
#define NODE_UID_MAX  64

/* ---- object.c: the Node object as JSON ---- */

#define OBJECT_TIME_MAX 32

#define OBJECT_EXTRA_MAX 3

/* A condition that others have us tell */
struct object_extra {
	const char *type; /* NULL: the place is free */
	bool is;
	char reason[64];
	char message[NODE_MESSAGE_MAX];
	char since[OBJECT_TIME_MAX];
};

struct object_state {
	char not_ready_reason[64]; /* "": ready */
	char not_ready_message[200];
	char ready_since[OBJECT_TIME_MAX]; /* RFC 3339; "": from now */
	bool pressure[NODE_PRESSURE_MAX];
	char pressure_since[NODE_PRESSURE_MAX][OBJECT_TIME_MAX];
	struct object_extra extra[OBJECT_EXTRA_MAX];
};

/** object_status() - Node.status whole; @now_s seconds since the epoch */
struct json *object_status(struct json_doc *doc, const struct node_config *config,
			   struct object_state *state, int64_t now_s);

/** object_node() - The Node as it is created */
struct json *object_node(struct json_doc *doc, const struct node_config *config,
			 struct object_state *state, int64_t now_s);

/** object_labels() - The labels that are ours; those of others are left alone */
struct json *object_labels(struct json_doc *doc, const struct node_config *config);

/** object_remember() - Take over the transition times of a Node that is already there */
void object_remember(struct object_state *state, const struct node_config *config,
		     const struct json *node);

/** object_set() - As node_set_condition(). Return: whether that changed anything */
bool object_set(struct object_state *state, const char *type, bool is, const char *reason,
		const char *message);

/* ---- register.c: create the Node or take it over, then keep its status ---- */

struct reg {
	struct node *node;
	struct object_state state;
	struct kube_call *call;
	struct retry retry;
	struct timer refresh; /* the status is sent every few minutes and when it changed */
	bool registered, dirty;
	struct json_doc *facts; /* the Node's metadata as a patch; NULL: none yet */
	bool facts_due; /* the server does not have them */
	char uid[NODE_UID_MAX];
};

void reg_init(struct reg *r, struct node *node);
void reg_done(struct reg *r);
/** reg_start() - Create or take over the Node; node_registered() follows. Again: no harm */
void reg_start(struct reg *r);
/** reg_set_ready() - As node_set_ready() */
void reg_set_ready(struct reg *r, const char *reason, const char *message);
/** reg_set_pressure() - As node_set_pressure() */
void reg_set_pressure(struct reg *r, enum node_pressure kind, bool is);
/** reg_set_condition() - As node_set_condition() */
void reg_set_condition(struct reg *r, const char *type, bool is, const char *reason,
		       const char *message);
/** reg_set_facts() - As node_set_facts() */
void reg_set_facts(struct reg *r, const struct json *labels, const char *name, const char *text);
/** reg_resend() - Send the status again though it has not changed */
void reg_resend(struct reg *r);

/* ---- lease.c: the heartbeat ---- */

struct lease {
	struct node *node;
	struct json_doc *object; /* as the server last returned it, NULL when unknown */
	struct kube_call *call;
	struct retry retry;
	uint64_t renewed_ms; /* clock_mono_ms() of the last success, 0 never */
	bool failing;
};

void lease_init(struct lease *l, struct node *node);
void lease_done(struct lease *l);
void lease_start(struct lease *l);

/* ---- split.c: a stream of lines ---- */

struct split {
	struct buf partial; /* its cap is the longest line accepted */
};

/**
 * split_feed() - Cut received bytes into lines (without the newline) and pass each on
 * Return: 0; -E2BIG for a line beyond the cap; what @line returned if negative.
 */
int split_feed(struct split *s, const void *data, size_t len,
	       int (*line)(void *arg, const char *text, size_t len), void *arg);

/* ---- watch.c: pods of this node ---- */

struct pod_watch {
	struct node *node;
	char version[64]; /* resourceVersion to watch from; "": list first */
	struct kube_call *call;
	struct split split;
	struct retry retry;
	struct timer silence;
	bool watching; /* the call under way is a watch */
	bool progress; /* it brought something */
	bool expired; /* the server said 410: list again */
	unsigned int refused; /* watches in a row that it answered otherwise */
};

void pod_watch_init(struct pod_watch *w, struct node *node);
void pod_watch_done(struct pod_watch *w);
/** pod_watch_start() - List, then watch, for ever. When it runs: connect anew (changed identity) */
void pod_watch_start(struct pod_watch *w);

/* ---- put.c: status and deletion of pods ---- */

struct puts {
	struct node *node;
	struct list pods; /* struct put */
	unsigned int under_way;
};

void puts_init(struct puts *p, struct node *node);
void puts_done(struct puts *p);
void puts_status(struct puts *p, const struct node_pod_ref *pod, const struct json *status);
void puts_delete(struct puts *p, const struct node_pod_ref *pod);

/* ---- event.c ---- */

#define EVENTS_KNOWN 32

struct event_known {
	uint64_t hash;
	uint32_t count; /* 0: the place is free */
	uint64_t first_ms, last_ms, told_ms; /* clock_mono_ms() */
	char path[NODE_PATH_MAX];
};

struct events {
	struct node *node;
	unsigned int under_way, waiting;
	struct bucket bucket;
	uint64_t dropped;
	struct list calls;
	struct event_known known[EVENTS_KNOWN]; /* that were told of late */
};

void events_init(struct events *ev, struct node *node);
void events_done(struct events *ev);
void events_send(struct events *ev, const struct node_pod_ref *pod, const char *type,
		 const char *reason, const char *message);

/* ---- fetch.c: objects that pods name ---- */

#define FETCH_ANSWER_MAX \
	((size_t)3 << 20) /* 1 MiB of data in base64 or full of escapes, and metadata */

/** fetches_done() - End all that are under way, without done() */
void fetches_done(struct list *fetches);

/* ---- node.c ---- */

struct node {
	struct node_config config;
	struct node_ops ops;
	void *arg;
	struct kube *kube;
	struct csr client, serving;
	struct reg reg;
	struct lease lease;
	struct pod_watch watch;
	struct puts puts;
	struct events events;
	struct list fetches; /* struct node_fetch */
	uint64_t started_ms;
	bool moved; /* config.address is another than the serving certificate's */
};

/** node_registered() - The Node is there: heartbeat, pods and the serving certificate may start */
void node_registered(struct node *n, const struct json *object);

/** node_trouble() - As node_ops.on_trouble */
void node_trouble(struct node *n, const char *why);

#endif
