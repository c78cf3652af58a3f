/* SPDX-License-Identifier: Apache-2.0 */
/* From a blob in a registry to an EROFS file. */
#ifndef OCI_LAYER_H
#define OCI_LAYER_H

#include "oci/manifest.h"
#include "oci/registry.h"

/**
 * oci_layer_make() - Download, verify and convert one layer
 * @blob:      its digest and size as the manifest has them
 * @diff_id:   digest of the tar inside, as the configuration has it
 * @path:      file to make; it is there only on success
 * @mkfs:      path of mkfs.erofs
 * @max_bytes: of the tar
 *
 * Return: 0; -EBADMSG when a digest or the content is wrong; -ENOSPC beyond @max_bytes; -errno. @e names
 *         the digest.
 */
int oci_layer_make(struct oci_registry *registry, const struct oci_descriptor *blob,
		   const char *diff_id, const char *path, const char *mkfs, uint64_t max_bytes,
		   struct err *e);

#endif
