// SPDX-License-Identifier: Apache-2.0
#include "drive_volume.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"

#define VOLUME_FILES_MAX  8
#define VOLUME_MOUNTS_MAX 64

/* At first, and after the update */
static struct {
	struct guest_file files[GUEST_VOLUMES_MAX][VOLUME_FILES_MAX];
	uint32_t count[GUEST_VOLUMES_MAX];
} sets[2];

static struct guest_mount mounts[VOLUME_MOUNTS_MAX];
static uint32_t mount_count, now, update_after_ms;
static struct timer update_timer;
static struct session *session;
static const struct guest_run *pod;

static uint64_t number(const char *s)
{
	char *end;
	uint64_t v = strtoull(s, &end, 10);

	if (end == s || (*end && *end != '+')) {
		fprintf(stderr, "drive: %s: not a number\n", s);
		exit(2);
	}
	return v;
}

static void add_volume(const char *text, struct guest_run *run)
{
	struct guest_volume *v = &run->volumes[run->volume_count++];
	const char *at = strchr(text, '@'), *plus = strchr(text, '+');

	v->kind = str_starts(text, "disk")     ? GUEST_VOLUME_DISK
		  : str_starts(text, "memory") ? GUEST_VOLUME_MEMORY
					       : GUEST_VOLUME_FILES;
	v->offset_bytes = at ? number(at + 1) : 0;
	v->size_bytes = plus ? number(plus + 1) : 0;
}

static void add_file(uint64_t volume, const char *text)
{
	const char *equals = strchr(text, '=');
	struct guest_file *f = &sets[now].files[volume][sets[now].count[volume]++];

	f->path = mem_strndup(text, (size_t)(equals - text));
	f->mode = 0640;
	f->data = equals + 1;
	f->len = (uint32_t)strlen(equals + 1);
}

static void add_mount(char **argv, struct guest_container *c)
{
	struct guest_mount *m = &mounts[mount_count++];

	if (!c->mount_count)
		c->mounts = m;
	c->mount_count++;
	m->volume = (uint16_t)number(argv[0]);
	m->path = argv[1];
	m->sub_path = argv[2];
	m->read_only = str_eq(argv[3], "ro");
}

int drive_volume_option(char **argv, struct guest_run *run, struct guest_container *c)
{
	if (!argv[1])
		return 0;
	if (str_eq(argv[0], "--fs-group")) {
		run->fs_group = (uint32_t)number(argv[1]);
		return 2;
	}
	if (str_eq(argv[0], "--volume")) {
		add_volume(argv[1], run);
		return 2;
	}
	if (str_eq(argv[0], "--update-after-ms")) {
		update_after_ms = (uint32_t)number(argv[1]);
		now = 1;
		return 2;
	}
	if (str_eq(argv[0], "--file") && argv[2]) {
		add_file(number(argv[1]) % GUEST_VOLUMES_MAX, argv[2]);
		return 3;
	}
	if (str_eq(argv[0], "--mount") && c && argv[2] && argv[3] && argv[4]) {
		add_mount(argv + 1, c);
		return 5;
	}
	return 0;
}

static void send_set(int set)
{
	for (uint32_t i = 0; i < pod->volume_count; i++) {
		struct guest_files m = {
			.volume = (uint16_t)i,
			.generation = (uint64_t)set + 1,
			.group = pod->fs_group,
			.files = sets[set].files[i],
			.count = sets[set].count[i],
		};
		struct err e = ERR_INIT;

		if (pod->volumes[i].kind == GUEST_VOLUME_FILES &&
		    session_send_files(session, &m, &e) < 0)
			printf("error %s\n", err_msg(&e));
	}
}

static void update(struct timer *t)
{
	(void)t;
	puts("update");
	send_set(1);
}

void drive_volume_send(struct loop *l, struct session *s, struct guest_run *run)
{
	session = s;
	pod = run;
	/* As hostd has it: processes are in the group of their volumes. */
	for (uint32_t i = 0; i < run->container_count && run->fs_group != GUEST_NO_ID; i++) {
		run->containers[i].groups[0] = run->fs_group;
		run->containers[i].group_count = 1;
	}
	send_set(0);
	timer_init(l, &update_timer, update);
	if (update_after_ms)
		timer_set(&update_timer, update_after_ms);
}
