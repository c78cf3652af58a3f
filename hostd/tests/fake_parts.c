// SPDX-License-Identifier: Apache-2.0
#include "fake_parts.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"

struct session {
	struct defer close;
};

static struct session fake_session;
static struct defer fake_exit;
static const struct vm_events *fake_vm_events;
struct fake_parts fake;

static const char *const fake_entrypoint[] = {"/entry", NULL};
static const char *const fake_cmd[] = {"image-cmd", NULL};
static const char *const fake_env[] = {"PATH=/bin", "A=image", NULL};

void fake_reset(struct loop *loop)
{
	fake = (struct fake_parts){.loop = loop, .image_refs = 0};
	fake_session = (struct session){0};
	fake_exit = (struct defer){0};
	fake.layers[0] = (struct oci_layer){.path = "/layers/0", .size_bytes = 4096};
	fake.layers[1] = (struct oci_layer){.path = "/layers/1", .size_bytes = 4096};
	fake.layers[2] = (struct oci_layer){.path = "/layers/0", .size_bytes = 4096};
	fake.image = (struct oci_image){
		.digest = "sha256:00112233",
		.layers = fake.layers,
		.layer_count = 3,
		.entrypoint = {fake_entrypoint, 1},
		.cmd = {fake_cmd, 1},
		.env = {fake_env, 2},
		.cwd = "/srv",
		.user = "nginx",
		.stop_signal = "SIGQUIT",
	};
}

/* ---- oci ---- */

void oci_ensure(struct oci *oci, struct oci_wait *w, const char *name, enum oci_pull pull,
		const struct oci_login *logins, size_t login_count)
{
	size_t n = 0;

	(void)oci;
	(void)pull;
	fake.logins[0] = '\0';
	for (size_t i = 0; i < login_count && n < sizeof(fake.logins); i++)
		n += (size_t)snprintf(fake.logins + n, sizeof(fake.logins) - n, "%s=%s ",
				      logins[i].at, logins[i].basic);
	if (fake.wait_count == FAKE_WAITS_MAX)
		abort();
	snprintf(fake.names[fake.wait_count], sizeof(fake.names[0]), "%s", name);
	fake.waits[fake.wait_count++] = w;
}

static void fake_drop_wait(int at)
{
	fake.wait_count--;
	memmove(&fake.waits[at], &fake.waits[at + 1],
		(size_t)(fake.wait_count - at) * sizeof(fake.waits[0]));
	memmove(&fake.names[at], &fake.names[at + 1],
		(size_t)(fake.wait_count - at) * sizeof(fake.names[0]));
}

void oci_cancel(struct oci *oci, struct oci_wait *w)
{
	(void)oci;
	for (int i = 0; i < fake.wait_count; i++)
		if (fake.waits[i] == w) {
			fake_drop_wait(i);
			return;
		}
}

void fake_pulled(const char *why)
{
	struct oci_wait *w = fake.waits[0];
	struct err e = ERR_INIT;

	if (!fake.wait_count)
		abort();
	fake_drop_wait(0);
	if (!why) {
		fake.image_refs++;
		w->fn(w, &fake.image, OCI_FAILURE_NONE, &e);
		return;
	}
	err_set(&e, -ENOENT, "%s", why);
	w->fn(w, NULL, OCI_FAILURE_PULL, &e);
}

struct oci_image *oci_image_unref(struct oci_image *image)
{
	if (image)
		fake.image_refs--;
	return NULL;
}

struct oci_image *oci_image_find(struct oci *oci, const char *digest)
{
	(void)oci;
	if (!str_eq(digest, fake.image.digest))
		return NULL;
	fake.find_count++;
	fake.image_refs++;
	return &fake.image;
}

/* ---- disk ---- */

int disk_scratch_create(const char *path, const struct disk_scratch *s, struct err *e)
{
	FILE *f;

	if (fake.disk_result < 0)
		return err_set(e, fake.disk_result, "no space for the scratch disk");
	if (s->scratch.size_bytes < DISK_SCRATCH_MIN)
		abort();
	f = fopen(path, "w");
	if (!f)
		abort();
	fclose(f);
	fake.scratch_count++;
	return 0;
}

int disk_plan_open(const char *const *layers, size_t count, const char *scratch,
		   struct disk_plan *plan, struct err *e)
{
	(void)layers;
	(void)e;
	if (access(scratch, F_OK) < 0)
		abort();
	plan->layer_count = count;
	for (size_t i = 0; i < count; i++)
		plan->layers[i] = (struct disk_extent){-1, i * 4096, 4096};
	plan->scratch_fd = -1;
	plan->scratch_bytes = DISK_SCRATCH_MIN;
	fake.plan_open++;
	return 0;
}

void disk_plan_done(struct disk_plan *plan)
{
	plan->layer_count = 0;
	fake.plan_open--;
}

/* ---- net ---- */

int net_attach(struct net *net, const char *uid, const struct net_port *ports, size_t count,
	       struct net_if *out, struct err *e)
{
	(void)net;
	(void)uid;
	(void)ports;
	(void)count;
	if (fake.attach_result < 0)
		return err_set(e, fake.attach_result, "host port 8080 is taken");
	*out = (struct net_if){.tap_fd = -1, .vhost_fd = -1, .prefix_len = 24, .mtu = 1500};
	(void)str_copy(out->ip, sizeof(out->ip), "10.88.0.2");
	(void)str_copy(out->gateway, sizeof(out->gateway), "10.88.0.1");
	fake.attached++;
	return 0;
}

int net_limit(const struct net_if *nif, const struct net_rate *rate, struct err *e)
{
	(void)e;
	fake.limited = *rate;
	return *nif->ip ? 0 : -EINVAL;
}

int net_detach(struct net *net, const char *uid, struct err *e)
{
	(void)net;
	(void)uid;
	(void)e;
	if (fake.attached)
		fake.attached--;
	return 0;
}

int net_adopt(struct net *net, const char *uid, const char *ip, const struct net_port *ports,
	      size_t count, struct err *e)
{
	(void)net;
	(void)uid;
	(void)ports;
	(void)count;
	(void)e;
	if (!str_eq(ip, "10.88.0.2"))
		abort();
	fake.adopted++;
	return 0;
}

int net_tap_name(const char *ip, char tap[16])
{
	(void)ip;
	(void)str_copy(tap, 16, "lo");
	return 0;
}

int net_sync(struct net *net, struct err *e)
{
	(void)net;
	(void)e;
	fake.synced++;
	return 0;
}

/* ---- vm ---- */

static void fake_exited(struct defer *d)
{
	(void)d;
	fake_vm_exit(VM_REASON_NONE);
}

int vm_start(struct loop *l, struct vm *vm, const struct vm_events *events,
	     const struct vm_config *c, struct err *e)
{
	char path[VM_DIR_MAX + 16];
	FILE *f;

	(void)l;
	if (fake.start_result < 0)
		return err_set(e, fake.start_result, "open /dev/kvm: no such file");
	snprintf(path, sizeof(path), "%s/vm.state", c->dir);
	f = fopen(path, "w");
	if (!f)
		abort();
	fprintf(f, "%u\n", c->cid);
	fclose(f);
	fake.started++;
	fake.vm = vm;
	fake.vm_memory = c->memory_bytes;
	fake.vm_vcpus = c->vcpus;
	fake.vm_cid = vm->cid = c->cid;
	fake_vm_events = events;
	return 0;
}

int vm_adopt(struct loop *l, struct vm *vm, const struct vm_events *events, const char *dir,
	     struct err *e)
{
	char path[VM_DIR_MAX + 16];
	FILE *f;

	(void)l;
	snprintf(path, sizeof(path), "%s/vm.state", dir);
	f = fopen(path, "r");
	if (!f)
		return err_set(e, -ENOENT, "no VM");
	if (fscanf(f, "%u", &vm->cid) != 1)
		abort();
	fclose(f);
	fake.vm = vm;
	fake_vm_events = events;
	if (!fake.adoptable)
		loop_defer(fake.loop, &fake_exit, fake_exited);
	return 0;
}

void fake_vm_exit(uint32_t reason)
{
	struct vm_exit x = {.magic = VM_EXIT_MAGIC, .reason = reason};
	struct vm *vm = fake.vm;

	if (!vm)
		return;
	fake_close();
	fake.vm = NULL;
	fake_vm_events->on_exited(vm, &x);
}

int vm_counters(const struct vm *vm, struct vm_counters *out)
{
	(void)vm;
	*out = fake.counters;
	return 0;
}

int vm_kill(struct vm *vm)
{
	(void)vm;
	fake.killed++;
	if (!fake.vm_immortal)
		loop_defer(fake.loop, &fake_exit, fake_exited);
	return 0;
}

void vm_done(struct vm *vm)
{
	if (fake.vm == vm)
		fake.vm = NULL;
}

const char *vm_reason_name(uint32_t reason)
{
	return reason == VM_REASON_PANIC ? "panic" : "poweroff";
}

/* ---- session ---- */

int session_listen(struct loop *l, const struct session_events *events, void *arg,
		   struct session_server **ret, struct err *e)
{
	static char server;

	(void)l;
	(void)e;
	fake.events = events;
	fake.listener = arg;
	*ret = (struct session_server *)&server;
	return 0;
}

struct session_server *session_server_free(struct session_server *srv)
{
	(void)srv;
	fake_close();
	return NULL;
}

void fake_hello(enum guest_state state)
{
	static struct guest_hello hello;

	hello = (struct guest_hello){1, 1, state, 1234, "fake"};
	fake.pod = fake.events->on_hello(fake.listener, &fake_session, fake.vm->cid, &hello);
}

void fake_close(void)
{
	struct err e = ERR_INIT;
	void *pod = fake.pod;

	defer_cancel(&fake_session.close);
	fake.pod = NULL;
	if (pod)
		fake.events->on_closed(pod, &fake_session, &e);
}

static void fake_closed(struct defer *d)
{
	(void)d;
	fake_close();
}

void session_close(struct session *s)
{
	loop_defer(fake.loop, &s->close, fake_closed);
}

static void fake_join(char *out, size_t size, const struct guest_strings *list)
{
	out[0] = '\0';
	for (uint32_t i = 0; i < list->count; i++)
		snprintf(out + strlen(out), size - strlen(out), "%s%s", i ? "|" : "", list->at[i]);
}

static void fake_volumes(const struct guest_run *run, const struct guest_container *c)
{
	char *out = fake.run_volumes;

	out[0] = '\0';
	for (uint32_t i = 0; i < run->volume_count; i++)
		snprintf(out + strlen(out), sizeof(fake.run_volumes) - strlen(out), "%d:%llu+%llu ",
			 run->volumes[i].kind, (unsigned long long)run->volumes[i].offset_bytes,
			 (unsigned long long)run->volumes[i].size_bytes);
	out = fake.run_mounts;
	out[0] = '\0';
	for (uint32_t i = 0; i < c->mount_count; i++)
		snprintf(out + strlen(out), sizeof(fake.run_mounts) - strlen(out), "%u:%s:%s:%d ",
			 c->mounts[i].volume, c->mounts[i].path, c->mounts[i].sub_path,
			 c->mounts[i].read_only);
}

int session_send_run(struct session *s, const struct guest_run *run, struct err *e)
{
	const struct guest_container *c = &run->containers[run->container_count - 1];

	(void)s;
	if (fake.send_result < 0)
		return err_set(e, fake.send_result, "too large");
	/* two different layers, of which the first is used twice */
	if (run->layer_count != 2 || c->layer_count != 3 || c->layers[2] != 0 || c->layers[1] != 1)
		abort();
	fake.run_sent++;
	for (uint32_t i = 0; i < ARRAY_SIZE(fake.run_over); i++)
		fake.run_over[i] = i < run->container_count && run->containers[i].over;
	fake_join(fake.run_args, sizeof(fake.run_args), &c->args);
	fake_join(fake.run_env, sizeof(fake.run_env), &c->env);
	fake_join(fake.run_dns, sizeof(fake.run_dns), &run->net.dns_servers);
	(void)str_copy(fake.run_user, sizeof(fake.run_user), c->user);
	fake_volumes(run, c);
	return 0;
}

int session_send_files(struct session *s, const struct guest_files *files, struct err *e)
{
	size_t n;

	(void)s;
	if (fake.files_result < 0)
		return err_set(e, fake.files_result, "not now");
	fake.files_sent++;
	n = (size_t)snprintf(fake.files, sizeof(fake.files), "%u:", (unsigned int)files->volume);
	for (uint32_t i = 0; i < files->count && n < sizeof(fake.files); i++)
		n += (size_t)snprintf(fake.files + n, sizeof(fake.files) - n, " %s(%o)=%.*s",
				      files->files[i].path, (unsigned int)files->files[i].mode,
				      (int)files->files[i].len, (const char *)files->files[i].data);
	return 0;
}

int session_exec(struct session *s, struct guest_exec *m, struct err *e)
{
	(void)s;
	fake.exec_container = m->container;
	if (fake.exec_result < 0)
		return err_set(e, fake.exec_result, "refused");
	return fake.exec_result;
}

int session_ask_stats(struct session *s, uint32_t ask)
{
	(void)s;
	fake.stats_ask = ask;
	fake.stats_asked++;
	return 0;
}

int session_stop(struct session *s, uint32_t grace_ms)
{
	(void)s;
	fake.stop_sent++;
	fake.stop_grace_ms = grace_ms;
	return 0;
}
