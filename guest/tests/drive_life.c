// SPDX-License-Identifier: Apache-2.0
#include "drive_life.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

static uint32_t number(const char *s)
{
	uint64_t v;

	if (str_u64(s, UINT32_MAX, &v) < 0) {
		fprintf(stderr, "drive: %s: not a number\n", s);
		exit(2);
	}
	return (uint32_t)v;
}

static void action_word(struct guest_action *a, char *key, char *value)
{
	if (str_eq(key, "exec")) {
		a->kind = GUEST_ACTION_EXEC;
		drive_add_string(&a->args, "sh");
		drive_add_string(&a->args, "-c");
		drive_add_string(&a->args, value);
	} else if (str_eq(key, "http")) {
		a->kind = GUEST_ACTION_HTTP;
		a->path = value;
	} else if (str_eq(key, "port")) {
		a->kind = a->kind ? a->kind : GUEST_ACTION_TCP;
		a->port = (uint16_t)number(value);
	} else if (str_eq(key, "header")) {
		drive_add_string(&a->headers, value);
	} else if (str_eq(key, "sleep")) {
		a->kind = GUEST_ACTION_SLEEP;
		a->sleep_s = number(value);
	} else {
		fprintf(stderr, "drive: unknown word %s\n", key);
		exit(2);
	}
}

static void probe_word(struct guest_probe *p, char *key, char *value)
{
	if (str_eq(key, "delay"))
		p->initial_delay_s = number(value);
	else if (str_eq(key, "period"))
		p->period_s = number(value);
	else if (str_eq(key, "timeout"))
		p->timeout_s = number(value);
	else if (str_eq(key, "success"))
		p->success_threshold = number(value);
	else if (str_eq(key, "failure"))
		p->failure_threshold = number(value);
	else if (str_eq(key, "grace-ms"))
		p->grace_ms = number(value);
	else
		action_word(&p->action, key, value);
}

static int words(char **argv, struct guest_probe *p, struct guest_action *a)
{
	int n = 1;

	if (p)
		*p = (struct guest_probe){
			.period_s = 1,
			.timeout_s = 1,
			.success_threshold = 1,
			.failure_threshold = 3,
			.grace_ms = GUEST_GRACE_POD,
		};
	for (; argv[n] && !str_eq(argv[n], ";"); n++) {
		char *value = strchr(argv[n], '=');

		if (!value) {
			fprintf(stderr, "drive: %s: KEY=VALUE is wanted\n", argv[n]);
			exit(2);
		}
		*value++ = '\0';
		if (p)
			probe_word(p, argv[n], value);
		else
			action_word(a, argv[n], value);
	}
	return n;
}

int drive_life_option(char **argv, struct guest_life *life)
{
	if (str_eq(argv[0], "--startup"))
		return words(argv, &life->probes[GUEST_PROBE_STARTUP], NULL);
	if (str_eq(argv[0], "--readiness"))
		return words(argv, &life->probes[GUEST_PROBE_READINESS], NULL);
	if (str_eq(argv[0], "--liveness"))
		return words(argv, &life->probes[GUEST_PROBE_LIVENESS], NULL);
	if (str_eq(argv[0], "--post-start"))
		return words(argv, NULL, &life->post_start);
	if (str_eq(argv[0], "--pre-stop"))
		return words(argv, NULL, &life->pre_stop);
	if (!str_eq(argv[0], "--termination") || !argv[1])
		return 0;
	life->termination_path = argv[1];
	return 2;
}

void drive_life_print(const char *name, const struct guest_probed *m)
{
	static const char *const events[] = {"state",	       "failed",  "error",
					     "warning",	       "killing", "post_start_failed",
					     "pre_stop_failed"};
	static const char *const kinds[] = {"startup", "readiness", "liveness"};

	printf("probed %s restart=%u started=%d ready=%d event=%s kind=%s message='%s'\n", name,
	       m->restart_count, m->started, m->ready, events[m->event], kinds[m->kind],
	       m->message);
}
