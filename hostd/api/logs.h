/* SPDX-License-Identifier: Apache-2.0 */
/* Container logs over HTTP (kubelet's containerLogs), inside hostd-api. */
#ifndef API_LOGS_H
#define API_LOGS_H

#include "base/loop.h"
#include "http/server.h"

struct logs;

/**
 * logs_new() - Start asking over @control_fd
 * @on_lost: hostd has gone: the process should end, and is started again by the next hostd
 */
int logs_new(struct loop *loop, int control_fd, void (*on_lost)(void *arg), void *arg,
	     struct logs **logs);

/** logs_serve() - Answer GET /containerLogs/NAMESPACE/POD/CONTAINER; @rest is the path behind the verb */
void logs_serve(struct logs *logs, struct http_request *r, const char *rest);

#endif
