// SPDX-License-Identifier: Apache-2.0
/* hyper run: builds one Pod object from the command line, creates it, and waits until it runs. */
#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/quantity.h"
#include "base/random.h"
#include "base/str.h"
#include "cmd.h"

#define RUN_TIMEOUT_S 120
#define RUN_POLL_MS   250
#define RUN_NAME_MAX  63

struct run {
	const char *name, *cpu, *memory, *restart, *host, *image;
	uint64_t timeout_s;
	bool detach;
	struct json_doc *doc;
	struct json *ports, *env;
};

/* "8080:80", "127.0.0.1:8080:80/udp" */
static int run_port(struct run *r, const char *text, struct err *e)
{
	_cleanup_free_ char *copy = mem_strdup(text);
	char *protocol = strchr(copy, '/'), *pod, *host, *ip = NULL;
	uint64_t pod_port, host_port;
	struct json *port;

	if (protocol)
		*protocol++ = '\0';
	pod = strrchr(copy, ':');
	if (!pod)
		return err_set(e, -EINVAL, "--publish %s: not HOSTPORT:PORT", text);
	*pod++ = '\0';
	host = strrchr(copy, ':');
	if (host) {
		*host++ = '\0';
		ip = copy;
	} else {
		host = copy;
	}
	if (str_u64(pod, 65535, &pod_port) < 0 || str_u64(host, 65535, &host_port) < 0 ||
	    !pod_port || !host_port ||
	    (protocol && !str_eq(protocol, "tcp") && !str_eq(protocol, "udp")))
		return err_set(e, -EINVAL, "--publish %s: not HOSTPORT:PORT", text);
	port = json_new_obj(r->doc);
	json_put_int(r->doc, port, "containerPort", (int64_t)pod_port);
	json_put_int(r->doc, port, "hostPort", (int64_t)host_port);
	json_put_str(r->doc, port, "protocol", protocol && str_eq(protocol, "udp") ? "UDP" : "TCP");
	if (ip)
		json_put_str(r->doc, port, "hostIP", ip);
	json_push(r->doc, r->ports, port);
	return 0;
}

static int run_env(struct run *r, const char *text, struct err *e)
{
	const char *equals = strchr(text, '=');
	struct json *env = json_new_obj(r->doc);

	if (!equals || equals == text)
		return err_set(e, -EINVAL, "--env %s: not KEY=VALUE", text);
	json_put(r->doc, env, "name", json_new_strn(r->doc, text, (size_t)(equals - text)));
	json_put_str(r->doc, env, "value", equals + 1);
	json_push(r->doc, r->env, env);
	return 0;
}

static int run_check(const struct run *r, struct err *e)
{
	int64_t n;

	if (quantity_parse(r->cpu, QUANTITY_MILLI, &n) < 0 || n <= 0)
		return err_set(e, -EINVAL, "--cpu %s: not a number of CPUs", r->cpu);
	if (quantity_parse(r->memory, QUANTITY_UNITS, &n) < 0 || n <= 0)
		return err_set(e, -EINVAL, "--memory %s: not a size", r->memory);
	if (!str_eq(r->restart, "Always") && !str_eq(r->restart, "OnFailure") &&
	    !str_eq(r->restart, "Never"))
		return err_set(e, -EINVAL, "--restart %s: not Always, OnFailure or Never",
			       r->restart);
	return 0;
}

/* "registry/library/Nginx_x:1.2" -> "nginx-x-f3a1": a DNS label (RFC 1123) */
static char *run_make_name(const char *image)
{
	const char *slash = strrchr(image, '/'), *base = slash ? slash + 1 : image;
	char label[RUN_NAME_MAX - 5];
	unsigned char random[2] = {0};
	size_t n = 0;

	for (; *base && !strchr(":@", *base) && n < sizeof(label) - 1; base++) {
		char c = (char)tolower((unsigned char)*base);

		if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))
			label[n++] = c;
		else if (n && label[n - 1] != '-')
			label[n++] = '-';
	}
	while (n && label[n - 1] == '-')
		n--;
	label[n] = '\0';
	random_fill(random, sizeof(random));
	return mem_printf("%s-%02x%02x", n ? label : "pod", random[0], random[1]);
}

static struct json *run_strings(struct json_doc *doc, int argc, char **argv)
{
	struct json *arr = json_new_arr(doc);

	for (int i = 0; i < argc; i++)
		json_push(doc, arr, json_new_str(doc, argv[i]));
	return arr;
}

/*
 * What the pod may use, and what the scheduler keeps for it: all of its memory, which cannot be taken back, but a tenth
 * of its CPUs, as most pods idle most of the time.
 */
static struct json *run_resources(const struct run *r)
{
	struct json *resources = json_new_obj(r->doc);
	struct json *limits = json_obj_of(r->doc, resources, "limits");
	struct json *requests = json_obj_of(r->doc, resources, "requests");
	_cleanup_free_ char *tenth = NULL;
	int64_t millicpus = 0;

	quantity_parse(r->cpu, QUANTITY_MILLI, &millicpus);
	tenth = mem_printf("%" PRId64 "m", millicpus < 10 ? 1 : millicpus / 10);
	json_put_str(r->doc, limits, "cpu", r->cpu);
	json_put_str(r->doc, limits, "memory", r->memory);
	json_put_str(r->doc, requests, "cpu", tenth);
	json_put_str(r->doc, requests, "memory", r->memory);
	return resources;
}

static struct json *run_container(const struct run *r, int argc, char **argv)
{
	struct json *c = json_new_obj(r->doc);

	json_put_str(r->doc, c, "name", r->name);
	json_put_str(r->doc, c, "image", r->image);
	/* As docker run does: words behind the image replace its command, not its entrypoint. */
	if (argc)
		json_put(r->doc, c, "args", run_strings(r->doc, argc, argv));
	if (json_count(r->ports))
		json_put(r->doc, c, "ports", r->ports);
	if (json_count(r->env))
		json_put(r->doc, c, "env", r->env);
	json_put(r->doc, c, "resources", run_resources(r));
	return c;
}

static struct json *run_pod(const struct run *r, int argc, char **argv)
{
	struct json *pod = json_new_obj(r->doc), *meta, *spec, *selector;

	json_put_str(r->doc, pod, "apiVersion", "v1");
	json_put_str(r->doc, pod, "kind", "Pod");
	meta = json_obj_of(r->doc, pod, "metadata");
	json_put_str(r->doc, meta, "name", r->name);
	json_put_str(r->doc, json_obj_of(r->doc, meta, "labels"), "run", r->name);
	spec = json_obj_of(r->doc, pod, "spec");
	json_put_str(r->doc, spec, "restartPolicy", r->restart);
	json_push(r->doc, json_arr_of(r->doc, spec, "containers"), run_container(r, argc, argv));
	if (r->host) {
		selector = json_obj_of(r->doc, spec, "nodeSelector");
		json_put_str(r->doc, selector, "kubernetes.io/hostname", r->host);
	}
	return pod;
}

/* Tells each new state once, on standard error. */
static void run_progress(const struct json *pod, char *last, size_t size)
{
	const char *reason = cmd_pod_reason(pod);
	_cleanup_free_ char *now =
		mem_printf("%s%s%s", cmd_pod_status(pod), *reason ? ": " : "", reason);
	char safe[1024];

	str_visible(safe, sizeof(safe), now);
	if (str_eq(safe, last))
		return;
	str_copy(last, size, safe);
	fprintf(stderr, "%s\n", safe);
}

static void run_tell(const struct run *r, const struct json *pod, uint64_t started_ms)
{
	uint64_t ms = clock_mono_ms() - started_ms;

	printf("%s runs on %s (%s) after %llu.%llu s\n", r->name,
	       json_str(json_at(pod, "spec", "nodeName", NULL), "?"),
	       json_str(json_at(pod, "status", "podIP", NULL), "no address"),
	       (unsigned long long)(ms / 1000), (unsigned long long)(ms % 1000 / 100));
}

/* Return: 1 to go on waiting, else an exit status */
static int run_look(const struct cmd *c, const struct run *r, const struct json *pod,
		    uint64_t started_ms)
{
	const char *phase = json_str(json_at(pod, "status", "phase", NULL), "");
	bool running = str_eq(phase, "Running"), ended = str_eq(phase, "Succeeded");

	if (running || ended) {
		if (c->json)
			return cmd_print_json(pod);
		if (ended)
			printf("%s has ended\n", r->name);
		else
			run_tell(r, pod, started_ms);
		return CMD_OK;
	}
	if (!str_eq(phase, "Failed") && !str_eq(cmd_pod_status(pod), "ImagePullBackOff"))
		return -1;
	fprintf(stderr, "hyper: run: %s: %s\n", r->name,
		str_eq(phase, "Failed") ? "the pod failed; see `hyper describe` and `hyper logs`"
					: "the image cannot be pulled; the host goes on trying, "
					  "`hyper rm` ends that");
	return CMD_FAILED;
}

static int run_wait(struct cmd *c, const struct run *r)
{
	_cleanup_free_ char *path = cmd_pod_path(c, r->name);
	uint64_t started_ms = clock_mono_ms();
	struct err e = ERR_INIT;
	char last[1024] = "";

	for (;;) {
		_cleanup_json_ struct json_doc *doc = NULL;
		int status;

		if (api_call(c->api, "GET", path, NULL, &doc, &e) < 0)
			return cmd_fail(&e, "run");
		run_progress(json_root(doc), last, sizeof(last));
		status = run_look(c, r, json_root(doc), started_ms);
		if (status >= 0)
			return status;
		if (clock_mono_ms() - started_ms > r->timeout_s * 1000) {
			fprintf(stderr,
				"hyper: run: %s does not run after %llu s (%s); it is left as it is\n",
				r->name, (unsigned long long)r->timeout_s, last);
			return CMD_FAILED;
		}
		usleep(RUN_POLL_MS * 1000);
	}
}

static int run_option(struct run *r, int option, const char *value, struct err *e)
{
	switch (option) {
	case 'N':
		r->name = value;
		return 0;
	case 'p':
		return run_port(r, value, e);
	case 'e':
		return run_env(r, value, e);
	case 'c':
		r->cpu = value;
		return 0;
	case 'm':
		r->memory = value;
		return 0;
	case 'r':
		r->restart = value;
		return 0;
	case 'H':
		r->host = value;
		return 0;
	case 'd':
		r->detach = true;
		return 0;
	case 't':
		if (str_u64(value, 86400, &r->timeout_s) < 0)
			return err_set(e, -EINVAL, "--timeout %s: not a number of seconds", value);
		return 0;
	default:
		return err_set(e, -EINVAL, "unknown option, or one without its value");
	}
}

static int run_parse(struct run *r, int argc, char **argv, struct err *e)
{
	static const struct option options[] = {{"name", required_argument, NULL, 'N'},
						{"publish", required_argument, NULL, 'p'},
						{"env", required_argument, NULL, 'e'},
						{"cpu", required_argument, NULL, 'c'},
						{"memory", required_argument, NULL, 'm'},
						{"restart", required_argument, NULL, 'r'},
						{"host", required_argument, NULL, 'H'},
						{"detach", no_argument, NULL, 'd'},
						{"timeout", required_argument, NULL, 't'},
						{NULL, 0, NULL, 0}};
	int option;

	opterr = 0;
	while ((option = getopt_long(argc, argv, "+p:e:d", options, NULL)) != -1) {
		int ret = run_option(r, option, optarg, e);

		if (ret < 0)
			return ret;
	}
	if (optind >= argc)
		return err_set(e, -EINVAL, "which image?");
	r->image = argv[optind];
	return run_check(r, e);
}

int cmd_run(struct cmd *c, int argc, char **argv)
{
	_cleanup_json_ struct json_doc *doc = json_doc_new(), *created = NULL;
	struct run r = {.cpu = "1",
			.memory = "128Mi",
			.restart = "Always",
			.timeout_s = RUN_TIMEOUT_S,
			.doc = doc};
	_cleanup_free_ char *ns = str_percent_encode(c->namespace), *path = NULL, *made = NULL;
	struct err e = ERR_INIT;

	r.ports = json_new_arr(doc);
	r.env = json_new_arr(doc);
	if (run_parse(&r, argc, argv, &e) < 0 || !r.image)
		return cmd_usage("run", err_msg(&e));
	if (!r.name) {
		made = run_make_name(r.image);
		r.name = made;
	}
	path = mem_printf("/api/v1/namespaces/%s/pods?fieldManager=hyper", ns);
	if (api_call(c->api, "POST", path, run_pod(&r, argc - optind - 1, argv + optind + 1),
		     &created, &e) < 0)
		return cmd_fail(&e, "run");
	if (!r.detach)
		return run_wait(c, &r);
	if (c->json)
		return cmd_print_json(json_root(created));
	puts(r.name);
	return CMD_OK;
}
