// SPDX-License-Identifier: Apache-2.0
/* The table of what is served; everything generic reads it, nothing else knows kinds by name. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "internal.h"
#include "schema.h"
#include "table_columns.h"

#define CELLS(kind) \
	.columns = kind##_columns, .column_count = ARRAY_SIZE(kind##_columns), .cells = kind##_cells

static const struct api_kind kinds[] = {
	{.group = "",
	 .version = "v1",
	 .plural = "configmaps",
	 .singular = "configmap",
	 .kind = "ConfigMap",
	 .short_names = "cm",
	 .namespaced = true,
	 .verbs = VERBS_ALL,
	 .schema = schema_configmap,
	 .prepare = configmap_prepare,
	 CELLS(configmap)},
	{.group = "",
	 .version = "v1",
	 .plural = "events",
	 .singular = "event",
	 .kind = "Event",
	 .short_names = "ev",
	 .namespaced = true,
	 .verbs = VERBS_ALL,
	 .fields = "involvedObject.kind involvedObject.namespace involvedObject.name "
		   "involvedObject.uid involvedObject.apiVersion involvedObject.resourceVersion "
		   "involvedObject.fieldPath reason reportingComponent source.component type",
	 .prepare = event_prepare,
	 CELLS(event)},
	{.group = "",
	 .version = "v1",
	 .plural = "namespaces",
	 .singular = "namespace",
	 .kind = "Namespace",
	 .short_names = "ns",
	 .verbs = VERBS_ALL & ~VERB_DELETE_ALL,
	 .subresources = "status finalize",
	 .fields = "status.phase",
	 .has_status = true,
	 .prepare = namespace_prepare,
	 CELLS(namespace)},
	{.group = "",
	 .version = "v1",
	 .plural = "nodes",
	 .singular = "node",
	 .kind = "Node",
	 .short_names = "no",
	 .verbs = VERBS_ALL,
	 .subresources = "status proxy",
	 .fields = "spec.unschedulable",
	 .has_status = true,
	 .status_at_create = true,
	 .prepare = node_prepare,
	 CELLS(node)},
	{.group = "",
	 .version = "v1",
	 .plural = "pods",
	 .singular = "pod",
	 .kind = "Pod",
	 .short_names = "po",
	 .categories = "all",
	 .namespaced = true,
	 .verbs = VERBS_ALL,
	 .subresources = "status log binding eviction exec attach portforward",
	 .fields = "spec.nodeName spec.restartPolicy spec.schedulerName spec.serviceAccountName "
		   "spec.hostNetwork status.phase status.podIP status.nominatedNodeName",
	 .has_status = true,
	 .has_generation = true,
	 .schema = schema_pod,
	 .prepare = pod_prepare,
	 .prepare_status = pod_prepare_status,
	 CELLS(pod)},
	{.group = "",
	 .version = "v1",
	 .plural = "secrets",
	 .singular = "secret",
	 .kind = "Secret",
	 .namespaced = true,
	 .verbs = VERBS_ALL,
	 .fields = "type",
	 .schema = schema_secret,
	 .prepare = secret_prepare,
	 CELLS(secret)},
	{.group = "",
	 .version = "v1",
	 .plural = "serviceaccounts",
	 .singular = "serviceaccount",
	 .kind = "ServiceAccount",
	 .short_names = "sa",
	 .namespaced = true,
	 .verbs = VERBS_ALL,
	 .subresources = "token",
	 .schema = schema_serviceaccount,
	 .prepare = service_account_prepare,
	 CELLS(service_account)},
	{.group = "certificates.k8s.io",
	 .version = "v1",
	 .plural = "certificatesigningrequests",
	 .singular = "certificatesigningrequest",
	 .kind = "CertificateSigningRequest",
	 .short_names = "csr",
	 .verbs = VERBS_ALL,
	 .subresources = "status approval",
	 .fields = "spec.signerName",
	 .has_status = true,
	 .prepare = csr_prepare,
	 CELLS(csr)},
	{.group = "coordination.k8s.io",
	 .version = "v1",
	 .plural = "leases",
	 .singular = "lease",
	 .kind = "Lease",
	 .namespaced = true,
	 .verbs = VERBS_ALL,
	 .prepare = lease_prepare,
	 CELLS(lease)},
	{.group = "node.k8s.io",
	 .version = "v1",
	 .plural = "runtimeclasses",
	 .singular = "runtimeclass",
	 .kind = "RuntimeClass",
	 .verbs = VERBS_ALL,
	 .schema = schema_runtimeclass,
	 .prepare = runtime_class_prepare,
	 CELLS(runtime_class)},
	{.group = "metrics.k8s.io",
	 .version = "v1beta1",
	 .plural = "nodes",
	 .singular = "",
	 .kind = "NodeMetrics",
	 .computed = true,
	 .verbs = VERB_GET | VERB_LIST},
	{.group = "metrics.k8s.io",
	 .version = "v1beta1",
	 .plural = "pods",
	 .singular = "",
	 .kind = "PodMetrics",
	 .namespaced = true,
	 .computed = true,
	 .verbs = VERB_GET | VERB_LIST},
};

const struct api_kind *kind_at(size_t index)
{
	return index < ARRAY_SIZE(kinds) ? &kinds[index] : NULL;
}

const struct api_kind *kind_find(const char *group, const char *version, const char *plural)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (str_eq(kinds[i].plural, plural) && str_eq(kinds[i].group, group) &&
		    (!version || str_eq(kinds[i].version, version)))
			return &kinds[i];
	}
	return NULL;
}

bool words_have(const char *words, const char *word)
{
	size_t len = strlen(word);

	while (words && *words) {
		size_t n = strcspn(words, " ");

		if (n == len && memcmp(words, word, n) == 0)
			return len != 0;
		words += n + (words[n] == ' ');
	}
	return false;
}

bool kind_has_sub(const struct api_kind *k, const char *sub)
{
	return words_have(k->subresources, sub);
}

const char *kind_api_version(const struct api_kind *k, char *out, size_t size)
{
	snprintf(out, size, "%s%s%s", k->group, *k->group ? "/" : "", k->version);
	return out;
}

const char *kind_resource(const struct api_kind *k, char *out, size_t size)
{
	snprintf(out, size, "%s%s%s", k->plural, *k->group ? "." : "", k->group);
	return out;
}

const char *verb_name(enum api_verb verb)
{
	switch (verb) {
	case VERB_GET:
		return "get";
	case VERB_LIST:
		return "list";
	case VERB_WATCH:
		return "watch";
	case VERB_CREATE:
		return "create";
	case VERB_UPDATE:
		return "update";
	case VERB_PATCH:
		return "patch";
	case VERB_DELETE:
		return "delete";
	case VERB_DELETE_ALL:
		return "deletecollection";
	}
	return "";
}
