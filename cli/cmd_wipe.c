// SPDX-License-Identifier: Apache-2.0
/*
 * hyper wipe: have a host wipe disks, and wait for its report. The request names each disk by its name and its serial
 * number, as the host has told them: what is called so by then and is another disk is refused there.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/random.h"
#include "base/str.h"
#include "cmd.h"
#include "disks.h"
#include "node.h"
#include "table.h"

#define WIPE_DISKS_MAX 64
#define WIPE_POLL_US   1000000
#define WIPE_TIMEOUT_S 86400
#define WIPE_SAY_MS    10000
#define WIPE_LINE_MAX  256

/* Annotations of Nodes, docs/disks.md */
#define WIPE_KEY  "hypermetal.io/wipe"
#define WIPED_KEY "hypermetal.io/wiped"

struct wipe {
	struct cmd *c;
	const char *host, *method;
	const char *disks[WIPE_DISKS_MAX];
	size_t count;
	bool all, yes, status;
	uint64_t timeout_s;
	char id[33];
};

static const char *text_of(const struct json *o, const char *key)
{
	return json_str(json_get(o, key), "");
}

/* ---- which ---- */

static bool means(const char *word, const struct json *disk)
{
	const char *name = str_starts(word, "/dev/");

	return str_eq(name ? name : word, text_of(disk, "name")) ||
	       (*text_of(disk, "serial") && str_eq(word, text_of(disk, "serial")));
}

static int add(struct json_doc *doc, struct json *list, const struct json *disk, struct err *e)
{
	struct json *o;

	if (json_count(list) == WIPE_DISKS_MAX)
		return err_set(e, -E2BIG, "more than %d disks", WIPE_DISKS_MAX);
	o = json_new_obj(doc);
	json_put_str(doc, o, "name", text_of(disk, "name"));
	json_put_str(doc, o, "serial", text_of(disk, "serial"));
	json_push(doc, list, o);
	return 0;
}

static int add_named(struct json_doc *doc, struct json *list, const struct json *disks,
		     const char *word, struct err *e)
{
	struct json_iter it = json_iter(disks);
	const struct json *found = NULL;

	while (json_next(&it)) {
		if (!means(word, it.value))
			continue;
		if (found)
			return err_set(e, -EINVAL, "several of its disks are called %s", word);
		found = it.value;
	}
	if (!found)
		return err_set(e, -ENOENT, "it has no disk %s; `hyper describe host` shows them",
			       word);
	return add(doc, list, found, e);
}

/* {"id", "boot", "method", "disks"} */
static int request(struct wipe *w, const struct json *node, struct json_doc *doc, struct err *e)
{
	_cleanup_json_ struct json_doc *known = disks_of(node);
	const struct json *disks = json_get(json_root(known), "disks");
	struct json *root = json_new_obj(doc), *list;
	struct json_iter it = json_iter(disks);
	uint8_t id[16];
	int r = 0;

	json_set_root(doc, root);
	random_fill(id, sizeof(id));
	json_put_str(doc, root, "id", str_hex(w->id, id, sizeof(id)));
	json_put_str(doc, root, "boot", node_info(node, "bootID"));
	json_put_str(doc, root, "method", w->method);
	list = json_arr_of(doc, root, "disks");
	if (!known)
		return err_set(e, -ENOENT, "it has not told yet which disks it has");
	while (w->all && r == 0 && json_next(&it))
		r = add(doc, list, it.value, e);
	for (size_t i = 0; i < w->count && r == 0; i++)
		r = add_named(doc, list, disks, w->disks[i], e);
	return r == 0 && !json_count(list) ? err_set(e, -ENOENT, "it has no disks") : r;
}

/* ---- sure? ---- */

static int confirm(const struct wipe *w, const struct json *rq, struct err *e)
{
	struct json_iter it = json_iter(json_get(rq, "disks"));
	char line[WIPE_LINE_MAX];

	if (w->yes)
		return 0;
	fprintf(stderr, "All data on these disks of %s will be lost:\n", w->host);
	while (json_next(&it))
		fprintf(stderr, "  %s, serial %s\n",
			str_visible(line, sizeof(line), text_of(it.value, "name")),
			*text_of(it.value, "serial") ? text_of(it.value, "serial") : "unknown");
	fprintf(stderr, "Type the host's name to wipe them: ");
	if (!fgets(line, sizeof(line), stdin) || !str_eq(str_trim(line), w->host))
		return err_set(e, -ECANCELED, "that is not its name; nothing was done");
	return 0;
}

/* ---- how far ---- */

static struct json_doc *wiped_of(const struct json *node)
{
	const char *text = node_annotation(node, WIPED_KEY);
	struct json_doc *doc = NULL;

	return *text && json_parse(text, strlen(text), &doc, NULL) == 0 ? doc : NULL;
}

static void print_report(const struct json *report)
{
	static const char *const headers[] = {"NAME",  "SERIAL",    "METHOD", "STATE", "STARTED",
					      "ENDED", "READ BACK", "WHY",    NULL};
	struct json_iter it = json_iter(json_get(report, "disks"));
	struct table *t = table_new(headers);

	while (json_next(&it)) {
		int64_t percent = json_int(json_get(it.value, "percent"), -1);
		int64_t samples = json_int(json_get(it.value, "samples"), 0);
		char state[32], back[48] = "";

		snprintf(state, sizeof(state), "%.16s", text_of(it.value, "state"));
		if (percent >= 0)
			snprintf(state, sizeof(state), "%lld %%", (long long)percent);
		if (samples)
			snprintf(back, sizeof(back), "%lld samples: %.10s", (long long)samples,
				 text_of(it.value, "verified"));
		table_add(t,
			  (const char *[]){text_of(it.value, "name"), text_of(it.value, "serial"),
					   text_of(it.value, "method"), state,
					   text_of(it.value, "started"), text_of(it.value, "ended"),
					   back, text_of(it.value, "error")});
	}
	table_print(t, stdout);
}

/* Return: 1 when all have ended, -EIO when one has failed by then, 0 */
static int over(const struct json *report)
{
	struct json_iter it = json_iter(json_get(report, "disks"));
	bool failed = false;

	while (json_next(&it)) {
		if (str_eq(text_of(it.value, "state"), "running"))
			return 0;
		failed |= !str_eq(text_of(it.value, "state"), "wiped");
	}
	return failed ? -EIO : 1;
}

static int show(const struct wipe *w, const struct json *report)
{
	if (w->c->json)
		return cmd_print_json(report);
	print_report(report);
	return CMD_OK;
}

static int status(struct wipe *w, const struct json *node)
{
	_cleanup_json_ struct json_doc *report = wiped_of(node);
	struct err e = ERR_INIT;

	if (!report) {
		(void)err_set(&e, -ENOENT, "no disk of it has been wiped");
		return cmd_fail(&e, w->host);
	}
	return show(w, json_root(report));
}

static void say(const struct wipe *w, const struct json *report)
{
	struct json_iter it = json_iter(json_get(report, "disks"));

	while (isatty(STDERR_FILENO) && json_next(&it))
		if (json_get(it.value, "percent"))
			fprintf(stderr, "%s: %s: %lld %%\n", w->host, text_of(it.value, "name"),
				(long long)json_int(json_get(it.value, "percent"), 0));
}

static int wait_for_it(struct wipe *w)
{
	uint64_t until_ms = clock_mono_ms() + w->timeout_s * 1000, said_ms = clock_mono_ms();
	struct err e = ERR_INIT;

	while (clock_mono_ms() < until_ms) {
		_cleanup_json_ struct json_doc *node = NULL, *report = NULL;
		int r;

		usleep(WIPE_POLL_US);
		if (node_get(w->c, w->host, &node, NULL) < 0)
			continue; /* the controller may be away for a moment */
		report = wiped_of(json_root(node));
		if (!report || !str_eq(text_of(json_root(report), "id"), w->id))
			continue;
		r = over(json_root(report));
		if (r)
			return show(w, json_root(report)) == CMD_OK && r > 0 ? CMD_OK : CMD_FAILED;
		if (clock_mono_ms() > said_ms + WIPE_SAY_MS) {
			said_ms = clock_mono_ms();
			say(w, json_root(report));
		}
	}
	(void)err_set(&e, -ETIMEDOUT, "not over after %llu s; it goes on: hyper wipe %s --status",
		      (unsigned long long)w->timeout_s, w->host);
	return cmd_fail(&e, w->host);
}

/* ---- the command ---- */

static int begin(struct wipe *w, const struct json *node, struct err *e)
{
	_cleanup_json_ struct json_doc *doc = json_doc_new();
	struct buf text = BUF_INIT(65536);
	int r;

	if (str_eq(cmd_node_ready(node), "Unknown"))
		return err_set(e, -EHOSTDOWN, "does not answer");
	r = request(w, node, doc, e);
	if (r == 0)
		r = confirm(w, json_root(doc), e);
	if (r == 0)
		r = json_write(json_root(doc), &text);
	if (r == 0)
		r = node_ask(w->c, w->host, WIPE_KEY, buf_str(&text), w->id, e);
	buf_done(&text);
	return r;
}

static int options(struct wipe *w, int argc, char **argv)
{
	static const struct option longs[] = {{"disk", required_argument, NULL, 'd'},
					      {"all", no_argument, NULL, 'a'},
					      {"method", required_argument, NULL, 'm'},
					      {"yes", no_argument, NULL, 'y'},
					      {"status", no_argument, NULL, 's'},
					      {"timeout", required_argument, NULL, 't'},
					      {NULL, 0, NULL, 0}};
	int opt;

	while ((opt = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		if (opt == 'd' && w->count < WIPE_DISKS_MAX)
			w->disks[w->count++] = optarg;
		else if (opt == 'a')
			w->all = true;
		else if (opt == 'm')
			w->method = optarg;
		else if (opt == 'y')
			w->yes = true;
		else if (opt == 's')
			w->status = true;
		else if (opt != 't')
			return cmd_usage(argv[0], "unknown option, or too many disks");
		else if (str_u64(optarg, 30ULL * WIPE_TIMEOUT_S, &w->timeout_s) < 0)
			return cmd_usage(argv[0], "--timeout takes seconds");
	}
	if (optind + 1 != argc)
		return cmd_usage(argv[0], "which host? exactly one");
	w->host = argv[optind];
	if (!w->status && w->all == (w->count > 0))
		return cmd_usage(argv[0], "which disks? --disk DISK... or --all");
	return CMD_OK;
}

static int method_check(const char *method)
{
	static const char *const methods[] = {"auto",	       "discard",	   "nvme-format",
					      "nvme-sanitize", "ata-secure-erase", "overwrite"};

	for (size_t i = 0; i < ARRAY_SIZE(methods); i++)
		if (str_eq(method, methods[i]))
			return CMD_OK;
	return cmd_usage("wipe", "--method is one of auto, discard, nvme-format, nvme-sanitize, "
				 "ata-secure-erase, overwrite");
}

int cmd_wipe(struct cmd *c, int argc, char **argv)
{
	struct wipe w = {.c = c, .method = "auto", .timeout_s = WIPE_TIMEOUT_S};
	_cleanup_json_ struct json_doc *doc = NULL;
	struct err e = ERR_INIT;
	int r = options(&w, argc, argv);

	if (r == CMD_OK)
		r = method_check(w.method);
	if (r != CMD_OK)
		return r;
	if (node_get(c, w.host, &doc, &e) < 0)
		return cmd_fail(&e, w.host);
	if (w.status)
		return status(&w, json_root(doc));
	if (begin(&w, json_root(doc), &e) < 0)
		return cmd_fail(&e, w.host);
	return wait_for_it(&w);
}
