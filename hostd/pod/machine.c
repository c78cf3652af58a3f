// SPDX-License-Identifier: Apache-2.0
/*
 * The state table. For each state: what is done on entering it, which state the facts ask for, and how
 * long it may take. pod_step() is the only place that changes a state.
 *
 * A step that fails for want of something that may come (space, an address, memory) is tried again
 * with back-off; one that cannot succeed ends the pod. Whatever happens, the way out leads through
 * CLEAN, which can always be run again.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "pod/impl.h"

/* of an adopted VM whose hostd died before it gave the orders: begin again */
#define MACHINE_NO_ORDERS  "the guest had no orders"
#define MACHINE_AGAIN_MS   2000
#define MACHINE_RELEASE_MS 200
#define MACHINE_REPORT_MS  100 /* changes within it are one status */
#define MACHINE_STABLE_MS  600000 /* a VM that ran so long starts with a clean sheet */

uint64_t pod_backoff_ms(const struct pods *pods, uint32_t failures)
{
	uint64_t ms = pods->config.backoff_ms;

	for (uint32_t i = 1; i < failures && ms < POD_BACKOFF_MAX_MS; i++)
		ms *= 2;
	return MIN(ms, (uint64_t)POD_BACKOFF_MAX_MS);
}

static bool machine_ending(const struct pod *p)
{
	return p->gone || p->stop || *p->phase;
}

/* Says once what is in the way; the same words again are no news. */
void pod_trouble(struct pod *p, const char *reason, const struct err *e)
{
	if (!str_eq(p->trouble, err_msg(e))) {
		(void)str_copy(p->trouble, sizeof(p->trouble), err_msg(e));
		log_warn("pod", "ev=pod_trouble uid=%s state=%s error=\"%s\"", p->meta.uid,
			 pod_state_name(p->state), p->trouble);
		pod_event(p, "Warning", reason, "%s", p->trouble);
		pod_changed(p);
	}
	timer_set(&p->timer, MACHINE_AGAIN_MS);
}

/* ---- NEW ---- */

static enum pod_state new_next(struct pod *p)
{
	uint64_t now_ms = clock_mono_ms();

	if (machine_ending(p))
		return POD_CLEAN;
	if (!p->pods->listed || p->pods->held || p->pods->leaving)
		return POD_NEW;
	if (p->not_before_ms > now_ms) {
		timer_set(&p->timer, p->not_before_ms - now_ms);
		return POD_NEW;
	}
	return pod_admit(p) < 0 ? POD_CLEAN : POD_PULL;
}

/* ---- PULL ---- */

static void pull_enter(struct pod *p)
{
	if (!p->start_ns)
		p->start_ns = clock_real_ns();
	sources_open(p, false);
	pod_changed(p);
}

static enum pod_state pull_next(struct pod *p)
{
	uint64_t at_ms, now_ms = clock_mono_ms();
	bool met;

	if (machine_ending(p))
		return POD_CLEAN;
	pull_start(p);
	met = needs_met(p);
	if (met && pull_ready(p))
		return POD_DISK;
	at_ms = pull_next_ms(p);
	if (at_ms)
		timer_set(&p->timer, at_ms > now_ms ? at_ms - now_ms : 1);
	return POD_PULL;
}

/* ---- DISK, NET ---- */

static enum pod_state disk_next(struct pod *p)
{
	struct err e = ERR_INIT;
	int r;

	if (machine_ending(p))
		return POD_CLEAN;
	r = prepare_disk(p, &e);
	if (r == 0)
		return POD_NET;
	if (r == -E2BIG || r == -EINVAL) { /* the images are so, and will be */
		pod_end(p, "Failed", "InvalidImage", err_msg(&e));
		return POD_CLEAN;
	}
	pod_trouble(p, "FailedDisk", &e);
	return POD_DISK;
}

/*
 * Whether one more VM may start now. Many that boot at once would all be late, and be taken for dead:
 * twice as many as there are processors keep them busy.
 */
static bool net_may_boot(const struct pods *pods)
{
	uint32_t booting = 0;
	const struct pod *p;

	list_for_each(p, &pods->all, node)
		booting += p->state == POD_BOOT;
	return booting < MAX(2 * pods->config.cpus, 4U);
}

/* A VM has booted, or will not: who waits for its turn? */
static void net_next_turn(struct pods *pods)
{
	struct pod *p;

	list_for_each(p, &pods->all, node)
		if (p->state == POD_NET)
			pod_kick(p);
}

static enum pod_state net_next(struct pod *p)
{
	struct err e = ERR_INIT;
	int r;

	if (machine_ending(p))
		return POD_CLEAN;
	r = prepare_net(p, &e);
	if (r == 0)
		return net_may_boot(p->pods) ? POD_BOOT : POD_NET;
	if (r == -EADDRINUSE) {
		pod_end(p, "Failed", "NodePorts", err_msg(&e));
		return POD_CLEAN;
	}
	pod_trouble(p, "FailedNetwork", &e);
	return POD_NET;
}

/* ---- BOOT ---- */

static void boot_enter(struct pod *p)
{
	p->guest = GUEST_STATE_WAITING;
	p->run_sent = p->all_done = p->guest_broken = p->guest_seen = p->told = false;
	p->over_ms = 0;
	p->vm_ended = p->vm_killed = false;
	p->vm_words[0] = '\0';
	timer_set(&p->timer, p->pods->config.guest_ms);
}

static enum pod_state boot_next(struct pod *p)
{
	struct err e = ERR_INIT;
	bool gone;
	int r;

	if (p->vm_ended || p->guest_broken)
		return POD_STOP;
	if (machine_ending(p))
		return p->vm_there ? POD_STOP : POD_CLEAN;
	if (!p->vm_there) {
		if (prepare_vm(p, &e) < 0) {
			p->pods->counts.vm_start_failures++;
			pod_trouble(p, "FailedStart", &e);
			return POD_BOOT;
		}
		p->pods->counts.vm_starts++;
		crash_point(p->pods, "vm-started");
		p->trouble[0] = '\0';
		timer_set(&p->timer, p->pods->config.guest_ms);
		store_save(p);
		return POD_BOOT;
	}
	if (!timer_armed(&p->timer)) {
		(void)str_copy(p->vm_words, sizeof(p->vm_words),
			       "the guest did not report in time");
		return POD_STOP;
	}
	if (!p->session)
		return POD_BOOT;
	if (p->guest == GUEST_STATE_WAITING && !p->run_sent) {
		if (!p->has_plan) {
			(void)str_copy(p->vm_words, sizeof(p->vm_words), MACHINE_NO_ORDERS);
			return POD_STOP;
		}
		group_limit_cpu(p);
		r = files_send(p, &e);
		if (r == -ENOBUFS)
			return POD_BOOT; /* the rest follows */
		gone = r < 0;
		if (r == 0)
			r = order_send(p, &e);
		if (gone || r == -ENOENT ||
		    r == -EAGAIN) { /* gone between the look and the order */
			(void)str_copy(p->vm_words, sizeof(p->vm_words), err_msg(&e));
			return POD_STOP;
		}
		if (r < 0) {
			pod_end(p, "Failed", "InvalidPod", err_msg(&e));
			return POD_STOP;
		}
		p->run_sent = true;
		crash_point(p->pods, "orders-sent");
		sources_settle(p);
	}
	return POD_RUN;
}

/* ---- RUN ---- */

static void run_enter(struct pod *p)
{
	p->run_since_ms = clock_mono_ms();
	pod_changed(p);
}

static bool run_all_finished(const struct pod *p)
{
	for (uint32_t i = 0; p->spec && i < p->spec->container_count; i++)
		if (!p->containers[i].finished)
			return false;
	return p->spec;
}

/*
 * A guest that got its orders from us must say what it made of them, and at the end that it is done.
 * Return: milliseconds that it still has, UINT64_MAX while it owes nothing, 0 when it is too late.
 */
static uint64_t run_patience_ms(struct pod *p, uint64_t now_ms)
{
	uint64_t since_ms = p->run_since_ms;

	if (!p->run_sent)
		return UINT64_MAX;
	if (p->told) {
		if (!run_all_finished(p)) {
			p->over_ms = 0;
			return UINT64_MAX;
		}
		if (!p->over_ms)
			p->over_ms = now_ms;
		since_ms = p->over_ms;
	}
	since_ms += p->pods->config.guest_ms;
	return since_ms > now_ms ? since_ms - now_ms : 0;
}

static enum pod_state run_next(struct pod *p)
{
	uint64_t now_ns = clock_real_ns(), deadline_ns, wait_ms;

	if (p->vm_ended || p->all_done || p->guest_broken || machine_ending(p))
		return POD_STOP;
	if (p->session && p->guest == GUEST_STATE_WAITING && !p->run_sent) {
		p->guest_broken = true;
		(void)str_copy(p->vm_words, sizeof(p->vm_words), MACHINE_NO_ORDERS);
		return POD_STOP;
	}
	wait_ms = run_patience_ms(p, clock_mono_ms());
	if (!wait_ms) {
		p->guest_broken = true;
		(void)str_copy(p->vm_words, sizeof(p->vm_words),
			       p->told ? "the guest did not say that it was done"
				       : "the guest did not answer its orders");
		return POD_STOP;
	}
	if (p->spec && !p->sources_open && p->pods->listed) { /* adopted */
		sources_open(p, true);
		sources_settle(p);
	}
	files_update(p);
	if (p->spec && p->spec->active_deadline_s) {
		deadline_ns = p->start_ns + (uint64_t)p->spec->active_deadline_s * 1000000000ULL;
		if (now_ns >= deadline_ns) {
			pod_end(p, "Failed", "DeadlineExceeded",
				"Pod was active on the node longer than the specified deadline");
			p->stop = true;
			p->grace_s = MIN(p->grace_s, p->spec->grace_s);
			return POD_STOP;
		}
		wait_ms = MIN(wait_ms, (deadline_ns - now_ns) / 1000000 + 1);
	}
	if (wait_ms != UINT64_MAX)
		timer_set(&p->timer, wait_ms);
	return POD_RUN;
}

/* ---- STOP ---- */

/* Starts the grace, shortens it when a second deletion asks for less, tells a guest that came back. */
static void stop_ask(struct pod *p, uint64_t now_ms)
{
	uint64_t by_ms = now_ms + p->grace_s * 1000ULL + p->pods->config.slack_ms;
	uint64_t left_ms;

	if (p->stop_by_ms && p->stop_by_ms <= by_ms && p->stop_told == p->session)
		return;
	if (!p->stop_by_ms || p->stop_by_ms > by_ms) {
		p->stop_by_ms = by_ms;
		log_info("pod", "ev=pod_stopping uid=%s grace_s=%u", p->meta.uid, p->grace_s);
	}
	p->stop_told = p->session;
	left_ms = p->stop_by_ms - MIN(p->stop_by_ms, now_ms + p->pods->config.slack_ms);
	if (p->session)
		session_stop(p->session, (uint32_t)left_ms);
}

static void stop_enter(struct pod *p)
{
	p->stop_by_ms = 0;
	p->stop_told = NULL;
	if (p->stop)
		pod_event(p, "Normal", "Killing", "Stopping containers, grace %u s", p->grace_s);
	pod_changed(p);
}

static enum pod_state stop_next(struct pod *p)
{
	uint64_t now_ms = clock_mono_ms();
	bool asked = p->stop && p->guest_seen;

	if (!p->vm_there || p->vm_ended)
		return POD_CLEAN;
	if (p->vm_killed)
		return POD_STOP;
	if (asked && !p->all_done)
		stop_ask(p, now_ms);
	else if (!p->stop_by_ms)
		p->stop_by_ms = now_ms + p->pods->config.slack_ms; /* it is only to power off */
	if (p->gone || p->guest_broken || (!asked && !p->all_done) || now_ms >= p->stop_by_ms) {
		log_info("pod", "ev=pod_killed uid=%s", p->meta.uid);
		p->vm_killed = true;
		vm_kill(&p->vm);
		return POD_STOP;
	}
	timer_set(&p->timer, p->stop_by_ms - now_ms);
	return POD_STOP;
}

/* ---- CLEAN ---- */

/* Whether all containers that count ended well. */
static bool clean_succeeded(const struct pod *p)
{
	for (uint32_t i = 0; p->spec && i < p->spec->container_count; i++) {
		const struct pod_container *c = &p->containers[i];

		if (!p->spec->containers[i].sidecar &&
		    (c->state != CONTAINER_TERMINATED || c->end.code != 0))
			return false;
	}
	return p->spec != NULL;
}

/* Whether a container ever ran. When none did, the pod is begun again, whatever its restart policy says. */
static bool clean_ran(const struct pod *p)
{
	for (uint32_t i = 0; p->spec && i < p->spec->container_count; i++)
		if (p->containers[i].was_running)
			return true;
	return false;
}

/* What the end of the VM means: another attempt, or the end of the pod. */
static void clean_enter(struct pod *p)
{
	bool lost = p->vm_there && (!p->all_done || p->guest_broken);
	uint64_t now_ms = clock_mono_ms();

	if (lost)
		guest_lost(p);
	if (*p->phase || p->gone || pod_leaves(p))
		return;
	if (p->stop || !lost) {
		pod_end(p, clean_succeeded(p) ? "Succeeded" : "Failed", "", "");
		return;
	}
	if (!p->spec || (p->spec->restart == GUEST_RESTART_NEVER && clean_ran(p))) {
		pod_end(p, "Failed", "", p->vm_words);
		return;
	}
	if (p->run_since_ms && now_ms - p->run_since_ms > MACHINE_STABLE_MS)
		p->failures = 0;
	p->failures++;
	p->not_before_ms = now_ms + pod_backoff_ms(p->pods, p->failures);
	pod_event(p, "Warning", "BackOff", "the VM ended (%s); starting again in %llu s",
		  p->vm_words, (unsigned long long)(pod_backoff_ms(p->pods, p->failures) / 1000));
}

static enum pod_state clean_next(struct pod *p)
{
	if (prepare_release(p) < 0) {
		timer_set(&p->timer, MACHINE_RELEASE_MS);
		return POD_CLEAN;
	}
	return *p->phase || p->gone || p->stop ? POD_GONE : POD_NEW;
}

/* ---- GONE ---- */

static void gone_enter(struct pod *p)
{
	for (uint32_t i = 0; i < GUEST_CONTAINERS_MAX; i++)
		if (p->spec && i < p->spec->container_count)
			logs_complete(p, i);
	pod_changed(p);
}

static enum pod_state gone_next(struct pod *p)
{
	const struct pod_ref ref = {p->meta.ns, p->meta.name, p->meta.uid, NULL};

	/* It had left for a restart of the host when it was deleted. */
	if (p->meta.deleting && !p->gone && !*p->phase)
		pod_end(p, clean_succeeded(p) ? "Succeeded" : "Failed", "", "");
	/* The last status goes out before the confirmation. */
	if (p->meta.deleting && !p->gone && !p->deletion_told && !timer_armed(&p->report)) {
		p->deletion_told = true;
		log_info("pod", "ev=pod_deleted uid=%s ns=%s pod=%s", p->meta.uid, p->meta.ns,
			 p->meta.name);
		p->pods->ops.on_deleted(&ref, p->pods->arg);
	}
	return POD_GONE;
}

static const struct machine_state {
	const char *name;
	void (*enter)(struct pod *p);
	enum pod_state (*next)(struct pod *p);
} machine[POD_STATE_MAX] = {
	[POD_NEW] = {"new", NULL, new_next},
	[POD_PULL] = {"pull", pull_enter, pull_next},
	[POD_DISK] = {"disk", NULL, disk_next},
	[POD_NET] = {"net", NULL, net_next},
	[POD_BOOT] = {"boot", boot_enter, boot_next},
	[POD_RUN] = {"run", run_enter, run_next},
	[POD_STOP] = {"stop", stop_enter, stop_next},
	[POD_CLEAN] = {"clean", clean_enter, clean_next},
	[POD_GONE] = {"gone", gone_enter, gone_next},
};

const char *pod_state_name(enum pod_state s)
{
	return s < POD_STATE_MAX ? machine[s].name : "?";
}

static void pod_step(struct defer *d)
{
	struct pod *p = container_of(d, struct pod, step);

	for (;;) {
		enum pod_state next = machine[p->state].next(p);

		if (next == p->state)
			break;
		log_info("pod", "ev=pod_state uid=%s pod=%s/%s from=%s to=%s", p->meta.uid,
			 p->meta.ns, p->meta.name, machine[p->state].name, machine[next].name);
		timer_cancel(&p->timer);
		p->trouble[0] = '\0';
		if (p->state == POD_BOOT)
			net_next_turn(p->pods);
		p->state = next;
		crash_point(p->pods, machine[next].name);
		if (machine[next].enter)
			machine[next].enter(p);
	}
	if (p->state == POD_GONE && p->gone)
		pod_forget(p);
}

static void machine_timer(struct timer *t)
{
	pod_kick(container_of(t, struct pod, timer));
}

static void machine_report(struct timer *t)
{
	struct pod *p = container_of(t, struct pod, report);
	const struct pod_ref ref = {p->meta.ns, p->meta.name, p->meta.uid, p->api_ip};
	_cleanup_json_ struct json_doc *doc = NULL;

	if (!p->silent && !p->gone && !pod_leaves(p)) {
		doc = json_doc_new();
		p->pods->ops.on_status(&ref, status_make(doc, p), p->pods->arg);
		store_save(p);
	}
	if (p->state == POD_GONE)
		pod_kick(p); /* the deletion waits for it */
}

void machine_init(struct pod *p)
{
	p->state = POD_NEW;
	timer_init(p->pods->config.loop, &p->timer, machine_timer);
	timer_init(p->pods->config.loop, &p->report, machine_report);
}

void pod_kick(struct pod *p)
{
	loop_defer(p->pods->config.loop, &p->step, pod_step);
}

void pod_end(struct pod *p, const char *phase, const char *reason, const char *message)
{
	char safe[POD_MESSAGE_MAX];

	if (*p->phase)
		return;
	(void)str_copy(p->phase, sizeof(p->phase), phase);
	(void)str_copy(p->phase_reason, sizeof(p->phase_reason), reason);
	(void)str_copy(p->phase_message, sizeof(p->phase_message), message);
	log_info("pod", "ev=pod_ended uid=%s pod=%s/%s phase=%s reason=%s message=\"%s\"",
		 p->meta.uid, p->meta.ns, p->meta.name, phase, reason,
		 str_printable(safe, sizeof(safe), message));
	if (*reason)
		pod_event(p, "Warning", reason, "%s", message);
	pod_changed(p);
}

void pod_changed(struct pod *p)
{
	if (!timer_armed(&p->report))
		timer_set(&p->report, MACHINE_REPORT_MS);
}

void pod_event(struct pod *p, const char *type, const char *reason, const char *fmt, ...)
{
	const struct pod_ref ref = {p->meta.ns, p->meta.name, p->meta.uid, NULL};
	char message[POD_MESSAGE_MAX * 2];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(message, sizeof(message), fmt, ap);
	va_end(ap);
	p->pods->ops.on_event(&ref, type, reason, message, p->pods->arg);
}
