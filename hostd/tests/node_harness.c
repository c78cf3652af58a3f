// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../lib/http/tests/certs.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"
#include "fake_signer.h"
#include "node_harness.h"

struct node_harness harness;

static void on_pod(enum node_pod_event event, const struct json *pod, void *arg)
{
	(void)arg;
	snprintf(harness.seen + strlen(harness.seen), sizeof(harness.seen) - strlen(harness.seen),
		 "%c:%s ", "AMD"[event], json_str(json_at(pod, "metadata", "name", NULL), "?"));
}

static void on_list(const struct json *pods, void *arg)
{
	(void)arg;
	harness.lists++;
	harness.list_size = (int)json_count(pods);
}

static void on_serving(const char *cert_pem, const char *key_pem, void *arg)
{
	(void)cert_pem;
	(void)key_pem;
	(void)arg;
	snprintf(harness.seen + strlen(harness.seen), sizeof(harness.seen) - strlen(harness.seen),
		 "serving ");
}

static void on_node(const struct json *object, void *arg)
{
	(void)object;
	(void)arg;
}

static void on_date(const char *date, void *arg)
{
	(void)date;
	(void)arg;
}

static void node_images(struct json_doc *doc, struct json *list, void *arg)
{
	struct json *image = json_new_obj(doc);

	(void)arg;
	json_put_int(doc, image, "sizeBytes", harness.image_bytes);
	json_push(doc, list, image);
}

void harness_run_ms(uint64_t ms)
{
	uint64_t end_ms = clock_mono_ms() + ms;

	do
		assert_int_equal(loop_once(&harness.loop, 5), 0);
	while (clock_mono_ms() < end_ms);
}

void harness_wait(const char *method, const char *path, int count)
{
	uint64_t end_ms = clock_mono_ms() + 5000;

	while (fake_api_count(method, path) < count && clock_mono_ms() < end_ms)
		assert_int_equal(loop_once(&harness.loop, 5), 0);
	if (fake_api_count(method, path) < count)
		fail_msg("%s %s came %d times, not %d", method, path, fake_api_count(method, path),
			 count);
	harness_run_ms(20);
}

int harness_start(const char *token, struct err *e)
{
	static const struct node_ops ops = {
		.on_pod = on_pod,
		.on_list = on_list,
		.on_serving = on_serving,
		.on_node = on_node,
		.on_date = on_date,
		.images = node_images,
	};
	struct node_config config = {
		.loop = &harness.loop,
		.api = fake_api_url(),
		.name = "h1",
		.ca_pem = TEST_CA_CRT,
		.token = token,
		.state_dir = harness.dir,
		.runtime_version = "hostd://test",
		.address = "192.0.2.7",
		.port = 10251,
		.machine = {4, 110, 1 << 30, 1 << 29, 1 << 28, "m", "s", "b", "k", "os", "p"},
	};

	return node_new(&config, &ops, NULL, &harness.node, e);
}

void harness_identity(void)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/client.pem", harness.dir);
	assert_int_equal(file_write(AT_FDCWD, path, TEST_CLIENT_CRT TEST_CLIENT_KEY,
				    strlen(TEST_CLIENT_CRT TEST_CLIENT_KEY), 0600, NULL),
			 0);
}

void harness_rule(const char *method, const char *path, int status, const char *body, int times)
{
	const struct fake_rule r = {method, path, status, body, NULL, times, false};

	fake_api_on(&r);
}

void harness_well(void)
{
	const struct fake_rule watch = {"GET", WATCH, 200, "", NULL, 0, true};

	harness_rule("POST", "/api/v1/nodes", 201, NULL, 0);
	harness_rule("PATCH", "/api/v1/nodes/h1/status", 200, "{\"metadata\":{}}", 0);
	harness_rule("POST", LEASES, 201, NULL, 0);
	harness_rule("PUT", LEASES, 200, NULL, 0);
	harness_rule("POST", FAKE_CSRS, 201, NULL, 0);
	harness_rule("GET", LIST, 200,
		     "{\"metadata\":{\"resourceVersion\":\"5\"},\"items\":[" POD("a", "3") "]}", 0);
	fake_api_on(&watch);
}

void harness_known(void)
{
	struct err e = ERR_INIT;

	harness_well();
	harness_identity();
	assert_int_equal(harness_start(NULL, &e), 0);
}

int harness_setup(void **state)
{
	(void)state;
	(void)str_copy(harness.dir, sizeof(harness.dir), "/tmp/test_node.XXXXXX");
	assert_non_null(mkdtemp(harness.dir));
	harness.seen[0] = '\0';
	harness.lists = 0;
	harness.list_size = -1;
	harness.image_bytes = 4096;
	assert_int_equal(loop_init(&harness.loop), 0);
	fake_api_start(&harness.loop);
	return 0;
}

int harness_teardown(void **state)
{
	(void)state;
	harness.node = node_free(harness.node);
	harness_run_ms(10);
	fake_api_stop();
	loop_done(&harness.loop);
	assert_int_equal(file_remove_tree(AT_FDCWD, harness.dir), 0);
	return 0;
}

bool has(const char *text, const char *part)
{
	return strstr(text, part) != NULL;
}
