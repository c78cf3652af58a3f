/* SPDX-License-Identifier: Apache-2.0 */
/* Container logs over HTTP (kubelet's containerLogs), inside hostd-api. */
#ifndef API_LOGS_H
#define API_LOGS_H

#include "api/ask.h"
#include "base/loop.h"
#include "http/server.h"

struct logs;

/** logs_new() - @asker is borrowed for ever */
struct logs *logs_new(struct loop *loop, struct asker *asker);

/** logs_serve() - Answer GET /containerLogs/NAMESPACE/POD/CONTAINER; @rest is the path behind the verb */
void logs_serve(struct logs *logs, struct http_request *r, const char *rest);

/**
 * logs_serve_host() - Answer GET /logs/NAME: the host's own log
 * @name: "host": all of it; "kernel"; "programs"; "": a list of these
 */
void logs_serve_host(struct logs *logs, struct http_request *r, const char *name);

#endif
