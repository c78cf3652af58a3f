// SPDX-License-Identifier: Apache-2.0
/*
 * Both directions of the guest protocol: the input is a stream of frames; every decoder gets every
 * payload, and all payloads of RUN frames together go through the RUN decoder, those of FILES likewise. What decodes must
 * encode again.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "proto/guest_msg.h"
#include "proto/guest_stats.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void touch(const char *s)
{
	if (strlen(s) > GUEST_STR_MAX)
		abort();
}

static void decode_small(const struct guest_frame *f)
{
	static uint8_t out[GUEST_LOG_DATA_MAX + 2048];
	struct guest_hello hello;
	struct guest_welcome welcome;
	struct guest_started started;
	struct guest_exit ended;
	struct guest_failed failed;
	struct guest_log line;
	struct guest_probed probed;
	struct guest_stop stop;
	uint16_t stream;
	uint32_t bytes;

	if (guest_hello_decode(f, &hello) == 0 && guest_hello_encode(&hello, out, sizeof(out)) < 0)
		abort();
	if (guest_welcome_decode(f, &welcome) == 0)
		guest_version_pick(welcome.version, welcome.version);
	if (guest_started_decode(f, &started) == 0 && started.container >= GUEST_CONTAINERS_MAX)
		abort();
	if (guest_exit_decode(f, &ended) == 0 && guest_exit_encode(&ended, out, sizeof(out)) < 0)
		abort();
	if (guest_failed_decode(f, &failed) == 0 &&
	    guest_failed_encode(&failed, out, sizeof(out)) < 0)
		abort();
	if (guest_log_decode(f, &line) == 0 && guest_log_encode(&line, out, sizeof(out)) < 0)
		abort();
	if (guest_probed_decode(f, &probed) == 0 &&
	    guest_probed_encode(&probed, out, sizeof(out)) < 0)
		abort();
	guest_stop_decode(f, &stop);
	if (guest_credit_decode(f, &stream, &bytes) == 0 && stream >= GUEST_CREDIT_STREAMS_MAX)
		abort();
}

static void decode_exec(const struct guest_frame *f)
{
	static uint8_t out[GUEST_FRAME_HEADER + GUEST_FRAME_PAYLOAD_MAX];
	static struct guest_exec exec;
	struct guest_stdin in;
	struct guest_resize resize;
	struct guest_signal sig;
	struct guest_exec_output output;
	struct guest_exec_end end;
	long n = 0;

	if (guest_exec_decode(f, &exec) == 0) {
		for (uint32_t i = 0; i < exec.args.count; i++)
			touch(exec.args.at[i]);
		n = guest_exec_encode(&exec, out, sizeof(out));
	}
	if (n >= 0 && guest_stdin_decode(f, &in) == 0)
		n = guest_stdin_encode(&in, out, sizeof(out));
	if (n >= 0 && guest_resize_decode(f, &resize) == 0)
		n = guest_resize_encode(&resize, out, sizeof(out));
	if (n >= 0 && guest_signal_decode(f, &sig) == 0)
		n = guest_signal_encode(&sig, out, sizeof(out));
	if (n >= 0 && guest_exec_output_decode(f, &output) == 0)
		n = guest_exec_output_encode(&output, out, sizeof(out));
	if (n >= 0 && guest_exec_end_decode(f, &end) == 0)
		n = guest_exec_end_encode(&end, out, sizeof(out));
	if (n < 0)
		abort();
}

static void decode_stats(const struct guest_frame *f)
{
	static uint8_t out[GUEST_FRAME_HEADER + GUEST_FRAME_PAYLOAD_MAX];
	struct guest_stats stats;
	uint32_t ask;

	if (guest_stats_ask_decode(f, &ask) == 0 &&
	    guest_stats_ask_encode(ask, out, sizeof(out)) < 0)
		abort();
	if (guest_stats_decode(f, &stats) == 0 && guest_stats_encode(&stats, out, sizeof(out)) < 0)
		abort();
}

static void decode_run(const uint8_t *data, size_t len)
{
	static uint8_t out[GUEST_RUN_FRAMES_MAX];
	static struct guest_run run;
	struct err e = ERR_INIT;

	if (guest_run_decode(data, len, &run, &e) < 0)
		return;
	for (uint32_t i = 0; i < run.string_count; i++)
		touch(run.strings[i]);
	for (uint32_t i = 0; i < run.container_count; i++)
		touch(run.containers[i].name);
	for (uint32_t i = 0; i < run.mount_count; i++)
		if (run.mounts[i].volume >= run.volume_count || strstr(run.mounts[i].path, "/../"))
			abort();
	if (guest_run_encode(&run, out, sizeof(out), &e) < 0)
		abort();
}

static void decode_files(const uint8_t *data, size_t len)
{
	static uint8_t out[GUEST_FILES_FRAMES_MAX];
	static struct guest_file store[GUEST_FILES_MAX];
	struct guest_files files;
	struct err e = ERR_INIT;
	size_t total = 0;

	if (guest_files_decode(data, len, &files, store, &e) < 0)
		return;
	for (uint32_t i = 0; i < files.count; i++) {
		touch(files.files[i].path);
		if (strncmp(files.files[i].path, "..", 2) == 0 ||
		    strstr(files.files[i].path, "/../"))
			abort();
		for (uint32_t k = 0; k < files.files[i].len; k++)
			total += ((const uint8_t *)files.files[i].data)[k] != 0;
	}
	if (total > GUEST_FILES_BYTES_MAX || files.volume >= GUEST_VOLUMES_MAX ||
	    guest_files_encode(&files, out, sizeof(out), &e) < 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t run[GUEST_RUN_MAX], files[GUEST_FILES_PAYLOAD_MAX];
	struct guest_frame f;
	size_t run_len = 0, files_len = 0;
	long n;

	for (size_t pos = 0; (n = guest_frame_parse(data + pos, size - pos, &f)) > 0;
	     pos += (size_t)n) {
		decode_small(&f);
		decode_exec(&f);
		decode_stats(&f);
		if (f.type == GUEST_MSG_RUN && f.len <= sizeof(run) - run_len) {
			memcpy(run + run_len, f.payload, f.len);
			run_len += f.len;
		}
		if (f.type == GUEST_MSG_FILES && f.len <= sizeof(files) - files_len) {
			memcpy(files + files_len, f.payload, f.len);
			files_len += f.len;
			if (!f.stream) {
				decode_files(files, files_len);
				files_len = 0;
			}
		}
	}
	decode_run(run, run_len);
	return 0;
}
