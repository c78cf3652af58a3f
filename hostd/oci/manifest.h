/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The documents of an image: index, manifest, configuration; and the record that the store keeps of
 * an image. All of them are checked whole before anything is done with them.
 */
#ifndef OCI_MANIFEST_H
#define OCI_MANIFEST_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"
#include "json/json.h"
#include "oci/oci.h"

#define OCI_MANIFEST_SIZE_MAX ((size_t)4 << 20)
#define OCI_CONFIG_SIZE_MAX   ((size_t)1 << 20)
#define OCI_LAYER_SIZE_MAX    ((uint64_t)16 << 30)
#define OCI_RECORD_SIZE_MAX   ((size_t)2 << 20)

/* What registries are asked for (OCI distribution spec, "Pulling manifests") */
#define OCI_MANIFEST_ACCEPT                                                                     \
	"application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, " \
	"application/vnd.docker.distribution.manifest.list.v2+json, "                           \
	"application/vnd.docker.distribution.manifest.v2+json"

/* Something in the registry, named by what it contains */
struct oci_descriptor {
	char digest[OCI_DIGEST_MAX];
	uint64_t size_bytes;
};

struct oci_manifest {
	bool is_index; /* then config is the manifest for this machine, and there are no layers */
	struct oci_descriptor config;
	struct oci_descriptor layers[OCI_LAYERS_MAX];
	size_t layer_count;
};

/**
 * oci_manifest_parse() - Read a manifest or an index
 * Of an index the first entry for linux/amd64 is taken, the plainest variant before others.
 * Return: 0; -EBADMSG; -ENOTSUP for schema 1, other kinds of layers or an index without this machine.
 * Source: OCI image-spec v1.1 manifest.md, image-index.md; distribution's manifest v2 schema 2.
 */
int oci_manifest_parse(const char *text, size_t len, struct oci_manifest *m, struct err *e);

/**
 * oci_config_record() - Make an image's record from its configuration
 * @digest:      of the manifest, which names the image
 * @layer_count: as the manifest has it; the configuration must name as many diffIDs
 * @record:      receives the record's text
 * Return: 0; -EBADMSG; -ENOTSUP for another machine's image.
 * Source: OCI image-spec v1.1 config.md.
 */
int oci_config_record(const char *text, size_t len, const char *digest, size_t layer_count,
		      struct buf *record, struct err *e);

/* A record that was read: the image without its files' paths and sizes */
struct oci_record {
	struct oci_image image;
	struct json_doc *doc_; /* owns the strings */
};

/**
 * oci_record_parse() - Read a record
 * @record: filled in on success; oci_record_done()
 * Return: 0; -EBADMSG.
 */
int oci_record_parse(const char *text, size_t len, struct oci_record *record, struct err *e);

/** oci_record_done() - Release; a zeroed one is fine */
void oci_record_done(struct oci_record *record);

#endif
