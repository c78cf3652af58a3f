// SPDX-License-Identifier: Apache-2.0
/*
 * What a new pod gets from its ServiceAccount and its RuntimeClass before defaults and checks (the
 * admission plugins of those names of the real server): token volume and pull secrets of the one, overhead, node
 * selector and tolerations of the other. A pod that names one which is not there is refused.
 */
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "internal.h"
#include "pod.h"

#define TOKEN_PATH	 "/var/run/secrets/kubernetes.io/serviceaccount"
#define TOKEN_VOLUME	 "kube-api-access-"
#define TOKEN_LIFETIME_S 3607 /* an hour, told from those that asked for one */

static const char *const lists[] = {"initContainers", "containers"};

static bool refuse(struct api_call *c, const char *why)
{
	reply_fail(c, 403, "Forbidden", "pods \"%s\" is forbidden: %s", c->name, why);
	return false;
}

static bool mounts_token(const struct json *container)
{
	struct json_iter it = json_iter(json_get(container, "volumeMounts"));

	while (json_next(&it)) {
		if (str_eq(json_str(json_get(it.value, "mountPath"), ""), TOKEN_PATH))
			return true;
	}
	return false;
}

/* A mount for each container that has nothing of its own there. Return: whether there are any */
static bool add_mounts(struct json_doc *doc, struct json *spec, const char *volume)
{
	bool any = false;

	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		struct json_iter it = json_iter(json_get(spec, lists[i]));

		while (json_next(&it)) {
			struct json *m;

			if (!json_is_obj(it.value) || mounts_token(it.value))
				continue;
			m = json_new_obj(doc);
			json_put_str(doc, m, "name", volume);
			json_put_bool(doc, m, "readOnly", true);
			json_put_str(doc, m, "mountPath", TOKEN_PATH);
			json_push(doc, json_arr_of(doc, it.value, "volumeMounts"), m);
			any = true;
		}
	}
	return any;
}

static void add_volume(struct json_doc *doc, struct json *spec, const char *name)
{
	struct json *v = json_new_obj(doc), *projected, *sources, *source, *item;

	json_put_str(doc, v, "name", name);
	projected = json_obj_of(doc, v, "projected");
	sources = json_arr_of(doc, projected, "sources");
	source = json_new_obj(doc);
	item = json_obj_of(doc, source, "serviceAccountToken");
	json_put_int(doc, item, "expirationSeconds", TOKEN_LIFETIME_S);
	json_put_str(doc, item, "path", "token");
	json_push(doc, sources, source);

	source = json_new_obj(doc);
	item = json_new_obj(doc);
	json_put_str(doc, item, "key", "ca.crt");
	json_put_str(doc, item, "path", "ca.crt");
	json_put_str(doc, json_obj_of(doc, source, "configMap"), "name", "kube-root-ca.crt");
	json_push(doc, json_arr_of(doc, json_get(source, "configMap"), "items"), item);
	json_push(doc, sources, source);

	source = json_new_obj(doc);
	item = json_new_obj(doc);
	json_put_str(doc, item, "path", "namespace");
	json_put_str(doc, json_obj_of(doc, item, "fieldRef"), "apiVersion", "v1");
	json_put_str(doc, json_get(item, "fieldRef"), "fieldPath", "metadata.namespace");
	json_push(doc, json_arr_of(doc, json_obj_of(doc, source, "downwardAPI"), "items"), item);
	json_push(doc, sources, source);
	json_push(doc, json_arr_of(doc, spec, "volumes"), v);
}

static bool wants_token(const struct json *spec, const struct json *account)
{
	const struct json *said = json_get(spec, "automountServiceAccountToken");

	if (json_type(said) != JSON_BOOL)
		said = json_get(account, "automountServiceAccountToken");
	return json_bool(said, true);
}

static bool admit_account(struct api_call *c, struct json_doc *doc, struct json *spec)
{
	const char *old_name = json_str(json_get(spec, "serviceAccount"), "");
	const char *name = json_str(json_get(spec, "serviceAccountName"), "");
	char volume[sizeof(TOKEN_VOLUME) + NAME_RANDOM_SIZE] = TOKEN_VOLUME;
	const struct json *account;
	struct store_object *o;

	if (!*name)
		name = *old_name ? old_name : "default";
	o = store_get(c->store, "serviceaccounts", c->namespace, name);
	if (!o) {
		_cleanup_free_ char *why =
			mem_printf("error looking up service account %s/%.253s: serviceaccount "
				   "\"%.253s\" not found",
				   c->namespace, name, name);

		return refuse(c, why);
	}
	account = json_root(o->doc);
	json_put_str(doc, spec, "serviceAccountName", name);
	name_random(volume + strlen(volume));
	if (wants_token(spec, account) && add_mounts(doc, spec, volume))
		add_volume(doc, spec, volume);
	if (!json_count(json_get(spec, "imagePullSecrets")))
		json_put(doc, spec, "imagePullSecrets",
			 json_copy(doc, json_get(account, "imagePullSecrets")));
	return true;
}

static bool merge_selector(struct api_call *c, struct json_doc *doc, struct json *spec,
			   const struct json *wanted)
{
	struct json_iter it = json_iter(wanted);

	while (json_next(&it)) {
		struct json *have = json_obj_of(doc, spec, "nodeSelector");
		const char *is = json_str(json_get(have, it.key), json_str(it.value, ""));

		if (!str_eq(is, json_str(it.value, ""))) {
			_cleanup_free_ char *why = mem_printf(
				"conflict: runtimeClass.scheduling.nodeSelector[%.100s] = %.63s; "
				"pod.spec.nodeSelector[%.100s] = %.63s",
				it.key, json_str(it.value, ""), it.key, is);

			return refuse(c, why);
		}
		json_put_str(doc, have, it.key, is);
	}
	return true;
}

static void merge_tolerations(struct json_doc *doc, struct json *spec, const struct json *wanted)
{
	struct json_iter it = json_iter(wanted);

	while (json_next(&it)) {
		struct json *list = json_arr_of(doc, spec, "tolerations");
		struct json_iter have = json_iter(list);
		bool found = false;

		while (!found && json_next(&have))
			found = json_equal(have.value, it.value);
		if (!found)
			json_push(doc, list, json_copy(doc, it.value));
	}
}

static bool admit_runtime(struct api_call *c, struct json_doc *doc, struct json *spec)
{
	const char *name = json_str(json_get(spec, "runtimeClassName"), "");
	struct store_object *o = *name ? store_get(c->store, "runtimeclasses", "", name) : NULL;
	const struct json *class = o ? json_root(o->doc) : NULL;
	const struct json *fixed = json_at(class, "overhead", "podFixed", NULL);
	const struct json *has = json_get(spec, "overhead");

	if (*name && !o) {
		_cleanup_free_ char *why =
			mem_printf("pod rejected: RuntimeClass \"%.253s\" not found", name);

		return refuse(c, why);
	}
	if (json_count(has) && !json_count(fixed))
		return refuse(c, "pod rejected: Pod Overhead set without corresponding "
				 "RuntimeClass defined Overhead");
	if (json_count(has) && !json_equal(has, fixed))
		return refuse(c, "pod rejected: Pod's Overhead doesn't match RuntimeClass's "
				 "defined Overhead");
	if (json_count(fixed))
		json_put(doc, spec, "overhead", json_copy(doc, fixed));
	merge_tolerations(doc, spec, json_at(class, "scheduling", "tolerations", NULL));
	return merge_selector(c, doc, spec, json_at(class, "scheduling", "nodeSelector", NULL));
}

bool pod_admit(struct api_call *c, struct json_doc *doc, struct json *spec)
{
	return admit_account(c, doc, spec) && admit_runtime(c, doc, spec);
}
