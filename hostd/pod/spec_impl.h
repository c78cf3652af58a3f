/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of the spec parser share: spec.c (the pod), container.c and volume.c. */
#ifndef POD_SPEC_IMPL_H
#define POD_SPEC_IMPL_H

#include "pod/spec.h"

#define SPEC_PATH_MAX 160

/** spec_refuse() - Return -ENOTSUP and say that the field at this path is not supported */
int spec_refuse(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/** spec_text() - Keep a text in the spec. Return: it, or NULL when the pod gets too large */
const char *spec_text(struct pod_spec *s, const char *text, size_t len);

/** spec_list_make() - An empty list with room for @max entries. Return: 0 or -E2BIG */
int spec_list_make(struct pod_spec *s, struct spec_list *list, size_t max);

/** spec_list_read() - Take over an array of strings. Return: 0; -EINVAL; -E2BIG */
int spec_list_read(struct pod_spec *s, const struct json *arr, struct spec_list *list,
		   const char *path, struct err *e);

/** spec_name_ok() - Whether the API may have something of this name: it becomes part of paths */
bool spec_name_ok(const char *s, size_t max);

/** spec_object_name() - Read the name of an object. Return: 0; -EINVAL */
int spec_object_name(const struct json *obj, const char *field, const char *path, const char **name,
		     struct err *e);

/**
 * spec_field() - Parse the fieldRef or resourceFieldRef in @obj
 * @in_volume: metadata.labels and metadata.annotations may be had as a whole
 */
int spec_field(struct pod_spec *s, const struct json *obj, bool in_volume, const char *path,
	       struct spec_field *f, struct err *e);

/** spec_env() - Parse env and envFrom of a container */
int spec_env(struct pod_spec *s, const struct json *container, const char *path,
	     struct spec_container *c, struct err *e);

/** spec_store() - Zeroed memory that goes with the spec. Return: NULL when the pod gets too large */
void *spec_store(struct pod_spec *s, size_t count, size_t size);

/** spec_quantity() - Parse a quantity that may be missing. Return: 0; -EINVAL, with the path in @e */
int spec_quantity(const struct json *v, unsigned int scale, const char *path, uint64_t *out,
		  struct err *e);

/** spec_limits() - Parse the annotations that limit disk and network. Return: 0; -ENOTSUP, naming it */
int spec_limits(struct pod_spec *s, const struct json *metadata, struct err *e);

/** spec_volumes() - Parse spec.volumes; before the containers */
int spec_volumes(struct pod_spec *s, const struct json *spec, struct err *e);

/** spec_files() - Parse the sources of a volume that is files; @path of the volume, for messages */
int spec_files(struct pod_spec *s, struct spec_volume *v, const char *path, struct err *e);

/** spec_mounts() - Parse a container's volumeMounts */
int spec_mounts(struct pod_spec *s, const struct json *container, const char *path,
		struct spec_container *c, struct err *e);

/** spec_life() - Parse a container's probes, hooks, termination message and restart policy */
int spec_life(struct pod_spec *s, const struct json *container, const char *path,
	      struct spec_container *c, struct err *e);

/**
 * spec_confinement() - Parse what a security context says of seccomp, AppArmor and procMount
 * @path:    of the security context
 * @seccomp: set when it says anything
 */
int spec_confinement(const struct json *security, const char *path, bool *seccomp, struct err *e);

/** spec_container() - Parse one container into @c */
int spec_container(struct pod_spec *s, const struct json *pod_security, const struct json *obj,
		   const char *path, struct spec_container *c, struct err *e);

#endif
