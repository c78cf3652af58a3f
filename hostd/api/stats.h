/* SPDX-License-Identifier: Apache-2.0 */
/* What a kubelet serves of what is used, and its list of pods, inside hostd-api. */
#ifndef API_STATS_H
#define API_STATS_H

#include "api/ask.h"
#include "base/loop.h"
#include "http/server.h"

struct stats;

/** stats_new() - @asker is borrowed for ever */
struct stats *stats_new(struct loop *loop, struct asker *asker);

/**
 * stats_serve() - Answer GET /metrics, /metrics/resource, /stats/summary or /pods
 * Return: whether it is one of them.
 */
bool stats_serve(struct stats *s, struct http_request *r);

#endif
