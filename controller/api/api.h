/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kubectl-compatible API over the object store: HTTPS with client certificates or bootstrap
 * tokens. docs of what is served: resource.c; what is allowed: auth.c.
 */
#ifndef API_API_H
#define API_API_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/loop.h"
#include "json/json.h"
#include "store/store.h"

struct api;

/* The images that machines boot are kept by somebody else; -errno as image/image.h has it. */
struct api_images {
	void (*list)(struct json_doc *doc, struct json *items, void *arg);
	int (*begin)(const char *version, const struct json *manifest, struct err *e, void *arg);
	int (*write)(const char *version, const char *name, uint64_t offset, const void *data,
		     size_t len, bool *done, struct err *e, void *arg);
	int (*remove)(const char *version, struct err *e, void *arg);
	void *arg;
};

struct api_config {
	const char *address; /* numeric */
	uint16_t port; /* 0: any */
	/* PEM texts, copied */
	const char *cert_pem, *key_pem; /* of this server */
	const char *ca_pem; /* of clients and hosts */
	const char *token_key_pem; /* signs the tokens of service accounts */
	const struct api_images *images; /* borrowed; NULL: none are offered */
	const char *client_cert_pem, *client_key_pem; /* shown to hosts when logs are fetched */
};

/** api_new() - Listen and serve. Return: 0; -errno with the reason in @e */
int api_new(struct loop *loop, struct store *store, const struct api_config *config,
	    struct api **out, struct err *e);

/** api_free() - Stop; open watches are cut. Return: NULL */
struct api *api_free(struct api *a);

uint16_t api_port(const struct api *a);

/** api_make_namespace() - Make a namespace unless it is there (first start) */
int api_make_namespace(struct store *store, const char *name, struct err *e);

#endif
