// SPDX-License-Identifier: Apache-2.0
/*
 * Probes, hooks and termination messages: a container's part of RUN, and PROBED.
 *
 * Most containers have none of them, so an action that is not there is one byte.
 */
#include <errno.h>
#include <string.h>

#include "proto/guest_frame.h"

#define LIFE_HEADERS_MAX 64

static void action_put(struct wire_writer *w, const struct guest_action *a)
{
	wire_put_u8(w, (uint8_t)a->kind);
	if (a->kind == GUEST_ACTION_NONE)
		return;
	run_put_strings(w, &a->args);
	run_put_strings(w, &a->headers);
	wire_put_str(w, a->path);
	wire_put_u32(w, a->address);
	wire_put_u16(w, a->port);
	wire_put_u32(w, a->sleep_s);
}

static bool action_good(const struct guest_action *a)
{
	switch (a->kind) {
	case GUEST_ACTION_EXEC:
		return a->args.count && a->args.at[0][0];
	case GUEST_ACTION_HTTP:
	case GUEST_ACTION_TCP:
		return a->port != 0;
	case GUEST_ACTION_NONE:
	case GUEST_ACTION_SLEEP:
		return true;
	}
	return false;
}

static void action_get(struct wire_reader *r, struct guest_run *m, struct guest_action *a)
{
	a->path = "";
	a->kind = (enum guest_action_kind)wire_u8(r);
	if (a->kind == GUEST_ACTION_NONE)
		return;
	run_get_strings(r, m, &a->args, GUEST_EXEC_ARGS_MAX, GUEST_EXEC_BYTES_MAX);
	run_get_strings(r, m, &a->headers, LIFE_HEADERS_MAX, GUEST_PATH_LEN_MAX);
	a->path = wire_str(r, GUEST_PATH_LEN_MAX);
	a->address = wire_u32(r);
	a->port = wire_u16(r);
	a->sleep_s = wire_u32(r);
	r->failed |= !action_good(a);
}

static void probe_put(struct wire_writer *w, const struct guest_probe *p)
{
	action_put(w, &p->action);
	if (p->action.kind == GUEST_ACTION_NONE)
		return;
	wire_put_u32(w, p->initial_delay_s);
	wire_put_u32(w, p->period_s);
	wire_put_u32(w, p->timeout_s);
	wire_put_u32(w, p->success_threshold);
	wire_put_u32(w, p->failure_threshold);
	wire_put_u32(w, p->grace_ms);
}

/* A period of nothing would be a loop without end. */
static bool probe_good(const struct guest_probe *p)
{
	return p->initial_delay_s <= GUEST_PROBE_S_MAX && p->period_s &&
	       p->period_s <= GUEST_PROBE_S_MAX && p->timeout_s &&
	       p->timeout_s <= GUEST_PROBE_S_MAX && p->success_threshold && p->failure_threshold;
}

static void probe_get(struct wire_reader *r, struct guest_run *m, struct guest_probe *p)
{
	action_get(r, m, &p->action);
	if (p->action.kind == GUEST_ACTION_NONE)
		return;
	p->initial_delay_s = wire_u32(r);
	p->period_s = wire_u32(r);
	p->timeout_s = wire_u32(r);
	p->success_threshold = wire_u32(r);
	p->failure_threshold = wire_u32(r);
	p->grace_ms = wire_u32(r);
	r->failed |= !probe_good(p) || p->action.kind == GUEST_ACTION_SLEEP;
}

void life_put(struct wire_writer *w, const struct guest_life *l)
{
	size_t begin = wire_begin(w);

	for (int i = 0; i < GUEST_PROBE_KINDS; i++)
		probe_put(w, &l->probes[i]);
	action_put(w, &l->post_start);
	action_put(w, &l->pre_stop);
	wire_put_str(w, l->termination_path);
	wire_end(w, begin);
}

void life_get(struct wire_reader *container, struct guest_run *m, struct guest_life *l)
{
	struct wire_reader r;

	wire_record(container, &r);
	for (int i = 0; i < GUEST_PROBE_KINDS; i++)
		probe_get(&r, m, &l->probes[i]);
	action_get(&r, m, &l->post_start);
	action_get(&r, m, &l->pre_stop);
	l->termination_path = wire_str(&r, GUEST_PATH_LEN_MAX);
	container->failed |= r.failed;
}

enum {
	PROBED_STARTED = 1 << 0,
	PROBED_READY = 1 << 1,
};

long guest_probed_encode(const struct guest_probed *m, void *out, size_t size)
{
	struct wire_writer w;

	if (!container_valid(m->container))
		return -EINVAL;
	frame_begin(&w, out, size, GUEST_MSG_PROBED, 0);
	wire_put_u16(&w, m->container);
	wire_put_u32(&w, m->restart_count);
	wire_put_u8(&w,
		    (uint8_t)((m->started ? PROBED_STARTED : 0) | (m->ready ? PROBED_READY : 0)));
	wire_put_u8(&w, (uint8_t)m->event);
	wire_put_u8(&w, (uint8_t)m->kind);
	wire_put_str(&w, m->message);
	return frame_end(&w);
}

int guest_probed_decode(const struct guest_frame *f, struct guest_probed *m)
{
	struct wire_reader r;
	uint8_t flags, event, kind;

	frame_read(&r, f);
	m->container = wire_u16(&r);
	m->restart_count = wire_u32(&r);
	flags = wire_u8(&r);
	m->started = flags & PROBED_STARTED;
	m->ready = flags & PROBED_READY;
	event = wire_u8(&r);
	kind = wire_u8(&r);
	m->message = wire_str(&r, GUEST_MESSAGE_MAX);
	if (!wire_ok(&r) || !container_valid(m->container) ||
	    event > GUEST_PROBED_PRE_STOP_FAILED || kind >= GUEST_PROBE_KINDS)
		return -EBADMSG;
	m->event = (enum guest_probed_event)event;
	m->kind = (enum guest_probe_kind)kind;
	return 0;
}
