/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether a pod fits on a host: pure functions over the objects, private to sched/.
 *
 * The rules and the words are kube-scheduler's (NodeUnschedulable, NodeName, TaintToleration,
 * NodeAffinity, NodePorts, NodeResourcesFit), so that what an operator knows holds here.
 */
#ifndef SCHED_FIT_H
#define SCHED_FIT_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "json/json.h"

#define FIT_REASON_MAX 160

struct fit_resources {
	int64_t cpu_milli;
	int64_t memory_bytes;
	int64_t storage_bytes; /* ephemeral-storage */
	int64_t pods;
};

/* A host with what its pods already take */
struct fit_host {
	const struct json *node;
	const char *name;
	struct fit_resources allocatable, taken;
	struct fit_resources weight; /* of its pods, for fit_score() */
	const struct json **pods; /* those that take something, for host ports */
	size_t pod_count;
};

/** fit_pod_takes() - What a pod asks for: the larger of its containers' sum and its largest init container, and its overhead */
struct fit_resources fit_pod_takes(const struct json *pod);

/**
 * fit_pod_weighs() - What a pod is taken to need when hosts are compared
 *
 * As fit_pod_takes(), but a container that asks for nothing counts as 100 thousandths of a CPU and 200 MiB, as
 * kube-scheduler has it: without that, pods that ask for nothing would all sit on one host.
 */
struct fit_resources fit_pod_weighs(const struct json *pod);

/** fit_pod_counts() - Whether a pod takes room: it is bound and has not ended */
bool fit_pod_counts(const struct json *pod);

/** fit_host_init() - Read name and allocatable; nothing is taken yet */
void fit_host_init(struct fit_host *h, const struct json *node);

/** fit_host_add() - Count @pod, which must outlive @h, among the pods of @h */
void fit_host_add(struct fit_host *h, const struct json *pod);

/** fit_host_done() - Free what @h holds, not itself */
void fit_host_done(struct fit_host *h);

/**
 * fit_check() - Does @pod fit on @h?
 * @reason: FIT_REASON_MAX bytes; set to the first reason why not, in kube-scheduler's words
 * Return: whether it does.
 */
bool fit_check(const struct fit_host *h, const struct json *pod, char *reason);

/** fit_score() - How well a pod would sit there: the host with more of its room left is better; 0..2000 */
int64_t fit_score(const struct fit_host *h, const struct json *pod);

#endif
