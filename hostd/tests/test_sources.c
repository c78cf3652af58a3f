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
#include <time.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "fake_parts.h"
#include "pod/impl.h"
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

/* Many variables with many references, and a text that opens what it never closes: hostd stays quick. */
static void test_many_references(void **state)
{
	struct buf b = BUF_INIT(0);
	clock_t start;

	(void)state;
	buf_puts(&b, ",\"env\":[{\"name\":\"LAST\",\"value\":\"x\"}");
	for (int i = 0; i < 1000; i++) {
		buf_printf(&b, ",{\"name\":\"V%d\",\"value\":\"", i);
		for (int k = 0; k < 40; k++)
			buf_printf(&b, "$(V%d)", 2000 + k);
		buf_puts(&b, "\"}");
	}
	buf_puts(&b, ",{\"name\":\"OPEN\",\"value\":\"");
	for (int i = 0; i < 60000; i++)
		buf_puts(&b, "$(");
	buf_puts(&b, "\"},{\"name\":\"LAST\",\"value\":\"$(LAST)y\"}]");
	start = clock(); /* of this process: how busy the machine is does not count */
	begin("", b.data);
	to_orders();
	assert_true(clock() - start < CLOCKS_PER_SEC);
	assert_non_null(strstr(fake.run_env, "LAST=xy|V0=$(V2000)$(V2001)"));
	buf_done(&b);
}

/* A VM that is started again is told what the API has then. */
static void test_started_again(void **state)
{
	(void)state;
	begin("", ",\"env\":[" KEY("K", "configMapKeyRef", "m", "k", "") "]");
	assert_true(api_answer("m", MAP("\"k\":\"1\"")));
	to_orders();
	guest_started(0);
	fake_vm_exit(VM_REASON_PANIC);
	run_ms(2 * BACKOFF_MS);
	fake_pulled(NULL);
	run_ms(10);
	assert_int_equal(fake.started, 1);
	assert_true(api_answer("m", MAP("\"k\":\"2\"")));
	run_ms(10);
	assert_int_equal(fake.started, 2);
	fake_hello(GUEST_STATE_WAITING);
	run_ms(10);
	assert_string_equal(fake.run_env, "PATH=/bin|A=image|K=2");
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

/* ---- volumes ---- */

#define MOUNT	     ",\"volumeMounts\":[{\"name\":\"v\",\"mountPath\":\"/v\"}]"
#define VOLUME(what) MOUNT "}],\"volumes\":[{\"name\":\"v\"," what

static void test_files_of_a_map(void **state)
{
	(void)state;
	begin("", VOLUME("\"configMap\":{\"name\":\"m\",\"defaultMode\":256}"));
	assert_true(api_answer("m", "{\"data\":{\"b\":\"2\"},\"binaryData\":{\"c\":\"AzM=\"}}"));
	to_orders();
	assert_string_equal(fake.files, "0: b(400)=2 c(400)=\0033");
	assert_int_equal(fake.files_sent, 1);
	guest_started(0);
	settle();
	/* It is looked at again; the same says nothing to the guest. */
	run_ms(REFRESH_MS * 3 / 2 + 50);
	assert_true(api_answer("m", "{\"data\":{\"b\":\"2\"},\"binaryData\":{\"c\":\"AzM=\"}}"));
	assert_int_equal(fake.files_sent, 1);
	run_ms(REFRESH_MS * 3 / 2 + 50);
	assert_true(api_answer("m", MAP("\"b\":\"3\"")));
	assert_string_equal(fake.files, "0: b(400)=3");
	/* Refused, or gone: the files stay as they are. */
	run_ms(REFRESH_MS * 3 / 2 + 50);
	assert_true(api_answer("m", "the API is out of order"));
	run_ms(REFRESH_MS * 3 / 2 + 50);
	assert_true(api_answer("m", NULL));
	assert_int_equal(fake.files_sent, 2);
	/* A guest that connects anew is told again what is known. */
	run_ms(REFRESH_MS * 3 / 2 + 50);
	assert_true(api_answer("m", "{\"immutable\":true,\"data\":{\"b\":\"4\"}}"));
	assert_int_equal(fake.files_sent, 3);
	fake_close();
	run_ms(10);
	fake_hello(GUEST_STATE_RUNNING);
	run_ms(10);
	assert_int_equal(fake.files_sent, 4);
	/* What cannot change is not looked at. */
	asked = 0;
	run_ms(REFRESH_MS * 2);
	assert_int_equal(asked, 0);
}

static void test_items(void **state)
{
	(void)state;
	begin("", VOLUME("\"secret\":{\"secretName\":\"s\",\"items\":["
			 "{\"key\":\"k\",\"path\":\"a/b\",\"mode\":292}]}"));
	assert_true(api_answer("s", SECRET("\"x\":\"MQ==\"")));
	settle();
	assert_true(status_has("MountVolume.SetUp failed for volume \\\"v\\\" : "
			       "references non-existent secret key: k"));
	assert_true(status_has("\"reason\":\"ContainerCreating\""));
	assert_non_null(strstr(trail, "FailedMount "));
	run_ms(600);
	assert_true(api_answer("s", SECRET("\"k\":\"MQ==\",\"x\":\"MQ==\"")));
	to_orders();
	assert_string_equal(fake.files, "0: a/b(444)=1");
	settle();
	assert_false(status_has("MountVolume"));
}

static void test_optional_volume(void **state)
{
	(void)state;
	begin("", VOLUME("\"configMap\":{\"name\":\"m\",\"optional\":true}"));
	assert_true(api_answer("m", NULL));
	to_orders();
	assert_string_equal(fake.files, "0:");
	run_ms(REFRESH_MS * 3 / 2 + 50);
	assert_true(api_answer("m", MAP("\"late\":\"1\"")));
	assert_string_equal(fake.files, "0: late(644)=1");
}

static void test_downward(void **state)
{
	static const char volume[] = VOLUME(
		"\"downwardAPI\":{\"items\":[{\"path\":\"labels\",\"fieldRef\":{\"fieldPath\":"
		"\"metadata.labels\"}},{\"path\":\"cpu\",\"resourceFieldRef\":{\"containerName\":"
		"\"c\",\"resource\":\"limits.cpu\"}}]}");

	(void)state;
	begin(",\"labels\":{\"z\":\"1\",\"a\":\"x\\ny\\\"\"}", volume);
	to_orders();
	assert_string_equal(fake.files, "0: labels(644)=a=\"x\\ny\\\"\"\nz=\"1\" cpu(644)=4");
	guest_started(0);
	apply("u1", "Always", ",\"labels\":{\"z\":\"2\"}", volume, "");
	assert_string_equal(fake.files, "0: labels(644)=z=\"2\" cpu(644)=4");
	assert_int_equal(fake.files_sent, 2);
	apply("u1", "Always", ",\"labels\":{\"z\":\"2\"}", volume, "");
	assert_int_equal(fake.files_sent, 2);
}

/* The volume that a real server's admission adds. */
static void test_account_token(void **state)
{
	static const char volume[] = VOLUME(
		"\"projected\":{\"defaultMode\":420,\"sources\":["
		"{\"serviceAccountToken\":{\"expirationSeconds\":3607,\"path\":\"token\"}},"
		"{\"configMap\":{\"name\":\"kube-root-ca.crt\",\"items\":[{\"key\":\"ca.crt\","
		"\"path\":\"ca.crt\"}]}},{\"downwardAPI\":{\"items\":[{\"path\":\"namespace\","
		"\"fieldRef\":{\"apiVersion\":\"v1\",\"fieldPath\":\"metadata.namespace\"}}]}}]}");

	(void)state;
	begin("", volume);
	assert_true(api_answer("kube-root-ca.crt", MAP("\"ca.crt\":\"CA\"")));
	assert_int_equal(fake.started, 0);
	assert_true(api_answer("default", "{\"status\":{\"token\":\"T1\"}}"));
	to_orders();
	assert_string_equal(fake.files, "0: token(644)=T1 ca.crt(644)=CA namespace(644)=default");
	guest_started(0);
	settle();
	/* hostd is killed: the next one takes the pod over and asks for a token of its own. */
	fake.adoptable = true;
	pods = pods_free(pods);
	pods_start();
	fake_hello(GUEST_STATE_RUNNING);
	run_ms(10);
	assert_int_equal(fake.files_sent, 1); /* nothing is known, so nothing is said */
	asked = 0;
	apply("u1", "Always", "", volume, "");
	assert_int_equal(asked, 0); /* nor asked, before the API's list is there */
	list_pods("[{\"metadata\":{\"namespace\":\"default\",\"name\":\"web\",\"uid\":\"u1\"}}]");
	assert_int_equal(asked, 2);
	assert_true(api_answer("default", "{\"status\":{\"token\":\"T2\"}}"));
	assert_int_equal(fake.files_sent, 1);
	assert_true(api_answer("kube-root-ca.crt", MAP("\"ca.crt\":\"CA\"")));
	assert_string_equal(fake.files, "0: token(644)=T2 ca.crt(644)=CA namespace(644)=default");
	assert_int_equal(fake.run_sent, 1);
}

static void test_later_source_wins(void **state)
{
	(void)state;
	begin("", VOLUME("\"projected\":{\"sources\":[{\"configMap\":{\"name\":\"m\"}},"
			 "{\"secret\":{\"name\":\"s\"}}]}"));
	assert_true(api_answer("m", MAP("\"a\":\"map\",\"b\":\"1\"")));
	assert_true(api_answer("s", SECRET("\"a\":\"MQ==\"")));
	to_orders();
	assert_string_equal(fake.files, "0: a(644)=1 b(644)=1");
}

static void test_bad_keys(void **state)
{
	static const char *const bad[] = {"..", "../x", "/x", "..x", "a//b", ""};

	(void)state;
	begin("", VOLUME("\"configMap\":{\"name\":\"m\"}"));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		char text[64];

		snprintf(text, sizeof(text), MAP("\"%s\":\"1\""), bad[i]);
		for (int k = 0; k < 100 && !api_answer("m", text); k++)
			run_ms(50);
		settle();
		assert_true(status_has("a key that cannot be a file's name"));
		if (i == 1)
			break; /* the back-off grows; the parser's test has the rest */
	}
	assert_int_equal(fake.started, 0);
}

/* A volume that is full to the last byte takes no further file. */
static void test_files_too_large(void **state)
{
	static const char head[] = "{\"kind\":\"ConfigMap\",\"data\":{\"a\":\"";
	size_t len = (size_t)GUEST_FILES_BYTES_MAX / 4;
	char *text = mem_alloc(sizeof(head) + len + 4), *end = stpcpy(text, head);

	(void)state;
	begin("", VOLUME("\"configMap\":{\"name\":\"m\",\"items\":["
			 "{\"key\":\"a\",\"path\":\"1\"},{\"key\":\"a\",\"path\":\"2\"},"
			 "{\"key\":\"a\",\"path\":\"3\"},{\"key\":\"a\",\"path\":\"4\"},"
			 "{\"key\":\"a\",\"path\":\"5\"}]}"));
	memset(end, 'x', len);
	memcpy(end + len, "\"}}", 4);
	assert_true(api_answer("m", text));
	settle();
	assert_true(status_has("more than 4 MiB of files"));
	assert_int_equal(fake.started, 0);
	free(text);
}

/* What the guest cannot take now is sent a little later. */
static void test_files_wait(void **state)
{
	(void)state;
	begin("", VOLUME("\"configMap\":{\"name\":\"m\"}"));
	assert_true(api_answer("m", MAP("\"a\":\"1\"")));
	fake.files_result = -ENOBUFS;
	fake_hello(GUEST_STATE_WAITING);
	run_ms(20);
	assert_int_equal(fake.run_sent, 0);
	fake.files_result = 0;
	run_ms(350);
	assert_int_equal(fake.files_sent, 1);
	assert_int_equal(fake.run_sent, 1);
}

static void test_pull_secrets(void **state)
{
	(void)state;
	list_pods("[]");
	apply("u1", "Always", "",
	      "}],\"imagePullSecrets\":[{\"name\":\"a\"},{\"name\":\"b\"},"
	      "{\"name\":\"gone\"},{}],\"x\":[{",
	      "");
	assert_int_equal(fake.wait_count, 0); /* nothing is pulled before all are there */
	/* {"auths":{"https://index.docker.io/v1/":{"auth":"dTpw"},"r:5/x":{"username":"u","password":"q"},
	 *  "bad":{"auth":"dQ=="},"worse":{"auth":"dTpw\r\nX: y"}}} */
	assert_true(api_answer(
		"a",
		SECRET("\".dockerconfigjson\":\"eyJhdXRocyI6eyJodHRwczovL2luZGV4LmRvY2tlci5pby92MS8iOnsi"
		       "YXV0aCI6ImRUcHcifSwicjo1L3giOnsidXNlcm5hbWUiOiJ1IiwicGFzc3dvcmQiOiJxIn0sImJh"
		       "ZCI6eyJhdXRoIjoiZFE9PSJ9LCJ3b3JzZSI6eyJhdXRoIjoiZFRwd1xyXG5YOiB5In19fQ==\"")));
	/* {"h":{"auth":"dTpw"}} */
	assert_true(api_answer("b", SECRET("\".dockercfg\":\"eyJoIjp7ImF1dGgiOiJkVHB3In19\"")));
	assert_int_equal(fake.wait_count, 0);
	assert_true(api_answer("gone", NULL));
	assert_int_equal(fake.wait_count, 1);
	assert_string_equal(fake.logins, "docker.io=dTpw r:5/x=dTpx h=dTpw ");
	assert_non_null(strstr(trail, "FailedToRetrieveImagePullSecret "));
	fake_pulled(NULL);
	to_orders();
	run_ms(2 * REFRESH_MS);
	assert_int_equal(asked, 3);
}

static void test_renewal(void **state)
{
	static const struct {
		uint64_t life_s, least_s, most_s;
	} cases[] = {
		{600, 432, 480}, {3607, 2597, 2886}, {864000, 77760, 86400},
		{12, 10, 10},	 {0, 10, 10},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		for (uint32_t k = 0; k < 64; k++) {
			uint64_t ms = source_renew_ms(cases[i].life_s * 1000, k * 0x04000000U + k);

			assert_in_range(ms, cases[i].least_s * 1000 - 999, cases[i].most_s * 1000);
		}
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_all_kinds),
		T(test_missing_object),
		T(test_optional),
		T(test_refused_at_first),
		T(test_bad_values),
		T(test_explosion),
		T(test_started_again),
		T(test_many_references),
		T(test_api_address),
		T(test_fresh_for_each),
		T(test_deleted_while_waiting),
		T(test_files_of_a_map),
		T(test_items),
		T(test_optional_volume),
		T(test_downward),
		T(test_account_token),
		T(test_later_source_wins),
		T(test_bad_keys),
		T(test_files_too_large),
		T(test_files_wait),
		T(test_pull_secrets),
		cmocka_unit_test(test_renewal),
	};

	log_set_level(LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
