// SPDX-License-Identifier: Apache-2.0
/*
 * The traces, the weightier first: the words of a kernel that panicked; a watchdog that says that it bit; the Node, where
 * somebody asked for the reboot or hostd noted that it was leaving. Without any of them the machine lost its power or was
 * reset from outside, if it is one that would have left a trace of anything else.
 */
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/str.h"
#include "fate/fate.h"

#define JUDGE_REBOOT_KEY "hypermetal.io/reboot" /* as hostd/reboot.c heeds it */
#define JUDGE_HOSTD \
	"hypermetal: hostd " /* begins what wire_fate.c says before it has the kernel panic */
#define JUDGE_SOFTDOG "Software Watchdog Timer expired"

/* What the boot before said that it was about to do, NULL nothing */
static const char *leaving(const struct json *before)
{
	struct json_iter it = json_iter(json_at(before, "status", "conditions", NULL));

	while (json_next(&it))
		if (str_eq(json_str(json_get(it.value, "type"), ""), FATE_CONDITION) &&
		    str_eq(json_str(json_get(it.value, "reason"), ""), FATE_LEAVING))
			return json_str(json_get(it.value, "message"), "");
	return NULL;
}

static bool asked(const struct json *before, const char *boot_id)
{
	return *boot_id &&
	       str_eq(json_str(json_at(before, "metadata", "annotations", JUDGE_REBOOT_KEY, NULL),
			       ""),
		      boot_id);
}

/* Of a line with hostd's own reason in it */
static const char *hostd_words(const struct fate_records *r, char *line, size_t size)
{
	const char *at = strstr(r->lines, JUDGE_HOSTD);

	if (!at)
		return NULL;
	at += strlen("hypermetal: ");
	snprintf(line, size, "%.*s", (int)strcspn(at, "\n"), at);
	return line;
}

static void judge_dump(const struct fate_evidence *ev, struct fate_verdict *v)
{
	const struct fate_records *r = &ev->records;
	char own[FATE_HEADLINE_MAX];
	const char *words = hostd_words(r, own, sizeof(own));

	v->unexpected = true;
	v->reason = words ? "HostdFailed" : "KernelPanic";
	if (!words)
		words = *r->headline ? r->headline : "a kernel left its last lines";
	if (strstr(words, JUDGE_SOFTDOG)) {
		v->reason = "Watchdog";
		words = "the kernel's software watchdog: hostd did not answer in time";
	}
	snprintf(v->message, sizeof(v->message), "%s%s%s", words, *r->lines ? "\n" : "", r->lines);
}

static void judge_nothing(const struct fate_evidence *ev, struct fate_verdict *v)
{
	v->unexpected = true;
	if (ev->watchdog && *ev->store) {
		v->reason = "PowerLoss";
		snprintf(v->message, sizeof(v->message),
			 "no trace: it lost its power, or was reset by a button or its BMC");
		return;
	}
	v->reason = "Unknown";
	snprintf(v->message, sizeof(v->message), "no trace; this machine has no %s%s%s",
		 ev->watchdog ? "" : "hardware watchdog that would tell",
		 ev->watchdog || *ev->store ? "" : " and no ",
		 *ev->store ? "" : "place for a kernel's last lines");
}

bool fate_judge(const struct fate_evidence *ev, const struct json *before, struct fate_verdict *v)
{
	const char *boot_id = json_str(json_at(before, "status", "nodeInfo", "bootID", NULL), "");
	const char *image = json_str(json_at(before, "status", "nodeInfo", "osImage", NULL), "");
	const char *why = leaving(before);

	if (before && str_eq(boot_id, ev->boot_id))
		return false;
	if (!why && asked(before, boot_id))
		why = "an operator asked for a reboot";
	*v = (struct fate_verdict){.unexpected = false};
	if (ev->records.panic || ev->records.oops) {
		judge_dump(ev, v);
	} else if (ev->watchdog_bit) {
		v->unexpected = true;
		v->reason = "Watchdog";
		snprintf(
			v->message, sizeof(v->message),
			"the hardware watchdog: hostd or the kernel did not answer in time%s%s%s%s",
			why ? ", while it was leaving: " : "", why ? why : "",
			*ev->records.lines ? "\n" : "", ev->records.lines);
	} else if (why) {
		v->reason = "Requested";
		snprintf(v->message, sizeof(v->message), "%.500s (from %.100s)", why,
			 *image ? image : "an unknown image");
	} else if (!before) {
		v->reason = "FirstBoot";
		snprintf(v->message, sizeof(v->message), "no host of this name was known before");
	} else {
		judge_nothing(ev, v);
		if (*ev->records.lines) {
			size_t used = strlen(v->message);

			snprintf(v->message + used, sizeof(v->message) - used, "\n%s",
				 ev->records.lines);
		}
	}
	return true;
}
