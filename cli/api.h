/* SPDX-License-Identifier: Apache-2.0 */
/* Talking to the API: one blocking request at a time, failures in the server's own words. */
#ifndef CLI_API_H
#define CLI_API_H

#include <stdbool.h>

#include "base/err.h"
#include "json/json.h"
#include "kube/kubeconfig.h"

struct api;
struct loop;

/** api_new() - @k must live as long as the result */
int api_new(const struct kubeconfig *k, struct api **api, struct err *e);
struct api *api_free(struct api *api);

/**
 * api_call() - One request
 * @method: "GET"…; a PATCH is a strategic merge
 * @path:   with query, encoded
 * @body:   or NULL
 * @doc:    set to the answer on success, or NULL to drop it
 * Return: 0; -ENOENT for 404, -EEXIST for 409 AlreadyExists, -EPERM for 403, -EINVAL for other
 *         refusals, each with the server's message; -errno when no answer came.
 */
int api_call(struct api *api, const char *method, const char *path, const struct json *body,
	     struct json_doc **doc, struct err *e);

/** api_put_bytes() - PUT bytes that are no JSON. Return: as api_call() */
int api_put_bytes(struct api *api, const char *path, const void *data, size_t len, struct err *e);

/**
 * api_stream() - A GET whose body is handed on as it comes, without a time limit
 * Return: as api_call().
 */
int api_stream(struct api *api, const char *path,
	       int (*on_data)(const void *data, size_t len, void *arg), void *arg, struct err *e);

/**
 * api_tunnel() - An upgraded connection on @loop (http/tunnel.h); the API's authorisation is added
 * @headers: ends with { NULL, NULL }, at most 8
 */
struct http_tunnel;
struct http_tunnel_ops;
struct http_header;
int api_tunnel(struct api *api, struct loop *loop, const char *path,
	       const struct http_header *headers, const struct http_tunnel_ops *ops, void *arg,
	       struct http_tunnel **tunnel, struct err *e);

/** api_refused() - Turn an answer that is no success into words, as api_call(). Return: -errno */
int api_refused(int status, const char *body, struct err *e);

#endif
