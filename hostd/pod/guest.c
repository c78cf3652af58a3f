// SPDX-License-Identifier: Apache-2.0
/*
 * What the guest and its VM tell, written down as facts. A guest that was reconnected to tells
 * everything again: restart counts and times tell news from repetition.
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "pod/impl.h"

#define GUEST_KILLED_CODE 137

static struct pod_container *guest_container(struct pod *p, uint16_t index)
{
	return p->spec && index < p->spec->container_count ? &p->containers[index] : NULL;
}

static void *guest_on_hello(void *arg, struct session *s, uint32_t cid,
			    const struct guest_hello *hello)
{
	struct pods *pods = arg;
	struct pod *p = pods_find_cid(pods, cid);
	char build[64];

	if (!p || !p->vm_there || p->vm_ended)
		return NULL;
	log_info("pod", "ev=guest_hello uid=%s cid=%u state=%d uptime_ms=%llu build=\"%s\"",
		 p->meta.uid, cid, (int)hello->state, (unsigned long long)hello->uptime_ms,
		 str_printable(build, sizeof(build), hello->build));
	p->session = s;
	p->guest = hello->state;
	p->guest_seen = true;
	files_forget(p);
	pod_kick(p);
	return p;
}

static void guest_on_started(void *pod, const struct guest_started *m)
{
	struct pod *p = pod;
	struct pod_container *c = guest_container(p, m->container);
	uint32_t restarts;

	if (!c)
		return;
	p->told = true;
	restarts = c->restarts_base + m->restart_count;
	if (c->state == CONTAINER_RUNNING && c->restarts == restarts)
		return;
	if (c->was_running && restarts > c->restarts)
		logs_restarted(p, m->container);
	logs_start(p, m->container);
	ending_keep_last(c);
	c->end.is_set = false;
	c->state = CONTAINER_RUNNING;
	c->finished = false;
	c->was_running = true;
	c->message[0] = '\0';
	c->started_ns = m->started_ns ? m->started_ns : clock_real_ns();
	p->pods->counts.container_starts++;
	c->restarts = restarts;
	probed_start(p, m->container);
	log_info("pod", "ev=container_started uid=%s pod=%s/%s container=%s restarts=%u",
		 p->meta.uid, p->meta.ns, p->meta.name, p->spec->containers[m->container].name,
		 restarts);
	pod_event(p, "Normal", "Started", "Started container %s",
		  p->spec->containers[m->container].name);
	pod_changed(p);
	pod_kick(p);
}

/*
 * Whether a container that will be started again is told as waiting. One that starts at once is told as
 * terminated, as a kubelet does it, unless the API would take that for its end.
 */
static bool guest_waits(const struct pod *p, const struct container_end *end, uint32_t backoff_ms)
{
	return backoff_ms || p->spec->restart == GUEST_RESTART_NEVER ||
	       (p->spec->restart == GUEST_RESTART_ON_FAILURE && !end->code);
}

/* The one way in which a container ends, whoever tells. @text is its termination message. */
static void guest_ended(struct pod *p, uint32_t index, const struct container_end *end,
			uint32_t restarts, uint32_t backoff_ms, const char *message,
			const void *text, size_t text_len)
{
	struct pod_container *c = &p->containers[index];
	const char *name = p->spec->containers[index].name;

	p->told = true;
	if (c->end.is_set && c->restarts == restarts && c->end.finished_ns == end->finished_ns &&
	    c->finished == (backoff_ms == GUEST_BACKOFF_NEVER))
		return;
	c->end = *end;
	c->end.is_set = true;
	c->started = c->ready = false;
	ending_set_message(p, index, text, text_len);
	c->end.from_log = !text_len && end->code && p->spec->containers[index].logs_on_error;
	if (c->end.from_log)
		ending_take_log(p, index);
	c->restarts = restarts;
	c->was_running = true;
	c->finished = backoff_ms == GUEST_BACKOFF_NEVER;
	c->state = CONTAINER_TERMINATED;
	p->pods->counts.container_ends++;
	logs_ended(p, index);
	(void)str_copy(c->message, sizeof(c->message), message);
	if (!c->finished && guest_waits(p, end, backoff_ms)) {
		c->state = CONTAINER_WAITING;
		c->reason[0] = '\0';
		ending_keep_last(c);
	}
	if (c->state == CONTAINER_WAITING && backoff_ms) {
		(void)str_copy(c->reason, sizeof(c->reason), "CrashLoopBackOff");
		snprintf(c->message, sizeof(c->message),
			 "back-off %us restarting failed container=%s", backoff_ms / 1000, name);
		pod_event(p, "Warning", "BackOff", "Back-off restarting failed container %s", name);
	}
	log_info("pod",
		 "ev=container_ended uid=%s pod=%s/%s container=%s code=%u reason=%s finished=%d",
		 p->meta.uid, p->meta.ns, p->meta.name, name, end->code, end->reason, c->finished);
	pod_changed(p);
	pod_kick(p);
}

static void guest_on_exit(void *pod, const struct guest_exit *m)
{
	struct pod *p = pod;
	struct pod_container *c = guest_container(p, m->container);
	struct container_end end = {
		.code = m->code,
		.signal = m->signal,
		.started_ns = m->started_ns,
		.finished_ns = m->finished_ns,
	};

	if (!c)
		return;
	p->pods->counts.oom_kills += m->oom;
	(void)str_copy(end.reason, sizeof(end.reason),
		       m->oom	 ? "OOMKilled"
		       : m->code ? "Error"
				 : "Completed");
	guest_ended(p, m->container, &end, c->restarts_base + m->restart_count, m->backoff_ms, "",
		    m->message, m->message_len);
}

/* A reason is one word (CamelCase): the guest's must not look like more of a log line, or of a status. */
static void guest_word(char *out, size_t size, const char *in)
{
	(void)str_copy(out, size, in);
	for (; *out; out++)
		if (!isascii((unsigned char)*out) || !isalnum((unsigned char)*out))
			*out = '_';
}

static void guest_on_failed(void *pod, const struct guest_failed *m)
{
	struct pod *p = pod;
	struct pod_container *c = guest_container(p, m->container);
	struct container_end end = {
		.code = m->code,
		.started_ns = m->finished_ns,
		.finished_ns = m->finished_ns,
	};
	char safe[POD_MESSAGE_MAX];

	str_printable(safe, sizeof(safe), m->message);
	guest_word(end.reason, sizeof(end.reason), m->reason);
	if (m->container == GUEST_POD) {
		log_warn("pod", "ev=guest_failed uid=%s reason=%s message=\"%s\"", p->meta.uid,
			 end.reason, safe);
		(void)str_copy(p->vm_words, sizeof(p->vm_words), safe);
		p->guest_broken = true;
		pod_kick(p);
		return;
	}
	if (!c)
		return;
	pod_event(p, "Warning", "Failed", "Error: %s", safe);
	guest_ended(p, m->container, &end, c->restarts_base + m->restart_count, m->backoff_ms, safe,
		    NULL, 0);
}

static void guest_on_probed(void *pod, const struct guest_probed *m)
{
	struct pod *p = pod;

	if (guest_container(p, m->container))
		probed_take(p, m);
}

static bool guest_on_log(void *pod, const struct guest_log *m)
{
	struct pod *p = pod;
	struct pod_container *c = guest_container(p, m->container);

	if (!c)
		return true;
	logs_write(p, m);
	/* Output may come after the end that it explains. */
	if (c->end.is_set && c->end.code && c->end.from_log) {
		ending_take_log(p, m->container);
		if (c->state == CONTAINER_WAITING)
			ending_keep_last(c);
		pod_changed(p);
	}
	return true;
}

static void guest_on_stats(void *pod, const struct guest_stats *m)
{
	measure_told(pod, m);
}

static void guest_on_done(void *pod)
{
	struct pod *p = pod;

	p->all_done = true;
	/* The exits are on disk before the guest may go. */
	store_save(p);
	if (p->session)
		session_stop(p->session, 0);
	pod_kick(p);
}

static void guest_on_closed(void *pod, struct session *s, const struct err *why)
{
	struct pod *p = pod;

	if (p->session != s)
		return;
	log_info("pod", "ev=guest_closed uid=%s why=\"%s\"", p->meta.uid, err_msg(why));
	p->session = NULL;
	if (p->pods->freeing)
		return;
	measure_lost(p);
	pod_kick(p);
}

const struct session_events guest_events = {
	.on_hello = guest_on_hello,
	.on_started = guest_on_started,
	.on_exit = guest_on_exit,
	.on_failed = guest_on_failed,
	.on_probed = guest_on_probed,
	.on_log = guest_on_log,
	.on_stats = guest_on_stats,
	.on_done = guest_on_done,
	.on_closed = guest_on_closed,
};

static void guest_vm_started(struct vm *vm)
{
	struct pod *p = container_of(vm, struct pod, vm);

	log_info("pod", "ev=vm_started uid=%s cid=%u pid=%d", p->meta.uid, p->cid,
		 (int)vm->proc.pid);
}

static void guest_vm_exited(struct vm *vm, const struct vm_exit *x)
{
	struct pod *p = container_of(vm, struct pod, vm);
	char safe[sizeof(x->detail)];

	p->vm_ended = true;
	p->pods->counts.vm_ends++;
	p->pods->counts.vm_crashes += x->reason != VM_REASON_POWEROFF && !p->vm_killed;
	p->vm_oom = x->reason == VM_REASON_NONE && group_oom_killed(p);
	if (x->reason == VM_REASON_PANIC)
		console_show(p);
	if (!*p->vm_words)
		snprintf(p->vm_words, sizeof(p->vm_words), "%s%s%s",
			 p->vm_oom		       ? "the host ran out of memory"
			 : x->reason == VM_REASON_NONE ? "killed from outside"
						       : vm_reason_name(x->reason),
			 *x->detail ? ": " : "", x->detail);
	log_info("pod", "ev=vm_ended uid=%s cid=%u reason=%s code=%d detail=\"%s\"", p->meta.uid,
		 p->cid, vm_reason_name(x->reason), x->code,
		 str_printable(safe, sizeof(safe), x->detail));
	pod_kick(p);
}

const struct vm_events guest_vm_events = {
	.on_started = guest_vm_started,
	.on_exited = guest_vm_exited,
};

void guest_lost(struct pod *p)
{
	uint64_t now_ns = clock_real_ns();

	for (uint32_t i = 0; p->spec && i < p->spec->container_count; i++) {
		struct pod_container *c = &p->containers[i];

		if (c->finished)
			continue;
		/* One that waits for its restart has an end already. */
		if (c->state == CONTAINER_RUNNING) {
			c->started = c->ready = false;
			ending_set_message(p, i, NULL, 0);
			c->end = (struct container_end){
				.is_set = true,
				.code = GUEST_KILLED_CODE,
				.signal = 9,
				.started_ns = c->started_ns,
				.finished_ns = now_ns,
			};
			(void)str_copy(c->end.reason, sizeof(c->end.reason),
				       p->vm_oom ? "OOMKilled" : "Error");
			snprintf(c->message, sizeof(c->message), "the VM ended: %.400s",
				 p->vm_words);
			c->state = CONTAINER_TERMINATED;
			p->pods->counts.container_ends++;
			logs_ended(p, i);
			log_info(
				"pod",
				"ev=container_ended uid=%s pod=%s/%s container=%s code=%u reason=%s finished=1",
				p->meta.uid, p->meta.ns, p->meta.name, p->spec->containers[i].name,
				c->end.code, c->end.reason);
		}
	}
	pod_changed(p);
}
