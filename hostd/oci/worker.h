/* SPDX-License-Identifier: Apache-2.0 */
/* hostd-image as a child: one pull, in a folder of its own. Private to the module. */
#ifndef OCI_WORKER_H
#define OCI_WORKER_H

#include "base/buf.h"
#include "base/proc.h"
#include "oci/oci.h"

#define WORKER_MIRRORS_MAX 8

/* How workers are started. The texts are its own. */
struct worker_config {
	struct loop *loop;
	char *program, *mkfs;
	char *mirrors[WORKER_MIRRORS_MAX];
	size_t mirror_count;
	int cgroup_fd;
	uid_t uid;
	gid_t gid;
};

/** worker_config_init() - Copy what concerns workers; what are too many mirrors is left out */
void worker_config_init(struct worker_config *c, const struct oci_config *config);
void worker_config_done(struct worker_config *c);

/** worker_sweep() - No process runs: kill what pulls left behind in their control group */
void worker_sweep(const struct worker_config *c);

struct worker {
	const struct worker_config *config;
	struct proc proc;
	struct watch exit, output;
	struct buf text;
	char *folder; /* what it makes lies here; gone with worker_close() */
	/* Called once, when the process has gone and all that it wrote is read */
	void (*on_exit)(struct worker *w, int exit_code);
};

struct worker_task {
	const char *image; /* full name */
	const char *store; /* the store's folder */
	const char *folder; /* to be made for it */
	uint64_t room_bytes;
	const struct buf *logins; /* for its standard input; LOGIN_BYTES_MAX at most */
};

void worker_init(struct worker *w, const struct worker_config *config,
		 void (*on_exit)(struct worker *w, int exit_code));

/** worker_start() - Make the folder and start the process. Return: 0; -errno, then worker_close() is due */
int worker_start(struct worker *w, const struct worker_task *task, struct err *e);

/**
 * worker_result() - What an ended process said, which is believed only when it ended with 0
 * @digest: OCI_DIGEST_MAX bytes
 * Return: 0; its own error; -ENOSPC when it was killed; -EIO when it said nothing.
 */
int worker_result(const struct worker *w, int exit_code, char *digest, uint64_t *bytes,
		  struct err *e);

/** worker_abandon() - Kill the process; on_exit() will follow */
void worker_abandon(struct worker *w);

/** worker_end() - Kill the process if there is one and wait for its end; no on_exit() */
void worker_end(struct worker *w);

/** worker_close() - Release what an ended process had, its folder too; worker_start() may follow */
void worker_close(struct worker *w);
void worker_done(struct worker *w);

#endif
