// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "proto/guest_msg.h"

static const char *const args[] = {"sh", "-c", "true"};
static const char *const headers[] = {"Host: a", "X-B: c"};

static struct guest_run *example(void)
{
	struct guest_run *run = mem_alloc(sizeof(*run));
	struct guest_life *l = &run->containers[0].life;

	run->hostname = "web";
	run->fqdn = "web.sub.default.svc.cluster.local";
	run->share_pids = true;
	run->grace_ms = 30000;
	run->layer_count = 1;
	run->layers[0] = (struct guest_layer){0, 4096};
	run->container_count = 1;
	run->containers[0].name = "web";
	run->containers[0].layer_count = 1;
	run->containers[0].args = (struct guest_strings){args, 3};
	run->containers[0].init = run->containers[0].sidecar = true;
	run->containers[0].default_seccomp = true;
	l->probes[GUEST_PROBE_READINESS] = (struct guest_probe){
		.action = {.kind = GUEST_ACTION_HTTP,
			   .headers = {headers, 2},
			   .path = "/up?x",
			   .port = 80},
		.initial_delay_s = 1,
		.period_s = 2,
		.timeout_s = 3,
		.success_threshold = 4,
		.failure_threshold = 5,
		.grace_ms = GUEST_GRACE_POD,
	};
	l->post_start = (struct guest_action){.kind = GUEST_ACTION_EXEC, .args = {args, 3}};
	l->pre_stop = (struct guest_action){.kind = GUEST_ACTION_SLEEP, .sleep_s = 6};
	l->termination_path = "/dev/termination-log";
	return run;
}

static long encode(const struct guest_run *run)
{
	uint8_t *out = mem_alloc(GUEST_RUN_FRAMES_MAX);
	struct err e = ERR_INIT;
	long n = guest_run_encode(run, out, GUEST_RUN_FRAMES_MAX, &e);

	free(out);
	return n;
}

static void life_round_trip(void **state)
{
	struct guest_run *run = example(), *got = mem_alloc(sizeof(*got));
	uint8_t *out = mem_alloc(GUEST_RUN_FRAMES_MAX);
	const struct guest_container *c = &got->containers[0];
	const struct guest_probe *p = &c->life.probes[GUEST_PROBE_READINESS];
	struct err e = ERR_INIT;
	long n = guest_run_encode(run, out, GUEST_RUN_FRAMES_MAX, &e);

	(void)state;
	assert_true(n > GUEST_FRAME_HEADER);
	assert_int_equal(guest_run_decode(out + GUEST_FRAME_HEADER, (size_t)n - GUEST_FRAME_HEADER,
					  got, &e),
			 0);
	assert_string_equal(got->fqdn, run->fqdn);
	assert_true(got->share_pids && c->sidecar && c->default_seccomp);
	assert_int_equal(got->grace_ms, 30000);
	assert_int_equal(p->action.kind, GUEST_ACTION_HTTP);
	assert_string_equal(p->action.path, "/up?x");
	assert_string_equal(p->action.headers.at[1], "X-B: c");
	assert_int_equal(p->action.port, 80);
	assert_int_equal(p->success_threshold, 4);
	assert_int_equal(p->grace_ms, GUEST_GRACE_POD);
	assert_int_equal(c->life.probes[GUEST_PROBE_LIVENESS].action.kind, GUEST_ACTION_NONE);
	assert_string_equal(c->life.post_start.args.at[2], "true");
	assert_int_equal(c->life.pre_stop.sleep_s, 6);
	assert_string_equal(c->life.termination_path, "/dev/termination-log");
	free(run);
	free(got);
	free(out);
}

static void life_refuses(void **state)
{
	struct guest_run *run = example();
	struct guest_container *c = &run->containers[0];
	struct guest_probe *p = &c->life.probes[GUEST_PROBE_READINESS], good = *p;

	(void)state;
	assert_true(encode(run) > 0);
	p->period_s = 0;
	assert_int_equal(encode(run), -EBADMSG);
	*p = good;
	p->timeout_s = GUEST_PROBE_S_MAX + 1;
	assert_int_equal(encode(run), -EBADMSG);
	*p = good;
	p->failure_threshold = 0;
	assert_int_equal(encode(run), -EBADMSG);
	*p = good;
	p->action.port = 0;
	assert_int_equal(encode(run), -EBADMSG);
	*p = good;
	p->action.kind = GUEST_ACTION_SLEEP;
	assert_int_equal(encode(run), -EBADMSG);
	*p = good;
	p->action.kind = (enum guest_action_kind)9;
	assert_int_equal(encode(run), -EBADMSG);
	*p = good;
	c->life.post_start.args.count = 0;
	assert_int_equal(encode(run), -EBADMSG);
	c->life.post_start.args.count = 3;
	c->life.termination_path = "relative";
	assert_int_equal(encode(run), -EINVAL);
	c->life.termination_path = "";
	c->init = false;
	assert_int_equal(encode(run), -EINVAL);
	free(run);
}

static void probed_round_trip(void **state)
{
	struct guest_probed m = {3,   7, true, false, GUEST_PROBED_FAILED, GUEST_PROBE_LIVENESS,
				 "no"},
			    got;
	struct guest_frame f;
	uint8_t out[128];
	long n = guest_probed_encode(&m, out, sizeof(out));

	(void)state;
	assert_int_equal(guest_frame_parse(out, (size_t)n, &f), n);
	assert_int_equal(f.type, GUEST_MSG_PROBED);
	assert_int_equal(guest_probed_decode(&f, &got), 0);
	assert_int_equal(got.container, 3);
	assert_int_equal(got.restart_count, 7);
	assert_true(got.started && !got.ready);
	assert_int_equal(got.event, GUEST_PROBED_FAILED);
	assert_int_equal(got.kind, GUEST_PROBE_LIVENESS);
	assert_string_equal(got.message, "no");
	out[GUEST_FRAME_HEADER + 7] = GUEST_PROBED_PRE_STOP_FAILED + 1;
	assert_int_equal(guest_probed_decode(&f, &got), -EBADMSG);
	out[GUEST_FRAME_HEADER + 7] = 0;
	out[GUEST_FRAME_HEADER + 8] = GUEST_PROBE_KINDS;
	assert_int_equal(guest_probed_decode(&f, &got), -EBADMSG);
	out[GUEST_FRAME_HEADER + 8] = 0;
	out[GUEST_FRAME_HEADER] = GUEST_CONTAINERS_MAX;
	assert_int_equal(guest_probed_decode(&f, &got), -EBADMSG);
	m.container = GUEST_CONTAINERS_MAX;
	assert_int_equal(guest_probed_encode(&m, out, sizeof(out)), -EINVAL);
}

/* Encoders' output as seeds for the fuzzer: GUEST_CORPUS=FOLDER */
static void write_corpus(void **state)
{
	struct guest_probed m = {1,  2, true, true, GUEST_PROBED_WARNING, GUEST_PROBE_READINESS,
				 "w"};
	struct guest_exit x = {.container = 1, .code = 3, .message = "bye\n", .message_len = 4};
	uint8_t *out = mem_alloc(GUEST_RUN_FRAMES_MAX);
	struct guest_run *run = example();
	char path[512];
	FILE *f;
	long n;

	(void)state;
	if (getenv("GUEST_CORPUS")) {
		snprintf(path, sizeof(path), "%s/life", getenv("GUEST_CORPUS"));
		f = fopen(path, "w");
		assert_non_null(f);
		n = guest_probed_encode(&m, out, GUEST_RUN_FRAMES_MAX);
		fwrite(out, 1, (size_t)n, f);
		n = guest_exit_encode(&x, out, GUEST_RUN_FRAMES_MAX);
		fwrite(out, 1, (size_t)n, f);
		n = guest_run_encode(run, out, GUEST_RUN_FRAMES_MAX, NULL);
		fwrite(out, 1, (size_t)n, f);
		fclose(f);
	}
	free(run);
	free(out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(life_round_trip),
		cmocka_unit_test(life_refuses),
		cmocka_unit_test(probed_round_trip),
		cmocka_unit_test(write_corpus),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
