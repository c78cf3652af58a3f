// SPDX-License-Identifier: Apache-2.0
/* What a pod gets when it is made, and what an update may change (k8s.io/kubernetes, pod strategy). */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/quantity.h"
#include "base/str.h"
#include "internal.h"
#include "pod.h"

static bool same_quantity(const struct json *a, const struct json *b)
{
	int64_t x = -1, y = -2;

	return quantity_parse(json_str(a, ""), QUANTITY_MILLI, &x) == 0 &&
	       quantity_parse(json_str(b, ""), QUANTITY_MILLI, &y) == 0 && x == y;
}

/* v1.PodQOSClass: cpu and memory of every container decide. */
static const char *qos_class(const struct json *spec)
{
	static const char *const names[] = {"cpu", "memory"};
	static const char *const lists[] = {"initContainers", "containers"};
	bool guaranteed = true, any = false;

	for (size_t l = 0; l < ARRAY_SIZE(lists); l++) {
		struct json_iter it = json_iter(json_get(spec, lists[l]));

		while (json_next(&it)) {
			const struct json *r = json_get(it.value, "resources");

			for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
				const struct json *limit = json_at(r, "limits", names[i], NULL);
				const struct json *request = json_at(r, "requests", names[i], NULL);

				any |= limit || request;
				guaranteed &= limit && request && same_quantity(limit, request);
			}
		}
	}
	return !any ? "BestEffort" : guaranteed ? "Guaranteed" : "Burstable";
}

/* Give a copy of @spec the values of @old in the fields that an update may change. */
static struct json *neutral(struct json_doc *doc, const struct json *spec, const struct json *old)
{
	static const char *const lists[] = {"initContainers", "containers"};
	static const char *const free_fields[] = {"activeDeadlineSeconds", "tolerations",
						  "terminationGracePeriodSeconds"};
	struct json *n = json_copy(doc, spec);

	for (size_t i = 0; i < ARRAY_SIZE(free_fields); i++)
		json_put(doc, n, free_fields[i], json_copy(doc, json_get(old, free_fields[i])));
	for (size_t l = 0; l < ARRAY_SIZE(lists); l++) {
		struct json_iter it = json_iter(json_get(n, lists[l]));

		for (size_t i = 0; json_next(&it); i++) {
			const struct json *was = json_item(json_get(old, lists[l]), i);

			if (json_get(was, "image") && json_is_obj(it.value))
				json_put(doc, it.value, "image",
					 json_copy(doc, json_get(was, "image")));
		}
	}
	return n;
}

static bool tolerations_kept(const struct json *new, const struct json *old)
{
	struct json_iter it = json_iter(old);

	while (json_next(&it)) {
		struct json_iter have = json_iter(new);
		bool found = false;

		while (!found && json_next(&have))
			found = json_equal(have.value, it.value);
		if (!found)
			return false;
	}
	return true;
}

static void check_update(struct api_call *c, struct json_doc *doc, const struct json *spec,
			 const struct json *old)
{
	_cleanup_json_ struct json_doc *scratch = json_doc_new();
	int64_t grace = json_int(json_get(spec, "terminationGracePeriodSeconds"), 30);
	int64_t was = json_int(json_get(old, "terminationGracePeriodSeconds"), 30);

	(void)doc;
	if (!json_equal(neutral(scratch, spec, old), old) ||
	    !tolerations_kept(json_get(spec, "tolerations"), json_get(old, "tolerations")) ||
	    (grace != was && !(was < 0 && grace == 1)))
		field_forbidden(
			c,
			"pod updates may not change fields other than `spec.containers[*].image`,"
			"`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,"
			"`spec.tolerations` (only additions to existing tolerations),"
			"`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was "
			"previously negative)",
			"spec");
}

void pod_prepare(struct api_call *c, struct json_doc *doc, const struct json *old)
{
	struct json *root = json_root(doc), *spec = json_obj_of(doc, root, "spec"), *status;

	if (!old && !pod_admit(c, doc, spec))
		return;
	pod_default(doc, spec, !old);
	pod_check(c, spec);
	if (old) {
		check_update(c, doc, spec, json_get(old, "spec"));
		return;
	}
	status = json_obj_of(doc, root, "status");
	json_put_str(doc, status, "phase", "Pending");
	json_put_str(doc, status, "qosClass", qos_class(spec));
}

/* A container that ended for good stays so (restartPolicy Never, and OnFailure after success). */
static void check_ended(struct api_call *c, const struct json *root, const struct json *old,
			const char *list)
{
	const char *policy = json_str(json_at(root, "spec", "restartPolicy", NULL), "");
	struct json_iter it = json_iter(json_at(old, "status", list, NULL));

	while (json_next(&it)) {
		const struct json *ended = json_at(it.value, "state", "terminated", NULL);
		struct json_iter now = json_iter(json_at(root, "status", list, NULL));
		const char *name = json_str(json_get(it.value, "name"), "");

		if (!ended || str_eq(policy, "Always") ||
		    (str_eq(policy, "OnFailure") && json_int(json_get(ended, "exitCode"), 0)))
			continue;
		while (json_next(&now)) {
			if (str_eq(json_str(json_get(now.value, "name"), ""), name) &&
			    !json_at(now.value, "state", "terminated", NULL))
				field_forbidden(c,
						"may not be transitioned to non-terminated state",
						"status.%s[%s].state", list, name);
		}
	}
}

void pod_prepare_status(struct api_call *c, struct json_doc *doc, const struct json *old)
{
	struct json *root = json_root(doc), *status = json_obj_of(doc, root, "status");
	const struct json *qos = json_at(old, "status", "qosClass", NULL);

	if (qos)
		json_put(doc, status, "qosClass", json_copy(doc, qos));
	check_ended(c, root, old, "containerStatuses");
}
