/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The host as a Kubernetes node: enrolment, Node, Lease, pods in, pod status and events out.
 *
 * Everything is asynchronous on one loop and retried for ever with jitter and back-off; a 429 or 503
 * is obeyed. What is known of pods is not kept here: lists and watch events are handed to the owner
 * as they come, and the owner gives back whole status objects, of which only the latest is sent.
 * The same code speaks to the embedded controller and to kube-apiserver 1.20 and later.
 */
#ifndef NODE_NODE_H
#define NODE_NODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/loop.h"
#include "json/json.h"

#define NODE_MESSAGE_MAX     2048 /* of a condition, with its NUL */
#define NODE_KUBELET_VERSION "v1.36.0-hostd"

struct node;

/* All strings are borrowed for the node's life; "" = unknown. */
struct node_machine {
	uint32_t cpus;
	uint32_t pods_max;
	uint64_t memory_bytes; /* capacity */
	uint64_t memory_alloc_bytes; /* what pods may have together */
	uint64_t storage_bytes; /* for scratch disks */
	const char *machine_id, *system_uuid, *boot_id, *kernel_version, *os_image, *product;
};

struct node_config {
	struct loop *loop;
	const char *api; /* https://host:port */
	const char *name; /* of the Node */
	const char *ca_pem; /* whom to trust */
	const char *token; /* one-time bootstrap token, NULL when an identity is already there */
	const char *state_dir; /* keys and certificates, mode 0700; made if missing */
	const char *runtime_version; /* "hostd://0.1" */
	const char *
		address; /* the Node's InternalIP: where logs are asked for; node_address_changed() when it is another */
	uint16_t port; /* of the kubelet endpoint */
	struct node_machine machine;
	const char *not_ready_reason; /* CamelCase; NULL when pods can run */
	const char *not_ready_message;
};

enum node_pod_event {
	NODE_POD_ADDED,
	NODE_POD_MODIFIED,
	NODE_POD_DELETED, /* gone from the API: kill at once what still runs */
};

struct node_ops {
	/* One pod of this node changed; @pod is valid for the call. */
	void (*on_pod)(enum node_pod_event event, const struct json *pod, void *arg);
	/* The whole truth (an array of pods) after a successful list: what is not in it must end. */
	void (*on_list)(const struct json *pods, void *arg);
	/* A serving certificate was issued or renewed. */
	void (*on_serving)(const char *cert_pem, const char *key_pem, void *arg);
	/* Somebody vouches for us: the Node is about to be made, or taken over. NULL: not told */
	void (*on_identity)(void *arg);
	/* The Node that was there already, before our status takes the place of what it says. NULL: not told */
	void (*on_before)(const struct json *node, void *arg);
	/* Our Node object, as the server has it (spec.podCIDR may be there). */
	void (*on_node)(const struct json *node, void *arg);
	/* The Date header of an answer whose sender proved who it is. */
	void (*on_date)(const char *date, void *arg);
	/*
	 * What keeps us from being, or from staying, a node of the API, in words; "" waiting for an approval; NULL: nothing
	 * any more.
	 */
	void (*on_trouble)(const char *why, void *arg);
	/* Status is about to be sent: push ContainerImages (names, sizeBytes) to @list. NULL: none. */
	void (*images)(struct json_doc *doc, struct json *list, void *arg);
};

/** node_new() - Start enrolling or, with an identity in state_dir, go on. Return: 0 or -errno */
int node_new(const struct node_config *config, const struct node_ops *ops, void *arg,
	     struct node **node, struct err *e);

/** node_free() - Stop; nothing is told to the server. Return: NULL */
struct node *node_free(struct node *node);

struct node_pod_ref {
	const char *ns, *name, *uid;
	const char *api_ip; /* for a status: the address that the server last had, NULL or "" none */
};

/**
 * node_put_status() - Send a pod's status
 * @status: the whole status object; copied. A newer one takes the place of one not yet sent.
 *
 * The uid is a precondition: the status of a pod that has gone is dropped.
 */
void node_put_status(struct node *node, const struct node_pod_ref *pod, const struct json *status);

/** node_delete_pod() - Confirm a deletion: DELETE with grace 0, after all status was sent */
void node_delete_pod(struct node *node, const struct node_pod_ref *pod);

/**
 * node_event() - Record an Event, best effort: dropped when there are too many
 * @pod:  NULL for the Node itself
 * @type: "Normal" or "Warning"
 */
void node_event(struct node *node, const struct node_pod_ref *pod, const char *type,
		const char *reason, const char *message);

enum node_object {
	NODE_CONFIG_MAP,
	NODE_SECRET,
	NODE_TOKEN, /* not read but issued: for a service account, bound to a pod */
	NODE_REVIEW, /* whether somebody may do something with this node: status.allowed */
};

struct node_fetch_spec {
	enum node_object kind;
	const char *ns, *name; /* of the object; NODE_TOKEN: of the service account */
	/* NODE_TOKEN alone */
	const char *audience; /* "": the API's own */
	int64_t expiration_s; /* that is asked for; the server may give another */
	const char *pod, *uid; /* the token is good as long as this pod is there */
	/* NODE_REVIEW alone, without ns and name */
	const char *user;
	const char *const *groups;
	size_t group_count;
	const char *verb, *subresource; /* of the Node */
};

struct node_fetched {
	const struct json *object; /* valid for the call; NULL: none came */
	bool absent; /* the server says that there is none of that name */
	const char *message; /* of a failure: the server's words or the transport's */
	int retry_after_ms; /* -1: not asked for */
};

struct node_fetch;

/**
 * node_fetch() - Get one object that a pod of this node names, a token, or a review
 * @spec: copied
 * @done: called once, from the loop, unless it is cancelled
 *
 * One attempt: whoever wants the object knows how long to go on. The node authorizer lets a node read what pods
 * bound to it name, by name alone, and learns of a binding a little later than we do: a refusal just
 * after a pod came is no final word.
 */
struct node_fetch *node_fetch(struct node *node, const struct node_fetch_spec *spec,
			      void (*done)(void *arg, const struct node_fetched *result),
			      void *arg);

/** node_fetch_cancel() - End it without done(); NULL is fine. Return: NULL */
struct node_fetch *node_fetch_cancel(struct node_fetch *f);

struct node_counts {
	uint64_t calls, failures, total_ms;
};

/** node_counts() - Calls to the API that ended, watches aside; those without a good answer; what all took */
struct node_counts node_counts(const struct node *node);

/** node_images_changed() - What `images` would tell is another: the status is sent soon */
void node_images_changed(struct node *node);

enum node_pressure {
	NODE_PRESSURE_MEMORY,
	NODE_PRESSURE_DISK,
	NODE_PRESSURE_PID,
	NODE_PRESSURE_MAX,
};

/** node_set_pressure() - Change one of the pressure conditions; told soon */
void node_set_pressure(struct node *node, enum node_pressure kind, bool is);

/**
 * node_set_facts() - What the machine is made of: labels and an annotation of the Node; told soon
 * @labels: an object of strings, and of nulls for labels that are to go; copied. NULL: those stay as they are
 * @name:   of the annotation; those of other names stay
 * @text:   its value
 *
 * What the server refuses is not sent again until it changes.
 */
void node_set_facts(struct node *node, const struct json *labels, const char *name,
		    const char *text);

/**
 * node_set_condition() - Set a condition besides Ready and those of pressure; told soon
 * @type:    at most three different ones; a string that stays
 * @message: cut to NODE_MESSAGE_MAX
 */
void node_set_condition(struct node *node, const char *type, bool is, const char *reason,
			const char *message);

/** node_address_changed() - What config.address points to is another: Node, certificate and connections follow */
void node_address_changed(struct node *node);

/** node_set_room() - What pods may have together is another than struct node_machine said; told soon */
void node_set_room(struct node *node, uint64_t memory_alloc_bytes, uint64_t storage_bytes);

/** node_set_ready() - Change the Ready condition; @reason NULL: ready */
void node_set_ready(struct node *node, const char *reason, const char *message);

#endif
