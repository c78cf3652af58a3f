// SPDX-License-Identifier: Apache-2.0
/*
 * What a VM needs, taken in order and given back in the reverse: layers and scratch disk, address and
 * tap, control group and process. Every function can be repeated after a failure or a crash.
 *
 * A layer that several containers use is on the pod's first disk once.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "pod/impl.h"

/* Of one pod: what the guest's kernel keeps of its file system grows with it */
#define PREPARE_SCRATCH_MAX ((uint64_t)256 << 30)

void prepare_scratch_path(const struct pod *p, char *path)
{
	snprintf(path, PATH_MAX, "%s/%s.img", p->pods->config.scratch_dir, p->meta.uid);
}

static void prepare_vm_dir(const struct pod *p, char *path)
{
	snprintf(path, VM_DIR_MAX, "%s/vm", p->dir);
}

/* All layers of the pod, each once. */
static int prepare_layers(struct pod *p, const char **paths, size_t *count, struct err *e)
{
	*count = 0;
	for (uint32_t i = 0; i < p->spec->container_count; i++) {
		const struct oci_image *image = p->containers[i].image;

		for (size_t k = 0; k < image->layer_count; k++) {
			int at = prepare_layer_index(paths, *count, image->layers[k].path);

			if (at >= 0)
				continue;
			if (*count == MIN(DISK_LAYERS_MAX, GUEST_DISK_LAYERS_MAX))
				return err_set(e, -E2BIG, "more than %d different layers",
					       GUEST_DISK_LAYERS_MAX);
			paths[(*count)++] = image->layers[k].path;
		}
	}
	return *count ? 0 : err_set(e, -EINVAL, "no image of the pod has any layer");
}

int prepare_layer_index(const char *const *paths, size_t count, const char *path)
{
	for (size_t i = 0; i < count; i++)
		if (str_eq(paths[i], path))
			return (int)i;
	return -1;
}

static int prepare_layout(struct pod *p, struct err *e)
{
	uint64_t most = MIN(p->pods->config.scratch_bytes, PREPARE_SCRATCH_MAX);
	uint64_t limits[GUEST_VOLUMES_MAX] = {0};

	for (uint32_t i = 0; i < p->spec->volume_count; i++)
		if (p->spec->volumes[i].kind == SPEC_VOLUME_DISK)
			limits[i] = p->spec->volumes[i].size_limit;
	return disk_scratch_layout(MAX(spec_scratch_bytes(p->spec, most), DISK_SCRATCH_MIN), limits,
				   p->spec->volume_count, &p->scratch, e);
}

int prepare_disk(struct pod *p, struct err *e)
{
	char scratch[PATH_MAX];
	size_t count;
	int r;

	if (p->has_plan)
		return 0;
	r = prepare_layers(p, p->layers, &count, e);
	if (r < 0)
		return r;
	p->layer_count = count;
	prepare_scratch_path(p, scratch);
	r = prepare_layout(p, e);
	if (r == 0)
		r = disk_scratch_create(scratch, &p->scratch, e);
	if (r == 0)
		r = disk_plan_open(p->layers, count, scratch, &p->plan, e);
	if (r == 0)
		p->has_plan = true;
	return r;
}

size_t prepare_ports(const struct pod *p, struct net_port *ports)
{
	for (uint32_t i = 0; i < p->spec->port_count; i++) {
		const struct spec_port *s = &p->spec->ports[i];

		ports[i] = (struct net_port){
			.host_port = s->host_port,
			.pod_port = s->container_port,
			.udp = s->udp,
		};
		(void)str_copy(ports[i].host_ip, sizeof(ports[i].host_ip), s->host_ip);
	}
	return p->spec->port_count;
}

static void prepare_close_net(struct pod *p)
{
	p->nif.tap_fd = fd_close(p->nif.tap_fd);
	p->nif.vhost_fd = fd_close(p->nif.vhost_fd);
}

int prepare_net(struct pod *p, struct err *e)
{
	struct net_port ports[SPEC_PORTS_MAX];
	int r;

	if (p->attached || !p->pods->config.net)
		return 0;
	r = net_attach(p->pods->config.net, p->meta.uid, ports, prepare_ports(p, ports), &p->nif,
		       e);
	if (r < 0)
		return r;
	if (p->spec->limits.net_ingress || p->spec->limits.net_egress) {
		const struct net_rate rate = {.ingress = p->spec->limits.net_ingress,
					      .egress = p->spec->limits.net_egress};

		r = net_limit(&p->nif, &rate, e);
	}
	if (r < 0) {
		prepare_close_net(p);
		net_detach(p->pods->config.net, p->meta.uid, NULL);
		return r;
	}
	crash_point(p->pods, "net-attached");
	p->attached = true;
	(void)str_copy(p->ip, sizeof(p->ip), p->nif.ip);
	/* Before there is a VM with it: a hostd that adopts the VM must not give the address away again. */
	store_save(p);
	pod_changed(p);
	return 0;
}

const char *prepare_kernel(const struct pod *p)
{
	const struct pods_config *c = &p->pods->config;

	return p->spec->class == SPEC_CLASS_FULL ? c->kernel_full : c->kernel;
}

static int prepare_start(struct pod *p, struct err *e)
{
	const struct pods_config *c = &p->pods->config;
	struct vm_disk_file layers[DISK_LAYERS_MAX];
	struct vm_disk_file scratch = {p->plan.scratch_fd, p->plan.scratch_bytes};
	const struct vm_disk_config disks[] = {
		{.files = layers,
		 .count = p->plan.layer_count,
		 .readonly = true,
		 .serial = "layers"},
		{.files = &scratch, .count = 1, .serial = "scratch"},
	};
	struct vm_nic_config nic = {.tap_fd = p->nif.tap_fd, .vhost_fd = p->nif.vhost_fd};
	_cleanup_fd_ int group = group_open(p);
	struct vm_config config = {
		.name = p->meta.uid,
		.hypervm = c->hypervm,
		.kernel = prepare_kernel(p),
		.initrd = c->initrd,
		.cgroup_fd = group,
		.disks = disks,
		.disk_count = ARRAY_SIZE(disks),
		.disk_bytes_per_s = p->spec->limits.disk_bytes,
		.disk_ops_per_s = p->spec->limits.disk_ops,
		.nics = &nic,
		.nic_count = p->attached ? 1 : 0,
	};
	char dir[VM_DIR_MAX];
	struct spec_size size;

	for (size_t i = 0; i < p->plan.layer_count; i++)
		layers[i] =
			(struct vm_disk_file){p->plan.layers[i].fd, p->plan.layers[i].size_bytes};
	memcpy(nic.mac, p->nif.mac, sizeof(nic.mac));
	nic.mtu = (uint16_t)p->nif.mtu;
	prepare_vm_dir(p, dir);
	if (file_remove_tree(AT_FDCWD, dir) < 0 || mkdir(dir, 0755) < 0)
		return err_sys(e, -errno, "make %s", dir);
	spec_size(p->spec, MIN(c->cpus, (uint32_t)VM_VCPUS_MAX), &size);
	config.dir = dir;
	config.vcpus = size.vcpus;
	config.memory_bytes = size.vm_memory_bytes;
	config.cid = p->cid = pods_free_cid(p->pods);
	config.uid = config.gid = POD_UID_BASE + p->cid;
	return vm_start(c->loop, &p->vm, &guest_vm_events, &config, e);
}

int prepare_vm(struct pod *p, struct err *e)
{
	int r = prepare_start(p, e);

	if (r < 0)
		return r;
	p->vm_there = true;
	group_oom_score(p);
	/* The VM has its own copies; as long as we held the tap, it would outlive the VM. */
	prepare_close_net(p);
	logs_reset(p);
	for (uint32_t i = 0; i < p->spec->container_count; i++) {
		struct pod_container *c = &p->containers[i];

		if (ending_is_final(p, i))
			continue;
		c->restarts_base = c->was_running ? c->restarts + 1 : 0;
		ending_keep_last(c);
		c->end.is_set = c->finished = false;
		c->started = c->ready = false;
		c->state = CONTAINER_WAITING;
		c->reason[0] = c->message[0] = '\0';
	}
	pod_changed(p);
	return 0;
}

int prepare_release(struct pod *p)
{
	char path[PATH_MAX];
	struct err e = ERR_INIT;
	int r;

	pull_cancel(p);
	sources_close(p);
	vm_done(&p->vm);
	p->vm_there = false;
	r = group_remove(p);
	/* Its on_closed() has to come before the pod may be freed. */
	if (p->session) {
		session_close(p->session);
		r = -EAGAIN;
	}
	prepare_close_net(p);
	if (p->pods->config.net && net_detach(p->pods->config.net, p->meta.uid, &e) < 0) {
		log_warn("pod", "ev=release_failed uid=%s error=\"%s\"", p->meta.uid, err_msg(&e));
		r = -EAGAIN;
	} else {
		p->attached = false;
	}
	if (p->has_plan)
		disk_plan_done(&p->plan);
	p->has_plan = false;
	prepare_scratch_path(p, path);
	if (unlink(path) < 0 && errno != ENOENT)
		r = -EAGAIN;
	return r < 0 ? -EAGAIN : 0;
}
