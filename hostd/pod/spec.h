/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A pod as hostd runs it, made once from the API's JSON. Nothing below the parser sees JSON.
 *
 * What a HyperVM cannot do is refused by name and path, never ignored: a pod that runs does what its
 * spec says. Fields that are for the scheduler or for humans are skipped, and so are fields that this
 * version has never heard of (a newer server adds defaults of its own).
 */
#ifndef POD_SPEC_H
#define POD_SPEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "json/json.h"
#include "proto/guest_msg.h"

#define SPEC_NAME_MAX		253
#define SPEC_UID_MAX		63
#define SPEC_PORTS_MAX		32
#define SPEC_LIST_MAX		1024 /* entries of one list */
#define SPEC_MEMORY_DEFAULT	((uint64_t)128 << 20)
#define SPEC_CPU_DEFAULT_MILLIS 1000
#define SPEC_GRACE_DEFAULT_S	30
#define SPEC_GRACE_MAX_S	86400

enum spec_pull {
	SPEC_PULL_IF_NOT_PRESENT,
	SPEC_PULL_ALWAYS,
	SPEC_PULL_NEVER,
};

/* Which HyperKernel, by the names of RuntimeClasses */
enum spec_class {
	SPEC_CLASS_FAST, /* "hypervm", and what names none */
	SPEC_CLASS_FULL, /* "hypervm-full": with what a container engine inside a pod needs */
};

struct spec_list {
	const char **at;
	uint32_t count;
};

enum spec_volume_kind {
	SPEC_VOLUME_DISK, /* emptyDir */
	SPEC_VOLUME_MEMORY, /* emptyDir with medium Memory */
	/* their contents are files that hostd gets from the API; the guest's GUEST_VOLUME_FILES */
	SPEC_VOLUME_CONFIG_MAP,
	SPEC_VOLUME_SECRET,
	SPEC_VOLUME_DOWNWARD_API,
	SPEC_VOLUME_PROJECTED,
};

static inline bool spec_volume_is_files(enum spec_volume_kind kind)
{
	return kind >= SPEC_VOLUME_CONFIG_MAP;
}

/* A field of the pod (ObjectFieldSelector) or a resource of one of its containers (ResourceFieldSelector). */
struct spec_field {
	const char *path; /* "metadata.name"; NULL: a resource */
	const char *key; /* of metadata.labels or metadata.annotations; NULL: all of them */
	const char *resource; /* "limits.cpu" */
	const char *container; /* whose; "": the one that asks */
	uint64_t divisor; /* thousandths for cpu */
};

enum spec_source_kind {
	SPEC_SOURCE_CONFIG_MAP,
	SPEC_SOURCE_SECRET,
	SPEC_SOURCE_DOWNWARD_API,
	SPEC_SOURCE_TOKEN,
};

struct spec_item {
	const char *key; /* of a ConfigMap or Secret */
	struct spec_field field; /* of the downward API */
	const char *path; /* of the file, in the volume */
	uint16_t mode;
};

/* Where files of a volume come from. */
struct spec_source {
	enum spec_source_kind kind;
	const char *object; /* ConfigMap or Secret */
	bool optional; /* neither it nor its keys need be there */
	uint16_t mode; /* of files that have none of their own */
	struct spec_item *items;
	uint32_t item_count; /* 0, of an object: all keys */
	/* SPEC_SOURCE_TOKEN */
	const char *path, *audience;
	int64_t expiration_s;
};

/* Its index in pod_spec.volumes is its number in RUN and FILES. */
struct spec_volume {
	const char *name;
	enum spec_volume_kind kind;
	uint32_t index; /* in spec.volumes, for messages */
	const struct json
		*source; /* what the pod has as emptyDir, configMap, …, in the spec's document */
	uint64_t size_limit; /* bytes, of an emptyDir; 0: none */
	struct spec_source *sources; /* of files, a later one writes over an earlier one's */
	uint32_t source_count;
};

struct spec_mount {
	uint16_t volume; /* index into pod_spec.volumes */
	bool read_only; /* always for files */
	bool expand; /* sub_path is a subPathExpr: $(NAME) is resolved with the container's variables */
	const char *path; /* absolute, no "..", "." or empty component */
	const char *sub_path; /* "": all of the volume */
};

enum spec_env_kind {
	SPEC_ENV_VALUE,
	SPEC_ENV_FIELD,
	SPEC_ENV_CONFIG_MAP,
	SPEC_ENV_SECRET,
};

/* One entry of env, or one of envFrom: all keys of an object. */
struct spec_env {
	enum spec_env_kind kind;
	const char *name; /* without a key: what is put in front of each */
	const char *value; /* $(NAME) is not resolved yet */
	const char *object, *key; /* ConfigMap or Secret; key NULL: all */
	bool optional; /* it need not be there */
	struct spec_field field;
};

struct spec_container {
	const char *name, *image;
	enum spec_pull pull;
	bool init;
	bool has_command, has_args; /* an empty list overrides, a missing one does not */
	struct spec_list command, args; /* $(NAME) is not resolved yet */
	struct spec_env *env; /* those of envFrom before the others */
	uint32_t env_count;
	const char *cwd; /* "" = the image's */
	int64_t run_as_user, run_as_group; /* -1: the image's */
	bool privileged, run_as_non_root, read_only_root, no_new_privs, tty, open_stdin, stdin_once;
	uint64_t caps_add, caps_drop;
	uint64_t memory_request, memory_limit; /* bytes; 0: none */
	uint32_t cpu_request, cpu_limit; /* thousandths; 0: none */
	uint64_t storage_request, storage_limit; /* bytes of ephemeral-storage; 0: none */
	struct spec_mount *mounts; /* those of parents before those below them */
	uint32_t mount_count;
	bool sidecar; /* an init container with restartPolicy Always */
	bool default_seccomp;
	bool logs_on_error; /* without a termination message its last output takes its place */
	const char *stop_signal; /* "" = the image's */
	struct guest_life life;
};

/** spec_has_probe() - Whether a container has such a probe */
static inline bool spec_has_probe(const struct spec_container *c, enum guest_probe_kind kind)
{
	return c->life.probes[kind].action.kind != GUEST_ACTION_NONE;
}

struct spec_port {
	uint16_t host_port, container_port;
	bool udp;
	const char *host_ip; /* "" */
};

enum spec_dns {
	SPEC_DNS_HOST, /* Default, and ClusterFirst, as there is no cluster DNS */
	SPEC_DNS_NONE,
};

struct spec_piece {
	struct spec_piece *next;
	_Alignas(max_align_t) unsigned char bytes[];
};

/* A second's worth each; 0: no limit */
struct spec_limits {
	uint64_t disk_bytes, disk_ops; /* of all disks together */
	uint64_t net_ingress, net_egress; /* bytes to and from the pod */
};

struct pod_spec {
	struct json_doc *doc; /* owns all strings; see spec_parse() */
	const char *ns, *name, *uid;
	const char *service_account;
	struct spec_list pull_secrets; /* names */
	const char *hostname;
	const char *fqdn; /* "" without a subdomain */
	bool share_pids, default_seccomp;
	enum spec_class class;
	enum guest_restart restart;
	uint32_t grace_s;
	int64_t active_deadline_s; /* 0: none */
	struct spec_limits limits; /* by annotations */
	uint64_t overhead_memory; /* bytes, as the API's RuntimeClass says; 0 */
	enum spec_dns dns;
	struct spec_list dns_servers, dns_search, dns_options, hosts;
	uint32_t groups[GUEST_GROUPS_MAX]; /* supplementary, of all containers */
	uint32_t group_count;
	uint32_t fs_group; /* GUEST_NO_ID: none */
	struct spec_volume volumes[GUEST_VOLUMES_MAX];
	uint32_t volume_count;
	struct spec_container containers[GUEST_CONTAINERS_MAX]; /* init containers first */
	uint32_t container_count, init_count;
	struct spec_port ports[SPEC_PORTS_MAX]; /* those with a hostPort */
	uint32_t port_count;
	struct spec_piece *pieces; /* what spec_free() frees beside the document */
	size_t text_bytes;
};

/* Who a pod is and what the API wants of it; there even when its spec cannot be run. */
struct spec_meta {
	char ns[SPEC_NAME_MAX + 1], name[SPEC_NAME_MAX + 1], uid[SPEC_UID_MAX + 1];
	bool deleting;
	uint32_t delete_grace_s;
	uint64_t delete_by_ns; /* deletionTimestamp; 0 */
	bool terminal; /* its status already says Succeeded or Failed */
};

/**
 * spec_meta() - Read metadata
 * The uid becomes a folder's name: only [A-Za-z0-9.-] pass, and not "." or "..".
 * Return: 0; -EINVAL.
 */
int spec_meta(const struct json *pod, struct spec_meta *meta, struct err *e);

/**
 * spec_parse() - Make a spec of a Pod object
 * @spec: set on success; spec_free() it
 * Return: 0; -ENOTSUP for what cannot be run here, -EINVAL for what is no valid pod: @e begins with
 *         the field's path, e.g. "spec.volumes[0].hostPath: …".
 */
int spec_parse(const struct json *pod, struct pod_spec **spec, struct err *e);

/** spec_free() - Return: NULL; NULL is fine */
struct pod_spec *spec_free(struct pod_spec *spec);

/** What a pod is given, or counts for. */
struct spec_size {
	uint64_t vm_memory_bytes; /* of the VM: limits, else requests, else the default; and the guest's own */
	uint32_t vcpus; /* 1.. */
	uint64_t request_memory_bytes; /* as the scheduler counts it */
	uint32_t request_cpu_millis;
	uint64_t request_storage_bytes;
};

/* A guest's own memory: for kernel, init and page cache, and 1/64 with which its kernel describes pages */
#define SPEC_GUEST_OVERHEAD	 ((uint64_t)32 << 20)
#define SPEC_GUEST_OVERHEAD_PART 64
/* The kernel "full" takes 4 MB more at boot, and then what packet filters and tracked connections need */
#define SPEC_GUEST_OVERHEAD_FULL ((uint64_t)8 << 20)

/** spec_size() - @max_vcpus: of this host */
void spec_size(const struct pod_spec *spec, uint32_t max_vcpus, struct spec_size *size);

/**
 * spec_scratch_bytes() - How much the containers and their unlimited emptyDirs may write to disk together
 * @most: what the host gives a pod; limits of ephemeral-storage can make it less
 */
uint64_t spec_scratch_bytes(const struct pod_spec *spec, uint64_t most);

/* Where the variables of a list NAME=value are, by their names. The list is the caller's, and may move. */
struct spec_names {
	uint32_t *slots; /* index + 1, 0 free; NULL: no variables */
	uint32_t mask;
};

/** spec_names_init() - For up to @max variables; spec_names_done() it */
void spec_names_init(struct spec_names *n, uint32_t max);
void spec_names_done(struct spec_names *n);
/** spec_names_put() - Take in at[index]; one of the same name counts no more */
void spec_names_put(struct spec_names *n, const char *const *at, uint32_t index);
/** spec_names_find() - Return: the index in @at, or -1 */
int spec_names_find(const struct spec_names *n, const char *const *at, const char *name,
		    size_t len);

/**
 * spec_expand() - Resolve $(NAME) as Kubernetes does: "$$" is "$", an unknown name stays as it is
 * @at:  NAME=value strings, as @names knows them
 * @out: appended to; its cap limits the result
 * Return: 0 or -E2BIG.
 */
int spec_expand(const char *text, const struct spec_names *names, const char *const *at,
		struct buf *out);

/** spec_file_path_ok() - Whether a file in a volume may have this path: it stays inside, hides nothing of the guest's */
bool spec_file_path_ok(const char *path);

/** spec_capability() - The number of a capability by its name without CAP_, or -1; "ALL" is -2 */
int spec_capability(const char *name);

#endif
