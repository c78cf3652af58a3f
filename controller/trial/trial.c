// SPDX-License-Identifier: Apache-2.0
/*
 * The rules of state.c with a store under them: records, Nodes that change, the time that passes, and
 * what is said of it.
 */
#include "trial/trial.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "state.h"

#define BOOTS	  "boots"
#define NODES	  "nodes"
#define LOOK_MS	  15000 /* for trials whose time is over, while there are any */
#define LEAST_S	  120U /* a boot that was begun is given that much, if there is so much at all */
#define NAME_SIZE 256

struct trial {
	struct loop *loop; /* NULL: none (tests) */
	struct store *store;
	struct trial_config config;
	struct store_sub nodes;
	struct timer look;
};

static const char *annotation(const struct store_object *node, const char *key)
{
	return node ? json_str(json_at(json_root(node->doc), "metadata", "annotations", key, NULL),
			       "")
		    : "";
}

static const char *node_info(const struct store_object *node, const char *key)
{
	return node ? json_str(json_at(json_root(node->doc), "status", "nodeInfo", key, NULL), "")
		    : "";
}

/* ---- records ---- */

static void take(char *out, size_t size, const struct json *spec, const char *key)
{
	(void)str_copy(out, size, json_str(json_get(spec, key), ""));
}

static void load(const struct trial *t, const char *node, struct state *s)
{
	const struct store_object *o = store_get(t->store, BOOTS, "", node);
	const struct json *spec = o ? json_get(json_root(o->doc), "spec") : NULL;

	*s = (struct state){.attempts = 0};
	take(s->assigned, sizeof(s->assigned), spec, "assigned");
	take(s->good, sizeof(s->good), spec, "good");
	take(s->trying, sizeof(s->trying), spec, "trying");
	take(s->boot_id, sizeof(s->boot_id), spec, "bootID");
	take(s->failed, sizeof(s->failed), spec, "failed");
	take(s->why, sizeof(s->why), spec, "why");
	s->attempts = (unsigned int)json_int(json_get(spec, "attempts"), 0);
	s->since_s = (uint64_t)json_int(json_get(spec, "since"), 0);
}

/* A record that cannot be written costs a count, not a boot. */
static void save(const struct trial *t, const char *node, const struct state *s)
{
	struct json_doc *doc = json_doc_new();
	struct json *root = json_new_obj(doc), *spec;
	struct err e = ERR_INIT;
	int r;

	json_set_root(doc, root);
	json_put_str(doc, root, "kind", "Boot");
	json_put_str(doc, root, "apiVersion", "hypermetal.io/v1");
	json_put_str(doc, json_obj_of(doc, root, "metadata"), "name", node);
	spec = json_obj_of(doc, root, "spec");
	json_put_str(doc, spec, "assigned", s->assigned);
	json_put_str(doc, spec, "good", s->good);
	json_put_str(doc, spec, "trying", s->trying);
	json_put_int(doc, spec, "attempts", s->attempts);
	json_put_int(doc, spec, "since", (int64_t)s->since_s);
	json_put_str(doc, spec, "bootID", s->boot_id);
	json_put_str(doc, spec, "failed", s->failed);
	json_put_str(doc, spec, "why", s->why);
	r = store_get(t->store, BOOTS, "", node)
		    ? store_update(t->store, BOOTS, "", node, 0, doc, NULL, &e)
		    : store_create(t->store, BOOTS, "", node, doc, NULL, &e);
	if (r < 0)
		log_error("trial", "ev=boot_not_kept node=%s error=\"%s\"", node, err_msg(&e));
}

/* ---- what is said ---- */

static void annotate(const struct trial *t, struct store_object *node, const char *value)
{
	struct json_doc *doc;
	struct json *root;
	struct err e = ERR_INIT;

	if (t->config.annotate) {
		t->config.annotate(node->name, TRIAL_TROUBLE_KEY, value, t->config.annotate_arg);
		return;
	}
	doc = json_doc_new();
	root = json_copy(doc, json_root(node->doc));
	json_set_root(doc, root);
	json_put(doc, json_obj_of(doc, json_obj_of(doc, root, "metadata"), "annotations"),
		 TRIAL_TROUBLE_KEY, value ? json_new_str(doc, value) : NULL);
	if (store_update(t->store, NODES, "", node->name, 0, doc, NULL, &e) < 0)
		log_error("trial", "node=%s error=\"%s\"", node->name, err_msg(&e));
}

/* The Node says what the record says. */
static void tell(const struct trial *t, const char *name, const struct state *s)
{
	struct store_object *node = store_get(t->store, NODES, "", name);
	const char *said = annotation(node, TRIAL_TROUBLE_KEY);
	char words[TRIAL_WHY_MAX + TRIAL_VERSION_MAX + 32] = "", safe[4 * sizeof(words)];

	if (!node)
		return;
	if (*s->why && *s->good)
		snprintf(words, sizeof(words), "%s; the last good one is %s", s->why, s->good);
	else
		(void)str_copy(words, sizeof(words), s->why);
	if (str_eq(said, words))
		return;
	log_warn("trial", "ev=image_trouble node=%s msg=\"%s\"", name,
		 str_printable(safe, sizeof(safe), words));
	store_ref(node);
	annotate(t, node, *words ? words : NULL);
	if (*words)
		store_event(t->store, "boot", "Node", json_root(node->doc), "Warning",
			    "ImageTrouble", "%s", words);
	store_unref(node);
}

/* ---- Nodes that change ---- */

static bool is_ready(const struct store_object *node)
{
	return str_eq(json_str(json_get(store_condition(json_root(node->doc), "Ready"), "status"),
			       ""),
		      "True");
}

static struct state_images images_now(const struct trial *t)
{
	return (struct state_images){
		.standard = t->config.standard(t->config.arg),
		.any = t->config.any(t->config.arg),
		.nameless = t->config.nameless,
		.usable = t->config.usable,
		.arg = t->config.arg,
	};
}

/* The version out of "HyperMetal VERSION", "" when it is something else */
static const char *running(const struct trial *t, const struct store_object *node)
{
	const char *version = str_starts(node_info(node, "osImage"), t->config.os_prefix);

	return version ? version : "";
}

static void look_at(struct trial *t, const struct store_object *node,
		    const struct store_object *before)
{
	const struct state_images images = images_now(t);
	struct state s;
	bool changed, good;

	load(t, node->name, &s);
	/* Whoever takes our words off the Node wants it tried again. */
	changed = state_assign(&s, annotation(node, TRIAL_IMAGE_KEY),
			       *annotation(before, TRIAL_TROUBLE_KEY) &&
				       !*annotation(node, TRIAL_TROUBLE_KEY));
	good = is_ready(node) &&
	       state_ready(&s, &images, running(t, node), node_info(node, "bootID"));
	if (good)
		log_info("trial", "ev=image_good node=%s version=%s", node->name, s.good);
	if (changed || good)
		save(t, node->name, &s);
	tell(t, node->name, &s);
}

static void on_node(struct store_sub *sub, const struct store_event *ev)
{
	struct trial *t = container_of(sub, struct trial, nodes);
	struct store_object *now = store_get(t->store, NODES, "", ev->object->name);

	if (ev->type == STORE_DELETED && !now)
		store_delete(t->store, BOOTS, "", ev->object->name, 0, NULL);
	else if (ev->type != STORE_DELETED && now == ev->object) /* else a newer one follows */
		look_at(t, now, ev->old);
}

static void on_look(struct timer *timer)
{
	struct trial *t = container_of(timer, struct trial, look);
	char at[NAME_SIZE] = "";
	const struct store_object *o;
	bool on_trial = false;

	while ((o = store_next(t->store, BOOTS, NULL, "", *at ? at : NULL))) {
		struct state s;

		(void)str_copy(at, sizeof(at), o->name);
		if (!store_get(t->store, NODES, "", at) &&
		    !store_get(t->store, t->config.hosts, "", at)) {
			store_delete(t->store, BOOTS, "", at, 0, NULL); /* forgotten */
			continue;
		}
		load(t, at, &s);
		if (state_expire(&s, (uint64_t)time(NULL), t->config.limit_s)) {
			save(t, at, &s);
			tell(t, at, &s);
		}
		on_trial |= *s.trying != '\0';
	}
	if (on_trial)
		timer_set(timer, LOOK_MS);
}

int trial_new(struct loop *loop, struct store *store, const struct trial_config *config,
	      struct trial **out, struct err *e)
{
	struct trial *t = mem_alloc(sizeof(*t));
	int r;

	t->loop = loop;
	t->store = store;
	t->config = *config;
	if (!t->config.limit_s)
		t->config.limit_s = TRIAL_S;
	r = store_subscribe(store, &t->nodes, NODES, store_rev(store), on_node);
	if (r < 0) {
		trial_free(t);
		return err_set(e, r, "trial: subscribe");
	}
	if (loop) {
		timer_init(loop, &t->look, on_look);
		timer_set(&t->look, LOOK_MS);
	}
	*out = t;
	return 0;
}

struct trial *trial_free(struct trial *t)
{
	if (!t)
		return NULL;
	store_unsubscribe(&t->nodes);
	timer_cancel(&t->look);
	free(t);
	return NULL;
}

/* ---- who asks ---- */

int trial_choose(struct trial *t, const char *node, struct trial_choice *choice, struct err *e)
{
	const struct store_object *object = store_get(t->store, NODES, "", node);
	const struct state_images images = images_now(t);
	uint64_t now_s = (uint64_t)time(NULL), gone_s;
	unsigned int limit_s = t->config.limit_s;
	const char *version;
	struct state s;
	bool on_trial;

	load(t, node, &s);
	if (object) /* of another API server it may not have come yet: then as it was */
		state_assign(&s, annotation(object, TRIAL_IMAGE_KEY), false);
	version = state_choose(&s, &images, node_info(object, "bootID"), now_s, limit_s, &on_trial);
	*choice = (struct trial_choice){.limit_s = 0};
	(void)str_copy(choice->version, sizeof(choice->version), version);
	gone_s = now_s > s.since_s ? now_s - s.since_s : 0;
	if (on_trial)
		choice->limit_s = MAX(limit_s > gone_s ? (unsigned int)(limit_s - gone_s) : 0,
				      MIN(limit_s, LEAST_S));
	if (*s.trying)
		log_info("trial", "ev=image_trial node=%s version=%s attempt=%u", node, s.trying,
			 s.attempts);
	if (*s.trying && t->loop && !timer_armed(&t->look))
		timer_set(&t->look, LOOK_MS);
	save(t, node, &s);
	tell(t, node, &s);
	return *choice->version ? 0 : err_set(e, -ENOENT, "there is no image that can be read");
}

/* Calls @fn for the record of each host until that says true. */
static bool each(const struct trial *t,
		 bool (*fn)(const char *node, const struct state *s, void *arg), void *arg)
{
	const struct store_object *o;
	char at[NAME_SIZE] = "";

	while ((o = store_next(t->store, BOOTS, NULL, "", *at ? at : NULL))) {
		struct state s;

		(void)str_copy(at, sizeof(at), o->name);
		load(t, at, &s);
		if (fn(at, &s, arg))
			return true;
	}
	return false;
}

struct use {
	const char *version;
	char *why;
	struct json_doc *doc;
	struct json *list;
};

static bool find_use(const char *node, const struct state *s, void *arg)
{
	const struct use *u = arg;
	bool assigned = str_eq(s->assigned, u->version);

	if (!assigned && !str_eq(s->good, u->version) && !str_eq(s->trying, u->version))
		return false;
	snprintf(u->why, TRIAL_WHY_MAX, "%s is %s of host %s", u->version,
		 assigned ? "the image" : "the last good image", node);
	return true;
}

bool trial_uses(struct trial *t, const char *version, char *why)
{
	struct use u = {.version = version, .why = why};

	return each(t, find_use, &u);
}

static bool push_host(const char *node, const struct state *s, void *arg)
{
	const struct use *u = arg;

	if (str_eq(s->assigned, u->version))
		json_push(u->doc, u->list, json_new_str(u->doc, node));
	return false;
}

void trial_hosts(struct trial *t, const char *version, struct json_doc *doc, struct json *list)
{
	struct use u = {.version = version, .doc = doc, .list = list};

	each(t, push_host, &u);
}
