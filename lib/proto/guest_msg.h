/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What hostd and hyperstart say to each other, over one AF_VSOCK stream per pod.
 *
 * hyperstart connects to the host (CID 2) on GUEST_MSG_PORT and does so again whenever the connection
 * breaks; hostd knows the pod by the peer's CID, which the host's kernel vouches for. Either side may
 * die and come back: containers run on, and each connection starts with the whole truth.
 *
 *	guest                                   host
 *	HELLO versions, state         ->
 *	                              <-        WELCOME version, log window
 *	                              <-        FILES               (of each such volume, and again when they change)
 *	                              <-        RUN                 (only when state is WAITING)
 *	STARTED, PROBED, EXIT, LOG …  ->
 *	                              <-        CREDIT              (log bytes that were kept)
 *	                              <-        EXEC, STDIN, RESIZE, SIGNAL
 *	EXEC_OUTPUT, CREDIT, EXEC_END ->
 *	DONE                          ->
 *	                              <-        STOP                (power off)
 *
 * After WELCOME a guest that already runs replays the present state of every container, one STARTED,
 * EXIT or FAILED each, and every log byte that was not yet credited. A host must take a message it
 * has seen before: restart_count and log offsets tell. An EXIT may come without a STARTED before it.
 * DONE says that nothing runs and nothing will, and that all output was credited; the guest waits
 * for a STOP that says DONE was seen, so that the host can keep the exits first, and then powers off.
 * Any other STOP is a request to end: stop signals, EXITs, DONE, and the same wait, but
 * GUEST_DONE_WAIT_MS at most.
 *
 * FILES are the contents of one volume whose files the host knows (ConfigMap, Secret and the like). Before
 * RUN they are what the containers find; later ones take the place of all the volume had, at once.
 *
 * PROBED tells of a container with probes or hooks whether it has started and is ready, when that changes and
 * after WELCOME, and what is worth an event; a lost one of the latter is not repeated.
 *
 * EXEC runs a process beside a container's, or attaches to the container itself, in one of
 * GUEST_EXECS_MAX slots that the host chooses. EXEC_END is the last that the guest says of a slot, and
 * frees it; what the host sends to a free slot is ignored. STDIN is held back by CREDITs of the guest,
 * EXEC_OUTPUT by those of the host; what an attached container writes comes as LOG. An exec does not outlive
 * its connection: when that breaks, the guest ends the process.
 *
 * STATS_ASK asks for one STATS: what is used at that moment (guest_stats.h).
 *
 * A frame is u32 payload length, u16 type, u16 stream, payload; little endian. A type that is not
 * known is skipped by its length. A payload may be longer than this version knows.
 *
 * RUN and FILES do not fit a frame: each is sent in frames of its type of which all but the last have
 * stream = 1.
 */
#ifndef PROTO_GUEST_MSG_H
#define PROTO_GUEST_MSG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define GUEST_MSG_PORT	      1024
#define GUEST_MSG_VERSION_MIN 3
#define GUEST_MSG_VERSION_MAX 3

#define GUEST_FRAME_HEADER	8
#define GUEST_FRAME_PAYLOAD_MAX 65536
#define GUEST_LOG_DATA_MAX	8192 /* bytes in one LOG */
#define GUEST_LOG_WINDOW	65536 /* bytes of one stream that may be under way */

#define GUEST_EXECS_MAX	     16 /* at a time */
#define GUEST_EXEC_WINDOW    65536 /* bytes of each of its streams, STDIN too, that may be under way */
#define GUEST_EXEC_DATA_MAX  8192 /* bytes in one STDIN or EXEC_OUTPUT */
#define GUEST_EXEC_ARGS_MAX  512
#define GUEST_EXEC_BYTES_MAX 49152 /* of all arguments, each with its NUL */
#define GUEST_EXEC_KILL_MS   2000 /* from SIGHUP to SIGKILL, when nobody waits for an exec any more */

/* Streams in CREDIT: those of containers, then two of each exec; for STDIN the first of the two */
#define GUEST_CREDIT_EXEC(exec, stream) (GUEST_STREAMS_MAX + 2 * (exec) + (stream))
#define GUEST_CREDIT_STREAMS_MAX	GUEST_CREDIT_EXEC(GUEST_EXECS_MAX, 0)

#define GUEST_DONE_WAIT_MS 10000 /* a stopped guest waits so long for its DONE to be seen */

#define GUEST_CONTAINERS_MAX	  16
#define GUEST_LAYERS_MAX	  127 /* of one container */
#define GUEST_DISK_LAYERS_MAX	  255 /* of the pod: partitions of one disk */
#define GUEST_STREAMS_MAX	  (2 * GUEST_CONTAINERS_MAX)
#define GUEST_GROUPS_MAX	  32
#define GUEST_DNS_MAX		  32 /* entries of each kind */
#define GUEST_HOSTS_MAX		  256 /* lines */
#define GUEST_NAME_MAX		  255 /* host name, container name, user, signal */
#define GUEST_PATH_LEN_MAX	  4095
#define GUEST_STR_MAX		  131071 /* one argument or variable: Linux' MAX_ARG_STRLEN - 1 */
#define GUEST_STRINGS_MAX	  8192 /* arguments, variables and other lists of one RUN together */
#define GUEST_RUN_MAX		  (512 * 1024)
#define GUEST_VOLUMES_MAX	  64 /* of the pod */
#define GUEST_MOUNTS_MAX	  256 /* of all containers together */
#define GUEST_REASON_MAX	  63
#define GUEST_MESSAGE_MAX	  1023
#define GUEST_TERMINATION_MAX	  4096 /* bytes of one container's termination message */
#define GUEST_TERMINATION_POD_MAX 12288 /* of all containers of a pod, evenly */
#define GUEST_PROBE_S_MAX	  1000000000 /* delays, periods and counts of probes */

#define GUEST_FILES_MAX		1024 /* in one volume */
#define GUEST_FILES_BYTES_MAX	(4 * 1024 * 1024) /* all of them together */
#define GUEST_FILES_PAYLOAD_MAX (GUEST_FILES_BYTES_MAX + 512 * 1024) /* with their names */

#define GUEST_POD   0xffff /* "container" of what concerns the whole pod */
#define GUEST_NO_ID UINT32_MAX /* no such user or group is meant */

enum guest_msg_type {
	/* guest to host */
	GUEST_MSG_HELLO = 1,
	GUEST_MSG_STARTED = 2,
	GUEST_MSG_EXIT = 3,
	GUEST_MSG_LOG = 4,
	GUEST_MSG_FAILED = 5,
	GUEST_MSG_DONE = 6,
	GUEST_MSG_EXEC_OUTPUT = 7,
	GUEST_MSG_EXEC_END = 8,
	GUEST_MSG_PROBED = 9,
	GUEST_MSG_STATS = 10,
	/* host to guest */
	GUEST_MSG_WELCOME = 64,
	GUEST_MSG_RUN = 65,
	GUEST_MSG_STOP = 66,
	GUEST_MSG_CREDIT = 67, /* guest to host, too: of STDIN */
	GUEST_MSG_SIGNAL = 68,
	GUEST_MSG_EXEC = 69,
	GUEST_MSG_STDIN = 70,
	GUEST_MSG_RESIZE = 71,
	GUEST_MSG_STATS_ASK = 75,
	/* host to guest, numbers kept for later */
	GUEST_MSG_RESEED = 72,
	GUEST_MSG_SET_CLOCK = 73,
	/* host to guest */
	GUEST_MSG_FILES = 74,
};

enum guest_state {
	GUEST_STATE_WAITING, /* has no RUN yet */
	GUEST_STATE_RUNNING,
	GUEST_STATE_ENDED, /* nothing runs and nothing will be restarted */
};

/* Streams of a container's output; a terminal has only the first. */
enum guest_stream {
	GUEST_STREAM_STDOUT,
	GUEST_STREAM_STDERR,
};

struct guest_frame {
	uint16_t type;
	uint16_t stream;
	const uint8_t *payload; /* in the caller's buffer */
	uint32_t len;
};

struct guest_hello {
	uint16_t version_min, version_max;
	enum guest_state state;
	uint64_t uptime_ms; /* since the guest's kernel started */
	const char *build; /* free text: version of hyperstart and kernel */
};

struct guest_welcome {
	uint16_t version;
	uint32_t log_window; /* bytes of each stream that may be sent without a CREDIT */
};

struct guest_stop {
	uint32_t grace_ms; /* from the stop signals to SIGKILL */
	bool done_seen; /* answers DONE: power off */
};

struct guest_started {
	uint16_t container;
	uint32_t pid; /* in the guest */
	uint64_t started_ns; /* since the epoch, the guest's clock */
	uint32_t restart_count;
};

struct guest_exit {
	uint16_t container;
	uint8_t code; /* 128 + signal for a killed one */
	uint8_t signal; /* 0: it exited */
	bool oom; /* the kernel killed something in the container for want of memory */
	uint64_t started_ns, finished_ns;
	uint32_t restart_count;
	uint32_t backoff_ms; /* until it is started again; UINT32_MAX: it will not be */
	const void *message; /* termination message: any bytes */
	uint32_t message_len; /* <= GUEST_TERMINATION_MAX */
};

#define GUEST_BACKOFF_NEVER UINT32_MAX

/*
 * A container that could not be started (Kubernetes' StartError, with exit code 128), or, with
 * container GUEST_POD, a pod that could not be set up at all; then DONE follows.
 */
struct guest_failed {
	uint16_t container;
	uint8_t code;
	uint64_t finished_ns;
	uint32_t restart_count;
	uint32_t backoff_ms;
	const char *reason; /* CamelCase, <= GUEST_REASON_MAX */
	const char *message; /* <= GUEST_MESSAGE_MAX */
};

/* One piece of output as it was read from the container: not a line, not even whole characters. */
struct guest_log {
	uint16_t container;
	enum guest_stream stream;
	uint64_t offset; /* of the first byte in the stream, counted from the pod's start */
	uint64_t time_ns;
	const void *data;
	uint32_t len;
};

struct guest_strings {
	const char *const *at;
	uint32_t count;
};

enum guest_action_kind {
	GUEST_ACTION_NONE,
	GUEST_ACTION_EXEC, /* a command in the container; success is code 0 */
	GUEST_ACTION_HTTP, /* GET; success is 200..399 */
	GUEST_ACTION_TCP, /* connect */
	GUEST_ACTION_SLEEP,
};

/* What a probe or a hook does, from within the pod's network. */
struct guest_action {
	enum guest_action_kind kind;
	struct guest_strings args; /* of EXEC */
	struct guest_strings headers; /* of HTTP: "Name: value" */
	const char *path; /* of HTTP, with the query; "" = "/" */
	uint32_t address; /* of HTTP and TCP, IPv4 in host byte order; 0: the pod's own */
	uint16_t port;
	uint32_t sleep_s;
};

enum guest_probe_kind {
	GUEST_PROBE_STARTUP,
	GUEST_PROBE_READINESS,
	GUEST_PROBE_LIVENESS,
};

#define GUEST_PROBE_KINDS (GUEST_PROBE_LIVENESS + 1)
#define GUEST_GRACE_POD	  UINT32_MAX /* as long as the pod's own */

struct guest_probe {
	struct guest_action action; /* GUEST_ACTION_NONE: there is no such probe */
	uint32_t initial_delay_s, period_s, timeout_s; /* the latter two at least 1 */
	uint32_t success_threshold, failure_threshold; /* at least 1 */
	uint32_t grace_ms; /* of the container that it has ended; GUEST_GRACE_POD */
};

/* What a container does and has done to it beside running. Its terms are those of core/v1. */
struct guest_life {
	struct guest_probe probes[GUEST_PROBE_KINDS];
	struct guest_action post_start, pre_stop;
	const char *termination_path; /* absolute; "": no file */
};

enum guest_probed_event {
	GUEST_PROBED_STATE, /* nothing but the state */
	GUEST_PROBED_FAILED, /* probe @kind failed: message */
	GUEST_PROBED_ERROR, /* it could not be made: message */
	GUEST_PROBED_WARNING, /* it succeeded, but: message */
	GUEST_PROBED_KILLING, /* it failed often enough for the container to be ended */
	GUEST_PROBED_POST_START_FAILED, /* and the container is ended */
	GUEST_PROBED_PRE_STOP_FAILED,
};

struct guest_probed {
	uint16_t container;
	uint32_t restart_count; /* which run of it */
	bool started, ready;
	enum guest_probed_event event;
	enum guest_probe_kind kind;
	const char *message; /* <= GUEST_MESSAGE_MAX */
};

/* Run a process in a container, or attach to the container's own. */
struct guest_exec {
	uint16_t exec; /* slot, < GUEST_EXECS_MAX */
	uint16_t container;
	bool attach; /* no process: STDIN and RESIZE go to the container; @args, @tty count for nothing */
	bool tty; /* a terminal: one stream of output */
	bool with_stdin; /* STDIN follows; else /dev/null, or for attach: not for us */
	uint16_t cols, rows; /* of the terminal; 0: not known */
	uint32_t window; /* bytes of each output stream that may be sent without a CREDIT */
	struct guest_strings args; /* never empty, unless @attach */
	const char *strings[GUEST_EXEC_ARGS_MAX]; /* the decoder's store for @args */
};

struct guest_stdin {
	uint16_t exec;
	const void *data;
	uint32_t len; /* 0: the end of input */
};

struct guest_resize {
	uint16_t exec;
	uint16_t cols, rows;
};

/* To the exec's process group. For an attached client any signal means: detach. */
struct guest_signal {
	uint16_t exec;
	uint8_t signal; /* 1..64 */
	uint32_t kill_ms; /* then, after so long, SIGKILL; 0: not */
};

struct guest_exec_output {
	uint16_t exec;
	enum guest_stream stream;
	const void *data;
	uint32_t len;
};

struct guest_exec_end {
	uint16_t exec;
	uint8_t code; /* 128 + signal for a killed one; as a shell has it for one that did not start */
	uint8_t signal; /* 0: it exited */
	const char *reason; /* "" unless it did not start: CamelCase, <= GUEST_REASON_MAX */
	const char *message; /* <= GUEST_MESSAGE_MAX */
};

enum guest_restart {
	GUEST_RESTART_ALWAYS,
	GUEST_RESTART_ON_FAILURE,
	GUEST_RESTART_NEVER,
};

/* One layer on disk 0: an EROFS image between offset and offset + size, both multiples of 512. */
struct guest_layer {
	uint64_t offset_bytes, size_bytes;
};

struct guest_net {
	uint32_t address; /* IPv4 in host byte order: 10.1.2.3 is 0x0a010203; 0: loopback only */
	uint8_t prefix;
	uint32_t gateway; /* may lie outside of the prefix; 0: none */
	uint32_t mtu; /* 0: as the device has it */
	struct guest_strings dns_servers, dns_search, dns_options;
	struct guest_strings hosts; /* lines of /etc/hosts beyond localhost, "10.1.2.3 web" */
};

enum guest_volume_kind {
	GUEST_VOLUME_DISK, /* of the pod's second disk */
	GUEST_VOLUME_MEMORY, /* a tmpfs that the containers write */
	GUEST_VOLUME_FILES, /* what FILES says; read-only for the containers */
};

struct guest_volume {
	enum guest_volume_kind kind;
	/*
	 * DISK: the extent of its own ext4 on the second disk, in multiples of 512; size 0: it is a folder
	 * of the scratch file system. MEMORY: the most it can hold; 0: half of the VM's memory. FILES: 0.
	 */
	uint64_t offset_bytes, size_bytes;
};

struct guest_mount {
	uint16_t volume; /* index into guest_run.volumes */
	bool read_only;
	const char *path; /* absolute, in the container; made when missing */
	const char *sub_path; /* what of the volume, relative, made when missing; "": all of it */
};

struct guest_container {
	const char *name;
	uint16_t layers[GUEST_LAYERS_MAX]; /* indices into guest_run.layers, bottom first */
	uint32_t layer_count;
	struct guest_strings args; /* entrypoint and command, already put together; never empty */
	struct guest_strings env; /* NAME=value; PATH, HOME and HOSTNAME are added if missing */
	const char *cwd; /* "" = "/"; made when missing */
	const char *user; /* as in the OCI image config: "", "nginx", "101", "nginx:www", "101:101" */
	uint32_t groups[GUEST_GROUPS_MAX]; /* supplementary, beside those of /etc/group */
	uint32_t group_count;
	const char *stop_signal; /* "SIGQUIT", "QUIT" or a number; "" = SIGTERM */
	bool init; /* runs to its end, in order, before the others start */
	bool sidecar; /* with init: it has started, then the next does; always restarted; stopped last */
	bool over; /* it succeeded in an earlier VM, and is not to run again */
	bool default_seccomp; /* the system calls that container runtimes allow by default */
	bool read_only_root;
	bool tty;
	bool open_stdin; /* standard input stays open; else /dev/null */
	bool stdin_once; /* it ends with the first attached client's */
	bool no_new_privs;
	bool privileged; /* all of the VM's devices, /proc and /sys writable; capabilities by caps_add */
	bool must_not_be_root; /* runAsNonRoot */
	uint64_t caps_add,
		caps_drop; /* bits of linux/capability.h against the usual 14; add wins */
	uint64_t memory_bytes; /* 0: no limit, as all limits */
	uint32_t cpu_millis;
	uint32_t cpu_weight; /* cgroup v2 cpu.weight, 1..10000; 0: default */
	uint32_t pids;
	const struct guest_mount *mounts; /* in the order in which they are made */
	uint32_t mount_count;
	struct guest_life life;
};

/* What a pod is. Decoded strings and lists point into the encoded bytes, strings[] and mounts[]. */
struct guest_run {
	const char *hostname;
	const char *fqdn; /* for /etc/hosts, beside hostname; "" */
	bool share_pids; /* one pid namespace for all containers */
	uint32_t grace_ms; /* for containers that are ended without the pod being stopped */
	struct guest_net net;
	uint64_t wall_clock_ns; /* since the epoch; 0: leave the guest's clock alone */
	enum guest_restart restart;
	struct guest_layer layers[GUEST_DISK_LAYERS_MAX];
	uint32_t layer_count;
	uint32_t fs_group; /* owns the volumes; GUEST_NO_ID */
	struct guest_volume volumes[GUEST_VOLUMES_MAX];
	uint32_t volume_count;
	struct guest_container containers[GUEST_CONTAINERS_MAX];
	uint32_t container_count;
	/* the decoder's store for lists; a caller that encodes may leave it alone */
	uint32_t string_count, mount_count;
	const char *strings[GUEST_STRINGS_MAX];
	struct guest_mount mounts[GUEST_MOUNTS_MAX];
};

struct guest_file {
	const char *
		path; /* relative; neither ".." nor an empty name in it, nor ".." at its beginning */
	uint16_t mode; /* permission bits */
	uint32_t uid; /* owner */
	const void *data;
	uint32_t len;
};

/*
 * The contents of a volume of kind FILES. The group gets them to read, as a kubelet's fsGroup does.
 * @generation names the contents: a guest that has them already does nothing. It may be any number that
 * differs when they do (a hash, a counter), so that a new hostd can say all again without knowing what
 * the one before it had sent.
 */
struct guest_files {
	uint16_t volume; /* < GUEST_VOLUMES_MAX */
	uint64_t generation;
	uint32_t group; /* GUEST_NO_ID: root's */
	const struct guest_file *files;
	uint32_t count;
};

/**
 * guest_frame_parse() - Take the first frame off received bytes
 * @f: set when there is a whole one; its payload points into @data
 * Return: bytes that the frame takes; 0 when more are needed; -EMSGSIZE: the peer breaks the rules.
 */
long guest_frame_parse(const void *data, size_t len, struct guest_frame *f);

/**
 * guest_*_encode() - Write a whole frame, header included
 * @out:  @size bytes
 * Return: bytes written; -ENOBUFS when it does not fit; -EINVAL for a value outside its range.
 */
long guest_hello_encode(const struct guest_hello *m, void *out, size_t size);
long guest_started_encode(const struct guest_started *m, void *out, size_t size);
long guest_exit_encode(const struct guest_exit *m, void *out, size_t size);
long guest_failed_encode(const struct guest_failed *m, void *out, size_t size);
long guest_log_encode(const struct guest_log *m, void *out, size_t size);
long guest_probed_encode(const struct guest_probed *m, void *out, size_t size);
long guest_done_encode(void *out, size_t size);
long guest_welcome_encode(const struct guest_welcome *m, void *out, size_t size);
long guest_stop_encode(const struct guest_stop *m, void *out, size_t size);
long guest_exec_encode(const struct guest_exec *m, void *out, size_t size);
long guest_stdin_encode(const struct guest_stdin *m, void *out, size_t size);
long guest_resize_encode(const struct guest_resize *m, void *out, size_t size);
long guest_signal_encode(const struct guest_signal *m, void *out, size_t size);
long guest_exec_output_encode(const struct guest_exec_output *m, void *out, size_t size);
long guest_exec_end_encode(const struct guest_exec_end *m, void *out, size_t size);
long guest_credit_encode(uint16_t stream, uint32_t bytes, void *out, size_t size);

/* Room for the frames of a long payload: as many headers, or one more */
#define GUEST_FRAMES_BYTES(payload) \
	((payload) + ((payload) / GUEST_FRAME_PAYLOAD_MAX + 1) * GUEST_FRAME_HEADER)
#define GUEST_RUN_FRAMES_MAX   GUEST_FRAMES_BYTES(GUEST_RUN_MAX)
#define GUEST_FILES_FRAMES_MAX GUEST_FRAMES_BYTES(GUEST_FILES_PAYLOAD_MAX)

/** guest_run_room() - Bytes that guest_run_encode() needs. Return: <= GUEST_RUN_FRAMES_MAX; -E2BIG */
long guest_run_room(const struct guest_run *m, struct err *e);

/**
 * guest_run_encode() - Write RUN as the frames that carry it
 * @size: at least guest_run_room(): the encoder may need all of it, also for what it returns less of
 * Return: bytes written; -ENOBUFS, -E2BIG or -EINVAL with the reason in @e.
 */
long guest_run_encode(const struct guest_run *m, void *out, size_t size, struct err *e);

/** guest_files_room(), guest_files_encode() - Likewise for FILES; at most GUEST_FILES_FRAMES_MAX */
long guest_files_room(const struct guest_files *m, struct err *e);
long guest_files_encode(const struct guest_files *m, void *out, size_t size, struct err *e);

/**
 * guest_*_decode() - Read a frame's payload; strings and data stay where they are
 * Return: 0; -EBADMSG when a field is missing or outside its range.
 */
int guest_hello_decode(const struct guest_frame *f, struct guest_hello *m);
int guest_started_decode(const struct guest_frame *f, struct guest_started *m);
int guest_exit_decode(const struct guest_frame *f, struct guest_exit *m);
int guest_failed_decode(const struct guest_frame *f, struct guest_failed *m);
int guest_log_decode(const struct guest_frame *f, struct guest_log *m);
int guest_probed_decode(const struct guest_frame *f, struct guest_probed *m);
int guest_welcome_decode(const struct guest_frame *f, struct guest_welcome *m);
int guest_stop_decode(const struct guest_frame *f, struct guest_stop *m);
int guest_exec_decode(const struct guest_frame *f, struct guest_exec *m);
int guest_stdin_decode(const struct guest_frame *f, struct guest_stdin *m);
int guest_resize_decode(const struct guest_frame *f, struct guest_resize *m);
int guest_signal_decode(const struct guest_frame *f, struct guest_signal *m);
int guest_exec_output_decode(const struct guest_frame *f, struct guest_exec_output *m);
int guest_exec_end_decode(const struct guest_frame *f, struct guest_exec_end *m);
int guest_credit_decode(const struct guest_frame *f, uint16_t *stream, uint32_t *bytes);

/**
 * guest_run_decode() - Read the payloads of all RUN frames, put together
 * @data: stays as long as @m is used
 * Return: 0; -EBADMSG or -EINVAL with the reason in @e.
 */
int guest_run_decode(const void *data, size_t len, struct guest_run *m, struct err *e);

/**
 * guest_files_decode() - Read the payloads of all frames of one FILES, put together
 * @data:  stays as long as @m is used
 * @store: room for GUEST_FILES_MAX files, for @m->files
 * Return: 0; -EBADMSG or -EINVAL with the reason in @e.
 */
int guest_files_decode(const void *data, size_t len, struct guest_files *m,
		       struct guest_file *store, struct err *e);

/**
 * guest_path_valid() - Whether a relative path stays below where it starts, whatever lies there
 * Neither empty nor absolute, no component "", "." or "..", none longer than GUEST_NAME_MAX.
 */
bool guest_path_valid(const char *path);

/** guest_version_pick() - The highest version both know, 0 if there is none */
uint16_t guest_version_pick(uint16_t min, uint16_t max);

#endif
