// SPDX-License-Identifier: Apache-2.0
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "trial/state.h"
#include "trial/trial.h"

#define MINUTE 60U

/* ---- the rules ---- */

static const char *broken; /* a version that cannot be read */

static bool usable(const char *version, void *arg)
{
	(void)arg;
	return strlen(version) == 1 && strchr("ABD", version[0]) &&
	       !(broken && str_eq(version, broken));
}

static const struct state_images images = {
	.standard = "D", .any = "D", .nameless = "sha256-", .usable = usable};

static void assert_gets(struct state *s, uint64_t now_s, const char *wanted, bool on_trial)
{
	bool trial;

	assert_string_equal(state_choose(s, &images, "boot-0", now_s, TRIAL_S, &trial), wanted);
	assert_int_equal(trial, on_trial);
}

static void assert_up(struct state *s, const char *version)
{
	state_ready(s, &images, version, "boot-1");
	assert_string_equal(s->good, version);
}

static void test_default(void **state)
{
	struct state s = {.attempts = 0};

	(void)state;
	/* Nothing else is there: it is given again and again. */
	for (unsigned int i = 0; i < 10; i++)
		assert_gets(&s, i * MINUTE * 5, "D", false);
	assert_false(state_ready(&s, &images, "D", "boot-0")); /* of the boot before */
	assert_true(state_ready(&s, &images, "D", "boot-1"));
	assert_false(state_ready(&s, &images, "D", "boot-1"));
	assert_string_equal(s.good, "D");
	assert_string_equal(s.why, "");
}

static void test_three_boots(void **state)
{
	struct state s = {.good = "A"};

	(void)state;
	assert_true(state_assign(&s, "B", false));
	assert_gets(&s, 0, "B", true);
	assert_gets(&s, 60, "B", true);
	assert_gets(&s, 120, "B", true);
	assert_gets(&s, 180, "A", false);
	assert_string_equal(s.why, "B: not Ready after 3 boots");
	assert_up(&s, "A");
	assert_string_equal(s.failed, "B");
	/* However often it boots from now on, also much later */
	assert_gets(&s, 4000, "A", false);
	assert_gets(&s, 8000, "A", false);
	/* The same assignment is no news, being made again is. */
	assert_false(state_assign(&s, "B", false));
	assert_gets(&s, 9000, "A", false);
	assert_true(state_assign(&s, "B", true));
	assert_gets(&s, 9001, "B", true);
	assert_up(&s, "B");
	assert_string_equal(s.failed, "");
	assert_string_equal(s.why, "");
	assert_gets(&s, 9002, "B", false);
}

static void test_ten_minutes(void **state)
{
	struct state s = {.good = "A", .assigned = "B"};

	(void)state;
	assert_gets(&s, 1000, "B", true);
	assert_false(state_expire(&s, 1000 + TRIAL_S - 1, TRIAL_S));
	assert_gets(&s, 1000 + TRIAL_S, "A", false);
	assert_string_equal(s.why, "B: not Ready within 10 minutes");
	/* Told also when no further boot is asked for */
	s = (struct state){.good = "A", .assigned = "B"};
	assert_gets(&s, 1000, "B", true);
	assert_true(state_expire(&s, 1000 + TRIAL_S, TRIAL_S));
	assert_false(state_expire(&s, 1000 + TRIAL_S, TRIAL_S));
	assert_string_equal(s.failed, "B");
	/* It was only slow. */
	assert_true(state_ready(&s, &images, "B", "boot-1"));
	assert_string_equal(s.good, "B");
	assert_string_equal(s.failed, "");
	assert_string_equal(s.why, "");
	/* A clock that is set back ends a trial, too. */
	s = (struct state){.good = "A", .assigned = "B"};
	assert_gets(&s, 1000, "B", true);
	assert_gets(&s, 10, "A", false);
}

/* No good one yet: the default it is. */
static void test_no_good(void **state)
{
	struct state s = {.assigned = "B"};

	(void)state;
	for (unsigned int i = 0; i < TRIAL_BOOTS; i++)
		assert_gets(&s, i, "B", true);
	assert_gets(&s, 10, "D", false);
	assert_up(&s, "D");
	assert_gets(&s, 20, "D", false);
}

/* A default that is replaced is on trial like any other. */
static void test_new_default(void **state)
{
	struct state s = {.good = "A"};

	(void)state;
	for (unsigned int i = 0; i < TRIAL_BOOTS; i++)
		assert_gets(&s, i, "D", true);
	assert_gets(&s, 10, "A", false);
	assert_true(state_assign(&s, "A", false));
	assert_string_equal(s.why, "");
	assert_gets(&s, 11, "A", false);
}

static void test_unreadable(void **state)
{
	const struct state_images none = {
		.standard = "", .any = "", .nameless = "sha256-", .usable = usable};
	struct state s = {.good = "A", .assigned = "C"};
	bool trial;

	(void)state;
	assert_gets(&s, 0, "A", false);
	assert_string_equal(s.why, "C: not among the controller's images, or unreadable");
	broken = "A";
	assert_gets(&s, 1, "D", false);
	broken = "D";
	s = (struct state){.good = "A"};
	assert_gets(&s, 2, "A", false); /* the default is unreadable */
	broken = NULL;
	s = (struct state){.attempts = 0};
	assert_string_equal(state_choose(&s, &none, "", 0, TRIAL_S, &trial), "");
	/* Once it can be read it counts as new. */
	s = (struct state){.good = "A", .assigned = "B"};
	broken = "B";
	assert_gets(&s, 3, "A", false);
	broken = NULL;
	assert_gets(&s, 4, "B", true);
	assert_up(&s, "B");
	assert_string_equal(s.why, "");
}

/* Up, but with another image than it was given: nothing is proved. */
static void test_another(void **state)
{
	struct state s = {.good = "A", .assigned = "B"};

	(void)state;
	assert_gets(&s, 0, "B", true);
	assert_false(state_ready(&s, &images, "A", "boot-1"));
	assert_string_equal(s.trying, "B");
	assert_false(state_ready(&s, &images, "Z", "boot-1")); /* none of ours */
	assert_string_equal(s.good, "A");
}

/* ---- with a store ---- */

struct world {
	struct store *store;
	struct trial *trial;
};

static const char *standard(void *arg)
{
	(void)arg;
	return "D";
}

static int set_up(void **state)
{
	static const char *const volatiles[] = {"events", NULL};
	const struct store_config store = {.volatiles = volatiles};
	const struct trial_config config = {.hosts = "hosts",
					    .os_prefix = "HyperMetal ",
					    .nameless = "sha256-",
					    .standard = standard,
					    .usable = usable,
					    .any = standard};
	struct world *w = mem_alloc(sizeof(*w));

	assert_int_equal(store_open(NULL, &store, &w->store, NULL), 0);
	assert_int_equal(trial_new(NULL, w->store, &config, &w->trial, NULL), 0);
	*state = w;
	return 0;
}

static int tear_down(void **state)
{
	struct world *w = *state;

	trial_free(w->trial);
	store_close(w->store);
	free(w);
	return 0;
}

static void put_node(struct world *w, const char *annotations, const char *image, const char *boot)
{
	struct json_doc *doc = NULL;
	struct err e = ERR_INIT;
	char text[1024];
	int r;

	snprintf(text, sizeof(text),
		 "{\"metadata\":{\"name\":\"n\",\"annotations\":{%s}},\"status\":{\"nodeInfo\":"
		 "{\"osImage\":\"HyperMetal %s\",\"bootID\":\"%s\"},\"conditions\":[{\"type\":"
		 "\"Ready\",\"status\":\"True\"}]}}",
		 annotations, image, boot);
	assert_int_equal(json_parse(text, strlen(text), &doc, NULL), 0);
	r = store_get(w->store, "nodes", "", "n")
		    ? store_update(w->store, "nodes", "", "n", 0, doc, NULL, &e)
		    : store_create(w->store, "nodes", "", "n", doc, NULL, &e);
	if (r < 0)
		fail_msg("%s", err_msg(&e));
	store_dispatch(w->store);
	store_dispatch(w->store);
}

static void assert_boots(struct world *w, const char *wanted, bool limited)
{
	struct trial_choice c;

	assert_int_equal(trial_choose(w->trial, "n", &c, NULL), 0);
	assert_string_equal(c.version, wanted);
	assert_int_equal(c.limit_s > 0, limited);
	store_dispatch(w->store);
}

static const char *trouble(struct world *w)
{
	struct store_object *o = store_get(w->store, "nodes", "", "n");

	return json_str(
		json_at(json_root(o->doc), "metadata", "annotations", TRIAL_TROUBLE_KEY, NULL), "");
}

static void test_store(void **state)
{
	struct world *w = *state;
	char why[160];

	assert_boots(w, "D", false);
	put_node(w, "", "D", "1");
	put_node(w, "\"hypermetal.io/image\":\"B\"", "D", "1");
	assert_true(trial_uses(w->trial, "B", why));
	assert_string_equal(why, "B is the image of host n");
	assert_true(trial_uses(w->trial, "D", why));
	assert_string_equal(why, "D is the last good image of host n");
	assert_false(trial_uses(w->trial, "A", why));
	for (unsigned int i = 0; i < TRIAL_BOOTS; i++)
		assert_boots(w, "B", true);
	put_node(w, "\"hypermetal.io/image\":\"B\"", "D", "1"); /* still of the boot before */
	assert_boots(w, "D", false);
	assert_string_equal(trouble(w), "B: not Ready after 3 boots; the last good one is D");
	assert_int_equal(store_count(w->store, "events"), 1);
	put_node(w,
		 "\"hypermetal.io/image\":\"B\",\"hypermetal.io/image-trouble\":"
		 "\"B: not Ready after 3 boots; the last good one is D\"",
		 "D", "2");
	assert_boots(w, "D", false);
	/* Assigned again: hyper takes the trouble away. */
	put_node(w, "\"hypermetal.io/image\":\"B\"", "D", "2");
	assert_string_equal(trouble(w), "");
	assert_boots(w, "B", true);
	put_node(w, "\"hypermetal.io/image\":\"B\"", "B", "3");
	assert_boots(w, "B", false);
	assert_false(trial_uses(w->trial, "D", why));
	/* A Node that goes takes what is known along. */
	assert_int_equal(store_delete(w->store, "nodes", "", "n", 0, NULL), 0);
	store_dispatch(w->store);
	assert_int_equal(store_count(w->store, "boots"), 0);
	assert_boots(w, "D", false);
}

/* An annotation may be anything. */
static void test_hostile(void **state)
{
	struct world *w = *state;

	put_node(w, "\"hypermetal.io/image\":\"../../etc/passwd\"", "D", "1");
	assert_boots(w, "D", false);
	put_node(w,
		 "\"hypermetal.io/image\":\"0123456789012345678901234567890123456789"
		 "012345678901234567890123456789\"",
		 "D", "2");
	assert_boots(w, "D", false);
	put_node(w, "\"hypermetal.io/image\":[]", "", "3");
	assert_boots(w, "D", false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_default),
		cmocka_unit_test(test_three_boots),
		cmocka_unit_test(test_ten_minutes),
		cmocka_unit_test(test_no_good),
		cmocka_unit_test(test_new_default),
		cmocka_unit_test(test_unreadable),
		cmocka_unit_test(test_another),
		cmocka_unit_test_setup_teardown(test_store, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_hostile, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
