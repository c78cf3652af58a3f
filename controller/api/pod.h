/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the pod's files share. A check gets the place of what it looks at as text, such as
 * "spec.containers[0].env[1]"; what is wrong goes to field_*(), in the words of the real server
 * (k8s.io/kubernetes, apis/core/validation).
 */
#ifndef API_POD_H
#define API_POD_H

#include "internal.h"

#define POD_PATH_MAX 200

/* admit.c: what a new pod gets from its account and its runtime class. Return: false when it answered */
bool pod_admit(struct api_call *c, struct json_doc *doc, struct json *spec);

/* pod_default.c */
void pod_default(struct json_doc *doc, struct json *spec, bool create);

/* pod_check.c: a defaulted spec */
void pod_check(struct api_call *c, const struct json *spec);

/* pod_check_env.c: env and envFrom of a container; what downward volumes refer to as well */
void pod_check_env(struct api_call *c, const struct json *container, const char *path);
void pod_check_field_ref(struct api_call *c, const struct json *ref, bool volume, const char *path);
void pod_check_resource_ref(struct api_call *c, const struct json *ref, bool volume,
			    const char *path);

/* pod_check_volume.c */
void pod_check_volumes(struct api_call *c, const struct json *volumes);
void pod_check_mounts(struct api_call *c, const struct json *container, const struct json *volumes,
		      const char *path);

/* pod_check_probe.c: probes and hooks of a container; @init: one of the initContainers */
void pod_check_probes(struct api_call *c, const struct json *spec, const struct json *container,
		      bool init, const char *path);

/* pod_check_security.c: users, profiles, names and addresses */
void pod_check_pod_security(struct api_call *c, const struct json *spec);
void pod_check_security(struct api_call *c, const struct json *context, const char *path);
void pod_check_dns(struct api_call *c, const struct json *spec);

/* pod_check_part.c: values. The path ends with @key. */
void part_enum(struct api_call *c, const struct json *o, const char *key,
	       const char *const *allowed, const char *path);
void part_label(struct api_call *c, const char *name, const char *path);
void part_int(struct api_call *c, const struct json *o, const char *key, int64_t min, int64_t max,
	      const char *rule, const char *path);
void part_port(struct api_call *c, const struct json *v, const char *path); /* number or name */
void part_port_name(struct api_call *c, const char *name, const char *path);
void part_relative(struct api_call *c, const char *file, const char *path); /* goes nowhere else */
void part_string(struct api_call *c, const char *value, const char *rule, const char *path);
/* Whether an element before @index has the same value for @key */
bool part_seen(const struct json *list, size_t index, const char *key);
bool part_named(const struct json *list, const char *name);
/* What is wrong with a key of a ConfigMap or Secret, or NULL (data_kinds.c) */
const char *data_key_wrong(const char *key);

#endif
