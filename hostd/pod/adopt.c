// SPDX-License-Identifier: Apache-2.0
/*
 * hostd was restarted: every folder in RUN/pods is a pod that it had. One with a VM, alive or ended, is
 * taken over where it was; one without begins again once the API has named it. What has no readable
 * record but a VM is ended; control groups that belong to nobody are emptied.
 *
 * Or the whole machine was restarted: then the API alone remembers that a pod ran here.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "pod/impl.h"

#define ADOPT_HELLO_MS 60000

static void adopt_images(struct pod *p)
{
	for (uint32_t i = 0; p->spec && i < p->spec->container_count; i++)
		if (*p->containers[i].image_id)
			p->containers[i].image =
				oci_image_find(p->pods->config.oci, p->containers[i].image_id);
}

static void adopt_net(struct pod *p)
{
	struct net_port ports[SPEC_PORTS_MAX];
	struct err e = ERR_INIT;

	if (!p->attached || !p->pods->config.net)
		return;
	if (net_adopt(p->pods->config.net, p->meta.uid, p->ip, ports, prepare_ports(p, ports), &e) <
	    0)
		log_warn("pod", "ev=adopt_failed uid=%s error=\"%s\"", p->meta.uid, err_msg(&e));
}

/* Takes hold of the VM. Return: whether there is one */
static bool adopt_vm(struct pod *p)
{
	char dir[VM_DIR_MAX];
	struct err e = ERR_INIT;
	int r;

	snprintf(dir, sizeof(dir), "%s/vm", p->dir);
	r = vm_adopt(p->pods->config.loop, &p->vm, &guest_vm_events, dir, &e);
	if (r < 0) {
		if (r != -ENOENT)
			log_warn("pod", "ev=adopt_failed uid=%s error=\"%s\"", p->meta.uid,
				 err_msg(&e));
		return false;
	}
	p->vm_there = true;
	p->cid = p->vm.cid;
	p->pods->next_cid = MAX(p->pods->next_cid, p->cid);
	return true;
}

static void adopt_known(struct pod *p)
{
	bool ended = p->state == POD_GONE, vm = !ended && adopt_vm(p);

	if (vm) {
		adopt_images(p);
		adopt_net(p);
		p->state = p->guest_seen ? POD_RUN : POD_BOOT;
		p->run_since_ms = clock_mono_ms();
		/* Its guest connects again by itself. */
		if (p->state == POD_BOOT)
			timer_set(&p->timer, ADOPT_HELLO_MS);
	} else if (!ended) {
		p->state = POD_CLEAN;
	}
	log_info("pod", "ev=pod_adopted uid=%s pod=%s/%s vm=%d state=%s", p->meta.uid, p->meta.ns,
		 p->meta.name, vm, pod_state_name(p->state));
}

static void adopt_unknown(struct pod *p)
{
	p->gone = p->silent = true;
	p->state = adopt_vm(p) ? POD_STOP : POD_CLEAN;
	log_warn("pod", "ev=pod_orphan uid=%s vm=%d", p->meta.uid, p->vm_there);
}

static void adopt_folder(struct pods *pods, const char *name)
{
	_cleanup_json_ struct json_doc *doc = NULL;
	struct spec_meta meta = {0};
	char dir[PATH_MAX];
	struct err e = ERR_INIT;
	struct pod *p;
	int r;

	snprintf(dir, sizeof(dir), "%s/%s", pods->config.dir, name);
	r = store_load_spec(dir, &doc, &e);
	if (r == 0)
		r = spec_meta(json_root(doc), &meta, &e);
	if (r == 0 && !str_eq(meta.uid, name))
		r = err_set(&e, -EBADMSG, "pod.json of another pod");
	if (r < 0 && str_copy(meta.uid, sizeof(meta.uid), name) < 0)
		return;
	/* A deletion that is wanted will be named again by the list. */
	meta.deleting = false;
	p = pod_new(pods, &meta);
	if (r == 0 && spec_parse(json_root(doc), &p->spec, NULL) < 0)
		p->spec = NULL; /* ended as unsupported: state.json says so */
	if (r == 0)
		r = store_load(p, &e);
	if (r < 0) {
		log_warn("pod", "ev=store_unreadable uid=%s error=\"%s\"", name, err_msg(&e));
		adopt_unknown(p);
	} else {
		adopt_known(p);
		pod_changed(p);
	}
	pod_kick(p);
}

/* Groups of pods whose folder is gone: whatever is in them has no owner. */
static void adopt_groups(struct pods *pods)
{
	DIR *dir = *pods->config.cgroup_dir ? opendir(pods->config.cgroup_dir) : NULL;
	struct dirent *ent;

	while (dir && (ent = readdir(dir))) {
		struct pod orphan = {.pods = pods};

		if (ent->d_type != DT_DIR || ent->d_name[0] == '.' ||
		    pods_find(pods, ent->d_name) ||
		    str_copy(orphan.meta.uid, sizeof(orphan.meta.uid), ent->d_name) < 0)
			continue;
		log_warn("pod", "ev=cgroup_orphan uid=%s", ent->d_name);
		(void)group_remove(&orphan);
	}
	if (dir)
		closedir(dir);
}

void adopt_all(struct pods *pods)
{
	DIR *dir = opendir(pods->config.dir);
	struct err e = ERR_INIT;
	struct dirent *ent;

	while (dir && (ent = readdir(dir)))
		if (ent->d_type == DT_DIR && ent->d_name[0] != '.')
			adopt_folder(pods, ent->d_name);
	if (dir)
		closedir(dir);
	adopt_groups(pods);
	if (pods->config.net && net_sync(pods->config.net, &e) < 0)
		log_warn("pod", "ev=adopt_failed error=\"%s\"", err_msg(&e));
}

static void adopt_container(struct pod *p, uint32_t index, const struct json *status)
{
	struct pod_container *c = &p->containers[index];
	const struct json *state = json_get(status, "state");
	const struct json *run = json_get(state, "running");
	uint64_t started_ns;

	c->restarts =
		(uint32_t)MAX(0, MIN(json_int(json_get(status, "restartCount"), 0), INT32_MAX));
	if (!run && !json_get(state, "terminated") &&
	    !json_get(json_get(status, "lastState"), "terminated"))
		return;
	c->was_running = true;
	if (clock_parse_rfc3339(json_str(json_get(run, "startedAt"), ""), &started_ns) < 0)
		started_ns = p->start_ns;
	ending_set_message(p, index, NULL, 0);
	c->end = (struct container_end){
		.is_set = true,
		.code = 137,
		.started_ns = started_ns,
		.finished_ns = clock_real_ns(),
		.reason = "HostRestarted",
	};
}

void adopt_status(struct pod *p, const struct json *status)
{
	bool ran = false;

	if (!str_eq(json_str(json_get(status, "phase"), ""), "Running"))
		return;
	if (clock_parse_rfc3339(json_str(json_get(status, "startTime"), ""), &p->start_ns) < 0)
		p->start_ns = 0;
	for (uint32_t i = 0; i < p->spec->container_count; i++) {
		const struct spec_container *s = &p->spec->containers[i];
		struct json_iter it = json_iter(
			json_get(status, s->init ? "initContainerStatuses" : "containerStatuses"));

		while (json_next(&it))
			if (str_eq(json_str(json_get(it.value, "name"), ""), s->name))
				adopt_container(p, i, it.value);
		ran |= p->containers[i].was_running;
	}
	if (ran && p->spec->restart == GUEST_RESTART_NEVER)
		pod_end(p, "Failed", "HostRestarted", "the host was restarted while the pod ran");
}
