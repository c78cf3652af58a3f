/* SPDX-License-Identifier: Apache-2.0 */
/* One container's life: start, report, end, restart. The pod (pod.h) decides when. */
#ifndef GUEST_CONTAINER_H
#define GUEST_CONTAINER_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/loop.h"
#include "child.h"
#include "output.h"
#include "proto/guest_msg.h"

#define CONTAINER_BACKOFF_MIN_MS   10000
#define CONTAINER_BACKOFF_MAX_MS   300000
#define CONTAINER_BACKOFF_RESET_MS 600000 /* having run this long, it is a first failure again */
#define CONTAINER_STOP_MIN_MS \
	2000 /* a stop signal gets so long, even when a hook used up the grace */

enum container_state {
	CONTAINER_NEW,
	CONTAINER_STARTING,
	CONTAINER_RUNNING,
	CONTAINER_WAITING,
	CONTAINER_ENDED,
};

/* How far a running container's end has come. */
enum container_stop {
	CONTAINER_STOP_NONE,
	CONTAINER_STOP_HOOK, /* its preStop runs */
	CONTAINER_STOP_SIGNALLED,
};

/* How the last run ended. */
struct container_end {
	bool ended; /* there was one */
	bool failed; /* it did not start: reason and message say why */
	bool oom;
	uint8_t code, signal;
	uint64_t started_ns, finished_ns;
	uint32_t restart_count;
	uint32_t backoff_ms;
	char reason[GUEST_REASON_MAX + 1];
	char message[sizeof(((struct child_report *)0)->message)];
	void *termination; /* termination message, NULL none */
	uint32_t termination_len;
};

struct life;

struct container {
	const struct guest_run *run;
	const struct guest_container *spec;
	uint16_t index;
	enum container_state state;
	pid_t pid;
	int pids_fd; /* of whose pid namespace it shares; -1 */
	struct watch report; /* of the starting process */
	struct timer backoff, kill; /* kill: the end of the grace */
	enum container_stop stop;
	bool announced; /* its start was told or is about to be: its postStart is over */
	bool final; /* it will not be started again */
	bool by_probe; /* a probe has it ended: then it starts again whatever its exit code */
	struct life *life; /* probes and hooks; NULL: it has none */
	uint32_t next_backoff_ms;
	uint32_t restart_count;
	uint64_t started_ns; /* real time */
	uint64_t started_ms; /* clock_mono_ms() */
	int stdin_fds[2]; /* of open_stdin, else -1 */
	struct output out[2];
	struct container_end end;
	bool tell_start, tell_end; /* the host is to be told */
};

/** container_init() - @pids_fd: of whose pid namespace it shares, or -1; @changed: called when it has ended, or has something for the host */
void container_init(struct container *c, struct loop *l, const struct guest_run *run,
		    uint16_t index, int pids_fd, void (*changed)(void));

/** container_start() - Start or restart it; a failure is recorded as its end */
void container_start(struct container *c);

/** container_reaped() - Its process ended with @status of waitpid(2) */
void container_reaped(struct container *c, int status);

/**
 * container_stop() - End it for good: preStop, stop signal, and SIGKILL after @grace_ms
 * A shorter grace than before counts, a longer one is too late. A waiting one just ends.
 */
void container_stop(struct container *c, uint32_t grace_ms);

/** container_kill() - The same for this run only; then it starts again by its policy */
void container_kill(struct container *c, uint32_t grace_ms);

/** container_signal() - Send the stop signal: its preStop is over */
void container_signal(struct container *c);

/** container_announce() - Tell the host that it has started */
void container_announce(struct container *c);

/** container_tell() - There is something new for the host */
void container_tell(void);

/** container_started() - Whether it runs and what waits for its start may go on */
bool container_started(const struct container *c);

/** container_succeeded() - Whether it ran to its end with code 0 */
bool container_succeeded(const struct container *c);

/** container_active() - Whether it runs or will */
bool container_active(const struct container *c);

/** container_replay() - On a new connection: tell the present state and all uncredited output */
void container_replay(struct container *c);

/** container_next() - The next message for the host, as link.h's next(). */
long container_next(struct container *c, void *out, size_t size);

/** container_input() - A descriptor to write its standard input to, owned by the caller; -1: it has none */
int container_input(const struct container *c);

/** container_input_end() - A client's input has ended: with stdin_once, the container's has */
void container_input_end(struct container *c);

/** container_drained() - Whether the host has all output */
bool container_drained(const struct container *c);

/** container_log() - The next piece of output that fits @window, as container_next() */
long container_log(struct container *c, uint32_t window, void *out, size_t size);

#endif
