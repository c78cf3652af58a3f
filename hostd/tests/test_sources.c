// SPDX-License-Identifier: Apache-2.0
/* What a pod gets of the API: variables from every source, what is missing, what comes late. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/mem.h"
#include "fake_parts.h"
#include "pod_harness.h"

/* Without a resourceVersion every answer is news. */
#define MAP(data)    "{\"kind\":\"ConfigMap\",\"data\":{" data "}}"
#define SECRET(data) "{\"kind\":\"Secret\",\"data\":{" data "}}"
#define KEY(name, kind, object, key, more)                                       \
	"{\"name\":\"" name "\",\"valueFrom\":{\"" kind "\":{\"name\":\"" object \
	"\",\"key\":\"" key "\"" more "}}}"
#define FIELD(name, path) \
	"{\"name\":\"" name "\",\"valueFrom\":{\"fieldRef\":{\"fieldPath\":\"" path "\"}}}"
#define RESOURCE(name, what, divisor)                                                      \
	"{\"name\":\"" name "\",\"valueFrom\":{\"resourceFieldRef\":{\"resource\":\"" what \
	"\",\"divisor\":\"" divisor "\"}}}"

/* A pod whose image is there; the API has not answered yet. */
static void begin(const char *meta, const char *container)
{
	list_pods("[]");
	apply("u1", "Always", meta, container, "");
	fake_pulled(NULL);
	run_ms(10);
}

static void to_orders(void)
{
	run_ms(10);
	assert_int_equal(fake.started, 1);
	fake_hello(GUEST_STATE_WAITING);
	run_ms(10);
	assert_int_equal(fake.run_sent, 1);
}

static const char all_kinds[] =
	",\"resources\":{\"limits\":{\"cpu\":\"1500m\",\"memory\":\"64Mi\"}}"
	",\"args\":[\"$(PAIR)\",\"$$(PAIR)\"]"
	",\"envFrom\":[{\"prefix\":\"P_\",\"configMapRef\":{\"name\":\"m\"}},"
	"{\"secretRef\":{\"name\":\"s\"}}],\"env\":["
	/* clang-format off */
	KEY("K", "configMapKeyRef", "m", "k", "") ","
	KEY("S", "secretKeyRef", "s", "pw", "") ","
	FIELD("N", "metadata.name") ","
	FIELD("L", "metadata.labels['app']") ","
	FIELD("AN", "metadata.annotations['a.b/c']") ","
	FIELD("IP", "status.podIP") ","
	FIELD("HOST", "status.hostIP") ","
	RESOURCE("C", "limits.cpu", "1") ","
	RESOURCE("CM", "limits.cpu", "1m") ","
	RESOURCE("MEM", "limits.memory", "1Mi") ","
	RESOURCE("ES", "limits.ephemeral-storage", "1Mi") ","
																	/* clang-format on */
																	"{\"name\":\"PAIR\",\"value\":\"$(K)-$(S)-$(P_k)-$(none)\"}]";

static void test_all_kinds(void **state)
{
	char want[512];

	(void)state;
	begin(",\"labels\":{\"app\":\"web\"},\"annotations\":{\"a.b/c\":\"x y\"}", all_kinds);
	assert_int_equal(fake.started, 0);
	assert_int_equal(asked, 2); /* one question for each object, whoever names it */
	assert_true(api_answer("m", MAP("\"k\":\"v\",\"no good\":\"1\"")));
	assert_int_equal(fake.started, 0);
	assert_true(api_answer("s", SECRET("\"pw\":\"c2VjcmV0\"")));
	to_orders();
	assert_string_equal(fake.run_args, "/entry|v-secret-v-$(none)|$(PAIR)");
	snprintf(want, sizeof(want),
		 "PATH=/bin|A=image|P_k=v|pw=secret|K=v|S=secret|N=web|L=web|AN=x y|"
		 "IP=10.88.0.2|HOST=192.0.2.1|C=2|CM=1500|MEM=64|ES=%llu|"
		 "PAIR=v-secret-v-$(none)",
		 (unsigned long long)(DISK_SCRATCH_MIN >> 20));
	assert_string_equal(fake.run_env, want);
	assert_non_null(strstr(trail, "InvalidEnvironmentVariableNames "));
	/* What only the environment named is not looked at again. */
	run_ms(2 * REFRESH_MS);
	assert_int_equal(asked, 2);
}

static void test_missing_object(void **state)
{
	(void)state;
	begin("", ",\"env\":[" KEY("K", "configMapKeyRef", "m", "k", "") "]");
	assert_true(api_answer("m", NULL));
	settle();
	assert_true(status_has("\"reason\":\"CreateContainerConfigError\","
			       "\"message\":\"configmap \\\"m\\\" not found\""));
	assert_true(status_has("\"phase\":\"Pending\""));
	run_ms(600);
	assert_true(api_answer("m", MAP("\"other\":\"v\""))); /* asked for again */
	settle();
	assert_true(status_has("\"message\":\"couldn't find key k in ConfigMap default/m\""));
	run_ms(1000);
	assert_true(api_answer("m", MAP("\"k\":\"late\"")));
	to_orders();
	assert_string_equal(fake.run_env, "PATH=/bin|A=image|K=late");
	settle();
	assert_false(status_has("CreateContainerConfigError"));
}

static void test_optional(void **state)
{
	(void)state;
	begin("", ",\"envFrom\":[{\"secretRef\":{\"name\":\"s\",\"optional\":true}}],\"env\":[" KEY(
			  "K", "configMapKeyRef", "m", "k",
			  ",\"optional\":true") "," KEY("G", "configMapKeyRef", "gone", "k",
							",\"optional\":true") "]");
	assert_true(api_answer("m", MAP("\"other\":\"v\"")));
	assert_true(api_answer("gone", NULL));
	assert_int_equal(fake.started, 0); /* whether there is one has to be known */
	assert_true(api_answer("s", NULL));
	to_orders();
	assert_string_equal(fake.run_env, "PATH=/bin|A=image");
}

static void test_refused_at_first(void **state)
{
	(void)state;
	begin("", ",\"env\":[" KEY("K", "secretKeyRef", "s", "k", "") "]");
	for (int i = 0; i < 3; i++) {
		assert_true(api_answer("s", "no relationship found between node and this object"));
		settle();
		assert_false(status_has("no relationship")); /* it passes */
		run_ms(300U << i);
	}
	assert_true(api_answer("s", SECRET("\"k\":\"MQ==\"")));
	to_orders();
	assert_string_equal(fake.run_env, "PATH=/bin|A=image|K=1");
}

static void test_bad_values(void **state)
{
	char *text = mem_alloc(300000), *k;

	(void)state;
	begin("", ",\"env\":[" KEY("K", "secretKeyRef", "s", "k", "") "]");
	assert_true(api_answer("s", SECRET("\"k\":\"MQ=\"")));
	settle();
	assert_true(status_has("key k: not base64"));
	run_ms(700);
	assert_true(api_answer("s", SECRET("\"k\":\"YQBi\"")));
	settle();
	assert_true(status_has("env K: a value with a NUL"));
	run_ms(1200);
	k = text + sprintf(text, "{\"kind\":\"Secret\",\"data\":{\"k\":\"");
	memset(k, 'A', 200000);
	memcpy(k + 200000, "\"}}", 4);
	assert_true(api_answer("s", text));
	settle();
	assert_true(status_has("env K: longer than 131071 bytes"));
	assert_int_equal(fake.started, 0);
	free(text);
}

/* Each variable doubles the one before: 2^40 bytes, if it were let. */
static void test_explosion(void **state)
{
	struct buf b = BUF_INIT(0);

	(void)state;
	buf_puts(&b, ",\"env\":[{\"name\":\"V0\",\"value\":\"xxxxxxxx\"}");
	for (int i = 1; i < 40; i++)
		buf_printf(&b, ",{\"name\":\"V%d\",\"value\":\"$(V%d)$(V%d)\"}", i, i - 1, i - 1);
	buf_puts(&b, "]");
	begin("", b.data);
	settle();
	assert_true(status_has("longer than 131071 bytes"));
	assert_int_equal(fake.started, 0);
	buf_done(&b);
}

static void test_api_address(void **state)
{
	(void)state;
	pods = pods_free(pods);
	api_host = "10.0.2.2";
	pods_start();
	begin("", ",\"env\":[{\"name\":\"A\",\"value\":\"$(KUBERNETES_SERVICE_HOST)\"},"
		  "{\"name\":\"KUBERNETES_PORT\",\"value\":\"mine\"}]");
	to_orders();
	assert_string_equal(
		fake.run_env,
		"PATH=/bin|KUBERNETES_SERVICE_HOST=10.0.2.2|KUBERNETES_SERVICE_PORT=6443|"
		"KUBERNETES_SERVICE_PORT_HTTPS=6443|KUBERNETES_PORT=mine|"
		"KUBERNETES_PORT_6443_TCP=tcp://10.0.2.2:6443|"
		"KUBERNETES_PORT_6443_TCP_PROTO=tcp|KUBERNETES_PORT_6443_TCP_PORT=6443|"
		"KUBERNETES_PORT_6443_TCP_ADDR=10.0.2.2|A=10.0.2.2");
}

/* A pod that comes later wants what the API has then; both share one question. */
static void test_fresh_for_each(void **state)
{
	static const char env[] = ",\"env\":[" KEY("K", "configMapKeyRef", "m", "k", "") "]";

	(void)state;
	begin("", env);
	apply("u2", "Always", "", env, "");
	fake_pulled(NULL);
	run_ms(10);
	assert_int_equal(asked, 1);
	assert_true(api_answer("m", MAP("\"k\":\"1\"")));
	assert_int_equal(asked, 2); /* the second came after the first question */
	assert_int_equal(fake.started, 1);
	assert_true(api_answer("m", MAP("\"k\":\"1\"")));
	assert_int_equal(fake.started, 2);
	assert_int_equal(asked, 2);
}

/* A pod that is deleted while it waits asks no more (the teardown looks for open questions). */
static void test_deleted_while_waiting(void **state)
{
	(void)state;
	begin("", ",\"env\":[" KEY("K", "configMapKeyRef", "m", "k", "") "]");
	apply("u1", "Always", DELETED("0"), "", "");
	settle();
	settle();
	assert_int_equal(deleted, 1);
	assert_false(api_answer("m", NULL));
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_all_kinds),	  T(test_missing_object), T(test_optional),
		T(test_refused_at_first), T(test_bad_values),	  T(test_explosion),
		T(test_api_address),	  T(test_fresh_for_each), T(test_deleted_while_waiting),
	};

	log_set_level(LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
