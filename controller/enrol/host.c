// SPDX-License-Identifier: Apache-2.0
/*
 * Host records: which machine bears which node name. The first machine that boots under a name owns
 * it; its MAC address or, for a machine with another network card, its UUID proves that it is the
 * same one as far as a network boot without a TPM can.
 *
 * Anybody on the boot network can make records. So their number is bounded, and those that did not
 * become a Node within a day are forgotten; the same frees the name of a machine whose Node was deleted.
 */
#include <errno.h>
#include <strings.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "internal.h"

#define HOSTS_MAX	16384
#define HOST_STRANGER_S 86400

static const char *text(const char *s)
{
	return s ? s : "";
}

static bool list_has(const struct json *list, const char *value)
{
	struct json_iter it = json_iter(list);

	while (json_next(&it)) {
		if (strcasecmp(json_str(it.value, ""), value) == 0)
			return true;
	}
	return false;
}

/* Add to a list of the record unless it is empty or there. */
static void note(struct json_doc *doc, struct json *spec, const char *key, const char *value)
{
	struct json *list = json_arr_of(doc, spec, key);

	if (*value && !list_has(list, value))
		json_push(doc, list, json_new_str(doc, value));
}

/* UUIDs that every board of a maker bears prove nothing. */
static bool uuid_means(const char *uuid)
{
	return strlen(uuid) == 36 && strspn(uuid, "0-") != 36 && strspn(uuid, "fF-") != 36 &&
	       strncasecmp(uuid, "03000200-0400-0500", 18) != 0;
}

static bool same_machine(const struct json *spec, const struct enrol_host *host)
{
	const char *uuid = json_str(json_get(spec, "uuid"), "");

	if (list_has(json_get(spec, "macs"), text(host->mac)))
		return true;
	return uuid_means(uuid) && strcasecmp(uuid, text(host->uuid)) == 0;
}

static struct json_doc *record_new(const struct enrol *n, const struct enrol_host *host)
{
	struct json_doc *doc = json_doc_new();
	struct json *root = json_new_obj(doc), *spec;

	json_set_root(doc, root);
	json_put_str(doc, root, "kind", "Host");
	json_put_str(doc, root, "apiVersion", "hypermetal.io/v1");
	json_put_str(doc, json_obj_of(doc, root, "metadata"), "name", host->node_name);
	spec = json_obj_of(doc, root, "spec");
	json_put_bool(doc, spec, "approved", !n->config.manual);
	return doc;
}

static void record_fill(struct json_doc *doc, const struct enrol_host *host)
{
	struct json *spec = json_obj_of(doc, json_root(doc), "spec");

	note(doc, spec, "macs", text(host->mac));
	json_put_str(doc, spec, "uuid", text(host->uuid));
	json_put_str(doc, spec, "serial", text(host->serial));
	json_put(doc, spec, "addresses", json_new_arr(doc)); /* of this boot alone */
	note(doc, spec, "addresses", text(host->address));
}

static int record_put(struct enrol *n, const struct enrol_host *host, struct err *e)
{
	struct store_object *o = store_get(n->store, ENROL_HOSTS, "", host->node_name);
	struct json_doc *doc;

	if (!o && store_count(n->store, ENROL_HOSTS) >= HOSTS_MAX)
		return err_set(e, -ENOSPC,
			       "%d machines have asked to boot; those without a Node are forgotten "
			       "after a day, then this one may",
			       HOSTS_MAX);
	if (!o) {
		doc = record_new(n, host);
		record_fill(doc, host);
		log_info("enrol", "ev=host_new node=%s mac=%s", host->node_name, text(host->mac));
		return store_create(n->store, ENROL_HOSTS, "", host->node_name, doc, NULL, e);
	}
	if (!same_machine(json_get(json_root(o->doc), "spec"), host))
		return err_set(
			e, -EEXIST,
			"node name %s belongs to another machine; if that is gone, delete "
			"its Node: the name is free a minute after, or a day after its first boot",
			host->node_name);
	doc = json_doc_new();
	json_set_root(doc, json_copy(doc, json_root(o->doc)));
	record_fill(doc, host);
	return store_update(n->store, ENROL_HOSTS, "", host->node_name, o->rev, doc, NULL, e);
}

void host_tidy(struct store *s)
{
	char at[256] = "";
	struct store_object *o;

	while ((o = store_next(s, ENROL_HOSTS, NULL, "", *at ? at : NULL))) {
		const struct json *meta = json_get(json_root(o->doc), "metadata");
		uint64_t made_ns;

		str_copy(at, sizeof(at), o->name);
		if (clock_parse_rfc3339(json_str(json_get(meta, "creationTimestamp"), ""),
					&made_ns) < 0 ||
		    made_ns / 1000000000 + HOST_STRANGER_S > (uint64_t)time(NULL) ||
		    store_get(s, "nodes", "", at) || token_lives(s, at))
			continue;
		log_info("enrol", "ev=host_forgotten node=%s", at);
		store_delete(s, ENROL_HOSTS, "", at, 0, NULL);
	}
}

int enrol_mint(struct enrol *n, const struct enrol_host *host, char token[ENROL_TOKEN_SIZE],
	       struct err *e)
{
	int r = record_put(n, host, e);

	return r < 0 ? r : token_mint(n->store, host->node_name, token, e);
}
