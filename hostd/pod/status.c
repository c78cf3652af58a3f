// SPDX-License-Identifier: Apache-2.0
/*
 * The facts as a Kubernetes PodStatus. Made whole each time; times of transitions are kept in the pod.
 */
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"
#include "pod/impl.h"

static void status_time(struct json_doc *doc, struct json *obj, const char *key, uint64_t ns)
{
	char text[CLOCK_RFC3339_MAX];

	if (ns)
		json_put_str(doc, obj, key, clock_rfc3339(text, (int64_t)(ns / 1000000000ULL)));
}

/* Whether what comes behind an init container may start: it succeeded, or is a sidecar and has started. */
static bool status_init_over(const struct pod *p, uint32_t index)
{
	const struct pod_container *c = &p->containers[index];

	if (p->spec->containers[index].sidecar)
		return c->started || *p->phase;
	return c->state == CONTAINER_TERMINATED && !c->end.code;
}

/* Whether a container's readiness is part of its pod's. */
static bool status_counts(const struct pod *p, uint32_t index)
{
	return index >= p->spec->init_count || p->spec->containers[index].sidecar;
}

static bool status_is_ready(const struct pod *p, uint32_t index)
{
	return p->containers[index].state == CONTAINER_RUNNING && p->containers[index].ready;
}

bool status_initialized(const struct pod *p)
{
	if (!p->spec)
		return false;
	for (uint32_t i = 0; i < p->spec->init_count; i++)
		if (!status_init_over(p, i))
			return false;
	return true;
}

bool status_ready(const struct pod *p)
{
	if (!p->spec || *p->phase)
		return false;
	for (uint32_t i = 0; i < p->spec->container_count; i++)
		if (status_counts(p, i) && !status_is_ready(p, i))
			return false;
	return status_initialized(p);
}

const char *status_phase(const struct pod *p)
{
	if (*p->phase)
		return p->phase;
	for (uint32_t i = p->spec ? p->spec->init_count : 0;
	     p->spec && i < p->spec->container_count; i++)
		if (p->containers[i].was_running || p->containers[i].last.is_set)
			return "Running";
	return "Pending";
}

static void status_terminated(struct json_doc *doc, struct json *state, const struct pod *p,
			      uint32_t index, const struct container_end *end, const char *message)
{
	struct json *t = json_obj_of(doc, state, "terminated");

	json_put_int(doc, t, "exitCode", end->code);
	if (end->signal)
		json_put_int(doc, t, "signal", end->signal);
	json_put_str(doc, t, "reason", end->reason);
	if (*message)
		json_put_str(doc, t, "message", message);
	status_time(doc, t, "startedAt", end->started_ns);
	status_time(doc, t, "finishedAt", end->finished_ns);
	json_put_fmt(doc, t, "containerID", "hostd://%s/%s", p->meta.uid,
		     p->spec->containers[index].name);
}

/* A container that never started in a pod that has ended: the API wants an end for it, too. */
static const struct container_end status_never = {
	.is_set = true,
	.code = 137,
	.reason = "ContainerStatusUnknown",
};

static const char *status_waiting_reason(const struct pod *p, uint32_t index)
{
	if (*p->containers[index].reason)
		return p->containers[index].reason;
	return index >= p->spec->init_count && !status_initialized(p) ? "PodInitializing"
								      : "ContainerCreating";
}

static void status_state(struct json_doc *doc, struct json *state, const struct pod *p,
			 uint32_t index)
{
	const struct pod_container *c = &p->containers[index];
	const char *message = *c->message ? c->message : p->trouble;
	struct json *o;

	switch (c->state) {
	case CONTAINER_RUNNING:
		status_time(doc, json_obj_of(doc, state, "running"), "startedAt", c->started_ns);
		return;
	case CONTAINER_TERMINATED:
		status_terminated(doc, state, p, index, &c->end,
				  c->end_message ? c->end_message : c->message);
		return;
	case CONTAINER_WAITING:
		break;
	}
	if (*p->phase) {
		status_terminated(doc, state, p, index, c->last.is_set ? &c->last : &status_never,
				  !c->last.is_set   ? "The container was not started"
				  : c->last_message ? c->last_message
						    : "");
		return;
	}
	o = json_obj_of(doc, state, "waiting");
	json_put_str(doc, o, "reason", status_waiting_reason(p, index));
	if (*message)
		json_put_str(doc, o, "message", message);
}

static void status_container(struct json_doc *doc, struct json *list, const struct pod *p,
			     uint32_t index)
{
	const struct pod_container *c = &p->containers[index];
	const struct spec_container *s = &p->spec->containers[index];
	bool running = c->state == CONTAINER_RUNNING;
	struct json *o = json_new_obj(doc), *last;

	json_put_str(doc, o, "name", s->name);
	json_put_str(doc, o, "image", s->image);
	json_put_str(doc, o, "imageID", c->image_id);
	if (c->was_running)
		json_put_fmt(doc, o, "containerID", "hostd://%s/%s", p->meta.uid, s->name);
	json_put_bool(doc, o, "ready",
		      status_counts(p, index) ? status_is_ready(p, index) && !*p->phase
					      : status_init_over(p, index));
	json_put_bool(doc, o, "started", running && c->started);
	json_put_int(doc, o, "restartCount", c->restarts);
	status_state(doc, json_obj_of(doc, o, "state"), p, index);
	last = json_obj_of(doc, o, "lastState");
	if (c->last.is_set && !(*p->phase && c->state == CONTAINER_WAITING))
		status_terminated(doc, last, p, index, &c->last,
				  c->last_message ? c->last_message : "");
	json_push(doc, list, o);
}

static void status_condition(struct json_doc *doc, struct json *list, const char *type, bool is,
			     const char *reason, const char *message, uint64_t since_ns)
{
	struct json *c = json_new_obj(doc);

	json_put_str(doc, c, "type", type);
	json_put_str(doc, c, "status", is ? "True" : "False");
	if (!is) {
		json_put_str(doc, c, "reason", reason);
		if (*message)
			json_put_str(doc, c, "message", message);
	}
	json_put(doc, c, "lastProbeTime", json_new_null(doc));
	status_time(doc, c, "lastTransitionTime", since_ns);
	json_push(doc, list, c);
}

static void status_not_ready(const struct pod *p, bool init, struct buf *words)
{
	const char *comma = "";

	buf_printf(words, "containers with %s status: [", init ? "incomplete" : "unready");
	for (uint32_t i = 0; i < (init ? p->spec->init_count : p->spec->container_count); i++) {
		if (init ? status_init_over(p, i) : !status_counts(p, i) || status_is_ready(p, i))
			continue;
		buf_printf(words, "%s%s", comma, p->spec->containers[i].name);
		comma = " ";
	}
	buf_puts(words, "]");
}

static void status_conditions(struct json_doc *doc, struct json *status, struct pod *p)
{
	struct json *list = json_arr_of(doc, status, "conditions");
	bool initialized = status_initialized(p), ready = status_ready(p);
	bool completed = str_eq(p->phase, "Succeeded");
	struct buf a = BUF_INIT(4096), b = BUF_INIT(4096);
	const char *why = completed   ? "PodCompleted"
			  : *p->phase ? "PodFailed"
				      : "ContainersNotReady";

	if (p->spec) {
		status_not_ready(p, true, &a);
		status_not_ready(p, false, &b);
	}
	if (!p->init_since_ns || initialized != p->was_initialized)
		p->init_since_ns = clock_real_ns();
	if (!p->ready_since_ns || ready != p->was_ready)
		p->ready_since_ns = clock_real_ns();
	p->was_initialized = initialized;
	p->was_ready = ready;
	status_condition(doc, list, "Initialized", initialized, "ContainersNotInitialized",
			 buf_str(&a), p->init_since_ns);
	status_condition(doc, list, "Ready", ready, why, completed ? "" : buf_str(&b),
			 p->ready_since_ns);
	status_condition(doc, list, "ContainersReady", ready, why, completed ? "" : buf_str(&b),
			 p->ready_since_ns);
	buf_done(&a);
	buf_done(&b);
}

struct json *status_make(struct json_doc *doc, struct pod *p)
{
	struct json *s = json_new_obj(doc), *ips, *ip;

	json_put_str(doc, s, "phase", status_phase(p));
	if (*p->phase_reason)
		json_put_str(doc, s, "reason", p->phase_reason);
	if (*p->phase_message)
		json_put_str(doc, s, "message", p->phase_message);
	json_put_str(doc, s, "hostIP", p->pods->config.host_ip);
	if (*p->ip) {
		json_put_str(doc, s, "podIP", p->ip);
		ips = json_arr_of(doc, s, "podIPs");
		ip = json_new_obj(doc);
		json_put_str(doc, ip, "ip", p->ip);
		json_push(doc, ips, ip);
	}
	status_time(doc, s, "startTime", p->start_ns);
	status_conditions(doc, s, p);
	for (uint32_t i = 0; p->spec && i < p->spec->container_count; i++)
		status_container(doc,
				 json_arr_of(doc, s,
					     p->spec->containers[i].init ? "initContainerStatuses"
									 : "containerStatuses"),
				 p, i);
	return s;
}
