/* SPDX-License-Identifier: Apache-2.0 */
/* A registry on loopback that says what a test wants it to say; and what it takes to make images. */
#ifndef OCI_TESTS_FAKE_REGISTRY_H
#define OCI_TESTS_FAKE_REGISTRY_H

#include "base/buf.h"
#include "base/loop.h"
#include "http/server.h"
#include "oci/oci.h"

#define FAKE_FILES_MAX 64

struct fake_file {
	char *path;
	struct buf body;
	int status;
	unsigned int asked;
};

struct fake_registry {
	struct http_server *server;
	struct fake_file files[FAKE_FILES_MAX];
	size_t count;
	const char *
		login; /* "Basic …" that it, or with wants_token its token service, wants to see; NULL: none */
	bool wants_token, silent; /* silent: takes requests and never answers */
	unsigned int asked, tokens;
	char mirror[64]; /* for oci_config: images of 127.0.0.1:1 are here */
};

void fake_start(struct fake_registry *f, struct loop *loop);
void fake_stop(struct fake_registry *f);

/** fake_put() - Answer a path; replaces what was there. Return: the file */
struct fake_file *fake_put(struct fake_registry *f, int status, const void *body, size_t len,
			   const char *path, ...) __attribute__((format(printf, 5, 6)));

/** fake_find() - The file of a path, or NULL */
struct fake_file *fake_find(struct fake_registry *f, const char *path);

/** tar_add() - Add a file to an archive */
void tar_add(struct buf *tar, const char *name, const void *data, size_t len);

/** tar_end() - The two blocks at the end, and the padding that tar makes */
void tar_end(struct buf *tar);

/** gzip_of() - Compress all of @in */
void gzip_of(struct buf *out, const void *in, size_t len);

struct fake_layer {
	struct buf tar, blob; /* blob: as it is pushed */
	char diff_id[OCI_DIGEST_MAX],
		digest[OCI_DIGEST_MAX]; /* as configuration and manifest say */
	size_t size; /* as the manifest says */
};

/** fake_layer_make() - A layer with one file of @len bytes, compressed; everything may be changed after */
void fake_layer_make(struct fake_layer *l, const char *name, char fill, size_t len);
void fake_layer_done(struct fake_layer *l);

/**
 * fake_image() - Push an image
 * @digest: set to the manifest's
 */
void fake_image(struct fake_registry *f, const char *repository, const char *tag,
		const struct fake_layer *layers, size_t count, char *digest);

#endif
