/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pods of this host: from the API's JSON to a running VM and back to a status.
 *
 * The API's list is the desired state, the folder RUN/pods/UID holds what a later hostd needs to go on
 * with a pod: its JSON, its state, its VM, its logs. Every call may be repeated; what was done already
 * is not done again.
 */
#ifndef POD_POD_H
#define POD_POD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/loop.h"
#include "json/json.h"
#include "net/net.h"
#include "oci/oci.h"

struct pods;

/* All pointers are borrowed for the life of struct pods. */
struct pods_config {
	struct loop *loop;
	struct oci *oci;
	struct net *net; /* NULL: pods have no network */
	const char *dir; /* RUN/pods */
	const char *scratch_dir,
		*log_dir; /* scratch disks and logs, on file systems of their own */
	const char *cgroup_dir; /* where each pod gets its group; "" none */
	const char *node_name, *host_ip;
	const char *resolv_conf; /* name servers of pods with dnsPolicy Default or ClusterFirst */
	const char *hypervm, *kernel, *initrd;
	const char *kernel_full; /* of class hypervm-full; it may be missing */
	uint32_t cpus, pods_max;
	uint64_t memory_bytes; /* that pods may ask for together */
	uint64_t scratch_bytes; /* of each pod's private disk */
	const char *api_host, *api_port; /* where in-cluster clients find the API; "" not told */
	uint32_t refresh_ms; /* how often mounted ConfigMaps and Secrets are looked at again; 0: a minute */
	uint32_t backoff_ms; /* first back-off after a failure; 0: 10 s */
	uint32_t guest_ms; /* for a guest's first word, its answer to its orders, its last word; 0: two minutes */
	uint32_t slack_ms; /* from the end of the grace to the kill; 0: 5 s */
};

struct pod_ref {
	const char *ns, *name, *uid;
	const char *api_ip; /* on_status: the address that the API last had for it, "" none */
};

enum pod_object {
	POD_CONFIG_MAP,
	POD_SECRET,
	POD_TOKEN, /* not read but issued: for a service account, bound to a pod */
};

/* What a pod needs from the API. Lives until it was answered or cancelled. */
struct pod_want {
	enum pod_object kind;
	const char *ns, *name; /* of the object; POD_TOKEN: of the service account */
	/* POD_TOKEN alone */
	const char *audience; /* "": the API's own */
	int64_t expiration_s;
	const char *pod, *uid;
	void *call; /* the fetcher's own */
};

struct pod_fetched {
	const struct json *object; /* valid for the call; NULL: none came */
	bool absent; /* the API says that there is none of that name */
	const char *message; /* of a failure */
	int retry_after_ms; /* -1: not asked for */
};

struct pods_ops {
	/* The whole status object; it changed. */
	void (*on_status)(const struct pod_ref *pod, const struct json *status, void *arg);
	/* A pod that the API wants deleted holds nothing any more: confirm it. */
	void (*on_deleted)(const struct pod_ref *pod, void *arg);
	void (*on_event)(const struct pod_ref *pod, const char *type, const char *reason,
			 const char *message, void *arg);
	/*
	 * pods_measure() is done. @pods: one object per VM, a PodStats of the Summary that kubelets serve
	 * (k8s.io/kubelet, stats/v1alpha1), without what needs two measurements, and with more under
	 * "hyper". @doc owns it, is there for the call and may be added to. NULL when nothing is measured
	 */
	void (*on_measured)(struct json_doc *doc, struct json *pods, void *arg);
	/*
	 * Get an object: one attempt, answered once by pods_fetched() and not from inside, unless it is
	 * cancelled. Not called before the first pods_sync().
	 */
	void (*fetch)(struct pod_want *want, void *arg);
	void (*cancel)(struct pod_want *want, void *arg);
};

/**
 * pods_new() - Start, and adopt the VMs that an earlier hostd left running
 * Return: 0 or -errno (no vsock is logged, not an error: nothing will start then).
 */
int pods_new(const struct pods_config *config, const struct pods_ops *ops, void *arg,
	     struct pods **pods, struct err *e);

/** pods_free() - Let go of everything; VMs run on. Return: NULL */
struct pods *pods_free(struct pods *pods);

/** pod_apply() - The API has this pod for us, new or changed */
void pod_apply(struct pods *pods, const struct json *pod);

/** pod_remove() - The API has it no more: end it at once */
void pod_remove(struct pods *pods, const struct json *pod);

/** pods_sync() - The whole list: apply all, end what is not in it */
void pods_sync(struct pods *pods, const struct json *list);

/** pods_hold() - Begin no pod, as what they need is not there yet; or let them begin. What runs goes on */
void pods_hold(struct pods *pods, bool hold);

/**
 * pods_set_room() - There is more or less room than pods_new() was told
 * @memory_bytes, @scratch_bytes: as in struct pods_config
 */
void pods_set_room(struct pods *pods, uint64_t memory_bytes, uint64_t scratch_bytes);

/**
 * pods_leave() - The host is about to be restarted: end all pods within their grace, for good
 * @grace_max_s: seconds that a grace may be, at most
 *
 * The API is not told that they end: they are bound to this host and begin again when it is back.
 */
void pods_leave(struct pods *pods, uint32_t grace_max_s);

struct pods_count {
	unsigned int all, running;
};

/** pods_count() - How many there are, and how many of them run */
struct pods_count pods_count(const struct pods *pods);

/** pods_left() - Whether no VM is left */
bool pods_left(const struct pods *pods);

/** pods_fetched() - What came of pods_ops.fetch */
void pods_fetched(struct pod_want *want, const struct pod_fetched *answer);

/**
 * pods_log_path() - Where a container's log is
 * @previous: of the run before the last restart
 * @path:     PATH_MAX bytes
 * Return: 0; -ENOENT with words for the client; -EAGAIN when it has not started yet.
 */
int pods_log_path(struct pods *pods, const char *ns, const char *name, const char *container,
		  bool previous, char *path, struct err *e);

/**
 * pods_measure() - Find out what all pods use
 * on_measured follows from the loop, within about two seconds; a measurement that goes on already is joined.
 */
void pods_measure(struct pods *pods);

/** pods_list() - Append the PodList: each pod as the API gave it, its status as it is. Return: 0 or -errno */
int pods_list(struct pods *pods, struct buf *out);

/** pods_counts() - Put what happened since hostd began into @obj: vmStarts, pulls… */
void pods_counts(const struct pods *pods, struct json_doc *doc, struct json *obj);

/** pods_states() - Put the number of pods in each state (new, pull…) into @obj */
void pods_states(const struct pods *pods, struct json_doc *doc, struct json *obj);

enum pods_resource {
	PODS_MEMORY,
	PODS_SCRATCH,
};

/**
 * pods_evict() - The host runs short: end the pod that uses most beyond its request (Failed, Evicted)
 * @left_bytes: of @least_bytes that there should be; for the pod's message
 *
 * To be called again while the shortage lasts: as long as one is going, nothing is done.
 */
void pods_evict(struct pods *pods, enum pods_resource what, uint64_t left_bytes,
		uint64_t least_bytes);

struct guest_exec;

/**
 * pods_exec() - Run a process in a container, or attach to it
 * @m: what; its container is set here
 * Return: the client's end of its socket (proto/exec_pipe.h), owned by the caller; -ENOENT with words for the
 *         client; -EAGAIN when the container does not run; as session_exec().
 */
int pods_exec(struct pods *pods, const char *ns, const char *name, const char *container,
	      struct guest_exec *m, struct err *e);

#endif
