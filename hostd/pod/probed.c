// SPDX-License-Identifier: Apache-2.0
/*
 * What the guest tells of probes and hooks: a container's started and ready, and events.
 *
 * The guest may say what it likes. Its words count for the run that they speak of and no other, a container
 * cannot be ready without running, and a pod gets so many events and no more.
 */
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "pod/impl.h"

#define PROBED_EVENTS_BURST  10
#define PROBED_EVENT_EACH_MS 5000

void probed_start(struct pod *p, uint32_t index)
{
	struct pod_container *c = &p->containers[index];
	const struct spec_container *s = &p->spec->containers[index];

	c->started = !spec_has_probe(s, GUEST_PROBE_STARTUP);
	c->ready = c->started && !spec_has_probe(s, GUEST_PROBE_READINESS);
}

/* Failures must not use up what tells their consequences. */
static bool probed_may_tell(struct pod *p, enum guest_probed_event event)
{
	return bucket_take(&p->probed[event > GUEST_PROBED_WARNING], PROBED_EVENTS_BURST,
			   PROBED_EVENT_EACH_MS, clock_mono_ms());
}

static void probed_event(struct pod *p, uint32_t index, const struct guest_probed *m)
{
	static const char *const kinds[] = {"Startup", "Readiness", "Liveness"};
	static const char *const lower[] = {"startup", "readiness", "liveness"};
	const char *name = p->spec->containers[index].name, *kind = kinds[m->kind];
	bool again = p->spec->restart != GUEST_RESTART_NEVER || p->spec->containers[index].sidecar;
	char safe[POD_MESSAGE_MAX];

	log_info("pod",
		 "ev=container_probed uid=%s pod=%s/%s container=%s event=%d kind=%s text=\"%s\"",
		 p->meta.uid, p->meta.ns, p->meta.name, name, (int)m->event, lower[m->kind],
		 str_printable(safe, sizeof(safe), m->message));
	switch (m->event) {
	case GUEST_PROBED_STATE:
		break;
	case GUEST_PROBED_FAILED:
		pod_event(p, "Warning", "Unhealthy", "%s probe failed: %s", kind, m->message);
		break;
	case GUEST_PROBED_ERROR:
		pod_event(p, "Warning", "Unhealthy",
			  "%s probe errored and resulted in unknown state: %s", kind, m->message);
		break;
	case GUEST_PROBED_WARNING:
		pod_event(p, "Warning", "ProbeWarning", "%s probe warning: %s", kind, m->message);
		break;
	case GUEST_PROBED_KILLING:
		pod_event(p, "Normal", "Killing", "Container %s failed %s probe%s", name,
			  lower[m->kind], again ? ", will be restarted" : "");
		break;
	case GUEST_PROBED_POST_START_FAILED:
		pod_event(p, "Warning", "FailedPostStartHook", "PostStartHook failed: %s",
			  m->message);
		pod_event(p, "Normal", "Killing", "FailedPostStartHook");
		break;
	case GUEST_PROBED_PRE_STOP_FAILED:
		pod_event(p, "Warning", "FailedPreStopHook", "PreStopHook failed: %s", m->message);
		break;
	}
}

void probed_take(struct pod *p, const struct guest_probed *m)
{
	struct pod_container *c = &p->containers[m->container];

	if (m->event != GUEST_PROBED_STATE && probed_may_tell(p, m->event))
		probed_event(p, m->container, m);
	if (c->state != CONTAINER_RUNNING || c->restarts != c->restarts_base + m->restart_count ||
	    (c->started == m->started && c->ready == (m->started && m->ready)))
		return;
	c->started = m->started;
	c->ready = m->started && m->ready;
	log_info("pod", "ev=container_ready uid=%s pod=%s/%s container=%s started=%d ready=%d",
		 p->meta.uid, p->meta.ns, p->meta.name, p->spec->containers[m->container].name,
		 c->started, c->ready);
	pod_changed(p);
}
