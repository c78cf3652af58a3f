/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The host's only inbound endpoint, seen from hostd: starts and supervises `hostd-api`, the
 * unprivileged process that serves HTTPS on 10250, and hands it descriptors when it asks.
 *
 * hostd-api has no view of the file system. For a log it asks hostd by namespace, pod and container;
 * hostd opens the file and an inotify descriptor on it and passes both; for an exec it passes one end of a
 * socket, whose other end it connects with the pod. A log file that is complete
 * has lost its write permission bits (mode 0440): so a follower knows when to end, also across a restart of
 * hostd. One that was moved without that was rotated: the log goes on in a new file, for which the follower asks.
 */
#ifndef API_API_H
#define API_API_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/buf.h"
#include "base/loop.h"

#define API_NAME_MAX 256
#define API_ARGS_MAX 512 /* arguments of an exec */

struct api;
struct json;

struct api_config {
	const char *program; /* path of hostd-api */
	const char *run_dir; /* not used by hostd-api itself */
	const char *host_log; /* file that the host's own log is in; FILE.1: what was there before */
	uint16_t port; /* 10250 */
	unsigned int uid, gid; /* that it runs as */
	int cgroup_fd; /* folder of its control group, -1: ours; borrowed for the life of struct api */
};

struct api_log_query {
	char ns[API_NAME_MAX], pod[API_NAME_MAX], container[API_NAME_MAX];
	bool previous; /* of the container's run before the last restart */
};

/* kubelet's /exec and /attach */
struct api_exec_query {
	char ns[API_NAME_MAX], pod[API_NAME_MAX], container[API_NAME_MAX];
	bool attach, tty, with_stdin;
	const char *args[API_ARGS_MAX]; /* none for attach */
	uint32_t arg_count;
};

/* May a client of this host do that? As a SubjectAccessReview has it. */
struct api_allow_query {
	const char *user, *verb, *subresource; /* of the Node */
	const char *const *groups;
	size_t group_count;
};

struct api_ops {
	/*
	 * Where the log of a container is. @path has PATH_MAX bytes.
	 * Return 0; -ENOENT with the words for the client in @e («container "x" in pod "y" is waiting
	 * to start: ContainerCreating» is -EAGAIN: answered as 400 as a kubelet does).
	 */
	int (*log_path)(const struct api_log_query *q, char *path, struct err *e, void *arg);
	/*
	 * Begin an exec. Return: a socket (proto/exec_pipe.h), handed over; -ENOENT and -EAGAIN as
	 * above, -EBUSY, -EINVAL, or another -errno.
	 */
	int (*exec)(const struct api_exec_query *q, struct err *e, void *arg);
	/* Measure what is used; api_measured() is to follow within seconds. One at a time. */
	void (*measure)(void *arg);
	/* Find out whether a client may; api_allowed() with @id is to follow. */
	void (*allow)(const struct api_allow_query *q, uint64_t id, void *arg);
	/* Append the PodList of this host (core/v1). Return: 0 or -errno */
	int (*pods)(struct buf *out, void *arg);
};

/** api_new() - Listen on the port; nothing is served before api_set_certificate(). Return: 0 or -errno */
int api_new(struct loop *loop, const struct api_config *config, const struct api_ops *ops,
	    void *arg, struct api **api, struct err *e);

/**
 * api_set_certificate() - (Re)start hostd-api with this serving certificate
 * @cert_pem, @key_pem, @client_ca_pem: texts, copied
 * Return: 0 or -errno; a hostd-api that ends is restarted with back-off.
 */
int api_set_certificate(struct api *api, const char *cert_pem, const char *key_pem,
			const char *client_ca_pem, struct err *e);

/**
 * api_measured() - Here is what is used
 * @summary: a Summary (k8s.io/kubelet, stats/v1alpha1) with more under "hyper"; copied. It is given to whoever
 *           waits for it, and to whoever asks within the next second.
 */
void api_measured(struct api *api, const struct json *summary);

/** api_allowed() - The answer to ops.allow; -errno for @result when it could not be found out, 0: yes, -EACCES: no */
void api_allowed(struct api *api, uint64_t id, int result);

/** api_free() - Stop hostd-api and close the port. Return: NULL */
struct api *api_free(struct api *api);

#endif
