/* SPDX-License-Identifier: Apache-2.0 */
/* Who may have what of this host's endpoint, inside hostd-api. */
#ifndef API_ALLOW_H
#define API_ALLOW_H

#include "api/ask.h"
#include "http/server.h"

struct allow;

/** allow_new() - @asker is borrowed for ever; @serve answers a request that was let through */
struct allow *allow_new(struct asker *asker, void (*serve)(struct http_request *r, void *arg),
			void *arg);

/**
 * allow_request() - Serve a request, or refuse it, now or when the API has been asked
 *
 * Members of system:masters may do all. For everybody else the API decides (SubjectAccessReview, asked by hostd): the
 * verb is that of the method, but "create" for exec and attach, whose WebSocket begins with a GET; the subresource of
 * the Node is stats, metrics or log, "proxy" for all else. An answer holds for five minutes, a refusal for half of one.
 */
void allow_request(struct allow *a, struct http_request *r);

/** allow_attributes() - The verb and the subresource that a request stands for */
void allow_attributes(const char *method, const char *path, const char **verb,
		      const char **subresource);

#endif
