// SPDX-License-Identifier: Apache-2.0
/*
 * RUN: the description of a pod, written by hostd and read by hyperstart.
 *
 * Every part is a record, so that a later version can add fields to a container or to the network
 * without moving what comes behind. The decoder copies no text: strings stay in the received bytes,
 * and lists of strings are arrays within guest_run.strings. It also checks everything that hyperstart
 * would otherwise index or trust: layer numbers, extents, names.
 */
#include "proto/guest_msg.h"

#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "proto/guest_frame.h"
#include "proto/wire.h"

#define RUN_SECTOR 512

enum {
	CONTAINER_INIT = 1 << 0,
	CONTAINER_READ_ONLY = 1 << 1,
	CONTAINER_TTY = 1 << 2,
	CONTAINER_STDIN = 1 << 3,
	CONTAINER_NO_NEW_PRIVS = 1 << 4,
	CONTAINER_NOT_ROOT = 1 << 5,
	CONTAINER_STDIN_ONCE = 1 << 6,
	CONTAINER_PRIVILEGED = 1 << 7,
	CONTAINER_SIDECAR = 1 << 8,
	CONTAINER_SECCOMP = 1 << 9,
	CONTAINER_OVER = 1 << 10,
};

void run_put_strings(struct wire_writer *w, const struct guest_strings *s)
{
	wire_put_u32(w, s->count);
	for (uint32_t i = 0; i < s->count; i++)
		wire_put_str(w, s->at[i]);
}

static void put_net(struct wire_writer *w, const struct guest_net *n)
{
	size_t begin = wire_begin(w);

	wire_put_u32(w, n->address);
	wire_put_u8(w, n->prefix);
	wire_put_u32(w, n->gateway);
	wire_put_u32(w, n->mtu);
	run_put_strings(w, &n->dns_servers);
	run_put_strings(w, &n->dns_search);
	run_put_strings(w, &n->dns_options);
	run_put_strings(w, &n->hosts);
	wire_end(w, begin);
}

static void put_container(struct wire_writer *w, const struct guest_container *c)
{
	size_t begin = wire_begin(w);

	wire_put_str(w, c->name);
	wire_put_u32(w, c->layer_count);
	for (uint32_t i = 0; i < c->layer_count && i < GUEST_LAYERS_MAX; i++)
		wire_put_u16(w, c->layers[i]);
	run_put_strings(w, &c->args);
	run_put_strings(w, &c->env);
	wire_put_str(w, c->cwd);
	wire_put_str(w, c->user);
	wire_put_u32(w, c->group_count);
	for (uint32_t i = 0; i < c->group_count && i < GUEST_GROUPS_MAX; i++)
		wire_put_u32(w, c->groups[i]);
	wire_put_str(w, c->stop_signal);
	wire_put_u32(
		w, (c->init ? CONTAINER_INIT : 0) | (c->read_only_root ? CONTAINER_READ_ONLY : 0) |
			   (c->tty ? CONTAINER_TTY : 0) | (c->open_stdin ? CONTAINER_STDIN : 0) |
			   (c->privileged ? CONTAINER_PRIVILEGED : 0) |
			   (c->no_new_privs ? CONTAINER_NO_NEW_PRIVS : 0) |
			   (c->must_not_be_root ? CONTAINER_NOT_ROOT : 0) |
			   (c->stdin_once ? CONTAINER_STDIN_ONCE : 0) |
			   (c->sidecar ? CONTAINER_SIDECAR : 0) |
			   (c->default_seccomp ? CONTAINER_SECCOMP : 0) |
			   (c->over ? CONTAINER_OVER : 0));
	wire_put_u64(w, c->caps_add);
	wire_put_u64(w, c->caps_drop);
	wire_put_u64(w, c->memory_bytes);
	wire_put_u32(w, c->cpu_millis);
	wire_put_u32(w, c->cpu_weight);
	wire_put_u32(w, c->pids);
	wire_put_u32(w, c->mount_count);
	for (uint32_t i = 0; i < c->mount_count && i < GUEST_MOUNTS_MAX; i++) {
		wire_put_u16(w, c->mounts[i].volume);
		wire_put_u8(w, c->mounts[i].read_only);
		wire_put_str(w, c->mounts[i].path);
		wire_put_str(w, c->mounts[i].sub_path);
	}
	life_put(w, &c->life);
	wire_end(w, begin);
}

static void put_run(struct wire_writer *w, const struct guest_run *m)
{
	wire_put_str(w, m->hostname);
	wire_put_str(w, m->fqdn);
	wire_put_u8(w, m->share_pids);
	wire_put_u32(w, m->grace_ms);
	wire_put_u64(w, m->wall_clock_ns);
	wire_put_u8(w, (uint8_t)m->restart);
	put_net(w, &m->net);
	wire_put_u32(w, m->layer_count);
	for (uint32_t i = 0; i < m->layer_count && i < GUEST_DISK_LAYERS_MAX; i++) {
		wire_put_u64(w, m->layers[i].offset_bytes);
		wire_put_u64(w, m->layers[i].size_bytes);
	}
	wire_put_u32(w, m->fs_group);
	wire_put_u32(w, m->volume_count);
	for (uint32_t i = 0; i < m->volume_count && i < GUEST_VOLUMES_MAX; i++) {
		wire_put_u8(w, (uint8_t)m->volumes[i].kind);
		wire_put_u64(w, m->volumes[i].offset_bytes);
		wire_put_u64(w, m->volumes[i].size_bytes);
	}
	wire_put_u32(w, m->container_count);
	for (uint32_t i = 0; i < m->container_count && i < GUEST_CONTAINERS_MAX; i++)
		put_container(w, &m->containers[i]);
}

/* Return: bytes of the payload, or -E2BIG */
static long run_count(const struct guest_run *m, struct err *e)
{
	struct wire_writer w;

	wire_write(&w, NULL, GUEST_RUN_MAX);
	put_run(&w, m);
	return w.failed ? err_set(e, -E2BIG, "the pod's arguments and environment exceed %d KiB",
				  GUEST_RUN_MAX / 1024)
			: (long)w.len;
}

long guest_run_room(const struct guest_run *m, struct err *e)
{
	long len = run_count(m, e);

	return len < 0 ? len : (long)GUEST_FRAMES_BYTES((size_t)len);
}

long guest_run_encode(const struct guest_run *m, void *out, size_t size, struct err *e)
{
	long len = run_count(m, e);
	struct guest_run *scratch;
	struct wire_writer w;
	int r;

	if (len < 0)
		return len;
	if (size < GUEST_FRAMES_BYTES((size_t)len))
		return err_set(e, -ENOBUFS, "run: no room");
	wire_write(&w, (uint8_t *)out + frame_heads((size_t)len), (size_t)len);
	put_run(&w, m);
	scratch = mem_alloc(sizeof(*scratch));
	/* The decoder knows the rules; what it refuses is never sent. */
	r = guest_run_decode(w.data, w.len, scratch, e);
	free(scratch);
	return r < 0 ? r : frame_split(out, w.data, w.len, GUEST_MSG_RUN);
}

void run_get_strings(struct wire_reader *r, struct guest_run *m, struct guest_strings *s,
		     uint32_t max, size_t str_max)
{
	uint32_t count = wire_count(r, MIN(max, GUEST_STRINGS_MAX - m->string_count));

	s->at = m->strings + m->string_count;
	s->count = count;
	for (uint32_t i = 0; i < count; i++)
		m->strings[m->string_count++] = wire_str(r, str_max);
}

static void get_net(struct wire_reader *run, struct guest_run *m)
{
	struct guest_net *n = &m->net;
	struct wire_reader r;

	wire_record(run, &r);
	n->address = wire_u32(&r);
	n->prefix = wire_u8(&r);
	n->gateway = wire_u32(&r);
	n->mtu = wire_u32(&r);
	run_get_strings(&r, m, &n->dns_servers, GUEST_DNS_MAX, GUEST_NAME_MAX);
	run_get_strings(&r, m, &n->dns_search, GUEST_DNS_MAX, GUEST_NAME_MAX);
	run_get_strings(&r, m, &n->dns_options, GUEST_DNS_MAX, GUEST_NAME_MAX);
	run_get_strings(&r, m, &n->hosts, GUEST_HOSTS_MAX, GUEST_PATH_LEN_MAX);
	run->failed |= r.failed || n->prefix > 32;
}

static void get_mounts(struct wire_reader *r, struct guest_run *m, struct guest_container *c)
{
	struct guest_mount *to = m->mounts + m->mount_count;

	c->mount_count = wire_count(r, GUEST_MOUNTS_MAX - m->mount_count);
	c->mounts = to;
	m->mount_count += c->mount_count;
	for (uint32_t i = 0; i < c->mount_count; i++) {
		to[i].volume = wire_u16(r);
		to[i].read_only = wire_u8(r);
		to[i].path = wire_str(r, GUEST_PATH_LEN_MAX);
		to[i].sub_path = wire_str(r, GUEST_PATH_LEN_MAX);
	}
}

static void get_container(struct wire_reader *run, struct guest_run *m, struct guest_container *c)
{
	struct wire_reader r;
	uint32_t flags;

	wire_record(run, &r);
	c->name = wire_str(&r, GUEST_NAME_MAX);
	c->layer_count = wire_count(&r, GUEST_LAYERS_MAX);
	for (uint32_t i = 0; i < c->layer_count; i++)
		c->layers[i] = wire_u16(&r);
	run_get_strings(&r, m, &c->args, GUEST_STRINGS_MAX, GUEST_STR_MAX);
	run_get_strings(&r, m, &c->env, GUEST_STRINGS_MAX, GUEST_STR_MAX);
	c->cwd = wire_str(&r, GUEST_PATH_LEN_MAX);
	c->user = wire_str(&r, GUEST_NAME_MAX);
	c->group_count = wire_count(&r, GUEST_GROUPS_MAX);
	for (uint32_t i = 0; i < c->group_count; i++)
		c->groups[i] = wire_u32(&r);
	c->stop_signal = wire_str(&r, GUEST_NAME_MAX);
	flags = wire_u32(&r);
	c->init = flags & CONTAINER_INIT;
	c->read_only_root = flags & CONTAINER_READ_ONLY;
	c->tty = flags & CONTAINER_TTY;
	c->open_stdin = flags & CONTAINER_STDIN;
	c->stdin_once = flags & CONTAINER_STDIN_ONCE;
	c->privileged = flags & CONTAINER_PRIVILEGED;
	c->no_new_privs = flags & CONTAINER_NO_NEW_PRIVS;
	c->must_not_be_root = flags & CONTAINER_NOT_ROOT;
	c->sidecar = flags & CONTAINER_SIDECAR;
	c->default_seccomp = flags & CONTAINER_SECCOMP;
	c->over = flags & CONTAINER_OVER;
	c->caps_add = wire_u64(&r);
	c->caps_drop = wire_u64(&r);
	c->memory_bytes = wire_u64(&r);
	c->cpu_millis = wire_u32(&r);
	c->cpu_weight = wire_u32(&r);
	c->pids = wire_u32(&r);
	get_mounts(&r, m, c);
	life_get(&r, m, &c->life);
	run->failed |= r.failed;
}

static void get_run(struct wire_reader *r, struct guest_run *m)
{
	m->hostname = wire_str(r, GUEST_NAME_MAX);
	m->fqdn = wire_str(r, GUEST_NAME_MAX);
	m->share_pids = wire_u8(r) != 0;
	m->grace_ms = wire_u32(r);
	m->wall_clock_ns = wire_u64(r);
	m->restart = (enum guest_restart)wire_u8(r);
	get_net(r, m);
	m->layer_count = wire_count(r, GUEST_DISK_LAYERS_MAX);
	for (uint32_t i = 0; i < m->layer_count; i++) {
		m->layers[i].offset_bytes = wire_u64(r);
		m->layers[i].size_bytes = wire_u64(r);
	}
	m->fs_group = wire_u32(r);
	m->volume_count = wire_count(r, GUEST_VOLUMES_MAX);
	for (uint32_t i = 0; i < m->volume_count; i++) {
		m->volumes[i].kind = (enum guest_volume_kind)wire_u8(r);
		m->volumes[i].offset_bytes = wire_u64(r);
		m->volumes[i].size_bytes = wire_u64(r);
	}
	m->container_count = wire_count(r, GUEST_CONTAINERS_MAX);
	for (uint32_t i = 0; i < m->container_count; i++)
		get_container(r, m, &m->containers[i]);
}

static bool extent_valid(uint64_t offset_bytes, uint64_t size_bytes)
{
	return size_bytes && offset_bytes % RUN_SECTOR == 0 && size_bytes % RUN_SECTOR == 0 &&
	       offset_bytes <= INT64_MAX && size_bytes <= INT64_MAX - offset_bytes;
}

static int check_layer(const struct guest_layer *l, uint32_t i, struct err *e)
{
	return extent_valid(l->offset_bytes, l->size_bytes)
		       ? 0
		       : err_set(e, -EINVAL, "layer %u: bad extent", i);
}

static int check_volume(const struct guest_volume *v, uint32_t i, struct err *e)
{
	if (v->kind > GUEST_VOLUME_FILES)
		return err_set(e, -EINVAL, "volume %u: unknown kind", i);
	if (v->kind == GUEST_VOLUME_DISK && v->size_bytes &&
	    (!v->offset_bytes || !extent_valid(v->offset_bytes, v->size_bytes)))
		return err_set(e, -EINVAL, "volume %u: bad extent", i);
	return 0;
}

static int check_mounts(const struct guest_run *m, const struct guest_container *c, struct err *e)
{
	for (uint32_t i = 0; i < c->mount_count; i++) {
		const struct guest_mount *t = &c->mounts[i];

		if (t->volume >= m->volume_count)
			return err_set(e, -EINVAL, "container %s: no volume %u", c->name,
				       (unsigned int)t->volume);
		if (t->path[0] != '/' || !guest_path_valid(t->path + 1))
			return err_set(e, -EINVAL, "container %s: mount %u: bad path", c->name, i);
		if (t->sub_path[0] && !guest_path_valid(t->sub_path))
			return err_set(e, -EINVAL, "container %s: mount %u: bad path in the volume",
				       c->name, i);
	}
	return 0;
}

static int check_container(const struct guest_run *m, uint32_t i, struct err *e)
{
	const struct guest_container *c = &m->containers[i];

	if (!c->name[0] || strchr(c->name, '/'))
		return err_set(e, -EINVAL, "container %u: bad name", i);
	for (uint32_t j = 0; j < i; j++)
		if (str_eq(c->name, m->containers[j].name))
			return err_set(e, -EINVAL, "container %s: named twice", c->name);
	if (!c->args.count || !c->args.at[0][0])
		return err_set(e, -EINVAL, "container %s: no command", c->name);
	if (!c->layer_count)
		return err_set(e, -EINVAL, "container %s: no layers", c->name);
	for (uint32_t j = 0; j < c->layer_count; j++)
		if (c->layers[j] >= m->layer_count)
			return err_set(e, -EINVAL, "container %s: no layer %u", c->name,
				       (unsigned int)c->layers[j]);
	if (c->cwd[0] && c->cwd[0] != '/')
		return err_set(e, -EINVAL, "container %s: working directory is not absolute",
			       c->name);
	if (c->sidecar && !c->init)
		return err_set(e, -EINVAL, "container %s: a sidecar is an init container", c->name);
	if (c->life.termination_path[0] && c->life.termination_path[0] != '/')
		return err_set(e, -EINVAL, "container %s: termination message path is not absolute",
			       c->name);
	if (c->cpu_weight > 10000)
		return err_set(e, -EINVAL, "container %s: CPU weight above 10000", c->name);
	return check_mounts(m, c, e);
}

int guest_run_decode(const void *data, size_t len, struct guest_run *m, struct err *e)
{
	struct wire_reader r;
	int result = 0;

	/* The store is set as far as it is used: untouched pages of it cost a guest nothing. */
	memset(m, 0, offsetof(struct guest_run, strings));
	wire_read(&r, data, len);
	get_run(&r, m);
	if (!wire_ok(&r))
		return err_set(e, -EBADMSG, "run: cut short, or a field beyond its limit");
	if (m->restart > GUEST_RESTART_NEVER)
		return err_set(e, -EINVAL, "run: unknown restart policy");
	if (!m->container_count)
		return err_set(e, -EINVAL, "run: no containers");
	for (uint32_t i = 0; i < m->layer_count && result == 0; i++)
		result = check_layer(&m->layers[i], i, e);
	for (uint32_t i = 0; i < m->volume_count && result == 0; i++)
		result = check_volume(&m->volumes[i], i, e);
	for (uint32_t i = 0; i < m->container_count && result == 0; i++)
		result = check_container(m, i, e);
	return result;
}
