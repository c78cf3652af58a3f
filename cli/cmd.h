/* SPDX-License-Identifier: Apache-2.0 */
/* What the commands of hyper share. */
#ifndef CLI_CMD_H
#define CLI_CMD_H

#include <stdbool.h>
#include <stdio.h>

#include "api.h"

enum { CMD_OK, CMD_FAILED, CMD_USAGE };

/* Set from the options that every command takes */
struct cmd {
	struct api *api;
	const char *namespace;
	bool json; /* -o json */
};

/* Each gets its own arguments, argv[0] being the command, and returns an exit status. */
int cmd_run(struct cmd *c, int argc, char **argv);
int cmd_list(struct cmd *c, int argc, char **argv);
int cmd_hosts(struct cmd *c, int argc, char **argv);
int cmd_images(struct cmd *c, int argc, char **argv);
int cmd_logs(struct cmd *c, int argc, char **argv);
int cmd_host_logs(struct cmd *c, int argc, char **argv);
int cmd_top(struct cmd *c, int argc, char **argv);
int cmd_exec(struct cmd *c, int argc, char **argv); /* also `attach` */
int cmd_describe(struct cmd *c, int argc, char **argv);
int cmd_rm(struct cmd *c, int argc, char **argv); /* also `stop` */
int cmd_approve(struct cmd *c, int argc, char **argv);
int cmd_image(struct cmd *c, int argc, char **argv);
int cmd_drain(struct cmd *c, int argc, char **argv); /* also `reboot` and `reimage` */
int cmd_wipe(struct cmd *c, int argc, char **argv);
int cmd_cordon(struct cmd *c, int argc, char **argv); /* also `uncordon` */

/** cmd_fail() - Print "hyper: what: why". Return: CMD_FAILED */
int cmd_fail(const struct err *e, const char *what);

/** cmd_usage() - Print "hyper COMMAND: problem" and where help is. Return: CMD_USAGE */
int cmd_usage(const char *command, const char *problem);

/** cmd_print_json() - Pretty JSON and a newline on standard output. Return: CMD_OK or CMD_FAILED */
int cmd_print_json(const struct json *v);

/** cmd_pod_path() - "/api/v1/namespaces/NS/pods/NAME"; free() it */
char *cmd_pod_path(const struct cmd *c, const char *name);

/** cmd_age() - "5s", "3m20s", "2h", "4d" since an RFC 3339 time, or "-" */
const char *cmd_age(char out[16], const struct json *time);

/** cmd_pod_status() - One word for a pod's state, as kubectl's STATUS column */
const char *cmd_pod_status(const struct json *pod);

/** cmd_pod_exit_code() - The exit code of the container's end that is the pod's status; 0: none, or a good one */
int64_t cmd_pod_exit_code(const struct json *pod);

/** cmd_pod_reason() - The message behind a waiting or failed container, or "" */
const char *cmd_pod_reason(const struct json *pod);

/* Annotation of a Node that was cordoned for a moment, by a command that uncordons it */
#define CMD_CORDON_KEY "hypermetal.io/cordoned-by"

/* And of one that is to boot another image, or could not: docs/reimage.md */
#define CMD_IMAGE_KEY	"hypermetal.io/image"
#define CMD_TROUBLE_KEY "hypermetal.io/image-trouble"
#define CMD_TIMES_KEY	"hypermetal.io/boot-times"

/** cmd_cordon_patch() - The patch of a Node. @ours: for a moment. Return: a value of @doc */
struct json *cmd_cordon_patch(struct json_doc *doc, bool cordon, bool ours);

/** cmd_bytes() - "12.3 MiB", "-" of a negative number */
const char *cmd_bytes(char out[24], int64_t bytes);

/** cmd_size() - "12.3 MiB" of a Kubernetes quantity, or "-" */
const char *cmd_size(char out[24], const char *quantity);

/** cmd_node_ready() - "Ready", "NotReady" or "Unknown" */
const char *cmd_node_ready(const struct json *node);

/** cmd_node_runs() - Whether a host says that it runs this version of the image */
bool cmd_node_runs(const struct json *node, const char *version);

/**
 * cmd_node_image() - The image that a host runs, or why the host is not Ready; and why the image is not the one that it
 * should be, or that it will be another
 * Return: @out.
 */
const char *cmd_node_image(const struct json *node, char *out, size_t size);

/** cmd_condition() - The condition of that type, or NULL */
struct json *cmd_condition(const struct json *object, const char *type);

#endif
