// SPDX-License-Identifier: Apache-2.0
/*
 * The part of the parser for what accompanies a container's run: probes, hooks, termination message,
 * restart policy, and its confinement beyond user and capabilities. Names of ports are resolved here, so that
 * the guest needs to know none.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/str.h"
#include "pod/spec_impl.h"

#define LIFE_PATH	      (SPEC_PATH_MAX + 80)
#define LIFE_TERMINATION_PATH "/dev/termination-log"
#define LIFE_HEADERS_MAX      64

/* What is read of one action. */
struct life_ctx {
	struct pod_spec *spec;
	const struct json *container;
	struct err *e;
};

/* Variables with a literal value are resolved in probes' commands, as a kubelet does it. */
static int life_env(struct life_ctx *x, struct spec_list *list)
{
	const struct json *env = json_get(x->container, "env");
	struct json_iter it = json_iter(env);

	if (spec_list_make(x->spec, list, json_count(env)) < 0)
		return -E2BIG;
	while (json_next(&it)) {
		const char *name = json_str(json_get(it.value, "name"), "");

		if (!json_is_obj(json_get(it.value, "valueFrom")))
			list->at[list->count++] =
				json_str(json_new_fmt(x->spec->doc, "%s=%s", name,
						      json_str(json_get(it.value, "value"), "")),
					 "");
	}
	return 0;
}

static int life_exec(struct life_ctx *x, const struct json *exec, const char *path,
		     struct guest_action *a)
{
	struct buf text = BUF_INIT(GUEST_EXEC_BYTES_MAX);
	struct spec_list env = {0}, list;
	struct spec_names names = {0};
	char where[LIFE_PATH + 16];
	size_t total = 0;
	int r;

	snprintf(where, sizeof(where), "%s.exec.command", path);
	r = spec_list_read(x->spec, json_get(exec, "command"), &list, where, x->e);
	if (r == 0 && life_env(x, &env) < 0)
		r = err_set(x->e, -EINVAL, "%s: too many variables", where);
	if (r == 0 && (!list.count || !*list.at[0] || list.count > GUEST_EXEC_ARGS_MAX))
		r = err_set(x->e, -EINVAL, "%s: no command of up to %d words", where,
			    GUEST_EXEC_ARGS_MAX);
	if (r == 0)
		spec_names_init(&names, env.count);
	for (uint32_t i = 0; r == 0 && i < env.count; i++)
		spec_names_put(&names, env.at, i);
	for (uint32_t i = 0; r == 0 && i < list.count; i++) {
		const char *kept = NULL;

		buf_clear(&text);
		if (spec_expand(list.at[i], &names, env.at, &text) == 0)
			kept = spec_text(x->spec, buf_str(&text), text.len);
		total += text.len + 1;
		if (kept && total <= GUEST_EXEC_BYTES_MAX)
			list.at[i] = kept;
		else
			r = err_set(x->e, -EINVAL, "%s[%u]: too long", where, i);
	}
	buf_done(&text);
	spec_names_done(&names);
	if (r < 0)
		return r;
	a->kind = GUEST_ACTION_EXEC;
	a->args = (struct guest_strings){list.at, list.count};
	return 0;
}

static int life_port(struct life_ctx *x, const struct json *v, const char *path, uint16_t *port)
{
	struct json_iter it = json_iter(json_get(x->container, "ports"));
	const char *name = json_str(v, NULL);
	int64_t number = json_int(v, 0);

	while (name && json_next(&it))
		if (str_eq(json_str(json_get(it.value, "name"), ""), name))
			number = json_int(json_get(it.value, "containerPort"), 0);
	if (number < 1 || number > UINT16_MAX)
		return err_set(x->e, -EINVAL, "%s.port: neither a port nor the name of one", path);
	*port = (uint16_t)number;
	return 0;
}

/* The guest asks no name server before it probes. */
static int life_host(struct life_ctx *x, const struct json *obj, const char *path,
		     struct guest_action *a)
{
	const char *host = json_str(json_get(obj, "host"), "");
	struct in_addr address;

	if (str_eq(host, "localhost"))
		host = "127.0.0.1";
	if (!*host)
		return 0;
	if (inet_pton(AF_INET, host, &address) != 1)
		return err_set(x->e, -ENOTSUP, "%s.host: neither an IPv4 address nor localhost",
			       path);
	a->address = ntohl(address.s_addr);
	return 0;
}

/* Text that becomes part of a request. */
static bool life_line_ok(const char *s, const char *forbidden)
{
	for (; *s; s++)
		if ((unsigned char)*s < ' ' || *s == 0x7f || strchr(forbidden, *s))
			return false;
	return true;
}

static int life_headers(struct life_ctx *x, const struct json *headers, const char *path,
			struct guest_action *a)
{
	struct json_iter it = json_iter(headers);
	struct spec_list list;

	if (json_count(headers) > LIFE_HEADERS_MAX ||
	    spec_list_make(x->spec, &list, json_count(headers)) < 0)
		return err_set(x->e, -ENOTSUP, "%s.httpHeaders: more than %d", path,
			       LIFE_HEADERS_MAX);
	for (unsigned int i = 0; json_next(&it); i++) {
		const char *name = json_str(json_get(it.value, "name"), "");
		const char *value = json_str(json_get(it.value, "value"), "");

		if (!*name || !life_line_ok(name, " :") || !life_line_ok(value, "") ||
		    strlen(name) + strlen(value) + 2 > GUEST_PATH_LEN_MAX)
			return err_set(x->e, -EINVAL, "%s.httpHeaders[%u]: not a header", path, i);
		list.at[list.count++] =
			json_str(json_new_fmt(x->spec->doc, "%s: %s", name, value), "");
	}
	a->headers = (struct guest_strings){list.at, list.count};
	return 0;
}

static int life_http(struct life_ctx *x, const struct json *http, const char *parent,
		     struct guest_action *a)
{
	const char *scheme = json_str(json_get(http, "scheme"), "HTTP");
	char path[LIFE_PATH + 16];
	int r;

	snprintf(path, sizeof(path), "%s.httpGet", parent);
	a->kind = GUEST_ACTION_HTTP;
	a->path = json_str(json_get(http, "path"), "");
	if (!str_eq(scheme, "HTTP"))
		return err_set(x->e, -ENOTSUP, "%s.scheme: only HTTP is spoken in a guest", path);
	if (!life_line_ok(a->path, " ") || strlen(a->path) > GUEST_PATH_LEN_MAX - 1)
		return err_set(x->e, -EINVAL, "%s.path: not a path", path);
	r = life_port(x, json_get(http, "port"), path, &a->port);
	if (r == 0)
		r = life_host(x, http, path, a);
	return r == 0 ? life_headers(x, json_get(http, "httpHeaders"), path, a) : r;
}

static int life_tcp(struct life_ctx *x, const struct json *tcp, const char *parent,
		    struct guest_action *a)
{
	char path[LIFE_PATH + 16];
	int r;

	snprintf(path, sizeof(path), "%s.tcpSocket", parent);
	a->kind = GUEST_ACTION_TCP;
	r = life_port(x, json_get(tcp, "port"), path, &a->port);
	return r == 0 ? life_host(x, tcp, path, a) : r;
}

/* Exactly one of what an action may be. */
static int life_action(struct life_ctx *x, const struct json *obj, const char *path,
		       struct guest_action *a)
{
	const struct json *exec = json_get(obj, "exec"), *http = json_get(obj, "httpGet");
	const struct json *tcp = json_get(obj, "tcpSocket"), *nap = json_get(obj, "sleep");
	int64_t seconds = json_int(json_get(nap, "seconds"), -1);

	if (json_is_obj(exec) + json_is_obj(http) + json_is_obj(tcp) + json_is_obj(nap) != 1)
		return err_set(x->e, -EINVAL, "%s: not exactly one action", path);
	if (json_is_obj(exec))
		return life_exec(x, exec, path, a);
	if (json_is_obj(http))
		return life_http(x, http, path, a);
	if (json_is_obj(tcp))
		return life_tcp(x, tcp, path, a);
	if (seconds < 0 || seconds > SPEC_GRACE_MAX_S)
		return err_set(x->e, -EINVAL, "%s.sleep.seconds: not a time", path);
	a->kind = GUEST_ACTION_SLEEP;
	a->sleep_s = (uint32_t)seconds;
	return 0;
}

static int life_number(struct life_ctx *x, const struct json *obj, const char *path,
		       const char *field, uint32_t otherwise, uint32_t min, uint32_t *out)
{
	int64_t v = json_int(json_get(obj, field), 0);

	/* 0 is as good as missing, wherever it makes no sense: the API server sets its default then */
	if (v < 0 || v > GUEST_PROBE_S_MAX)
		return err_set(x->e, -EINVAL, "%s.%s: out of range", path, field);
	*out = v < min ? otherwise : (uint32_t)v;
	return 0;
}

static int life_probe(struct life_ctx *x, const char *parent, const char *field,
		      enum guest_probe_kind kind, struct guest_probe *p)
{
	const struct json *obj = json_get(x->container, field);
	int64_t grace_s = json_int(json_get(obj, "terminationGracePeriodSeconds"), -1);
	char path[LIFE_PATH];
	int r;

	if (!json_is_obj(obj))
		return 0;
	snprintf(path, sizeof(path), "%s.%s", parent, field);
	r = life_action(x, obj, path, &p->action);
	if (r == 0 && p->action.kind == GUEST_ACTION_SLEEP)
		r = err_set(x->e, -EINVAL, "%s: not exactly one action", path);
	if (r == 0)
		r = life_number(x, obj, path, "initialDelaySeconds", 0, 0, &p->initial_delay_s);
	if (r == 0)
		r = life_number(x, obj, path, "periodSeconds", 10, 1, &p->period_s);
	if (r == 0)
		r = life_number(x, obj, path, "timeoutSeconds", 1, 1, &p->timeout_s);
	if (r == 0)
		r = life_number(x, obj, path, "successThreshold", 1, 1, &p->success_threshold);
	if (r == 0)
		r = life_number(x, obj, path, "failureThreshold", 3, 1, &p->failure_threshold);
	if (r < 0)
		return r;
	if (kind != GUEST_PROBE_READINESS && p->success_threshold != 1)
		return err_set(x->e, -EINVAL, "%s.successThreshold: must be 1", path);
	if (json_get(obj, "terminationGracePeriodSeconds") &&
	    (kind == GUEST_PROBE_READINESS || grace_s < 1))
		return err_set(x->e, -EINVAL,
			       "%s.terminationGracePeriodSeconds: not here, or not positive", path);
	p->grace_ms = grace_s < 1 ? GUEST_GRACE_POD
				  : (uint32_t)MIN(grace_s, (int64_t)SPEC_GRACE_MAX_S) * 1000;
	return 0;
}

static int life_hook(struct life_ctx *x, const struct json *lifecycle, const char *parent,
		     const char *field, struct guest_action *a)
{
	const struct json *obj = json_get(lifecycle, field);
	char path[LIFE_PATH];

	if (!json_is_obj(obj))
		return 0;
	snprintf(path, sizeof(path), "%s.lifecycle.%s", parent, field);
	return life_action(x, obj, path, a);
}

static int life_stop_signal(struct life_ctx *x, const struct json *lifecycle, const char *path,
			    struct spec_container *c)
{
	const char *name = json_str(json_get(lifecycle, "stopSignal"), "");

	if (*name && (!str_starts(name, "SIG") || strlen(name) > GUEST_REASON_MAX ||
		      strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-") != strlen(name)))
		return err_set(x->e, -EINVAL, "%s.lifecycle.stopSignal: not a signal", path);
	c->stop_signal = name;
	return 0;
}

static int life_termination(struct life_ctx *x, const char *path, struct spec_container *c)
{
	const char *policy = json_str(json_get(x->container, "terminationMessagePolicy"), "File");
	const char *file = json_str(json_get(x->container, "terminationMessagePath"), "");

	if (!*file)
		file = LIFE_TERMINATION_PATH;
	if (*file != '/' || strlen(file) > GUEST_PATH_LEN_MAX || str_ends(file, "/"))
		return err_set(x->e, -EINVAL, "%s.terminationMessagePath: not an absolute path",
			       path);
	if (!str_eq(policy, "File") && !str_eq(policy, "FallbackToLogsOnError"))
		return err_set(x->e, -EINVAL, "%s.terminationMessagePolicy: not a policy", path);
	c->life.termination_path = file;
	c->logs_on_error = !str_eq(policy, "File");
	return 0;
}

static int life_restart(struct life_ctx *x, const char *path, struct spec_container *c)
{
	const char *policy = json_str(json_get(x->container, "restartPolicy"), "");

	if (!*policy)
		return 0;
	if (!c->init || !str_eq(policy, "Always"))
		return spec_refuse(x->e, "%s.restartPolicy", path);
	c->sidecar = true;
	return 0;
}

/* An init container that is no sidecar has an end, and nothing else. */
static int life_none(struct life_ctx *x, const char *path)
{
	static const char *const fields[] = {"livenessProbe", "readinessProbe", "startupProbe",
					     "lifecycle"};

	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		if (json_count(json_get(x->container, fields[i])))
			return spec_refuse(x->e, "%s.%s", path, fields[i]);
	return 0;
}

int spec_life(struct pod_spec *s, const struct json *container, const char *path,
	      struct spec_container *c, struct err *e)
{
	const struct json *lifecycle = json_get(container, "lifecycle");
	struct life_ctx x = {s, container, e};
	int r = life_restart(&x, path, c);

	if (r == 0)
		r = life_termination(&x, path, c);
	if (r == 0 && c->init && !c->sidecar)
		r = life_none(&x, path);
	if (r == 0)
		r = life_probe(&x, path, "startupProbe", GUEST_PROBE_STARTUP,
			       &c->life.probes[GUEST_PROBE_STARTUP]);
	if (r == 0)
		r = life_probe(&x, path, "readinessProbe", GUEST_PROBE_READINESS,
			       &c->life.probes[GUEST_PROBE_READINESS]);
	if (r == 0)
		r = life_probe(&x, path, "livenessProbe", GUEST_PROBE_LIVENESS,
			       &c->life.probes[GUEST_PROBE_LIVENESS]);
	if (r == 0)
		r = life_hook(&x, lifecycle, path, "postStart", &c->life.post_start);
	if (r == 0)
		r = life_hook(&x, lifecycle, path, "preStop", &c->life.pre_stop);
	return r == 0 ? life_stop_signal(&x, lifecycle, path, c) : r;
}

int spec_confinement(const struct json *security, const char *path, bool *seccomp, struct err *e)
{
	const char *type = json_str(json_at(security, "seccompProfile", "type", NULL), "");
	const char *armor = json_str(json_at(security, "appArmorProfile", "type", NULL), "");

	if (str_eq(type, "Localhost"))
		return spec_refuse(e, "%s.seccompProfile.localhostProfile", path);
	if (str_eq(armor, "Localhost"))
		return spec_refuse(e, "%s.appArmorProfile.localhostProfile", path);
	if (*type && !str_eq(type, "RuntimeDefault") && !str_eq(type, "Unconfined"))
		return err_set(e, -EINVAL, "%s.seccompProfile.type: not a type", path);
	if (*armor && !str_eq(armor, "RuntimeDefault") && !str_eq(armor, "Unconfined"))
		return err_set(e, -EINVAL, "%s.appArmorProfile.type: not a type", path);
	if (*type)
		*seccomp = str_eq(type, "RuntimeDefault");
	if (!str_eq(json_str(json_get(security, "procMount"), "Default"), "Default"))
		return spec_refuse(e, "%s.procMount", path);
	return 0;
}
