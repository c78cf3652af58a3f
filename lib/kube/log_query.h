/* SPDX-License-Identifier: Apache-2.0 */
/* What a client asks of a log: v1.PodLogOptions as query parameters, read and judged as Kubernetes does. */
#ifndef KUBE_LOG_QUERY_H
#define KUBE_LOG_QUERY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct log_query {
	bool follow, previous, timestamps;
	bool want_stdout, want_stderr;
	int64_t tail_lines; /* -1: all */
	int64_t limit_bytes; /* 0: no limit */
	int64_t since_seconds; /* 0: not given */
	uint64_t since_ns; /* sinceTime, since the epoch; 0: not given */
};

/**
 * log_query_parse() - Read follow, previous, timestamps, tailLines, limitBytes, sinceSeconds, sinceTime, stream
 * @get: gives the decoded value of a key, or NULL
 *
 * Return: 0; -EBADMSG for what is no number or time, -EINVAL for a value that is not allowed, both with the
 *         words of the real server in @e (strconv and field.Error; k8s.io/kubernetes, ValidatePodLogOptions).
 */
int log_query_parse(const char *(*get)(const char *key, const void *arg), const void *arg,
		    struct log_query *q, struct err *e);

#endif
