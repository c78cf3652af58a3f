/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside the pod module.
 *
 * A pod is facts and a state. Callbacks of other modules only write down facts and call pod_kick();
 * pod_step() then looks at the facts and moves on. So the order in which facts come does not matter,
 * and a fact that is told twice does no harm.
 */
#ifndef POD_IMPL_H
#define POD_IMPL_H

#include <limits.h>
#include <stdbool.h>

#include "base/bucket.h"
#include "base/list.h"
#include "disk/disk.h"
#include "pod/pod.h"
#include "pod/spec.h"
#include "vm/session.h"
#include "vm/vm.h"

#define POD_REASON_MAX	     (GUEST_REASON_MAX + 1)
#define POD_MESSAGE_MAX	     512
#define POD_ID_MAX	     OCI_DIGEST_MAX
#define POD_CID_FIRST	     1000
#define POD_UID_BASE	     200000 /* hypervm of CID n runs as this plus n */
#define POD_BACKOFF_FIRST_MS 10000
#define POD_BACKOFF_MAX_MS   300000
#define POD_REFRESH_MS	     60000
#define POD_SLACK_MS	     5000 /* the guest kills at the end of the grace; then we do */
#define POD_GUEST_MS	     120000 /* under emulation a guest takes its time */

/*
 * NEW    waiting for its turn: admission, or the back-off after a VM that failed
 * PULL   images are fetched
 * DISK   scratch disk made, layers opened
 * NET    address, tap, host ports; then its turn to boot
 * BOOT   the VM was started, its init has not said HELLO
 * RUN    the guest has its orders
 * STOP   the VM is to end: asked at first, killed when it is late
 * CLEAN  everything is released
 * GONE   nothing is held but the record, until the API forgets the pod
 */
enum pod_state {
	POD_NEW,
	POD_PULL,
	POD_DISK,
	POD_NET,
	POD_BOOT,
	POD_RUN,
	POD_STOP,
	POD_CLEAN,
	POD_GONE,
	POD_STATE_MAX,
};

enum container_state {
	CONTAINER_WAITING,
	CONTAINER_RUNNING,
	CONTAINER_TERMINATED,
};

struct container_end {
	bool is_set;
	uint8_t code, signal;
	uint64_t started_ns, finished_ns;
	char reason[POD_REASON_MAX];
	bool from_log; /* its message is the last of its log */
};

struct pod_container {
	enum container_state state;
	char reason[POD_REASON_MAX]; /* of waiting */
	char message[POD_MESSAGE_MAX]; /* of waiting or terminated */
	uint64_t started_ns;
	struct container_end end, last; /* of the present run, of the one before */
	uint32_t restarts; /* all together */
	uint32_t restarts_base; /* by VMs before this one */
	bool finished; /* terminated, and the guest will not start it again */
	bool was_running; /* in this VM or an earlier one */
	bool started, ready; /* of a running one, as its probes have it */
	char *end_message, *last_message; /* termination messages; NULL: none */
	char image_id[POD_ID_MAX];
	/* log */
	int log_fd; /* -1: not open */
	struct timer log_quiet; /* it has ended: its log is complete soon */
	bool log_failing; /* the last piece could not be kept */
	uint64_t log_bytes;
	uint64_t log_next[2]; /* offset of the next byte of each stream */
	/* pulling */
	struct pod *pod;
	struct oci_image *image; /* a reference, NULL until it is there */
	struct oci_wait wait;
	bool pulling;
	uint64_t pull_failed_ms, pull_again_ms; /* clock_mono_ms(); 0: now */
	uint32_t pull_failures;
};

struct pod {
	struct pods *pods;
	struct list node;
	struct defer step;
	struct timer timer; /* the state's deadline, or the next look */
	struct timer report; /* coalesces status changes */
	struct spec_meta meta;
	struct pod_spec *spec; /* NULL: cannot be run here */
	enum pod_state state;
	char dir[VM_DIR_MAX - 8]; /* RUN/pods/UID */

	/* What is wanted */
	bool named; /* by the list that is being read */
	bool gone; /* the API forgot it: end at once, then forget it, too */
	bool stop; /* end, within the grace */
	uint32_t grace_s; /* the shortest that was asked for */
	uint64_t stop_by_ms; /* clock_mono_ms(); when it is killed; 0: the grace has not begun */
	bool deletion_told; /* on_deleted() was called */
	struct json_doc
		*fields; /* metadata.labels and metadata.annotations as they are now, or NULL */
	bool logins_missed; /* a pull secret is not there: told */
	bool sources_open; /* all that the pod's state needs is asked for */
	struct list uses; /* struct source_use: what it needs of the API */
	struct timer files_timer; /* they could not be sent at once */
	uint64_t files_sent[GUEST_VOLUMES_MAX]; /* generations that this session was sent */
	bool files_due; /* the guest's files are not what they should be */
	bool silent; /* it had ended before we knew it: its status is left alone */

	/* The end of the pod as the API sees it: once set, never changed */
	char phase[16];
	char phase_reason[POD_REASON_MAX];
	char phase_message[POD_MESSAGE_MAX];

	/* What is held */
	const char *layers[DISK_LAYERS_MAX]; /* paths, as the images have them */
	size_t layer_count;
	struct disk_scratch scratch; /* of the plan */
	struct disk_plan plan;
	bool has_plan, attached;
	struct net_if nif; /* descriptors -1 once the VM has them */
	char ip[NET_ADDR_MAX];
	char api_ip[NET_ADDR_MAX]; /* what the API has, perhaps of an earlier life; "" none */
	struct vm vm;
	bool vm_there; /* vm_start() or vm_adopt() succeeded, vm_done() was not called */
	bool vm_ended; /* on_exited() came */
	bool vm_killed; /* by us */
	bool vm_oom; /* by the host's kernel, for want of memory */
	char vm_words[POD_MESSAGE_MAX]; /* how it ended */
	uint32_t cid;
	struct session *session;
	enum guest_state guest;
	bool guest_seen; /* its HELLO came, to us or to an earlier hostd */
	bool run_sent; /* it has its orders */
	bool all_done; /* nothing runs in it any more */
	bool guest_broken; /* it could not set up the pod */
	const struct session *stop_told;
	char trouble[POD_MESSAGE_MAX]; /* why the present state does not get on */

	/* What it uses */
	bool stats_due; /* its guest was asked */
	struct guest_stats *stats; /* the last answer, NULL: none yet */
	uint64_t stats_ns; /* real time of it */
	uint32_t stats_pass; /* the measurement that has it already */

	uint64_t not_before_ms; /* clock_mono_ms(); NEW waits until then */
	uint32_t failures; /* of VMs in a row */
	uint64_t run_since_ms;
	bool told; /* this VM's guest has said something of a container */
	uint64_t over_ms; /* since then all containers are finished; 0: they are not */
	uint64_t created_ns, start_ns; /* real time; start_ns: 0 before it was admitted */
	/* events that the guest may still cause, by failures and by what follows from them */
	struct bucket probed[2];
	uint64_t init_since_ns, ready_since_ns;
	bool was_initialized, was_ready;
	struct pod_container containers[GUEST_CONTAINERS_MAX];
};

/* What happened since this hostd began */
struct pods_counts {
	uint64_t vm_starts, vm_start_failures, vm_ends, vm_crashes;
	uint64_t pulls, pull_failures;
	uint64_t container_starts, container_ends, oom_kills;
};

struct pods {
	struct pods_config config;
	struct pods_ops ops;
	void *arg;
	struct list all;
	struct list sources; /* struct source */
	struct session_server *sessions;
	uint32_t next_cid;
	bool listed; /* the API's list came: what it does not name may end, what it names may start */
	bool freeing;
	bool held; /* nothing may begin yet */
	bool leaving; /* the host is about to be restarted */
	struct pods_counts counts;
	bool measuring; /* the guests were asked */
	uint32_t measure_ask; /* number of the question */
	struct timer measure_late, measure_slice;
	struct json_doc *stats_doc; /* what was found, while it is gathered and told */
	struct json *stats_list;
	struct buf stats_net; /* /proc/net/dev */
	struct defer measured;
};

/* ---- leave.c ---- */

/** pod_leaves() - It ends because the host is restarted: no end that the API is told of */
bool pod_leaves(const struct pod *p);

/* ---- machine.c ---- */

/** machine_init() - A new pod's timers; the state begins at NEW */
void machine_init(struct pod *p);

/** pod_kick() - Facts changed: pod_step() runs soon */
void pod_kick(struct pod *p);

/** pod_changed() - The status may have changed: report it soon, keep it on disk */
void pod_changed(struct pod *p);

const char *pod_state_name(enum pod_state s);

/** pod_backoff_ms() - How long to wait after so many failures in a row: 10 s doubling to 5 min */
uint64_t pod_backoff_ms(const struct pods *pods, uint32_t failures);

/** pod_end() - Decide the pod's final phase, unless that was done before */
void pod_end(struct pod *p, const char *phase, const char *reason, const char *message);

/** pod_trouble() - Say once what is in the way of the present state, and look again in a while */
void pod_trouble(struct pod *p, const char *reason, const struct err *e);

/** pod_event() - Tell a human */
void pod_event(struct pod *p, const char *type, const char *reason, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* ---- crash.c ---- */

/** crash_point() - Die here, if a test asks for it: see the opening comment of crash.c */
void crash_point(const struct pods *pods, const char *name);

/* ---- pods.c ---- */

struct pod *pods_find(struct pods *pods, const char *uid);
struct pod *pods_find_cid(struct pods *pods, uint32_t cid);
/** pods_free_cid() - A context id that no pod has */
uint32_t pods_free_cid(struct pods *pods);
struct pod *pod_new(struct pods *pods, const struct spec_meta *meta);
/** pod_free() - Let go of it in memory; the folder stays */
void pod_free(struct pod *p);
/** pod_forget() - Remove its folder and free it */
void pod_forget(struct pod *p);

/* ---- adopt.c ---- */

/** adopt_all() - Take over what an earlier hostd left; then remove what nobody knows */
void adopt_all(struct pods *pods);
/** adopt_status() - A pod ran on this host before it was switched off: its counters go on */
void adopt_status(struct pod *p, const struct json *status);

/* ---- admit.c ---- */

/** pod_admit() - Whether the host has room. Return: 0; -ENOSPC and the pod has ended (pod_end()) */
int pod_admit(struct pod *p);

/* ---- pull.c ---- */

void pull_start(struct pod *p); /* all images that are not there, unless they back off */
void pull_cancel(struct pod *p); /* and forget the images */
bool pull_ready(const struct pod *p);
/** pull_next_ms() - clock_mono_ms() of the next attempt, 0 if none is waiting */
uint64_t pull_next_ms(const struct pod *p);

/* ---- prepare.c: each returns 0 or -errno and can be repeated ---- */

int prepare_disk(struct pod *p, struct err *e);
int prepare_net(struct pod *p, struct err *e);
int prepare_vm(struct pod *p, struct err *e);
/** prepare_kernel() - The file of the HyperKernel that the pod's class asks for */
const char *prepare_kernel(const struct pod *p);
/** prepare_scratch_path() - Where the pod's private disk is. @path: PATH_MAX bytes */
void prepare_scratch_path(const struct pod *p, char *path);
/** prepare_ports() - The host ports, as net_attach() takes them. Return: their number */
size_t prepare_ports(const struct pod *p, struct net_port *ports);
/** prepare_layer_index() - Where a layer is on the pod's disk, or -1 */
int prepare_layer_index(const char *const *paths, size_t count, const char *path);
/** prepare_release() - Give everything back. Return: 0; -EAGAIN when something needs another try */
int prepare_release(struct pod *p);

/* ---- guest.c ---- */

extern const struct session_events guest_events;
extern const struct vm_events guest_vm_events;

/** guest_lost() - The VM is gone: what ran in it has ended */
void guest_lost(struct pod *p);

/* ---- source.c: ConfigMaps, Secrets and tokens ---- */

/* What identifies a source for a pod. */
struct source_name {
	enum pod_object kind;
	const char *name;
	const char *audience; /* POD_TOKEN alone, as the next */
	int64_t expiration_s;
};

/**
 * sources_open() - Have fetched what the pod's spec names; again: no harm
 * @mounted_only: its variables are settled
 */
void sources_open(struct pod *p, bool mounted_only);

/** sources_settle() - The guest has what it needs: keep only what is mounted, and that fresh */
void sources_settle(struct pod *p);

/** sources_poll() - Something is missing: look again soon, with back-off */
void sources_poll(struct pod *p);

/** sources_close() - The pod needs nothing any more; again: no harm */
void sources_close(struct pod *p);

/**
 * source_get() - What the API has of that name
 * @object: set on success, valid until the loop runs on
 * Return: 0; -ENOENT with a kubelet's words: there is none; -EAGAIN: not known yet, with words when
 *         that takes long, else with an empty @e.
 */
int source_get(const struct pod *p, const struct source_name *name, const struct json **object,
	       struct err *e);

/** source_find() - One key of a ConfigMap or Secret; @binary: those of binaryData, too. Return: NULL: there is none */
const struct json *source_find(const struct json *object, enum pod_object kind, const char *key,
			       bool binary, bool *encoded);

/**
 * source_value() - The bytes of a value
 * @key:     for messages
 * @encoded: as source_find() says; all data of Secrets, and binaryData
 * @out:     appended to
 * Return: 0; -EBADMSG; -E2BIG.
 */
int source_value(const struct json *value, bool encoded, const char *key, struct buf *out,
		 struct err *e);

/** source_key() - Both, without binaryData. Return: as source_value(); -ENOENT: no such key (nothing is set in @e) */
int source_key(const struct json *object, enum pod_object kind, const char *key, struct buf *out,
	       struct err *e);

/**
 * source_renew_ms() - How long until a token that lives so long is renewed
 * Four fifths of its life, at most a day, up to a tenth less by chance; never so short that an API which
 * issues expired tokens is asked without pause.
 */
uint64_t source_renew_ms(uint64_t life_ms, uint32_t random);

/* ---- login.c: imagePullSecrets ---- */

#define POD_LOGINS_MAX 64

struct logins {
	struct oci_login at[POD_LOGINS_MAX];
	size_t count;
};

/** logins_read() - Add what a Secret says */
void logins_read(struct logins *l, const struct json *secret);
void logins_done(struct logins *l);
/** logins_make() - All of the pod. Return: 0; -EAGAIN: a secret has yet to be fetched */
int logins_make(struct pod *p, struct logins *l);

/* ---- needs.c ---- */

/** needs_met() - Whether the API gave all that the pod needs to start; if not, says what is missing */
bool needs_met(struct pod *p);

/* ---- files.c: volumes that are files ---- */

void files_init(struct pod *p);
/** files_check() - Whether all can be made. Return: 0; -EAGAIN: not yet (as source_get()); -errno with a kubelet's words */
int files_check(const struct pod *p, struct err *e);
/** files_send() - Send those that the guest does not have. Return: 0; -ENOBUFS: more is sent later; -errno */
int files_send(struct pod *p, struct err *e);
/** files_update() - As files_send(), for a pod that runs: what cannot be made leaves the guest's as they are */
void files_update(struct pod *p);
/** files_forget() - The guest that is connected now may have anything */
void files_forget(struct pod *p);

/* ---- field.c ---- */

/**
 * field_text() - The value of a field or resource
 * @index: of the container that asks, for a resource; UINT32_MAX: it has to be named
 * Return: 0 or as buf_append(); -EINVAL: no such container.
 */
int field_text(const struct pod *p, const struct spec_field *f, uint32_t index, struct buf *out,
	       struct err *e);

/* ---- env.c ---- */

/* Texts that may be secret; cleared by texts_done() */
struct texts {
	char **at;
	uint32_t count, room;
	size_t bytes;
	struct spec_names names; /* of variables */
};

void texts_done(struct texts *t);

/** texts_find() - Where a variable is in a list of them, or -1 */
int texts_find(const struct texts *t, const char *name, size_t len);

/** texts_expand() - As spec_expand(), with the variables in @t */
int texts_expand(const struct texts *t, const char *text, struct buf *out);

/** texts_add() - Keep a copy of what is in a buffer. Return: 0 or -E2BIG */
int texts_add(struct texts *t, struct buf *text);

/**
 * env_make() - The variables of a container, NAME=value: those of the pod, not of the image
 * @tell_skipped: tell by an event which keys of envFrom cannot be variables
 * Return: 0; -EAGAIN: not everything is known yet (as source_get()); -errno with a kubelet's words.
 */
int env_make(struct pod *p, uint32_t index, bool tell_skipped, struct texts *env, struct err *e);
/* ---- ending.c ---- */

/** ending_set_message() - The termination message of the present end; @len 0: none */
void ending_set_message(struct pod *p, uint32_t index, const void *bytes, size_t len);
/** ending_take_log() - The last of the log takes its place */
void ending_take_log(struct pod *p, uint32_t index);
/** ending_keep_last() - The present end, if there is one, is the last one from now on */
void ending_keep_last(struct pod_container *c);
void ending_free(struct pod_container *c);

/** ending_is_final() - Whether a container has succeeded under OnFailure: no other VM runs it again */
bool ending_is_final(const struct pod *p, uint32_t index);

/* ---- probed.c ---- */

/** probed_start() - A container runs: what it is before its probes say anything */
void probed_start(struct pod *p, uint32_t index);
/** probed_take() - The guest says something of a container that the pod has */
void probed_take(struct pod *p, const struct guest_probed *m);

/* ---- console.c ---- */

/** console_show() - The guest's kernel panicked: say on the log and in vm_words what it said last */
void console_show(struct pod *p);

/* ---- order.c ---- */

/** order_send() - Build RUN from spec and images and send it. Return: 0 or -errno */
int order_send(struct pod *p, struct err *e);

/* ---- order_volume.c ---- */

/** order_volumes() - What volumes the pod has */
void order_volumes(const struct pod *p, struct guest_run *run);
/**
 * order_mounts() - What a container mounts of them
 * @env:   its variables
 * @texts: takes texts that @run points to
 * Return: 0; -EINVAL.
 */
int order_mounts(const struct spec_container *s, const struct texts *env, struct guest_run *run,
		 struct guest_container *g, struct texts *texts, struct err *e);

/* ---- status.c ---- */

/** status_phase() - Pending, Running, or the final phase */
const char *status_phase(const struct pod *p);
bool status_initialized(const struct pod *p);
bool status_ready(const struct pod *p);
/** status_make() - The whole status object */
struct json *status_make(struct json_doc *doc, struct pod *p);

/* ---- store.c ---- */

/** store_save() - Write the pod's state. Failures are logged */
void store_save(struct pod *p);
/** store_save_spec() - Write the pod's JSON */
void store_save_spec(struct pod *p, const struct json *pod);
/** store_load() - Read what an earlier hostd knew. Return: 0; -ENOENT; -EBADMSG */
int store_load(struct pod *p, struct err *e);
/** store_load_spec() - Return: 0 and a document to be freed */
int store_load_spec(const char *dir, struct json_doc **doc, struct err *e);

/* ---- logs.c ---- */

#define LOGS_POD_BYTES ((uint64_t)30 << 20) /* of all logs of a pod together */

void logs_init(struct pod *p);
void logs_free(struct pod *p);

/** logs_write() - Keep a piece of output in CRI form; pieces seen before are skipped */
void logs_write(struct pod *p, const struct guest_log *m);
/** logs_start() - Make the file, so that there is one before there is output */
void logs_start(struct pod *p, uint32_t container);
/** logs_restarted() - A container starts again: its log becomes the previous one */
void logs_restarted(struct pod *p, uint32_t container);
/** logs_ended() - The container has ended: its log is complete when nothing comes any more */
void logs_ended(struct pod *p, uint32_t container);
/** logs_complete() - The container will write no more */
void logs_complete(struct pod *p, uint32_t container);
/** logs_reset() - A new VM counts its output from zero */
void logs_reset(struct pod *p);
/** logs_remove() - The pod is forgotten, and its logs */
void logs_remove(const struct pod *p);
void logs_path(const struct pod *p, const char *container, const char *suffix, char *path);

/* ---- measure.c ---- */

void measure_init(struct pods *pods);
void measure_free(struct pods *pods);
/** measure_told() - A guest has answered */
void measure_told(struct pod *p, const struct guest_stats *m);
/** measure_lost() - A guest is out of reach */
void measure_lost(struct pod *p);

/* ---- group.c ---- */

/** group_open() - Make the pod's cgroup with its limits, but for the CPU's. Return: a descriptor; -1 without cgroups */
int group_open(const struct pod *p);
/** group_find() - The pod's cgroup. Return: a descriptor; -1 without one */
int group_find(const struct pod *p);
/** group_limit_cpu() - From now on the containers' CPU limits hold for the whole VM */
void group_limit_cpu(const struct pod *p);
/**
 * group_oom_score() - Say whom the kernel kills when the host's memory ends
 *
 * Pods before hostd; those that asked for nothing first, then those that asked for little (a kubelet's
 * formula, but nobody is safer than hostd).
 */
void group_oom_score(const struct pod *p);
/** group_memory_bytes() - What the pod's VM takes of the host's memory now, 0 unknown */
uint64_t group_memory_bytes(const struct pod *p);
/** group_oom_killed() - Whether the host's kernel killed the VM for want of memory */
bool group_oom_killed(const struct pod *p);
/** group_remove() - Kill what is in it and remove it. Return: 0; -EBUSY: later */
int group_remove(const struct pod *p);

/* ---- resolv.c ---- */

#define RESOLV_MAX	  3
#define RESOLV_SEARCH_MAX 8

struct resolv {
	char servers[RESOLV_MAX][64];
	char search[RESOLV_SEARCH_MAX][256];
	size_t server_count, search_count;
};

/** resolv_parse() - Read resolv.conf(5); loopback servers are of no use to a VM and are left out */
void resolv_parse(const char *text, struct resolv *r);

#endif
