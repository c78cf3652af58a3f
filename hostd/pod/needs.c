// SPDX-License-Identifier: Apache-2.0
/*
 * Whether a pod has all that it needs of the API before a VM is started for it, and what is said of it
 * while it has not: a kubelet's reasons and words. Nothing of this ends a pod: what is missing may come.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "pod/impl.h"

#define NEEDS_REASON "CreateContainerConfigError"

static void needs_clear(struct pod_container *c)
{
	if (!str_eq(c->reason, NEEDS_REASON))
		return;
	c->reason[0] = c->message[0] = '\0';
	pod_changed(c->pod);
}

static void needs_tell(struct pod_container *c, const char *message)
{
	if (str_eq(c->reason, NEEDS_REASON) && str_eq(c->message, message))
		return;
	(void)str_copy(c->reason, sizeof(c->reason), NEEDS_REASON);
	(void)str_copy(c->message, sizeof(c->message), message);
	pod_event(c->pod, "Warning", "Failed", "Error: %s", message);
	pod_changed(c->pod);
}

static bool needs_env(struct pod *p, uint32_t index)
{
	struct pod_container *c = &p->containers[index];
	struct texts env = {0};
	struct err e = ERR_INIT;
	int r = env_make(p, index, false, &env, &e);

	texts_done(&env);
	if (r == 0 || !*e.msg)
		needs_clear(c);
	else if (c->image) /* else its pull has the word */
		needs_tell(c, err_msg(&e));
	return r == 0;
}

static bool needs_files(struct pod *p)
{
	struct err e = ERR_INIT;
	int r = files_check(p, &e);

	if (r < 0 && *e.msg) {
		pod_trouble(p, "FailedMount", &e);
	} else if (*p->trouble) {
		p->trouble[0] = '\0';
		pod_changed(p);
	}
	return r == 0;
}

bool needs_met(struct pod *p)
{
	bool met = true;

	for (uint32_t i = 0; i < p->spec->container_count; i++)
		met = needs_env(p, i) && met;
	met = needs_files(p) && met;
	if (!met)
		sources_poll(p);
	return met;
}
