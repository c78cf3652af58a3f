// SPDX-License-Identifier: Apache-2.0
/*
 * The machine's end. An operator asks for a restart by the annotation hypermetal.io/reboot of our Node, which names the
 * boot that is to end: we are another boot afterwards, so a request is heeded once, however long it stays there and
 * whatever our clock says. Pods get the grace that they were promised.
 *
 * Somebody at the machine, or its BMC, presses the power button or Ctrl-Alt-Del, and presses it for good when nothing
 * happens: then all has to be over within half a minute, whatever pods were promised.
 *
 * Either way the Node says so first, which is how the next boot knows that it was meant to be (fate/judge.c).
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

#define REBOOT_KEY		  "hypermetal.io/reboot"
#define REBOOT_GRACE_S		  600 /* no pod's grace is longer than that */
#define REBOOT_SLACK_S		  30 /* for guests that must be killed behind their grace */
#define REBOOT_PRESSED_S	  20 /* a pod's grace when somebody stands at the machine */
#define REBOOT_WITHIN_S		  25 /* after which its pods are left alone */
#define REBOOT_WORDS_MS		  10000 /* for the last words to the API */
#define REBOOT_LOOK_MS		  500
#define REBOOT_PATIENCE_S	  30 /* for file systems and drivers when an operator asked */
#define REBOOT_PRESSED_PATIENCE_S 5

static void reboot_look(struct timer *t)
{
	struct hostd *h = container_of(t, struct hostd, reboot);
	bool gone = !h->pods || pods_left(h->pods);
	uint64_t now_ms = clock_mono_ms();

	if ((!gone && now_ms < h->reboot_by_ms) ||
	    (h->node && !h->reboot_told && now_ms < h->reboot_words_ms)) {
		timer_set(t, REBOOT_LOOK_MS);
		return;
	}
	if (!gone)
		log_warn("main", "ev=reboot_without_grace");
	host_reboot(h->reboot_off, h->reboot_patience_s);
}

/* Sooner, but never later than was settled before */
static void reboot_start(struct hostd *h, uint32_t grace_s, uint32_t within_s, const char *why)
{
	uint64_t now_ms = clock_mono_ms(), by_ms = now_ms + within_s * 1000ULL;

	if (h->reboot_by_ms && h->reboot_by_ms <= by_ms)
		return;
	if (!h->reboot_by_ms) {
		timer_init(&h->loop, &h->reboot, reboot_look);
		h->reboot_words_ms = now_ms + REBOOT_WORDS_MS;
	}
	h->reboot_by_ms = by_ms;
	if (h->node) {
		node_event(h->node, NULL, "Normal", h->reboot_off ? "PoweringOff" : "Rebooting",
			   why);
		node_set_condition(h->node, FATE_CONDITION, false, FATE_LEAVING, why);
		node_set_ready(h->node, h->reboot_off ? "PoweringOff" : "Rebooting",
			       h->reboot_off ? "the host is being switched off"
					     : "the host is being rebooted");
	}
	if (h->pods)
		pods_leave(h->pods, grace_s);
	timer_set(&h->reboot, REBOOT_LOOK_MS);
}

void reboot_begin(struct hostd *h, bool off, const char *why)
{
	log_info("main", "ev=%s why=\"%s\"", off ? "power_off_asked" : "reboot_asked", why);
	h->reboot_off = off;
	h->reboot_patience_s = REBOOT_PRESSED_PATIENCE_S;
	reboot_start(h, REBOOT_PRESSED_S, REBOOT_WITHIN_S, why);
}

void reboot_heed(struct hostd *h, const struct json *node)
{
	const char *boot_id =
		json_str(json_at(node, "metadata", "annotations", REBOOT_KEY, NULL), "");
	struct json_iter it = json_iter(json_at(node, "status", "conditions", NULL));

	while (h->reboot_by_ms && json_next(&it))
		h->reboot_told |= str_eq(json_str(json_get(it.value, "reason"), ""), FATE_LEAVING);
	if (h->reboot_by_ms || !*boot_id || !str_eq(boot_id, h->inventory.boot_id))
		return;
	log_info("main", "ev=reboot_asked boot=%s", boot_id);
	h->reboot_patience_s = REBOOT_PATIENCE_S;
	reboot_start(h, REBOOT_GRACE_S, REBOOT_GRACE_S + REBOOT_SLACK_S,
		     "an operator asked for a reboot");
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
