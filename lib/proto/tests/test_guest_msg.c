// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "proto/guest_msg.h"
#include "proto/wire.h"

static void wire_round_trip(void **state)
{
	uint8_t data[128];
	struct wire_writer w;
	struct wire_reader r, sub;
	size_t begin;

	(void)state;
	wire_write(&w, data, sizeof(data));
	wire_put_u16(&w, 0x1234);
	begin = wire_begin(&w);
	wire_put_u64(&w, 0x0102030405060708);
	wire_put_str(&w, "nginx");
	wire_put_u8(&w, 99); /* a field that the reader doesn't know */
	wire_end(&w, begin);
	wire_put_str(&w, NULL);
	assert_false(w.failed);
	assert_int_equal(data[0], 0x34);

	wire_read(&r, data, w.len);
	assert_int_equal(wire_u16(&r), 0x1234);
	wire_record(&r, &sub);
	assert_int_equal(wire_u64(&sub), 0x0102030405060708);
	assert_string_equal(wire_str(&sub, 5), "nginx");
	assert_int_equal(wire_left(&sub), 1);
	assert_string_equal(wire_str(&r, 0), "");
	assert_true(wire_ok(&r));
	assert_int_equal(wire_left(&r), 0);
	assert_int_equal(wire_u8(&r), 0);
	assert_false(wire_ok(&r));
}

static void wire_refuses(void **state)
{
	static const uint8_t no_nul[] = {2, 0, 0, 0, 'a', 'b', 'c'};
	static const uint8_t nul_within[] = {2, 0, 0, 0, 'a', 0, 0};
	static const uint8_t too_long[] = {3, 0, 0, 0, 'a', 'b', 'c', 0};
	static const uint8_t huge[] = {0xff, 0xff, 0xff, 0xff, 'a', 0};
	static const struct {
		const uint8_t *data;
		size_t len;
	} cases[] = {
		{no_nul, sizeof(no_nul)},
		{nul_within, sizeof(nul_within)},
		{too_long, sizeof(too_long)},
		{huge, sizeof(huge)},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct wire_reader r, sub;

		wire_read(&r, cases[i].data, cases[i].len);
		assert_string_equal(wire_str(&r, 2), "");
		assert_false(wire_ok(&r));
		assert_int_equal(wire_left(&r), 0);
		wire_read(&r, huge, sizeof(huge));
		wire_record(&r, &sub);
		assert_false(wire_ok(&r) || wire_ok(&sub));
	}
}

static void wire_writer_overflows(void **state)
{
	uint8_t data[6];
	struct wire_writer w;

	(void)state;
	wire_write(&w, data, sizeof(data));
	wire_put_u32(&w, 1);
	wire_put_u32(&w, 2);
	assert_true(w.failed);
	assert_int_equal(w.len, 4);
}

static void frame_bounds(void **state)
{
	uint8_t data[GUEST_FRAME_HEADER + 3] = {3, 0, 0, 0, 4, 0, 7, 0, 'a', 'b', 'c'};
	struct guest_frame f;

	(void)state;
	for (size_t len = 0; len < sizeof(data); len++)
		assert_int_equal(guest_frame_parse(data, len, &f), 0);
	assert_int_equal(guest_frame_parse(data, sizeof(data), &f), sizeof(data));
	assert_int_equal(f.type, GUEST_MSG_LOG);
	assert_int_equal(f.stream, 7);
	assert_int_equal(f.len, 3);
	assert_memory_equal(f.payload, "abc", 3);
	data[2] = 1; /* 64 KiB + 3 */
	assert_int_equal(guest_frame_parse(data, sizeof(data), &f), -EMSGSIZE);
}

static struct guest_frame parsed(const void *data, long len)
{
	struct guest_frame f;

	assert_true(len > 0);
	assert_int_equal(guest_frame_parse(data, (size_t)len, &f), len);
	return f;
}

static void messages_round_trip(void **state)
{
	uint8_t data[GUEST_LOG_DATA_MAX + 64];
	struct guest_hello hello = {1, 3, GUEST_STATE_RUNNING, 1234, "6.12.1"}, hello2;
	struct guest_welcome welcome = {1, GUEST_LOG_WINDOW}, welcome2;
	struct guest_started started = {3, 77, 1000, 5}, started2;
	struct guest_exit ended = {15, 137, 9, true, 1, 2, 3, GUEST_BACKOFF_NEVER, "b\0e", 3},
			  ended2;
	struct guest_failed failed = {GUEST_POD, 128, 9, 0, 10000, "StartError", "no"}, failed2;
	struct guest_log line = {2, GUEST_STREAM_STDERR, 1ULL << 40, 5, "out\n", 4}, line2;
	struct guest_stop stop = {30000, true}, stop2;
	struct guest_frame f;
	uint16_t stream;
	uint32_t bytes;

	(void)state;
	f = parsed(data, guest_hello_encode(&hello, data, sizeof(data)));
	assert_int_equal(guest_hello_decode(&f, &hello2), 0);
	assert_int_equal(hello2.version_max, 3);
	assert_int_equal(hello2.state, GUEST_STATE_RUNNING);
	assert_string_equal(hello2.build, "6.12.1");

	f = parsed(data, guest_welcome_encode(&welcome, data, sizeof(data)));
	assert_int_equal(guest_welcome_decode(&f, &welcome2), 0);
	assert_int_equal(welcome2.log_window, GUEST_LOG_WINDOW);

	f = parsed(data, guest_started_encode(&started, data, sizeof(data)));
	assert_int_equal(guest_started_decode(&f, &started2), 0);
	assert_memory_equal(&started, &started2, sizeof(started));

	f = parsed(data, guest_exit_encode(&ended, data, sizeof(data)));
	assert_int_equal(guest_exit_decode(&f, &ended2), 0);
	assert_int_equal(ended2.code, 137);
	assert_true(ended2.oom);
	assert_int_equal(ended2.backoff_ms, GUEST_BACKOFF_NEVER);
	assert_int_equal(ended2.message_len, 3);
	assert_memory_equal(ended2.message, "b\0e", 3);

	f = parsed(data, guest_failed_encode(&failed, data, sizeof(data)));
	assert_int_equal(guest_failed_decode(&f, &failed2), 0);
	assert_int_equal(failed2.container, GUEST_POD);
	assert_string_equal(failed2.message, "no");

	f = parsed(data, guest_log_encode(&line, data, sizeof(data)));
	assert_int_equal(f.stream, 5);
	assert_int_equal(guest_log_decode(&f, &line2), 0);
	assert_int_equal(line2.container, 2);
	assert_int_equal(line2.stream, GUEST_STREAM_STDERR);
	assert_true(line2.offset == line.offset);
	assert_int_equal(line2.len, 4);
	assert_memory_equal(line2.data, "out\n", 4);

	f = parsed(data, guest_stop_encode(&stop, data, sizeof(data)));
	assert_int_equal(guest_stop_decode(&f, &stop2), 0);
	assert_int_equal(stop2.grace_ms, 30000);
	assert_true(stop2.done_seen);

	f = parsed(data, guest_credit_encode(31, 4096, data, sizeof(data)));
	assert_int_equal(guest_credit_decode(&f, &stream, &bytes), 0);
	assert_int_equal(stream, 31);
	assert_int_equal(bytes, 4096);
	assert_int_equal(guest_done_encode(data, 7), -ENOBUFS);
}

static void messages_out_of_range(void **state)
{
	uint8_t data[128];
	struct guest_started started = {GUEST_CONTAINERS_MAX, 1, 1, 1};
	struct guest_hello hello = {2, 1, GUEST_STATE_WAITING, 0, ""};
	struct guest_frame f;
	uint16_t stream;
	uint32_t bytes;

	(void)state;
	f = parsed(data, guest_started_encode(&started, data, sizeof(data)));
	assert_int_equal(guest_started_decode(&f, &started), -EBADMSG);
	f = parsed(data, guest_hello_encode(&hello, data, sizeof(data)));
	assert_int_equal(guest_hello_decode(&f, &hello), -EBADMSG);
	f = parsed(data, guest_credit_encode(GUEST_CREDIT_STREAMS_MAX, 1, data, sizeof(data)));
	assert_int_equal(guest_credit_decode(&f, &stream, &bytes), -EBADMSG);
	f.len = 3;
	f.stream = 0;
	assert_int_equal(guest_credit_decode(&f, &stream, &bytes), -EBADMSG);
}

static void versions(void **state)
{
	(void)state;
	assert_int_equal(guest_version_pick(GUEST_MSG_VERSION_MIN, GUEST_MSG_VERSION_MIN),
			 GUEST_MSG_VERSION_MIN);
	assert_int_equal(guest_version_pick(1, GUEST_MSG_VERSION_MIN - 1), 0);
	assert_int_equal(guest_version_pick(1, 9), GUEST_MSG_VERSION_MAX);
	assert_int_equal(guest_version_pick(GUEST_MSG_VERSION_MAX + 1, 9), 0);
	assert_int_equal(guest_version_pick(0, 0), 0);
}

static const char *const args[] = {"nginx", "-g", "daemon off;"};
static const char *const env[] = {"PATH=/bin", "A=b"};
static const char *const dns[] = {"10.0.2.3"};

static const struct guest_mount mounts[] = {
	{.volume = 0, .path = "/var/lib/data", .sub_path = "a/b"},
	{.volume = 2, .path = "/etc/app.conf", .read_only = true},
};

static struct guest_run *run_example(void)
{
	struct guest_run *run = mem_alloc(sizeof(*run));

	run->hostname = "web";
	run->net = (struct guest_net){
		.address = 0x0a010203,
		.prefix = 24,
		.gateway = 0x0a010201,
		.dns_servers = {dns, 1},
	};
	run->layer_count = 2;
	run->layers[0] = (struct guest_layer){0, 4096};
	run->layers[1] = (struct guest_layer){4096, 8192};
	run->fs_group = 1000;
	run->volume_count = 3;
	run->volumes[0] = (struct guest_volume){GUEST_VOLUME_DISK, 1 << 24, 1 << 20};
	run->volumes[1] = (struct guest_volume){.kind = GUEST_VOLUME_MEMORY};
	run->volumes[2] = (struct guest_volume){.kind = GUEST_VOLUME_FILES};
	run->container_count = 1;
	run->containers[0] = (struct guest_container){
		.name = "web",
		.layers = {0, 1},
		.layer_count = 2,
		.args = {args, 3},
		.env = {env, 2},
		.user = "nginx",
		.groups = {7},
		.group_count = 1,
		.stop_signal = "SIGQUIT",
		.read_only_root = true,
		.privileged = true,
		.must_not_be_root = true,
		.caps_drop = UINT64_MAX,
		.memory_bytes = 1 << 20,
		.pids = 100,
		.mounts = mounts,
		.mount_count = 2,
	};
	return run;
}

/* The payloads of all frames, as the guest collects them. */
static size_t collect(const uint8_t *frames, long len, enum guest_msg_type type, uint8_t *payload)
{
	struct guest_frame f = {.stream = 1};
	size_t total = 0;

	for (long pos = 0; pos < len;) {
		long n = guest_frame_parse(frames + pos, (size_t)(len - pos), &f);

		assert_true(n > 0);
		assert_int_equal(f.type, type);
		assert_int_equal(f.stream, pos + n < len);
		memcpy(payload + total, f.payload, f.len);
		total += f.len;
		pos += n;
	}
	assert_int_equal(f.stream, 0);
	return total;
}

static void run_round_trip(void **state)
{
	struct guest_run *run = run_example(), *got = mem_alloc(sizeof(*got));
	uint8_t *frames = mem_alloc(GUEST_RUN_FRAMES_MAX), *payload = mem_alloc(GUEST_RUN_MAX);
	char *big = mem_alloc(GUEST_STR_MAX + 1);
	const char *const big_env[] = {big, big, "LAST=1"};
	const struct guest_container *c = &got->containers[0];
	struct err e = ERR_INIT;
	size_t len;

	(void)state;
	memset(big, 'x', GUEST_STR_MAX);
	run->containers[0].env = (struct guest_strings){big_env, 3};
	len = collect(frames, guest_run_encode(run, frames, GUEST_RUN_FRAMES_MAX, &e),
		      GUEST_MSG_RUN, payload);
	assert_true(len > 2 * GUEST_STR_MAX);
	assert_int_equal(guest_run_decode(payload, len, got, &e), 0);
	assert_string_equal(got->hostname, "web");
	assert_int_equal(got->net.address, 0x0a010203);
	assert_string_equal(got->net.dns_servers.at[0], "10.0.2.3");
	assert_int_equal(got->layers[1].size_bytes, 8192);
	assert_int_equal(c->args.count, 3);
	assert_string_equal(c->args.at[2], "daemon off;");
	assert_string_equal(c->env.at[2], "LAST=1");
	assert_int_equal(c->layers[1], 1);
	assert_int_equal(c->groups[0], 7);
	assert_true(c->privileged && c->read_only_root && c->must_not_be_root && !c->tty &&
		    !c->init);
	assert_true(c->caps_drop == UINT64_MAX);
	assert_int_equal(c->pids, 100);
	assert_int_equal(got->fs_group, 1000);
	assert_int_equal(got->volume_count, 3);
	assert_int_equal(got->volumes[0].offset_bytes, 1 << 24);
	assert_int_equal(got->volumes[2].kind, GUEST_VOLUME_FILES);
	assert_int_equal(c->mount_count, 2);
	assert_string_equal(c->mounts[0].path, "/var/lib/data");
	assert_string_equal(c->mounts[0].sub_path, "a/b");
	assert_false(c->mounts[0].read_only);
	assert_int_equal(c->mounts[1].volume, 2);
	assert_true(c->mounts[1].read_only);
	for (size_t cut = 0; cut < len; cut += cut < 400 ? 1 : 4096)
		assert_int_equal(guest_run_decode(payload, cut, got, &e), -EBADMSG);
	free(run);
	free(got);
	free(frames);
	free(payload);
	free(big);
}

static void run_refused(struct guest_run *run, int code, const char *reason)
{
	uint8_t *frames = mem_alloc(GUEST_RUN_FRAMES_MAX);
	struct err e = ERR_INIT;

	assert_int_equal(guest_run_encode(run, frames, GUEST_RUN_FRAMES_MAX, &e), code);
	assert_non_null(strstr(err_msg(&e), reason));
	free(frames);
	free(run);
}

static void run_bad(void **state)
{
	char *big = mem_alloc(GUEST_STR_MAX + 1);
	const char *const many[] = {big, big, big, big};
	struct guest_run *run;

	(void)state;
	memset(big, 'x', GUEST_STR_MAX);
	run = run_example();
	run->containers[0].layers[1] = 2;
	run_refused(run, -EINVAL, "container web: no layer 2");
	run = run_example();
	run->containers[0].args.count = 0;
	run_refused(run, -EINVAL, "container web: no command");
	run = run_example();
	run->layers[1].offset_bytes = 100;
	run_refused(run, -EINVAL, "layer 1: bad extent");
	run = run_example();
	run->container_count = 0;
	run_refused(run, -EINVAL, "no containers");
	run = run_example();
	run->containers[0].cwd = "tmp";
	run_refused(run, -EINVAL, "not absolute");
	run = run_example();
	run->containers[1] = run->containers[0];
	run->container_count = 2;
	run_refused(run, -EINVAL, "named twice");
	run = run_example();
	run->net.prefix = 33;
	run_refused(run, -EBADMSG, "limit");
	run = run_example();
	run->containers[0].env = (struct guest_strings){many, 4};
	run_refused(run, -E2BIG, "exceed 512 KiB");
	free(big);
}

static void volumes_bad(void **state)
{
	static const struct guest_mount bad[] = {
		{.volume = 3, .path = "/a"},
		{.path = "a"},
		{.path = "/"},
		{.path = "/a/../b"},
		{.path = "/a", .sub_path = "/b"},
		{.path = "/a", .sub_path = "b/.."},
	};
	struct guest_run *run;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		run = run_example();
		run->containers[0].mounts = &bad[i];
		run->containers[0].mount_count = 1;
		run_refused(run, -EINVAL, i ? "bad path" : "no volume 3");
	}
	run = run_example();
	run->volumes[0].offset_bytes = 0; /* there the scratch file system begins */
	run_refused(run, -EINVAL, "volume 0: bad extent");
	run = run_example();
	run->volumes[1].kind = GUEST_VOLUME_FILES + 1;
	run_refused(run, -EINVAL, "volume 1: unknown kind");
}

static void files_round_trip(void **state)
{
	char *big = mem_alloc(GUEST_FILES_BYTES_MAX);
	const struct guest_file list[] = {
		{.path = "app.conf", .mode = 0644, .data = "a = 1", .len = 5},
		{.path = "sub/..data", .mode = 0400, .uid = 1000, .data = NULL, .len = 0},
		{.path = "big", .data = big, .len = GUEST_FILES_BYTES_MAX - 5},
	};
	struct guest_files m = {.volume = 2,
				.generation = 1ULL << 40,
				.group = 7,
				.files = list,
				.count = 3},
			   got;
	struct guest_file *store = mem_array(GUEST_FILES_MAX, sizeof(*store));
	uint8_t *frames = mem_alloc(GUEST_FILES_FRAMES_MAX),
		*payload = mem_alloc(GUEST_FILES_PAYLOAD_MAX);
	struct err e = ERR_INIT;
	size_t len;

	(void)state;
	len = collect(frames, guest_files_encode(&m, frames, GUEST_FILES_FRAMES_MAX, &e),
		      GUEST_MSG_FILES, payload);
	assert_int_equal(guest_files_decode(payload, len, &got, store, &e), 0);
	assert_int_equal(got.volume, 2);
	assert_true(got.generation == 1ULL << 40);
	assert_int_equal(got.group, 7);
	assert_int_equal(got.count, 3);
	assert_string_equal(got.files[0].path, "app.conf");
	assert_int_equal(got.files[0].mode, 0644);
	assert_memory_equal(got.files[0].data, "a = 1", 5);
	assert_int_equal(got.files[1].uid, 1000);
	assert_int_equal(got.files[2].len, GUEST_FILES_BYTES_MAX - 5);
	for (size_t cut = 0; cut < len; cut += cut < 100 ? 1 : 65521)
		assert_int_equal(guest_files_decode(payload, cut, &got, store, &e), -EBADMSG);
	m.count = 0; /* an empty volume */
	assert_true(guest_files_encode(&m, frames, GUEST_FILES_FRAMES_MAX, &e) > 0);
	free(big);
	free(store);
	free(frames);
	free(payload);
}

/* An encoder stays within the room that it asked for, however the payload falls into frames. */
static void long_messages_fit(void **state)
{
	char *big = mem_alloc(2 * GUEST_FRAME_PAYLOAD_MAX);
	struct guest_file file = {.path = "a", .data = big};
	struct guest_files m = {.files = &file, .count = 1};
	struct guest_run *run = run_example();
	uint8_t *payload = mem_alloc(GUEST_RUN_MAX), *frames;
	struct err e = ERR_INIT;
	long room;

	(void)state;
	for (file.len = GUEST_FRAME_PAYLOAD_MAX - 64; file.len <= GUEST_FRAME_PAYLOAD_MAX;
	     file.len++) {
		room = guest_files_room(&m, &e);
		assert_in_range(room, file.len, file.len + 64);
		frames = mem_alloc((size_t)room);
		assert_int_equal(guest_files_encode(&m, frames, (size_t)room - 1, &e), -ENOBUFS);
		assert_true(collect(frames, guest_files_encode(&m, frames, (size_t)room, &e),
				    GUEST_MSG_FILES, payload) > file.len);
		free(frames);
	}
	room = guest_run_room(run, &e);
	assert_in_range(room, 100, 4096);
	frames = mem_alloc((size_t)room);
	assert_int_equal(guest_run_encode(run, frames, (size_t)room - 1, &e), -ENOBUFS);
	collect(frames, guest_run_encode(run, frames, (size_t)room, &e), GUEST_MSG_RUN, payload);
	free(frames);
	free(payload);
	free(run);
	free(big);
}

static void files_bad(void **state)
{
	static const char *const paths[] = {"",	      "/a",   "../a", "..", "..data",
					    "a/../b", "a//b", "a/",   ".",  "a/./b"};
	uint8_t *frames = mem_alloc(GUEST_FILES_FRAMES_MAX);
	char *big = mem_alloc(GUEST_FILES_BYTES_MAX);
	struct guest_file two[2] = {{.path = "a", .data = big, .len = GUEST_FILES_BYTES_MAX},
				    {.path = "b", .data = big, .len = 1}};
	struct guest_files m = {.files = two, .count = 2};
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(guest_files_encode(&m, frames, GUEST_FILES_FRAMES_MAX, &e), -EINVAL);
	assert_non_null(strstr(err_msg(&e), "exceed 4 MiB"));
	m.count = GUEST_FILES_MAX + 1;
	assert_int_equal(guest_files_encode(&m, frames, GUEST_FILES_FRAMES_MAX, &e), -E2BIG);
	m.count = 1;
	two[0].len = 1;
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		two[0].path = paths[i];
		assert_int_equal(guest_files_encode(&m, frames, GUEST_FILES_FRAMES_MAX, &e),
				 -EINVAL);
		assert_string_equal(err_msg(&e), "file 0: bad path");
	}
	two[0] = (struct guest_file){.path = "a", .mode = 01000};
	assert_int_equal(guest_files_encode(&m, frames, GUEST_FILES_FRAMES_MAX, &e), -EINVAL);
	two[0].mode = 0777;
	m.volume = GUEST_VOLUMES_MAX;
	assert_int_equal(guest_files_encode(&m, frames, GUEST_FILES_FRAMES_MAX, &e), -EINVAL);
	free(big);
	free(frames);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wire_round_trip),
		cmocka_unit_test(wire_refuses),
		cmocka_unit_test(wire_writer_overflows),
		cmocka_unit_test(frame_bounds),
		cmocka_unit_test(messages_round_trip),
		cmocka_unit_test(messages_out_of_range),
		cmocka_unit_test(versions),
		cmocka_unit_test(run_round_trip),
		cmocka_unit_test(run_bad),
		cmocka_unit_test(volumes_bad),
		cmocka_unit_test(files_round_trip),
		cmocka_unit_test(long_messages_fit),
		cmocka_unit_test(files_bad),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
