// SPDX-License-Identifier: Apache-2.0
/*
 * A restart that an operator asks for: the annotation hypermetal.io/reboot of our Node names the boot
 * that is to end. We are another boot afterwards, so a request is heeded once, however long it stays
 * there and whatever our clock says.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "hostd.h"

#define REBOOT_KEY     "hypermetal.io/reboot"
#define REBOOT_GRACE_S 600 /* no pod's grace is longer than that */
#define REBOOT_SLACK_S 30 /* for guests that must be killed behind their grace */
#define REBOOT_LOOK_MS 1000 /* time also for the last words to the API */

static void reboot_look(struct timer *t)
{
	struct hostd *h = container_of(t, struct hostd, reboot);

	if (!pods_left(h->pods) && clock_mono_ms() < h->reboot_by_ms) {
		timer_set(t, REBOOT_LOOK_MS);
		return;
	}
	if (!pods_left(h->pods))
		log_warn("main", "ev=reboot_without_grace");
	host_reboot();
}

void reboot_heed(struct hostd *h, const struct json *node)
{
	const char *boot_id =
		json_str(json_at(node, "metadata", "annotations", REBOOT_KEY, NULL), "");

	if (h->reboot_by_ms || !*boot_id || !str_eq(boot_id, h->inventory.boot_id))
		return;
	log_info("main", "ev=reboot_asked boot=%s", boot_id);
	h->reboot_by_ms = clock_mono_ms() + (REBOOT_GRACE_S + REBOOT_SLACK_S) * 1000ULL;
	node_event(h->node, NULL, "Normal", "Rebooting", "an operator asked for it");
	node_set_ready(h->node, "Rebooting", "the host is being rebooted");
	pods_leave(h->pods, REBOOT_GRACE_S);
	timer_init(&h->loop, &h->reboot, reboot_look);
	timer_set(&h->reboot, REBOOT_LOOK_MS);
}

/* The early stage reboots a host on trial that never gets here (initramfs/early.c). */
void reboot_ready(struct hostd *h, const struct json *node)
{
	struct json_iter it = json_iter(json_at(node, "status", "conditions", NULL));
	char path[HOSTD_PATH_MAX];
	bool ready = false;

	while (!h->was_ready && json_next(&it))
		ready |= str_eq(json_str(json_get(it.value, "type"), ""), "Ready") &&
			 str_eq(json_str(json_get(it.value, "status"), ""), "True");
	if (!ready)
		return;
	h->was_ready = true;
	snprintf(path, sizeof(path), "%s/ready", h->paths.run);
	if (file_write(AT_FDCWD, path, "", 0, 0644, NULL) < 0)
		log_warn("main", "ev=not_noted path=%s", path);
}
