// SPDX-License-Identifier: Apache-2.0
/*
 * What every namespace has of its own: the ServiceAccount "default" and the ConfigMap
 * "kube-root-ca.crt", by which pods know the API. They are made with the namespace and put back when somebody removes
 * or changes them, as the real controllers do. Unlike there the account "default" mounts no token by itself: a pod that
 * speaks to the API says so (docs/decisions.md).
 */
#include "account.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"

#define ROOT_CA	 "kube-root-ca.crt"
#define CA_KEY	 "ca.crt"
#define ACCOUNT	 "default"
#define CA_NOTE	 "kubernetes.io/description"
#define CA_WORDS "Contains a CA bundle that can be used to verify the kube-apiserver"

struct account_keeper {
	struct store *store;
	const struct api_site *site;
	struct store_sub accounts, maps;
};

static struct json_doc *new_object(const char *kind, const char *ns, const char *name)
{
	struct json_doc *doc = json_doc_new();
	struct json *root = json_new_obj(doc), *meta;

	json_set_root(doc, root);
	json_put_str(doc, root, "kind", kind);
	json_put_str(doc, root, "apiVersion", "v1");
	meta = json_obj_of(doc, root, "metadata");
	json_put_str(doc, meta, "name", name);
	json_put_str(doc, meta, "namespace", ns);
	return doc;
}

static int make_account(struct store *s, const char *ns, struct err *e)
{
	struct json_doc *doc;

	if (store_get(s, "serviceaccounts", ns, ACCOUNT))
		return 0;
	doc = new_object("ServiceAccount", ns, ACCOUNT);
	json_put_bool(doc, json_root(doc), "automountServiceAccountToken", false);
	return store_create(s, "serviceaccounts", ns, ACCOUNT, doc, NULL, e);
}

static int make_root_ca(struct store *s, const char *ns, const char *ca_pem, struct err *e)
{
	struct store_object *o = store_get(s, "configmaps", ns, ROOT_CA);
	const struct json *data = o ? json_get(json_root(o->doc), "data") : NULL;
	struct json_doc *doc;
	struct json *root;

	if (o && json_count(data) == 1 && str_eq(json_str(json_get(data, CA_KEY), ""), ca_pem))
		return 0;
	doc = new_object("ConfigMap", ns, ROOT_CA);
	root = json_root(doc);
	json_put_str(doc, json_obj_of(doc, json_get(root, "metadata"), "annotations"), CA_NOTE,
		     CA_WORDS);
	json_put_str(doc, json_obj_of(doc, root, "data"), CA_KEY, ca_pem);
	return o ? store_update(s, "configmaps", ns, ROOT_CA, 0, doc, NULL, e)
		 : store_create(s, "configmaps", ns, ROOT_CA, doc, NULL, e);
}

int account_fill_namespace(struct store *s, const struct api_site *site, const char *ns,
			   struct err *e)
{
	struct store_object *o = store_get(s, "namespaces", "", ns);
	int r;

	if (!o || json_at(json_root(o->doc), "metadata", "deletionTimestamp", NULL))
		return 0;
	r = make_account(s, ns, e);
	if (r == 0 && site && site->ca_pem)
		r = make_root_ca(s, ns, site->ca_pem, e);
	return r;
}

static void on_account(struct store_sub *sub, const struct store_event *ev)
{
	struct account_keeper *k = container_of(sub, struct account_keeper, accounts);

	if (ev->type == STORE_DELETED && str_eq(ev->object->name, ACCOUNT))
		account_fill_namespace(k->store, k->site, ev->object->namespace, NULL);
}

static void on_map(struct store_sub *sub, const struct store_event *ev)
{
	struct account_keeper *k = container_of(sub, struct account_keeper, maps);

	if (ev->type != STORE_ADDED && str_eq(ev->object->name, ROOT_CA))
		account_fill_namespace(k->store, k->site, ev->object->namespace, NULL);
}

int account_keeper_new(struct store *s, const struct api_site *site, struct account_keeper **out,
		       struct err *e)
{
	struct account_keeper *k = mem_alloc(sizeof(*k));
	char at[API_NAME_MAX] = "";
	struct store_object *o;
	int r = 0;

	k->store = s;
	k->site = site;
	while (r == 0 && (o = store_next(s, "namespaces", NULL, "", at))) {
		(void)str_copy(at, sizeof(at), o->name);
		r = account_fill_namespace(s, site, at, e);
	}
	if (r == 0)
		r = store_subscribe(s, &k->accounts, "serviceaccounts", store_rev(s), on_account);
	if (r == 0)
		r = store_subscribe(s, &k->maps, "configmaps", store_rev(s), on_map);
	if (r < 0) {
		account_keeper_free(k);
		return err_wrap(e, r, "service accounts");
	}
	*out = k;
	return 0;
}

struct account_keeper *account_keeper_free(struct account_keeper *k)
{
	if (!k)
		return NULL;
	store_unsubscribe(&k->accounts);
	store_unsubscribe(&k->maps);
	free(k);
	return NULL;
}
