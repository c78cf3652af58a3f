// SPDX-License-Identifier: Apache-2.0
/*
 * hyper drain, reboot and reimage: one host after the other, and no further one when one did not come
 * back as it should.
 *
 * Pods that something would make again elsewhere are evicted. Others stay bound to their host: hostd
 * stops them within their grace when it reboots, and they begin again when the host is back.
 */
#include <errno.h>
#include <getopt.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"
#include "cmd.h"
#include "node.h"

#define DRAIN_POLL_US	500000
#define DRAIN_TIMEOUT_S 1200

/* Annotations of Nodes, docs/reimage.md */
#define DRAIN_REBOOT_KEY "hypermetal.io/reboot"

struct drain {
	struct cmd *c;
	const char *image, *selector;
	bool reboot, reimage; /* what follows; neither: drain alone */
	bool bare; /* pods that nothing makes again, too */
	uint64_t timeout_s; /* of one host */
	uint64_t until_ms; /* clock_mono_ms() */
};

static void progress(const char *host, const char *what)
{
	if (isatty(STDERR_FILENO))
		fprintf(stderr, "%s: %s\n", host, what);
}

static bool late(const struct drain *d)
{
	return clock_mono_ms() >= d->until_ms;
}

/* ---- cordon ---- */

static int cordon(const struct drain *d, const char *host, bool is, struct err *e)
{
	_cleanup_free_ char *path = node_path(host);
	_cleanup_json_ struct json_doc *doc = json_doc_new();

	/* A drain alone is the operator's own cordon. */
	return api_call(d->c->api, "PATCH", path, cmd_cordon_patch(doc, is, is && d->reboot), NULL,
			e);
}

/* Cordoned by somebody else: that stays when we are done. */
static bool cordoned_by_other(const struct json *node)
{
	return json_bool(json_at(node, "spec", "unschedulable", NULL), false) &&
	       !*node_annotation(node, CMD_CORDON_KEY);
}

/* ---- pods ---- */

static bool has_owner(const struct json *pod, const char *kind)
{
	struct json_iter it = json_iter(json_at(pod, "metadata", "ownerReferences", NULL));

	while (json_next(&it))
		if (json_bool(json_get(it.value, "controller"), false) &&
		    (!kind || str_eq(json_str(json_get(it.value, "kind"), ""), kind)))
			return true;
	return false;
}

/* Over, or bound to the host by what it is */
static bool stays(const struct json *pod)
{
	const char *phase = json_str(json_at(pod, "status", "phase", NULL), "");

	return str_eq(phase, "Succeeded") || str_eq(phase, "Failed") ||
	       has_owner(pod, "DaemonSet") || *node_annotation(pod, "kubernetes.io/config.mirror");
}

static int evict_by(const struct drain *d, const struct json *pod, const char *api_version,
		    struct err *e)
{
	const char *ns = json_str(json_at(pod, "metadata", "namespace", NULL), "");
	const char *name = json_str(json_at(pod, "metadata", "name", NULL), "");
	_cleanup_free_ char *ns_escaped = str_percent_encode(ns),
			    *name_escaped = str_percent_encode(name);
	_cleanup_free_ char *path =
		mem_printf("/api/v1/namespaces/%s/pods/%s/eviction", ns_escaped, name_escaped);
	_cleanup_json_ struct json_doc *doc = json_doc_new();
	struct json *root = json_new_obj(doc), *meta;

	json_put_str(doc, root, "apiVersion", api_version);
	json_put_str(doc, root, "kind", "Eviction");
	meta = json_obj_of(doc, root, "metadata");
	json_put_str(doc, meta, "namespace", ns);
	json_put_str(doc, meta, "name", name);
	return api_call(d->c->api, "POST", path, root, NULL, e);
}

/* policy/v1 came with Kubernetes 1.22. */
static int evict(const struct drain *d, const struct json *pod, struct err *e)
{
	int r = evict_by(d, pod, "policy/v1", e);

	if (r != -EINVAL && r != -ENOENT)
		return r;
	err_clear(e);
	return evict_by(d, pod, "policy/v1beta1", e);
}

static int pods_get(const struct drain *d, const char *host, struct json_doc **doc, struct err *e)
{
	_cleanup_free_ char *escaped = str_percent_encode(host);
	_cleanup_free_ char *path =
		mem_printf("/api/v1/pods?fieldSelector=spec.nodeName%%3D%s", escaped);

	return api_call(d->c->api, "GET", path, NULL, doc, e);
}

/* Evicts what is to go. Return: how many of those are still there; -errno */
static int pods_round(const struct drain *d, const struct json *pods, struct err *e)
{
	struct json_iter it = json_iter(json_get(pods, "items"));
	int left = 0;

	while (json_next(&it)) {
		if (stays(it.value) || (!d->bare && !has_owner(it.value, NULL)))
			continue;
		left++;
		if (json_at(it.value, "metadata", "deletionTimestamp", NULL))
			continue;
		/* A disruption budget may want that others are Ready first: the next round asks again. */
		err_clear(e);
		if (evict(d, it.value, e) < 0)
			(void)err_wrap(e, -EAGAIN, "evict %s",
				       json_str(json_at(it.value, "metadata", "name", NULL), ""));
	}
	return left;
}

static int drain_pods(struct drain *d, const char *host, struct err *e)
{
	progress(host, "draining");
	for (;;) {
		_cleanup_json_ struct json_doc *pods = NULL;
		struct err why = ERR_INIT;
		int r = pods_get(d, host, &pods, e);

		if (r == 0)
			r = pods_round(d, json_root(pods), &why);
		if (r <= 0)
			return r;
		if (late(d))
			return *err_msg(&why) ? err_set(e, -ETIMEDOUT, "%s", err_msg(&why))
					      : err_set(e, -ETIMEDOUT,
							"%d pods are still there after %llu s", r,
							(unsigned long long)d->timeout_s);
		usleep(DRAIN_POLL_US);
	}
}

/* Of a drain alone: what is left is said. Return: 0; -EBUSY */
static int tell_left(struct drain *d, const char *host, struct err *e)
{
	_cleanup_json_ struct json_doc *pods = NULL;
	struct json_iter it;
	int r = pods_get(d, host, &pods, e), left = 0;

	if (r < 0)
		return r;
	it = json_iter(json_get(json_root(pods), "items"));
	while (json_next(&it)) {
		if (stays(it.value))
			continue;
		fprintf(stderr, "hyper: %s: pod %s/%s stays: nothing would make it again\n", host,
			json_str(json_at(it.value, "metadata", "namespace", NULL), ""),
			json_str(json_at(it.value, "metadata", "name", NULL), ""));
		left++;
	}
	return left ? err_set(e, -EBUSY,
			      "%d pods are left; a reboot stops them within their grace and starts them "
			      "again, --delete removes them",
			      left)
		    : 0;
}

/* ---- the reboot ---- */

/* Until it is Ready in another boot. A controller that does not answer for a moment is asked again. */
static int reboot_wait(const struct drain *d, const char *host, const char *boot_id,
		       struct json_doc **node, struct err *e)
{
	while (!late(d)) {
		_cleanup_json_ struct json_doc *doc = NULL;
		const struct json *root;
		int r = node_get(d->c, host, &doc, e);

		root = json_root(doc);
		if (r == -ENOENT)
			return r;
		if (r == 0 && !str_eq(node_info(root, "bootID"), boot_id) &&
		    str_eq(cmd_node_ready(root), "Ready")) {
			*node = take_ptr(doc);
			return 0;
		}
		err_clear(e);
		usleep(DRAIN_POLL_US);
	}
	return err_set(e, -ETIMEDOUT, "not Ready again after %llu s",
		       (unsigned long long)d->timeout_s);
}

/* ---- the image ---- */

static int assign(const struct drain *d, const char *host, struct err *e)
{
	_cleanup_free_ char *path = node_path(host);
	_cleanup_json_ struct json_doc *doc = json_doc_new();
	struct json *root = json_new_obj(doc), *notes;

	notes = json_obj_of(doc, json_obj_of(doc, root, "metadata"), "annotations");
	json_put_str(doc, notes, CMD_IMAGE_KEY, d->image);
	/* What failed before is tried again. */
	json_put(doc, notes, CMD_TROUBLE_KEY, json_new_null(doc));
	return api_call(d->c->api, "PATCH", path, root, NULL, e);
}

/* Another API server than ours keeps no images: what is assigned there is found out when it boots. */
static int check_image(const struct drain *d, struct err *e)
{
	_cleanup_json_ struct json_doc *doc = NULL;
	struct json_iter it;

	if (api_call(d->c->api, "GET", "/hypermetal/images", NULL, &doc, NULL) < 0)
		return 0;
	it = json_iter(json_get(json_root(doc), "items"));
	while (json_next(&it))
		if (str_eq(json_str(json_at(it.value, "metadata", "name", NULL), ""), d->image))
			return 0;
	return err_set(e, -ENOENT, "the controller has no image %s; `hyper image list` lists them",
		       d->image);
}

/* ---- one host ---- */

static int came_back(struct drain *d, const char *host, const struct json *before, struct err *e)
{
	_cleanup_json_ struct json_doc *doc = NULL;
	int r = reboot_wait(d, host, node_info(before, "bootID"), &doc, e);
	const struct json *node = json_root(doc);

	if (r < 0)
		return r;
	if (!cordoned_by_other(before))
		r = cordon(d, host, false, e);
	if (r == 0 && d->reimage && !cmd_node_runs(node, d->image))
		r = err_set(e, -EIO, "came back with %s%s%s", node_info(node, "osImage"),
			    *node_annotation(node, CMD_TROUBLE_KEY) ? ": " : "",
			    node_annotation(node, CMD_TROUBLE_KEY));
	return r;
}

static int restart(struct drain *d, const char *host, const struct json *node, struct err *e)
{
	int r = drain_pods(d, host, e);

	if (r == 0)
		r = node_ask(d->c, host, DRAIN_REBOOT_KEY, node_info(node, "bootID"),
			     node_info(node, "bootID"), e);
	if (r == 0)
		progress(host, "rebooting");
	return r < 0 ? r : came_back(d, host, node, e);
}

static int drain_host(struct drain *d, const char *host, struct err *e)
{
	_cleanup_json_ struct json_doc *doc = NULL;
	const struct json *node;
	int r = node_get(d->c, host, &doc, e);

	node = json_root(doc);
	d->until_ms = clock_mono_ms() + d->timeout_s * 1000;
	if (r == 0 && d->reimage)
		r = assign(d, host, e);
	if (r < 0)
		return r;
	/* Begun before, and given up while we waited: what was left to do is the end. */
	if (d->reimage && cmd_node_runs(node, d->image))
		return *node_annotation(node, CMD_CORDON_KEY) ? cordon(d, host, false, e) : 0;
	if (d->reboot && str_eq(cmd_node_ready(node), "Unknown"))
		return err_set(e, -EHOSTDOWN, "does not answer; %s when it is switched on",
			       d->reimage ? "it boots the image" : "it boots");
	if (!cordoned_by_other(node))
		r = cordon(d, host, true, e);
	if (r == 0 && d->reboot)
		return restart(d, host, node, e);
	if (r == 0)
		r = drain_pods(d, host, e);
	return r < 0 ? r : tell_left(d, host, e);
}

static int one(struct drain *d, const char *host)
{
	_cleanup_json_ struct json_doc *doc = NULL;
	struct err e = ERR_INIT;

	if (drain_host(d, host, &e) < 0)
		return cmd_fail(&e, host);
	if (!d->c->json)
		printf("%s\n", host);
	else if (node_get(d->c, host, &doc, &e) < 0)
		return cmd_fail(&e, host);
	else
		cmd_print_json(json_root(doc));
	fflush(stdout);
	return CMD_OK;
}

static int by_selector(struct drain *d)
{
	_cleanup_json_ struct json_doc *doc = NULL;
	_cleanup_free_ char *escaped = str_percent_encode(d->selector);
	_cleanup_free_ char *path = mem_printf("/api/v1/nodes?labelSelector=%s", escaped);
	struct err e = ERR_INIT;
	struct json_iter it;
	int status = CMD_OK;

	if (api_call(d->c->api, "GET", path, NULL, &doc, &e) < 0)
		return cmd_fail(&e, "hosts");
	if (!json_count(json_get(json_root(doc), "items"))) {
		(void)err_set(&e, -ENOENT, "no host has these labels");
		return cmd_fail(&e, d->selector);
	}
	it = json_iter(json_get(json_root(doc), "items"));
	while (status == CMD_OK && json_next(&it))
		status = one(d, json_str(json_at(it.value, "metadata", "name", NULL), ""));
	return status;
}

static int options(struct drain *d, int argc, char **argv)
{
	static const struct option longs[] = {{"image", required_argument, NULL, 'i'},
					      {"selector", required_argument, NULL, 'l'},
					      {"timeout", required_argument, NULL, 't'},
					      {"delete", no_argument, NULL, 'D'},
					      {NULL, 0, NULL, 0}};
	int opt;

	while ((opt = getopt_long(argc, argv, "l:", longs, NULL)) != -1) {
		if (opt == 'i' && d->reimage)
			d->image = optarg;
		else if (opt == 'l')
			d->selector = optarg;
		else if (opt == 'D')
			d->bare = true;
		else if (opt != 't')
			return cmd_usage(argv[0], "unknown option");
		else if (str_u64(optarg, 86400, &d->timeout_s) < 0)
			return cmd_usage(argv[0], "--timeout takes seconds");
	}
	if (d->reimage && !d->image)
		return cmd_usage(argv[0], "to which image? --image VERSION");
	if ((d->selector != NULL) == (optind < argc))
		return cmd_usage(argv[0], "which hosts? HOST... or -l SELECTOR");
	return CMD_OK;
}

int cmd_drain(struct cmd *c, int argc, char **argv)
{
	struct drain d = {
		.c = c,
		.reimage = str_eq(argv[0], "reimage"),
		.reboot = !str_eq(argv[0], "drain"),
		.timeout_s = DRAIN_TIMEOUT_S,
	};
	struct err e = ERR_INIT;
	int status = options(&d, argc, argv);

	if (status != CMD_OK)
		return status;
	if (d.reimage && check_image(&d, &e) < 0)
		return cmd_fail(&e, argv[0]);
	if (d.selector)
		return by_selector(&d);
	for (int i = optind; status == CMD_OK && i < argc; i++)
		status = one(&d, argv[i]);
	return status;
}
