// SPDX-License-Identifier: Apache-2.0
/*
 * A pod's images. Each container waits for its own; those that fail back off on their own, 10 s
 * doubling to 5 min, as a kubelet does: ErrImagePull when it happened, ImagePullBackOff while waiting.
 */
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "pod/impl.h"

#define PULL_SHOWN_MS 3000 /* ErrImagePull is shown so long */

static void pull_waiting(struct pod_container *c, const char *reason, const char *message)
{
	(void)str_copy(c->reason, sizeof(c->reason), reason);
	(void)str_copy(c->message, sizeof(c->message), message);
	pod_changed(c->pod);
}

static const char *pull_reason(enum oci_failure failure)
{
	switch (failure) {
	case OCI_FAILURE_NAME:
		return "InvalidImageName";
	case OCI_FAILURE_NEVER:
		return "ErrImageNeverPull";
	case OCI_FAILURE_NONE:
	case OCI_FAILURE_PULL:
		break;
	}
	return "ErrImagePull";
}

static void pull_failed(struct pod_container *c, const char *name, enum oci_failure failure,
			const struct err *e)
{
	char message[POD_MESSAGE_MAX];
	uint64_t delay_ms;

	c->pull_failures++;
	sources_poll(c->pod); /* perhaps another login */
	delay_ms = pod_backoff_ms(c->pod->pods, c->pull_failures);
	c->pull_failed_ms = clock_mono_ms();
	c->pull_again_ms = c->pull_failed_ms + delay_ms;
	str_printable(message, sizeof(message), err_msg(e));
	log_warn("pod", "ev=pull_failed uid=%s image=%s reason=%s again_s=%llu error=\"%s\"",
		 c->pod->meta.uid, name, pull_reason(failure),
		 (unsigned long long)(delay_ms / 1000), message);
	pull_waiting(c, pull_reason(failure), message);
	pod_event(c->pod, "Warning", "Failed", "Failed to pull image \"%s\": %s", name, message);
}

static void pull_ended(struct oci_wait *w, struct oci_image *image, enum oci_failure failure,
		       const struct err *e)
{
	struct pod_container *c = container_of(w, struct pod_container, wait);
	struct pod *p = c->pod;
	const char *name = p->spec->containers[c - p->containers].image;

	c->pulling = false;
	if (image) {
		c->image = image;
		c->pull_failures = 0;
		p->pods->counts.pulls++;
		(void)str_copy(c->image_id, sizeof(c->image_id), image->digest);
		pull_waiting(c, "", "");
		pod_event(p, "Normal", "Pulled", "Container image \"%s\" is there (%s)", name,
			  image->digest);
	} else {
		p->pods->counts.pull_failures++;
		pull_failed(c, name, failure, e);
	}
	pod_kick(p);
}

static enum oci_pull pull_policy(enum spec_pull policy)
{
	switch (policy) {
	case SPEC_PULL_ALWAYS:
		return OCI_PULL_ALWAYS;
	case SPEC_PULL_NEVER:
		return OCI_PULL_NEVER;
	case SPEC_PULL_IF_NOT_PRESENT:
		break;
	}
	return OCI_PULL_IF_NOT_PRESENT;
}

static void pull_one(struct pod *p, uint32_t index, uint64_t now_ms, const struct logins *logins)
{
	const struct spec_container *s = &p->spec->containers[index];
	struct pod_container *c = &p->containers[index];

	if (c->image || c->pulling)
		return;
	if (c->pull_again_ms > now_ms) {
		if (str_eq(c->reason, "ErrImagePull") &&
		    now_ms >= c->pull_failed_ms + PULL_SHOWN_MS)
			pull_waiting(c, "ImagePullBackOff", c->message);
		return;
	}
	c->pulling = true;
	c->pod = p;
	c->wait = (struct oci_wait){.fn = pull_ended};
	if (!c->pull_failures)
		pod_event(p, "Normal", "Pulling", "Pulling image \"%s\"", s->image);
	oci_ensure(p->pods->config.oci, &c->wait, s->image, pull_policy(s->pull), logins->at,
		   logins->count);
}

void pull_start(struct pod *p)
{
	uint64_t now_ms = clock_mono_ms();
	struct logins logins = {0};

	/* A secret that comes kicks the pod. */
	if (logins_make(p, &logins) == 0)
		for (uint32_t i = 0; i < p->spec->container_count; i++)
			pull_one(p, i, now_ms, &logins);
	logins_done(&logins);
}

void pull_cancel(struct pod *p)
{
	for (uint32_t i = 0; i < GUEST_CONTAINERS_MAX; i++) {
		struct pod_container *c = &p->containers[i];

		if (c->pulling)
			oci_cancel(p->pods->config.oci, &c->wait);
		c->pulling = false;
		c->image = oci_image_unref(c->image);
	}
}

bool pull_ready(const struct pod *p)
{
	for (uint32_t i = 0; i < p->spec->container_count; i++)
		if (!p->containers[i].image)
			return false;
	return true;
}

uint64_t pull_next_ms(const struct pod *p)
{
	uint64_t next_ms = 0;

	for (uint32_t i = 0; i < p->spec->container_count; i++) {
		const struct pod_container *c = &p->containers[i];
		uint64_t at_ms = c->pull_again_ms;

		if (c->image || c->pulling)
			continue;
		if (str_eq(c->reason, "ErrImagePull"))
			at_ms = MIN(at_ms, c->pull_failed_ms + PULL_SHOWN_MS);
		if (!next_ms || at_ms < next_ms)
			next_ms = at_ms;
	}
	return next_ms;
}
