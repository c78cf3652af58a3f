/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One image's repository in a registry, by the pull part of the OCI distribution spec (v1.1), with the
 * registry's mirrors before it. Blocking: for the process that pulls.
 */
#ifndef OCI_REGISTRY_H
#define OCI_REGISTRY_H

#include "base/buf.h"
#include "oci/ref.h"

struct oci_registry;

/* Takes the bytes of a blob. Return: 0, or -errno to end the download */
typedef int (*oci_sink)(void *arg, const void *data, size_t len);

/**
 * oci_registry_new() - Nothing is sent yet
 * @mirrors: REGISTRY=URL; those of the name's registry are asked first, in this order
 * @logins:  what to say at which host when it asks; borrowed
 * Return: 0; -EINVAL for a mirror that is no such thing.
 */
int oci_registry_new(const struct oci_ref *ref, const char *const *mirrors, size_t count,
		     const struct oci_login *logins, size_t login_count,
		     struct oci_registry **registry, struct err *e);

/** oci_registry_free() - Return: NULL; NULL is fine */
struct oci_registry *oci_registry_free(struct oci_registry *registry);

/**
 * oci_registry_manifest() - Get a manifest or index
 * @reference: a tag, or a digest, against which the content is checked
 * @text:      receives it
 * @digest:    OCI_DIGEST_MAX bytes, set to the content's digest
 * Return: 0; -ENOENT, -EACCES, -EBADMSG, -errno; @e has the registry's words.
 */
int oci_registry_manifest(struct oci_registry *registry, const char *reference, struct buf *text,
			  char *digest, struct err *e);

/**
 * oci_registry_blob() - Get a blob; the sink checks what comes
 * Return: 0; the sink's -errno; others as oci_registry_manifest().
 */
int oci_registry_blob(struct oci_registry *registry, const char *digest, oci_sink sink, void *arg,
		      struct err *e);

#endif
