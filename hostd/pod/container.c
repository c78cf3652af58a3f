// SPDX-License-Identifier: Apache-2.0
/* The container's half of the parser. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/quantity.h"
#include "base/str.h"
#include "pod/spec_impl.h"
#include "proto/vm_spec.h"

static int container_pull(const struct json *obj, const char *path, struct spec_container *c,
			  struct err *e)
{
	const char *policy = json_str(json_get(obj, "imagePullPolicy"), NULL);
	const char *slash = strrchr(c->image, '/'), *last = slash ? slash + 1 : c->image;

	if (!policy) /* as the API server defaults it */
		policy = strchr(last, '@') || (strchr(last, ':') && !str_ends(last, ":latest"))
				 ? "IfNotPresent"
				 : "Always";
	if (str_eq(policy, "Always"))
		c->pull = SPEC_PULL_ALWAYS;
	else if (str_eq(policy, "IfNotPresent"))
		c->pull = SPEC_PULL_IF_NOT_PRESENT;
	else if (str_eq(policy, "Never"))
		c->pull = SPEC_PULL_NEVER;
	else
		return err_set(e, -EINVAL, "%s.imagePullPolicy: not a policy", path);
	return 0;
}

static int container_words(struct pod_spec *s, const struct json *obj, const char *path,
			   const char *field, struct spec_list *list, struct err *e)
{
	char where[SPEC_PATH_MAX + 16];

	snprintf(where, sizeof(where), "%s.%s", path, field);
	return spec_list_read(s, json_get(obj, field), list, where, e);
}

static int container_quantity(const struct json *v, unsigned int scale, const char *path,
			      const char *what, uint64_t *out, struct err *e)
{
	char where[SPEC_PATH_MAX + 48];

	snprintf(where, sizeof(where), "%s.resources.%s", path, what);
	return spec_quantity(v, scale, where, out, e);
}

static int container_resources(const struct json *resources, const char *path,
			       struct spec_container *c, struct err *e)
{
	const struct json *limits = json_get(resources, "limits");
	const struct json *requests = json_get(resources, "requests");
	struct json_iter it = json_iter(limits);
	uint64_t cpu_limit = 0, cpu_request = 0;
	int r;

	while (json_next(&it))
		if (!str_eq(it.key, "cpu") && !str_eq(it.key, "memory") &&
		    !str_eq(it.key, "ephemeral-storage"))
			return spec_refuse(e, "%s.resources.limits.%s", path, it.key);
	r = container_quantity(json_get(limits, "memory"), QUANTITY_UNITS, path, "limits.memory",
			       &c->memory_limit, e);
	if (r == 0)
		r = container_quantity(json_get(requests, "memory"), QUANTITY_UNITS, path,
				       "requests.memory", &c->memory_request, e);
	if (r == 0)
		r = container_quantity(json_get(limits, "cpu"), QUANTITY_MILLI, path, "limits.cpu",
				       &cpu_limit, e);
	if (r == 0)
		r = container_quantity(json_get(requests, "cpu"), QUANTITY_MILLI, path,
				       "requests.cpu", &cpu_request, e);
	if (r == 0)
		r = container_quantity(json_get(limits, "ephemeral-storage"), QUANTITY_UNITS, path,
				       "limits.ephemeral-storage", &c->storage_limit, e);
	if (r == 0)
		r = container_quantity(json_get(requests, "ephemeral-storage"), QUANTITY_UNITS,
				       path, "requests.ephemeral-storage", &c->storage_request, e);
	if (r < 0)
		return r;
	if (MAX(c->memory_limit, c->memory_request) > VM_MEMORY_MAX_BYTES)
		return err_set(e, -ENOTSUP, "%s.resources: more memory than a VM can have", path);
	c->cpu_limit = (uint32_t)MIN(cpu_limit, UINT32_MAX);
	c->cpu_request = (uint32_t)MIN(cpu_request ? cpu_request : cpu_limit, UINT32_MAX);
	if (!c->memory_request)
		c->memory_request = c->memory_limit;
	if (!c->storage_request)
		c->storage_request = c->storage_limit;
	return 0;
}

static int container_caps(const struct json *arr, const char *path, const char *field,
			  uint64_t *bits, struct err *e)
{
	struct json_iter it = json_iter(arr);

	while (json_next(&it)) {
		int n = spec_capability(json_str(it.value, ""));

		if (n == -1)
			return err_set(e, -EINVAL,
				       "%s.securityContext.capabilities.%s: no such capability",
				       path, field);
		*bits |= n == -2 ? UINT64_MAX : 1ULL << n;
	}
	return 0;
}

static int container_id(const struct json *pod_security, const struct json *security,
			const char *field, const char *path, int64_t *id, struct err *e)
{
	const struct json *v = json_get(security, field);

	if (json_type(v) == JSON_NONE || json_type(v) == JSON_NULL)
		v = json_get(pod_security, field);
	*id = json_int(v, -1);
	if (json_type(v) != JSON_NONE && json_type(v) != JSON_NULL && (*id < 0 || *id > INT32_MAX))
		return err_set(e, -EINVAL, "%s.securityContext.%s: not an id", path, field);
	return 0;
}

static int container_security(const struct pod_spec *s, const struct json *pod_security,
			      const struct json *security, const char *path,
			      struct spec_container *c, struct err *e)
{
	const struct json *caps = json_get(security, "capabilities");
	char where[SPEC_PATH_MAX + 24];
	int r;

	snprintf(where, sizeof(where), "%s.securityContext", path);
	c->default_seccomp = s->default_seccomp;
	r = spec_confinement(security, where, &c->default_seccomp, e);
	if (r < 0)
		return r;
	c->privileged = json_bool(json_get(security, "privileged"), false);
	if (c->privileged && s->class != SPEC_CLASS_FULL)
		return err_set(e, -ENOTSUP,
			       "%s.privileged: only with runtimeClassName \"hypervm-full\"", where);
	c->default_seccomp &= !c->privileged;
	c->run_as_non_root = json_bool(json_get(security, "runAsNonRoot"),
				       json_bool(json_get(pod_security, "runAsNonRoot"), false));
	c->read_only_root = json_bool(json_get(security, "readOnlyRootFilesystem"), false);
	c->no_new_privs = !json_bool(json_get(security, "allowPrivilegeEscalation"), true);
	r = container_id(pod_security, security, "runAsUser", path, &c->run_as_user, e);
	if (r == 0)
		r = container_id(pod_security, security, "runAsGroup", path, &c->run_as_group, e);
	if (r == 0)
		r = container_caps(json_get(caps, "add"), path, "add", &c->caps_add, e);
	if (r == 0)
		r = container_caps(json_get(caps, "drop"), path, "drop", &c->caps_drop, e);
	return r;
}

int spec_container(struct pod_spec *s, const struct json *pod_security, const struct json *obj,
		   const char *path, struct spec_container *c, struct err *e)
{
	int r;

	c->name = json_str(json_get(obj, "name"), "");
	c->image = json_str(json_get(obj, "image"), "");
	c->cwd = json_str(json_get(obj, "workingDir"), "");
	c->tty = json_bool(json_get(obj, "tty"), false);
	c->open_stdin = json_bool(json_get(obj, "stdin"), false);
	c->stdin_once = json_bool(json_get(obj, "stdinOnce"), false);
	c->has_command = json_count(json_get(obj, "command")) > 0;
	c->has_args = json_count(json_get(obj, "args")) > 0;
	if (!*c->name || strlen(c->name) > 63 ||
	    strspn(c->name, "abcdefghijklmnopqrstuvwxyz0123456789-") != strlen(c->name))
		return err_set(e, -EINVAL, "%s.name: not a name", path);
	if (!*c->image)
		return err_set(e, -EINVAL, "%s.image: none", path);
	r = container_pull(obj, path, c, e);
	if (r == 0)
		r = spec_mounts(s, obj, path, c, e);
	if (r == 0)
		r = spec_env(s, obj, path, c, e);
	if (r == 0)
		r = container_words(s, obj, path, "command", &c->command, e);
	if (r == 0)
		r = container_words(s, obj, path, "args", &c->args, e);
	if (r == 0)
		r = container_resources(json_get(obj, "resources"), path, c, e);
	if (r == 0)
		r = spec_life(s, obj, path, c, e);
	if (r == 0)
		r = container_security(s, pod_security, json_get(obj, "securityContext"), path, c,
				       e);
	return r;
}
