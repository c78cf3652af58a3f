// SPDX-License-Identifier: Apache-2.0
/*
 * The variables of a container, made when its VM gets its orders, in a kubelet's order: where the API
 * is, then envFrom, then env; a later one of a name takes the place of an earlier one, and $(NAME)
 * means what was said before. Values may be secrets: they are in memory only, and cleared.
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "pod/impl.h"

#define ENV_SKIPPED_MAX 512 /* bytes of names in an event */
#define TEXTS_MAX	4096

struct env_maker {
	struct pod *pod;
	uint32_t index; /* of the container */
	struct texts *env;
	struct buf value; /* of the variable that is being made */
	struct buf skipped;
};

void texts_done(struct texts *t)
{
	for (uint32_t i = 0; i < t->count; i++)
		mem_free_secret(t->at[i]);
	free(t->at);
	spec_names_done(&t->names);
	*t = (struct texts){0};
}

int texts_find(const struct texts *t, const char *name, size_t len)
{
	return spec_names_find(&t->names, (const char *const *)t->at, name, len);
}

int texts_expand(const struct texts *t, const char *text, struct buf *out)
{
	return spec_expand(text, &t->names, (const char *const *)t->at, out);
}

int texts_add(struct texts *t, struct buf *text)
{
	char **more;

	if (t->bytes + text->len >= GUEST_RUN_MAX || t->count == TEXTS_MAX)
		return -E2BIG;
	if (t->count == t->room) {
		more = mem_array(t->room * 2 + 16, sizeof(*more));
		if (t->count)
			memcpy(more, t->at, t->count * sizeof(*more));
		free(t->at);
		t->at = more;
		t->room = t->room * 2 + 16;
	}
	t->bytes += text->len + 1;
	t->at[t->count++] = mem_strndup(buf_str(text), text->len);
	return 0;
}

/* NAME=value with the value in m->value; that is cleared. */
static int env_set(struct env_maker *m, const char *prefix, const char *name, struct err *e)
{
	struct buf text;
	int at, r;

	buf_init_secret(&text, GUEST_STR_MAX);
	if (memchr(buf_str(&m->value), '\0', m->value.len)) {
		r = err_set(e, -EINVAL, "env %s%s: a value with a NUL", prefix, name);
		goto out;
	}
	r = buf_printf(&text, "%s%s=", prefix, name);
	if (r == 0)
		r = buf_append(&text, buf_str(&m->value), m->value.len);
	if (r < 0) {
		err_set(e, r, "env %s%s: longer than %d bytes", prefix, name, GUEST_STR_MAX);
		goto out;
	}
	at = texts_find(m->env, text.data, strcspn(text.data, "="));
	r = texts_add(m->env, &text);
	if (r < 0) {
		err_set(e, r, "env %s%s: too many variables", prefix, name);
		goto out;
	}
	if (at >= 0) { /* in the place of the one before */
		char *last = m->env->at[--m->env->count];

		m->env->bytes -= strlen(m->env->at[at]) + 1;
		mem_free_secret(m->env->at[at]);
		m->env->at[at] = last;
	} else {
		spec_names_put(&m->env->names, (const char *const *)m->env->at, m->env->count - 1);
	}
out:
	buf_done(&text);
	buf_done(&m->value);
	return r;
}

static int env_set_fmt(struct env_maker *m, struct err *e, const char *name, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

static int env_set_fmt(struct env_maker *m, struct err *e, const char *name, const char *fmt, ...)
{
	va_list ap;
	int r;

	va_start(ap, fmt);
	r = buf_vprintf(&m->value, fmt, ap);
	va_end(ap);
	return r < 0 ? r : env_set(m, "", name, e);
}

/* What a kubelet says of the service "kubernetes"; here it is the API itself, as there are no services. */
static int env_api(struct env_maker *m, struct err *e)
{
	const struct pods_config *c = &m->pod->pods->config;
	const char *host = c->api_host, *port = c->api_port;
	const char *open, *close;
	char name[64];
	int r;

	if (!host || !*host || !port)
		return 0;
	open = strchr(host, ':') ? "[" : "";
	close = *open ? "]" : "";
	r = env_set_fmt(m, e, "KUBERNETES_SERVICE_HOST", "%s", host);
	if (r == 0)
		r = env_set_fmt(m, e, "KUBERNETES_SERVICE_PORT", "%s", port);
	if (r == 0)
		r = env_set_fmt(m, e, "KUBERNETES_SERVICE_PORT_HTTPS", "%s", port);
	if (r == 0)
		r = env_set_fmt(m, e, "KUBERNETES_PORT", "tcp://%s%s%s:%s", open, host, close,
				port);
	snprintf(name, sizeof(name), "KUBERNETES_PORT_%s_TCP", port);
	if (r == 0)
		r = env_set_fmt(m, e, name, "tcp://%s%s%s:%s", open, host, close, port);
	snprintf(name, sizeof(name), "KUBERNETES_PORT_%s_TCP_PROTO", port);
	if (r == 0)
		r = env_set_fmt(m, e, name, "tcp");
	snprintf(name, sizeof(name), "KUBERNETES_PORT_%s_TCP_PORT", port);
	if (r == 0)
		r = env_set_fmt(m, e, name, "%s", port);
	snprintf(name, sizeof(name), "KUBERNETES_PORT_%s_TCP_ADDR", port);
	if (r == 0)
		r = env_set_fmt(m, e, name, "%s", host);
	return r;
}

/* IsEnvVarName of k8s.io/apimachinery, as the releases before its relaxation have it. */
static bool env_name_ok(const char *prefix, const char *name)
{
	const char *first = *prefix ? prefix : name;

	if (!*first || isdigit((unsigned char)*first) || strncmp(first, "..", 2) == 0 ||
	    (str_eq(first, ".") && (!*prefix || !*name)))
		return false;
	for (const char *part = prefix;; part = name) {
		for (const char *c = part; *c; c++)
			if (!isascii((unsigned char)*c) ||
			    (!isalnum((unsigned char)*c) && !strchr("-._", *c)))
				return false;
		if (part == name)
			return true;
	}
}

static enum pod_object env_object(const struct spec_env *v)
{
	return v->kind == SPEC_ENV_SECRET ? POD_SECRET : POD_CONFIG_MAP;
}

static int env_all(struct env_maker *m, const struct spec_env *v, const struct json *object,
		   struct err *e)
{
	struct json_iter it = json_iter(json_get(object, "data"));
	int r = 0;

	buf_clear(&m->skipped);
	while (r == 0 && json_next(&it)) {
		if (!it.key)
			break;
		if (!env_name_ok(v->name, it.key)) {
			(void)buf_printf(&m->skipped, "%s%s%s", m->skipped.len ? ", " : "", v->name,
					 it.key);
			continue;
		}
		r = source_value(it.value, v->kind == SPEC_ENV_SECRET, it.key, &m->value, e);
		if (r == 0)
			r = env_set(m, v->name, it.key, e);
	}
	return r;
}

static int env_one(struct env_maker *m, const struct spec_env *v, const struct json *object,
		   struct err *e)
{
	const struct pod *p = m->pod;
	int r = source_key(object, env_object(v), v->key, &m->value, e);

	if (r == -ENOENT && v->optional)
		return 0;
	if (r == -ENOENT)
		return err_set(e, r, "couldn't find key %s in %s %s/%s", v->key,
			       v->kind == SPEC_ENV_SECRET ? "Secret" : "ConfigMap", p->meta.ns,
			       v->object);
	if (r == -E2BIG)
		return err_set(e, r, "env %s: longer than %d bytes", v->name, GUEST_STR_MAX);
	return r < 0 ? r : env_set(m, "", v->name, e);
}

static int env_from_object(struct env_maker *m, const struct spec_env *v, struct err *e)
{
	const struct source_name name = {.kind = env_object(v), .name = v->object};
	const struct json *object;
	int r = source_get(m->pod, &name, &object, e);

	if (r == -ENOENT && v->optional) {
		err_clear(e);
		return 0;
	}
	if (r < 0)
		return r;
	return v->key ? env_one(m, v, object, e) : env_all(m, v, object, e);
}

static int env_entry(struct env_maker *m, const struct spec_env *v, struct err *e)
{
	int r = 0;

	switch (v->kind) {
	case SPEC_ENV_CONFIG_MAP:
	case SPEC_ENV_SECRET:
		return env_from_object(m, v, e);
	case SPEC_ENV_FIELD:
		r = field_text(m->pod, &v->field, m->index, &m->value, e);
		break;
	case SPEC_ENV_VALUE:
		r = texts_expand(m->env, v->value, &m->value);
		break;
	}
	if (r == -E2BIG)
		return err_set(e, r, "env %s: longer than %d bytes", v->name, GUEST_STR_MAX);
	return r < 0 ? r : env_set(m, "", v->name, e);
}

static void env_tell_skipped(struct env_maker *m, const struct spec_env *v)
{
	if (m->skipped.len)
		pod_event(m->pod, "Warning", "InvalidEnvironmentVariableNames",
			  "Keys [%s] from the EnvFrom %s %s/%s were skipped since they are "
			  "considered invalid environment variable names.",
			  buf_str(&m->skipped), v->kind == SPEC_ENV_SECRET ? "secret" : "configMap",
			  m->pod->meta.ns, v->object);
	buf_clear(&m->skipped);
}

int env_make(struct pod *p, uint32_t index, bool tell_skipped, struct texts *env, struct err *e)
{
	const struct spec_container *c = &p->spec->containers[index];
	struct env_maker m = {
		.pod = p,
		.index = index,
		.env = env,
		.skipped = BUF_INIT(ENV_SKIPPED_MAX),
	};
	int r;

	buf_init_secret(&m.value, GUEST_STR_MAX);
	spec_names_init(&env->names, TEXTS_MAX);
	r = env_api(&m, e);
	for (uint32_t i = 0; r == 0 && i < c->env_count; i++) {
		r = env_entry(&m, &c->env[i], e);
		if (tell_skipped)
			env_tell_skipped(&m, &c->env[i]);
	}
	buf_done(&m.value);
	buf_done(&m.skipped);
	if (r < 0)
		texts_done(env);
	return r;
}
