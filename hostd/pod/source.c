// SPDX-License-Identifier: Apache-2.0
/*
 * What pods need of the API: ConfigMaps and Secrets by name, and tokens. Each object is fetched once for
 * all pods of the host that name it, and forgotten, its memory cleared, with the last of them.
 *
 * A pod that comes wants what the API has now, not what another pod was given a minute ago: it waits
 * for an answer to a question asked after it came. While something is missing it is looked for with
 * back-off. What a running pod has mounted is looked at again every minute or so; an immutable object
 * is not. A token is renewed when four fifths of its life are over, or after a day.
 *
 * Refused or unreachable is not the same as absent: the first is tried again, said only when it lasts
 * (a node is refused what a pod names until the API's authorizer knows of the binding), and
 * leaves what is known as it is.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/base64.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/retry.h"
#include "base/str.h"
#include "pod/impl.h"

#define SOURCE_RETRY_MS	    250
#define SOURCE_RETRY_MAX_MS 10000
#define SOURCE_PATIENCE_MS  3000 /* a failure that passes sooner is nobody's business */
#define SOURCE_RENEW_MAX_S  86400
#define SOURCE_TOKEN_MIN_MS 10000
#define SOURCE_VERSION_MAX  64

struct source {
	struct list node; /* pods->sources */
	struct pods *pods;
	struct pod_want want;
	char *ns, *name, *audience, *pod, *uid; /* what @want points to */
	struct json_doc *doc; /* NULL: absent, or not known */
	bool known; /* there was an answer; @doc NULL: there is none */
	bool immutable;
	bool asking;
	bool polled; /* somebody misses something in it */
	char version[SOURCE_VERSION_MAX];
	char trouble[POD_MESSAGE_MAX]; /* why the last attempt failed, "" it did not */
	uint64_t asked_ms,
		known_ms; /* clock_mono_ms(); of the question under way, of the one that was answered */
	uint64_t failing_ms; /* since when it fails, 0: not */
	struct retry retry; /* the next attempt, whatever it is for */
};

struct source_use {
	struct list node; /* pod->uses */
	struct source *source;
	bool mounted;
	bool settled; /* the pod's guest has it */
	uint64_t since_ms;
};

static void source_ask(struct source *s)
{
	timer_cancel(&s->retry.timer);
	if (s->asking)
		return;
	s->asking = true;
	s->asked_ms = clock_mono_ms();
	s->pods->ops.fetch(&s->want, s->pods->arg);
}

static void source_due(struct timer *t)
{
	source_ask(container_of(t, struct source, retry.timer));
}

static void source_forget_doc(struct source *s)
{
	s->doc = json_doc_free(s->doc); /* clears it */
	s->version[0] = '\0';
	s->immutable = false;
}

static struct source *source_new(struct pod *p, const struct source_name *name)
{
	struct source *s = mem_alloc(sizeof(*s));

	s->pods = p->pods;
	s->ns = mem_strdup(p->meta.ns);
	s->name = mem_strdup(name->name);
	s->want = (struct pod_want){.kind = name->kind, .ns = s->ns, .name = s->name};
	if (name->kind == POD_TOKEN) {
		s->want.audience = s->audience = mem_strdup(name->audience);
		s->want.expiration_s = name->expiration_s;
		s->want.pod = s->pod = mem_strdup(p->meta.name);
		s->want.uid = s->uid = mem_strdup(p->meta.uid);
	}
	retry_init(p->pods->config.loop, &s->retry, SOURCE_RETRY_MS, SOURCE_RETRY_MAX_MS,
		   source_due);
	list_add(&p->pods->sources, &s->node);
	return s;
}

static void source_free(struct source *s)
{
	if (s->asking)
		s->pods->ops.cancel(&s->want, s->pods->arg);
	timer_cancel(&s->retry.timer);
	list_del(&s->node);
	source_forget_doc(s);
	free(s->ns);
	free(s->name);
	free(s->audience);
	free(s->pod);
	free(s->uid);
	free(s);
}

static bool source_is(const struct source *s, const struct pod *p, const struct source_name *name)
{
	return s->want.kind == name->kind && str_eq(s->ns, p->meta.ns) &&
	       str_eq(s->name, name->name) &&
	       (name->kind != POD_TOKEN ||
		(str_eq(s->uid, p->meta.uid) && str_eq(s->audience, name->audience) &&
		 s->want.expiration_s == name->expiration_s));
}

static struct source_use *source_use_of(const struct pod *p, const struct source_name *name)
{
	struct source_use *u;

	list_for_each(u, &p->uses, node)
		if (source_is(u->source, p, name))
			return u;
	return NULL;
}

/* ---- when to ask again ---- */

struct source_needs {
	bool any, mounted, waiting;
	uint64_t since_ms; /* of the pod that came last */
};

static struct source_needs source_needs(const struct source *s)
{
	struct source_needs n = {0};
	const struct pod *p;
	const struct source_use *u;

	list_for_each(p, &s->pods->all, node)
		list_for_each(u, &p->uses, node) {
			if (u->source != s)
				continue;
			n.any = true;
			n.mounted |= u->mounted;
			n.waiting |= !u->settled;
			n.since_ms = MAX(n.since_ms, u->since_ms);
		}
	return n;
}

uint64_t source_renew_ms(uint64_t life_ms, uint32_t random)
{
	uint64_t renew_ms = MIN(life_ms / 5 * 4, (uint64_t)SOURCE_RENEW_MAX_S * 1000);

	return MAX(renew_ms - random % (renew_ms / 10 + 1), (uint64_t)SOURCE_TOKEN_MIN_MS);
}

/* When the token is to be renewed; if the clocks do not agree, by the life that was asked for. */
static uint64_t source_token_ms(const struct source *s)
{
	const char *expires =
		json_str(json_at(json_root(s->doc), "status", "expirationTimestamp", NULL), "");
	uint64_t life_ms = (uint64_t)s->want.expiration_s * 1000, until_ns,
		 now_ns = clock_real_ns();

	if (clock_parse_rfc3339(expires, &until_ns) == 0 && until_ns > now_ns)
		life_ms = (until_ns - now_ns) / 1000000;
	return source_renew_ms(life_ms, retry_random());
}

static void source_refresh_later(struct source *s)
{
	uint64_t refresh_ms = s->pods->config.refresh_ms;

	timer_set(&s->retry.timer, refresh_ms + retry_random() % (refresh_ms / 2 + 1));
}

/* After an answer: the next question, if there is to be one. */
static void source_plan(struct source *s)
{
	struct source_needs n = source_needs(s);

	timer_cancel(&s->retry.timer);
	if (n.since_ms > s->known_ms) {
		source_ask(s);
	} else if (n.waiting && (!s->doc || s->polled)) {
		retry_arm(&s->retry, -1);
	} else if (s->want.kind == POD_TOKEN && s->doc) {
		retry_ok(&s->retry);
		timer_set(&s->retry.timer, source_token_ms(s));
	} else if (n.mounted && !s->immutable) {
		if (!n.waiting)
			retry_ok(&s->retry);
		source_refresh_later(s);
	}
}

/* ---- answers ---- */

static void source_tell(struct source *s)
{
	struct pod *p;
	struct source_use *u;

	list_for_each(p, &s->pods->all, node)
		list_for_each(u, &p->uses, node)
			if (u->source == s) {
				p->files_due |= u->settled && u->mounted;
				pod_kick(p);
			}
}

static const char *source_kind_name(const struct source *s)
{
	switch (s->want.kind) {
	case POD_CONFIG_MAP:
		return "configmap";
	case POD_SECRET:
		return "secret";
	case POD_TOKEN:
		break;
	}
	return "serviceaccount token";
}

static void source_failed(struct source *s, const struct pod_fetched *answer)
{
	uint64_t now_ms = clock_mono_ms();
	char safe[POD_MESSAGE_MAX];

	str_printable(safe, sizeof(safe), answer->message);
	if (!s->failing_ms)
		s->failing_ms = now_ms;
	if (!str_eq(safe, s->trouble))
		log_info("pod", "ev=source_failed kind=\"%s\" ns=%s name=%s error=\"%s\"",
			 source_kind_name(s), s->ns, s->name, safe);
	(void)str_copy(s->trouble, sizeof(s->trouble), safe);
	if (s->doc && s->want.kind != POD_TOKEN && !source_needs(s).waiting)
		source_refresh_later(s);
	else
		retry_arm(&s->retry, answer->retry_after_ms);
	if (!s->known && now_ms - s->failing_ms >= SOURCE_PATIENCE_MS)
		source_tell(s);
}

static void source_absent(struct source *s)
{
	bool news = !s->known || s->doc;

	if (news)
		log_info("pod", "ev=source_absent kind=\"%s\" ns=%s name=%s", source_kind_name(s),
			 s->ns, s->name);
	s->known = true;
	source_forget_doc(s);
}

static void source_have(struct source *s, const struct json *object)
{
	const char *version = json_str(json_at(object, "metadata", "resourceVersion", NULL), "");
	bool same = s->doc && *version && str_eq(version, s->version);

	s->known = true;
	if (same)
		return;
	source_forget_doc(s);
	s->doc = json_doc_new();
	json_set_root(s->doc, json_copy(s->doc, object));
	s->immutable = json_bool(json_get(object, "immutable"), false);
	if (str_copy(s->version, sizeof(s->version), version) < 0)
		s->version[0] = '\0';
	log_info("pod", "ev=source kind=\"%s\" ns=%s name=%s version=%s", source_kind_name(s),
		 s->ns, s->name, s->version);
}

void pods_fetched(struct pod_want *want, const struct pod_fetched *answer)
{
	struct source *s = container_of(want, struct source, want);

	s->asking = false;
	if (!answer->object && !answer->absent) {
		source_failed(s, answer);
		return;
	}
	s->failing_ms = 0;
	s->trouble[0] = '\0';
	s->known_ms = s->asked_ms;
	if (answer->object)
		source_have(s, answer->object);
	else
		source_absent(s);
	s->polled = false;
	source_tell(s);
	source_plan(s);
}

/* ---- for pods ---- */

static void source_add(struct pod *p, const struct source_name *name, bool mounted)
{
	struct source_use *u = source_use_of(p, name);
	struct source *s;

	if (u) {
		u->mounted |= mounted;
		return;
	}
	u = mem_alloc(sizeof(*u));
	u->mounted = mounted;
	u->since_ms = clock_mono_ms();
	list_for_each(s, &p->pods->sources, node)
		if (source_is(s, p, name))
			u->source = s;
	if (!u->source)
		u->source = source_new(p, name);
	list_add(&p->uses, &u->node);
	source_ask(u->source);
}

static void source_add_mounted(struct pod *p, const struct spec_source *src)
{
	struct source_name name = {.name = src->object};

	switch (src->kind) {
	case SPEC_SOURCE_DOWNWARD_API:
		return;
	case SPEC_SOURCE_CONFIG_MAP:
		name.kind = POD_CONFIG_MAP;
		break;
	case SPEC_SOURCE_SECRET:
		name.kind = POD_SECRET;
		break;
	case SPEC_SOURCE_TOKEN:
		name.kind = POD_TOKEN;
		name.name = p->spec->service_account;
		name.audience = src->audience;
		name.expiration_s = src->expiration_s;
		break;
	}
	source_add(p, &name, true);
}

void sources_open(struct pod *p, bool mounted_only)
{
	p->sources_open = true;
	for (uint32_t i = 0; i < p->spec->volume_count; i++)
		for (uint32_t k = 0; k < p->spec->volumes[i].source_count; k++)
			source_add_mounted(p, &p->spec->volumes[i].sources[k]);
	for (uint32_t i = 0; !mounted_only && i < p->spec->pull_secrets.count; i++) {
		const struct source_name name = {.kind = POD_SECRET,
						 .name = p->spec->pull_secrets.at[i]};

		source_add(p, &name, false);
	}
	for (uint32_t i = 0; !mounted_only && i < p->spec->container_count; i++) {
		const struct spec_container *c = &p->spec->containers[i];

		for (uint32_t k = 0; k < c->env_count; k++) {
			const struct spec_env *v = &c->env[k];
			const struct source_name name = {
				.kind = v->kind == SPEC_ENV_SECRET ? POD_SECRET : POD_CONFIG_MAP,
				.name = v->object,
			};

			if (v->kind == SPEC_ENV_SECRET || v->kind == SPEC_ENV_CONFIG_MAP)
				source_add(p, &name, false);
		}
	}
}

static void source_drop(struct source_use *u)
{
	struct source *s = u->source;

	list_del(&u->node);
	free(u);
	if (!source_needs(s).any)
		source_free(s);
}

void sources_settle(struct pod *p)
{
	struct source_use *u, *tmp;

	list_for_each_safe(u, tmp, &p->uses, node) {
		if (!u->mounted) {
			source_drop(u);
			continue;
		}
		u->settled = true;
		if (!u->source->asking)
			source_plan(u->source);
	}
}

void sources_poll(struct pod *p)
{
	struct source_use *u;

	list_for_each(u, &p->uses, node) {
		u->source->polled = true;
		if (!u->source->asking && !timer_armed(&u->source->retry.timer))
			retry_arm(&u->source->retry, -1);
	}
}

void sources_close(struct pod *p)
{
	p->sources_open = false;
	while (!list_empty(&p->uses))
		source_drop(list_entry(p->uses.next, struct source_use, node));
}

int source_get(const struct pod *p, const struct source_name *name, const struct json **object,
	       struct err *e)
{
	const struct source_use *u = source_use_of(p, name);
	const struct source *s = u ? u->source : NULL;

	*object = NULL;
	err_clear(e);
	if (!s)
		return -EAGAIN;
	if (!s->known || (!u->settled && s->known_ms < u->since_ms)) {
		if (s->failing_ms && clock_mono_ms() - s->failing_ms >= SOURCE_PATIENCE_MS)
			return err_set(e, -EAGAIN, "%s \"%s\": %s", source_kind_name(s), s->name,
				       s->trouble);
		return -EAGAIN;
	}
	if (!s->doc && s->want.kind == POD_TOKEN)
		return err_set(e, -ENOENT, "serviceaccount \"%s\" not found", s->name);
	if (!s->doc)
		return err_set(e, -ENOENT, "%s \"%s\" not found", source_kind_name(s), s->name);
	*object = json_root(s->doc);
	return 0;
}

const struct json *source_find(const struct json *object, enum pod_object kind, const char *key,
			       bool binary, bool *encoded)
{
	const struct json *value = json_at(object, "data", key, NULL);

	*encoded = kind == POD_SECRET;
	if (!value && binary && kind == POD_CONFIG_MAP) {
		value = json_at(object, "binaryData", key, NULL);
		*encoded = true;
	}
	return value;
}

int source_value(const struct json *value, bool encoded, const char *key, struct buf *out,
		 struct err *e)
{
	int r;

	if (!encoded)
		r = buf_puts(out, json_str(value, ""));
	else
		r = base64_decode(out, json_str(value, ""));
	return r == -EBADMSG ? err_set(e, r, "key %s: not base64", key) : r;
}

int source_key(const struct json *object, enum pod_object kind, const char *key, struct buf *out,
	       struct err *e)
{
	bool encoded;
	const struct json *value = source_find(object, kind, key, false, &encoded);

	return value ? source_value(value, encoded, key, out, e) : -ENOENT;
}
