// SPDX-License-Identifier: Apache-2.0
#include "node.h"

#include "base/mem.h"
#include "base/str.h"

#define NODE_LEASE_PATH "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases"
#define NODE_LOOK_KEY	"hypermetal.io/look" /* annotation of its Lease */

char *node_path(const char *host)
{
	_cleanup_free_ char *escaped = str_percent_encode(host);

	return mem_printf("/api/v1/nodes/%s", escaped);
}

int node_get(const struct cmd *c, const char *host, struct json_doc **doc, struct err *e)
{
	_cleanup_free_ char *path = node_path(host);

	return api_call(c->api, "GET", path, NULL, doc, e);
}

const char *node_annotation(const struct json *node, const char *key)
{
	return json_str(json_at(node, "metadata", "annotations", key, NULL), "");
}

const char *node_info(const struct json *node, const char *key)
{
	return json_str(json_at(node, "status", "nodeInfo", key, NULL), "");
}

static int annotate(const struct cmd *c, const char *path, const char *key, const char *value,
		    struct err *e)
{
	_cleanup_json_ struct json_doc *doc = json_doc_new();
	struct json *root = json_new_obj(doc), *meta = json_obj_of(doc, root, "metadata");

	json_put_str(doc, json_obj_of(doc, meta, "annotations"), key, value);
	return api_call(c->api, "PATCH", path, root, NULL, e);
}

int node_ask(const struct cmd *c, const char *host, const char *key, const char *value,
	     const char *mark, struct err *e)
{
	_cleanup_free_ char *path = node_path(host), *escaped = str_percent_encode(host);
	_cleanup_free_ char *lease = mem_printf(NODE_LEASE_PATH "/%s", escaped);
	int r = annotate(c, path, key, value, e);

	if (r == 0)
		(void)annotate(c, lease, NODE_LOOK_KEY, mark, NULL);
	return r;
}
