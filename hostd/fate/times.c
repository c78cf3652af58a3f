// SPDX-License-Identifier: Apache-2.0
/*
 * The kernel's clock begins with the kernel; what was before is told by whoever was there, each by a clock of his own:
 * the firmware (FPDT), and the boot service, which knows when a machine asked for its script and for its last file. What
 * nobody knows is left out.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"
#include "fate/fate.h"

#define TIMES_FILE_MAX 512

/* As in the file, and with "Ms" in the annotation */
static const char *const names[FATE_MARKS] = {
	[FATE_KERNEL] = "kernel",   [FATE_EARLY] = "early",	[FATE_INIT] = "init",
	[FATE_DEVICES] = "devices", [FATE_NETWORK] = "network", [FATE_ENROL] = "enrol",
	[FATE_READY] = "ready",
};

static int read_text(const char *path, struct buf *b)
{
	int r = file_read(AT_FDCWD, path, b, NULL);

	return r < 0 ? r : b->len ? 0 : -ENODATA;
}

void fate_times_load(struct fate_times *t, const char *path)
{
	struct buf b = BUF_INIT(TIMES_FILE_MAX);
	char *save, *line;

	*t = (struct fate_times){.fetch_ms = 0};
	(void)str_copy(t->path, sizeof(t->path), path);
	if (read_text(path, &b) == 0)
		for (line = strtok_r(b.data, "\n", &save); line;
		     line = strtok_r(NULL, "\n", &save)) {
			char *value = strchr(line, ' ');

			if (!value)
				continue;
			*value++ = '\0';
			for (int i = 0; i < FATE_MARKS; i++)
				if (str_eq(line, names[i]))
					(void)str_u64(value, FATE_TIMES_VALUE_MAX, &t->at_ms[i]);
		}
	buf_done(&b);
}

void fate_times_mark(struct fate_times *t, enum fate_mark mark, uint64_t now_ms)
{
	struct buf b = BUF_INIT(TIMES_FILE_MAX);

	if (t->at_ms[mark] || !now_ms || now_ms > FATE_TIMES_VALUE_MAX)
		return;
	t->at_ms[mark] = now_ms;
	for (int i = 0; i < FATE_MARKS; i++)
		if (t->at_ms[i])
			(void)buf_printf(&b, "%s %llu\n", names[i],
					 (unsigned long long)t->at_ms[i]);
	if (*t->path)
		(void)file_write(AT_FDCWD, t->path, buf_str(&b), b.len, 0644, NULL);
	buf_done(&b);
}

static uint64_t number(const char *dir, const char *name, const char *prefix)
{
	_cleanup_free_ char *path = name ? mem_printf("%s/%s", dir, name) : mem_strdup(dir);
	struct buf b = BUF_INIT(TIMES_FILE_MAX);
	uint64_t n = 0;
	const char *at;

	if (read_text(path, &b) == 0) {
		at = str_starts(str_trim(b.data), prefix);
		if (!at || str_u64(at, UINT64_MAX, &n) < 0)
			n = 0;
	}
	buf_done(&b);
	return n;
}

static uint64_t sane(uint64_t ms)
{
	return ms <= FATE_TIMES_VALUE_MAX ? ms : 0;
}

void fate_times_before(struct fate_times *t, const char *fpdt_dir, const char *fetched)
{
	_cleanup_free_ char *dir = mem_printf("%s/boot", fpdt_dir);
	uint64_t launch_ns = number(dir, "bootloader_launch_ns", "");
	uint64_t exit_ns = number(dir, "exitbootservice_end_ns", "");

	t->firmware_ms = sane(launch_ns / 1000000);
	t->loader_ms = launch_ns && exit_ns > launch_ns ? sane((exit_ns - launch_ns) / 1000000) : 0;
	t->fetch_ms = sane(number(fetched, NULL, "fetch_ms="));
}

static void put(struct json_doc *doc, struct json *root, const char *name, uint64_t ms)
{
	char key[32];

	snprintf(key, sizeof(key), "%sMs", name);
	json_put_int(doc, root, key, (int64_t)ms);
}

int fate_times_text(const struct fate_times *t, const char *boot_id, char *out)
{
	_cleanup_json_ struct json_doc *doc = json_doc_new();
	struct json *root = json_new_obj(doc);
	struct buf text = BUF_INIT(FATE_TIMES_BYTES - 1);
	uint64_t last_ms = 0;
	int r;

	json_put_str(doc, root, "bootID", boot_id);
	if (t->firmware_ms)
		put(doc, root, "firmware", t->firmware_ms);
	if (t->loader_ms)
		put(doc, root, "loader", t->loader_ms);
	if (t->fetch_ms)
		put(doc, root, "fetch", t->fetch_ms);
	for (int i = 0; i < FATE_MARKS; i++) {
		uint64_t at_ms = t->at_ms[i];

		if (at_ms && (i == 0 || last_ms) && at_ms >= last_ms)
			put(doc, root, names[i], at_ms - last_ms);
		last_ms = at_ms;
	}
	if (t->at_ms[FATE_READY])
		put(doc, root, "total", t->at_ms[FATE_READY]);
	r = json_write(root, &text);
	if (r == 0)
		r = str_copy(out, FATE_TIMES_BYTES, buf_str(&text));
	buf_done(&text);
	return r;
}
