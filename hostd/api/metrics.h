/* SPDX-License-Identifier: Apache-2.0 */
/* The Summary as text for Prometheus and metrics-server (exposition format 0.0.4). */
#ifndef API_METRICS_H
#define API_METRICS_H

#include "base/buf.h"
#include "json/json.h"

#define METRICS_CONTENT_TYPE "text/plain; version=0.0.4; charset=utf-8"

/**
 * metrics_resource() - Append a kubelet's /metrics/resource: all that metrics-server reads
 * Names, labels and time stamps: k8s.io/kubernetes, pkg/kubelet/metrics/collectors/resource_metrics.go.
 * Return: 0 or as buf_append().
 */
int metrics_resource(const struct json *summary, struct buf *out);

/** metrics_all() - Append /metrics: the host, its VMs and their containers. Return: 0 or as buf_append() */
int metrics_all(const struct json *summary, struct buf *out);

/** metrics_label() - Append a label's value, escaped, in quotes. Return: 0 or as buf_append() */
int metrics_label(const char *value, struct buf *out);

#endif
