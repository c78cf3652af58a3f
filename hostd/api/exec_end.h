/* SPDX-License-Identifier: Apache-2.0 */
/* The two texts of the channel protocol: how an exec ended (channel 3), a terminal's size (channel 4). */
#ifndef API_EXEC_END_H
#define API_EXEC_END_H

#include <stdbool.h>

#include "base/buf.h"
#include "proto/exec_pipe.h"

/**
 * exec_end_status() - Append a metav1.Status, as kubelets word it and kubectl looks for it
 * @attach: the container's own end, whose code is told by the pod's status
 * Return: 0 or as buf_append().
 */
int exec_end_status(const struct exec_pipe_end *end, bool attach, struct buf *out);

/** exec_resize_parse() - Read {"Width":80,"Height":24}. Return: whether it was one */
bool exec_resize_parse(const char *text, size_t len, struct exec_pipe_resize *resize);

#endif
