// SPDX-License-Identifier: Apache-2.0
/*
 * For the host there is one note for each thing worth an event. A note that was not sent yet is replaced by
 * the next of its kind: events are for humans, and a guest without a host keeps none.
 */
#include "life.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "action.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "container.h"

#define LIFE_MOD	  "life"
#define LIFE_TELL_FIRST	  3 /* failures that are told one by one, until it is well again */
#define LIFE_TELL_EACH_MS 60000 /* after that */

enum {
	NOTE_KILLING = GUEST_PROBE_KINDS, /* below: of each kind of probe */
	NOTE_POST_START,
	NOTE_PRE_STOP,
	NOTE_COUNT,
};

struct note {
	bool set;
	enum guest_probed_event event;
	enum guest_probe_kind kind;
	uint32_t restart_count;
	char *text; /* NULL: "" */
};

struct probe {
	struct container *container;
	const struct guest_probe *spec;
	enum guest_probe_kind kind;
	struct timer timer;
	struct action *running;
	uint64_t begun_ms;
	bool last_ok;
	uint32_t in_row; /* of last_ok */
	uint32_t told; /* since it was well */
	uint64_t told_ms;
};

struct life {
	struct probe probes[GUEST_PROBE_KINDS];
	struct action *hook;
	bool post_start; /* which one it is */
	bool started, ready;
	bool tell;
	struct note notes[NOTE_COUNT];
};

static const char *life_name(enum guest_probe_kind kind)
{
	static const char *const names[] = {"startup", "readiness", "liveness"};

	return names[kind];
}

static bool life_has(const struct container *c, enum guest_probe_kind kind)
{
	return c->spec->life.probes[kind].action.kind != GUEST_ACTION_NONE;
}

static bool life_wanted(const struct container *c)
{
	bool wanted = c->spec->life.post_start.kind || c->spec->life.pre_stop.kind;

	for (int i = 0; i < GUEST_PROBE_KINDS; i++)
		wanted |= life_has(c, (enum guest_probe_kind)i);
	return wanted;
}

static void life_note(struct container *c, int which, enum guest_probed_event event,
		      enum guest_probe_kind kind, const char *text)
{
	struct note *n = &c->life->notes[which];

	free(n->text);
	*n = (struct note){
		.set = true,
		.event = event,
		.kind = kind,
		.restart_count = c->restart_count,
		.text = *text ? strdup(text) : NULL,
	};
	log_info(LIFE_MOD, "ev=life name=%s event=%d kind=%s", c->spec->name, (int)event,
		 life_name(kind));
	container_tell();
}

/* ---- probes ---- */

/* How long until a probe may first run: counted from the container's start, as its delay is. */
static uint64_t probe_first_ms(const struct probe *p)
{
	uint64_t at_ms = p->container->started_ms + p->spec->initial_delay_s * 1000ULL;
	uint64_t now_ms = clock_mono_ms();

	return at_ms > now_ms ? at_ms - now_ms : 0;
}

static void probe_arm(struct life *l, enum guest_probe_kind kind)
{
	struct probe *p = &l->probes[kind];

	if (p->spec)
		timer_set(&p->timer, probe_first_ms(p));
}

static void probe_disarm(struct probe *p)
{
	timer_cancel(&p->timer);
	if (p->running)
		action_cancel(p->running);
	p->running = NULL;
}

static void life_set_ready(struct container *c, bool ready)
{
	if (c->life->ready == ready)
		return;
	c->life->ready = ready;
	c->life->tell = true;
	container_tell();
}

static void life_set_started(struct container *c)
{
	struct life *l = c->life;

	l->started = true;
	l->tell = true;
	if (life_has(c, GUEST_PROBE_READINESS))
		probe_arm(l, GUEST_PROBE_READINESS);
	else
		l->ready = true;
	probe_arm(l, GUEST_PROBE_LIVENESS);
	container_tell();
}

static void probe_kill(struct probe *p)
{
	struct container *c = p->container;
	uint32_t grace_ms = p->spec->grace_ms;

	life_note(c, NOTE_KILLING, GUEST_PROBED_KILLING, p->kind, "");
	container_kill(c, grace_ms == GUEST_GRACE_POD ? c->run->grace_ms : grace_ms);
}

static void probe_tell(struct probe *p, enum guest_probed_event event, const char *text)
{
	uint64_t now_ms = clock_mono_ms();

	if (p->told >= LIFE_TELL_FIRST && now_ms - p->told_ms < LIFE_TELL_EACH_MS)
		return;
	p->told++;
	p->told_ms = now_ms;
	life_note(p->container, (int)p->kind, event, p->kind, text);
}

/* Return: whether this kind of probe goes on */
static bool probe_judge(struct probe *p, bool ok)
{
	if (p->in_row < (ok ? p->spec->success_threshold : p->spec->failure_threshold))
		return true;
	switch (p->kind) {
	case GUEST_PROBE_STARTUP:
		if (ok)
			life_set_started(p->container);
		else
			probe_kill(p);
		return false;
	case GUEST_PROBE_LIVENESS:
		if (!ok)
			probe_kill(p);
		return ok;
	case GUEST_PROBE_READINESS:
		life_set_ready(p->container, ok);
		return true;
	}
	return false;
}

static void probe_over(void *owner, enum action_result result, const char *text)
{
	struct probe *p = owner;
	bool ok = result == ACTION_OK || result == ACTION_WARNING, go_on = true;
	uint64_t took_ms = clock_mono_ms() - p->begun_ms, period_ms = p->spec->period_s * 1000ULL;

	p->running = NULL;
	if (result == ACTION_ERROR) {
		/* It says nothing about the container, so it counts for nothing. */
		probe_tell(p, GUEST_PROBED_ERROR, text);
	} else {
		p->in_row = p->in_row && p->last_ok == ok ? p->in_row + 1 : 1;
		p->last_ok = ok;
		if (result == ACTION_OK)
			p->told = 0;
		else
			probe_tell(p, ok ? GUEST_PROBED_WARNING : GUEST_PROBED_FAILED, text);
		go_on = probe_judge(p, ok);
	}
	if (go_on)
		timer_set(&p->timer, took_ms < period_ms ? period_ms - took_ms : 0);
}

static void probe_run(struct timer *t)
{
	struct probe *p = container_of(t, struct probe, timer);

	p->begun_ms = clock_mono_ms();
	p->running = action_start(p->container, &p->spec->action, p->spec->timeout_s * 1000ULL,
				  probe_over, p);
	if (!p->running)
		probe_over(p, ACTION_ERROR, "no memory for it");
}

/* ---- hooks ---- */

static void life_announce(struct container *c)
{
	struct life *l = c->life;

	container_announce(c);
	if (life_has(c, GUEST_PROBE_STARTUP))
		probe_arm(l, GUEST_PROBE_STARTUP);
	else
		life_set_started(c);
}

static void life_post_start_over(void *owner, enum action_result result, const char *text)
{
	struct container *c = owner;

	c->life->hook = NULL;
	if (result == ACTION_OK || result == ACTION_WARNING) {
		life_announce(c);
		return;
	}
	life_note(c, NOTE_POST_START, GUEST_PROBED_POST_START_FAILED, GUEST_PROBE_STARTUP, text);
	container_kill(c, c->run->grace_ms);
}

static void life_pre_stop_end(void *owner, enum action_result result, const char *text)
{
	struct container *c = owner;

	c->life->hook = NULL;
	if (result != ACTION_OK && result != ACTION_WARNING)
		life_note(c, NOTE_PRE_STOP, GUEST_PROBED_PRE_STOP_FAILED, GUEST_PROBE_STARTUP,
			  text);
	container_signal(c);
}

static void life_cancel_hook(struct life *l)
{
	if (l->hook)
		action_cancel(l->hook);
	l->hook = NULL;
}

bool life_pre_stop(struct container *c)
{
	const struct guest_action *what = &c->spec->life.pre_stop;

	if (!c->life || what->kind == GUEST_ACTION_NONE)
		return false;
	life_cancel_hook(c->life);
	c->life->hook = action_start(c, what, ACTION_NO_LIMIT, life_pre_stop_end, c);
	return c->life->hook != NULL;
}

void life_pre_stop_over(struct container *c)
{
	if (!c->life || !c->life->hook)
		return;
	life_cancel_hook(c->life);
	life_note(c, NOTE_PRE_STOP, GUEST_PROBED_PRE_STOP_FAILED, GUEST_PROBE_STARTUP,
		  "it took longer than the grace period");
}

/* ---- the run ---- */

static void life_make(struct container *c)
{
	struct life *l = calloc(1, sizeof(*l));

	if (!l) {
		log_error(LIFE_MOD, "msg=\"no memory for probes\" name=%s", c->spec->name);
		return;
	}
	for (int i = 0; i < GUEST_PROBE_KINDS; i++) {
		struct probe *p = &l->probes[i];

		p->kind = (enum guest_probe_kind)i;
		p->container = c;
		timer_init(c->backoff.loop, &p->timer, probe_run);
		if (life_has(c, p->kind))
			p->spec = &c->spec->life.probes[i];
	}
	c->life = l;
}

void life_begin(struct container *c)
{
	const struct guest_action *hook = &c->spec->life.post_start;
	struct life *l;

	if (!c->life && life_wanted(c))
		life_make(c);
	l = c->life;
	if (!l) {
		container_announce(c);
		return;
	}
	l->started = l->ready = false;
	for (int i = 0; i < GUEST_PROBE_KINDS; i++) {
		l->probes[i].in_row = l->probes[i].told = 0;
	}
	if (hook->kind == GUEST_ACTION_NONE) {
		life_announce(c);
		return;
	}
	l->hook = action_start(c, hook, ACTION_NO_LIMIT, life_post_start_over, c);
	if (!l->hook)
		life_post_start_over(c, ACTION_ERROR, "no memory for it");
}

void life_stopping(struct container *c)
{
	if (!c->life)
		return;
	probe_disarm(&c->life->probes[GUEST_PROBE_STARTUP]);
	probe_disarm(&c->life->probes[GUEST_PROBE_LIVENESS]);
	life_cancel_hook(c->life);
}

void life_end(struct container *c)
{
	struct life *l = c->life;

	if (!l)
		return;
	for (int i = 0; i < GUEST_PROBE_KINDS; i++)
		probe_disarm(&l->probes[i]);
	life_cancel_hook(l);
	l->started = l->ready = l->tell = false;
}

bool life_started(const struct container *c)
{
	return !c->life || c->life->started;
}

void life_replay(struct container *c)
{
	if (c->life)
		c->life->tell = c->announced;
}

long life_next(struct container *c, void *out, size_t size)
{
	struct life *l = c->life;
	struct guest_probed m = {.container = c->index, .restart_count = c->restart_count};
	struct note *n = NULL;
	long len;

	if (!l)
		return 0;
	for (int i = 0; i < NOTE_COUNT && !n; i++)
		if (l->notes[i].set)
			n = &l->notes[i];
	if (!n && !l->tell)
		return 0;
	if (n) {
		m.event = n->event;
		m.kind = n->kind;
		m.restart_count = n->restart_count;
		m.message = n->text;
	}
	m.started = l->started;
	m.ready = l->ready;
	len = guest_probed_encode(&m, out, size);
	if (n) {
		free(n->text);
		*n = (struct note){0};
	} else {
		l->tell = false;
	}
	return len;
}
