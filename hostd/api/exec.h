/* SPDX-License-Identifier: Apache-2.0 */
/* Exec and attach over WebSocket or SPDY (kubelet's /exec and /attach), inside hostd-api. */
#ifndef API_EXEC_H
#define API_EXEC_H

#include "api/ask.h"
#include "base/loop.h"
#include "http/server.h"

struct execs;

/** execs_new() - @asker is borrowed for ever */
struct execs *execs_new(struct loop *loop, struct asker *asker);

/**
 * execs_serve() - Answer /exec/NAMESPACE/POD/[UID/]CONTAINER, or the same of /attach
 * @rest: the path behind the verb
 *
 * The query is a kubelet's: command (repeated), input, output, error, tty.
 * Source: k8s.io/apimachinery, util/remotecommand: v4.channel.k8s.io, and v5 over a WebSocket.
 */
void execs_serve(struct execs *x, struct http_request *r, const char *rest, bool attach);

#endif
