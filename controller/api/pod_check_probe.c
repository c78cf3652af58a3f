// SPDX-License-Identifier: Apache-2.0
/* Probes and lifecycle hooks. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "internal.h"
#include "pod.h"

static const char not_negative[] = "must be greater than or equal to 0";

static bool header_name_ok(const char *name)
{
	static const char letters[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-";

	return *name && !name[strspn(name, letters)];
}

static void check_http(struct api_call *c, const struct json *http, const char *path)
{
	static const char *const schemes[] = {"HTTP", "HTTPS", NULL};
	struct json_iter it = json_iter(json_get(http, "httpHeaders"));
	char at[POD_PATH_MAX];

	if (!*json_str(json_get(http, "path"), ""))
		field_required(c, "", "%s.path", path);
	snprintf(at, sizeof(at), "%s.port", path);
	part_port(c, json_get(http, "port"), at);
	part_enum(c, http, "scheme", schemes, path);
	snprintf(at, sizeof(at), "%s.httpHeaders", path);
	while (json_next(&it)) {
		const char *name = json_str(json_get(it.value, "name"), "");

		if (!header_name_ok(name))
			part_string(c, name,
				    "a valid HTTP header must consist of alphanumeric characters "
				    "or '-' (e.g. 'X-Header-Name', regex used for validation is "
				    "'[-A-Za-z0-9]+')",
				    at);
	}
}

static void check_sleep(struct api_call *c, const struct json *sleep, int64_t grace,
			const char *path)
{
	int64_t seconds = json_int(json_get(sleep, "seconds"), 0);
	char value[32], why[120];

	snprintf(value, sizeof(value), "%lld", (long long)seconds);
	snprintf(why, sizeof(why),
		 "must be non-negative and less than terminationGracePeriodSeconds (%lld)",
		 (long long)grace);
	if (seconds < 0 || seconds > grace)
		field_invalid(c, value, why, "%s", path);
}

/* What a probe or hook does: exactly one of these. */
static void check_handler(struct api_call *c, const struct json *h, int64_t grace, bool hook,
			  const char *path)
{
	static const char *const types[] = {"exec", "httpGet", "tcpSocket", "grpc", "sleep"};
	char at[POD_PATH_MAX], port[POD_PATH_MAX];
	size_t count = 0;

	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		const struct json *v = json_get(h, types[i]);

		if (!json_is_obj(v) || (hook ? i == 3 : i == 4))
			continue;
		snprintf(at, sizeof(at), "%.150s.%s", path, types[i]);
		snprintf(port, sizeof(port), "%.180s.port", at);
		if (count++)
			field_forbidden(c, "may not specify more than 1 handler type", "%s", at);
		else if (i == 0 && !json_count(json_get(v, "command")))
			field_required(c, "", "%s.command", at);
		else if (i == 1)
			check_http(c, v, at);
		else if (i == 2 || i == 3)
			part_port(c, json_get(v, "port"), port);
		else if (i == 4)
			check_sleep(c, v, grace, at);
	}
	if (!count)
		field_required(c, "must specify a handler type", "%s", path);
}

static void check_probe(struct api_call *c, const struct json *probe, const char *type,
			const char *path)
{
	static const char *const numbers[] = {"initialDelaySeconds", "timeoutSeconds",
					      "periodSeconds", "successThreshold",
					      "failureThreshold"};
	const struct json *grace = json_get(probe, "terminationGracePeriodSeconds");
	bool readiness = str_eq(type, "readinessProbe");
	int64_t success = json_int(json_get(probe, "successThreshold"), 1);
	char value[32];

	check_handler(c, probe, 0, false, path);
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		part_int(c, probe, numbers[i], 0, INT32_MAX, not_negative, path);
	snprintf(value, sizeof(value), "%lld", (long long)success);
	if (!readiness && success != 1)
		field_invalid(c, value, "must be 1", "%s.successThreshold", path);
	snprintf(value, sizeof(value), "%lld", (long long)json_int(grace, 0));
	if (json_type(grace) == JSON_INT && readiness)
		field_invalid(c, value, "must not be set for readinessProbes",
			      "%s.terminationGracePeriodSeconds", path);
	else if (json_type(grace) == JSON_INT && json_int(grace, 1) <= 0)
		field_invalid(c, value, "must be greater than 0",
			      "%s.terminationGracePeriodSeconds", path);
}

/* Those that end before others start have neither probes nor hooks. */
static void check_none(struct api_call *c, const struct json *container, const char *path)
{
	static const char *const fields[] = {"lifecycle", "livenessProbe", "readinessProbe",
					     "startupProbe"};

	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		if (json_is_obj(json_get(container, fields[i])))
			field_forbidden(
				c,
				"may not be set for init containers without restartPolicy=Always",
				"%s.%s", path, fields[i]);
	}
}

static void check_restart(struct api_call *c, const struct json *container, bool init,
			  const char *path)
{
	static const char *const allowed[] = {"Always", NULL};

	if (init)
		part_enum(c, container, "restartPolicy", allowed, path);
	else if (json_is_str(json_get(container, "restartPolicy")))
		field_forbidden(c, "may not be set for non-init containers", "%s.restartPolicy",
				path);
}

void pod_check_probes(struct api_call *c, const struct json *spec, const struct json *container,
		      bool init, const char *path)
{
	static const char *const probes[] = {"livenessProbe", "readinessProbe", "startupProbe"};
	static const char *const hooks[] = {"postStart", "preStop"};
	int64_t grace = json_int(json_get(spec, "terminationGracePeriodSeconds"), 30);
	bool stays = str_eq(json_str(json_get(container, "restartPolicy"), ""), "Always");
	char at[POD_PATH_MAX];

	check_restart(c, container, init, path);
	if (init && !stays) {
		check_none(c, container, path);
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(hooks); i++) {
		const struct json *hook = json_at(container, "lifecycle", hooks[i], NULL);

		snprintf(at, sizeof(at), "%.150s.lifecycle.%s", path, hooks[i]);
		if (json_is_obj(hook))
			check_handler(c, hook, grace, true, at);
	}
	for (size_t i = 0; i < ARRAY_SIZE(probes); i++) {
		const struct json *probe = json_get(container, probes[i]);

		snprintf(at, sizeof(at), "%.150s.%s", path, probes[i]);
		if (json_is_obj(probe))
			check_probe(c, probe, probes[i], at);
	}
}
