/* SPDX-License-Identifier: Apache-2.0 */
/* A host's Node, as several commands need it: docs/reimage.md, docs/disks.md. */
#ifndef CLI_NODE_H
#define CLI_NODE_H

#include "cmd.h"

/** node_path() - "/api/v1/nodes/HOST"; free() it */
char *node_path(const char *host);

/** node_get() - Return: 0 and a document; -ENOENT; as api_call() */
int node_get(const struct cmd *c, const char *host, struct json_doc **doc, struct err *e);

/** node_annotation() - One of its annotations, or "" */
const char *node_annotation(const struct json *node, const char *key);

/** node_info() - A text of status.nodeInfo, or "" */
const char *node_info(const struct json *node, const char *key);

/**
 * node_ask() - Set an annotation that the host is to heed, and have it look at its Node at once
 * @mark: another one than the last time
 *
 * The Node holds the request; it is a Lease that somebody else has changed that makes a host look.
 */
int node_ask(const struct cmd *c, const char *host, const char *key, const char *value,
	     const char *mark, struct err *e);

#endif
