// SPDX-License-Identifier: Apache-2.0
/*
 * hostd-disk: what is dangerous or slow about disks, one verb a process. hostd starts it and reads one JSON document.
 *
 * To look at disks is to parse what somebody else wrote, and a disk may not answer: each is looked at by a child of its
 * own that has no rights but to read this one disk. A child that hangs in a driver keeps a lock, so that the next look
 * leaves that disk alone.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/sandbox.h"
#include "base/str.h"
#include "inventory/gather.h"
#include "storage/erase.h"
#include "storage/look.h"
#include "storage/prepare.h"
#include "storage/storage.h"

#define MAIN_LOOK_MS	  20000 /* a disk may have to spin up */
#define MAIN_CPU_SECONDS  20
#define MAIN_MEMORY_BYTES ((unsigned long)256 << 20)
#define MAIN_UID	  902 /* as in the image's passwd: that of hostd-inventory */

static int main_usage(FILE *to)
{
	fprintf(to,
		"usage: hostd-disk look --fleet HEX [--lock-dir DIR]\n"
		"       hostd-disk prepare --fleet HEX --store DIR [--encrypt yes] DISK\n"
		"       hostd-disk wipe --method METHOD [--store DIR] DISK\n"
		"Looks at disks, prepares one for images and scratch of pods, wipes one. hostd starts it.\n\n"
		"  look     print what each disk of this machine holds; changes nothing\n"
		"  prepare  label DISK (a name as sda) if it is empty, make a file system, mount it on\n"
		"           DIR/data, DIR/scratch and DIR/images; nothing is done to a disk that holds\n"
		"           anything else\n"
		"  wipe     make all data of DISK unreadable, whatever it is; METHOD is auto, discard,\n"
		"           nvme-format, nvme-sanitize, ata-secure-erase or overwrite. Not one that is in\n"
		"           use; with --store, what is mounted there is given up first\n"
		"  --encrypt yes  with a key that nobody knows and that ends with this boot\n"
		"  --fleet  64 hex digits that name the fleet: SHA-256 of its CA certificate\n");
	return to == stdout ? 0 : 2;
}

struct main_options {
	const char *fleet, *lock_dir, *store;
	const char *rest[GATHER_DISKS_MAX];
	size_t count;
	int method; /* enum erase_method; negative: none of them */
	bool encrypt;
};

static int main_print(struct json *root)
{
	struct buf b = BUF_INIT(STORAGE_REPLY_MAX);
	int r = json_write(root, &b);

	if (r == 0)
		r = fd_write_full(STDOUT_FILENO, buf_str(&b), b.len);
	buf_done(&b);
	return r < 0;
}

/* ---- look ---- */

struct main_child {
	pid_t pid;
	int fd; /* of its answer, -1: it is there */
	struct look look;
};

static void main_look_failed(struct look *l, const char *why)
{
	*l = (struct look){.state = LOOK_UNREADABLE};
	(void)str_copy(l->holds, sizeof(l->holds), why);
}

/* In a child. Return: a descriptor of the disk; -1, and @l says why there is none */
static int main_look_open(const char *name, const char *lock_dir, struct look *l)
{
	_cleanup_free_ char *device = mem_printf("/dev/%s", name);
	_cleanup_free_ char *lock = mem_printf("%s/look-%s", lock_dir, name);
	int held = open(lock, O_RDWR | O_CREAT | O_CLOEXEC, 0600), fd;

	if (held < 0 || flock(held, LOCK_EX | LOCK_NB) < 0) {
		main_look_failed(l, "it has not answered an earlier look");
		return -1;
	}
	fd = open(device, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		main_look_failed(l, strerror(errno));
	return fd;
}

static void main_look_child(const char *name, const struct main_options *o, int to)
{
	struct prepare_disk d;
	struct look l;
	int fd;

	prctl(PR_SET_NAME, "look-disk", 0, 0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	fd = main_look_open(name, o->lock_dir, &l);
	if (fd >= 0 && prepare_measure(fd, &d, NULL) < 0) {
		main_look_failed(&l, "it does not tell its size");
		fd = fd_close(fd);
	}
	if (fd >= 0) {
		(void)sandbox_limit(RLIMIT_CPU, MAIN_CPU_SECONDS);
		(void)sandbox_limit(RLIMIT_AS, MAIN_MEMORY_BYTES);
		if (geteuid() == 0 && sandbox_identity(MAIN_UID, MAIN_UID) < 0)
			_exit(1);
		(void)sandbox_landlock();
		look_at(fd, d.size_bytes, d.sector_bytes, o->fleet, &l);
	}
	(void)fd_write_full(to, &l, sizeof(l));
	_exit(0);
}

static void main_look_start(struct main_child *c, const char *name, const struct main_options *o)
{
	int ends[2];

	main_look_failed(&c->look, "it does not answer");
	c->fd = -1;
	if (pipe2(ends, O_CLOEXEC) < 0)
		return;
	c->pid = fork();
	if (c->pid == 0)
		main_look_child(name, o, ends[1]);
	fd_close(ends[1]);
	c->fd = ends[0];
}

/* An answer is one write: it is there as a whole or not at all */
static void main_look_answer(struct main_child *c)
{
	struct look l;

	if (read(c->fd, &l, sizeof(l)) == (ssize_t)sizeof(l) &&
	    (unsigned int)l.state <= LOOK_UNREADABLE) {
		c->look = l;
		c->look.holds[sizeof(l.holds) - 1] = '\0';
	}
	c->fd = fd_close(c->fd);
}

static void main_look_wait(struct main_child *children, size_t count)
{
	uint64_t end_ms = clock_mono_ms() + MAIN_LOOK_MS, now_ms;
	struct pollfd fds[GATHER_DISKS_MAX];

	while ((now_ms = clock_mono_ms()) < end_ms) {
		size_t waiting = 0;

		for (size_t i = 0; i < count; i++) {
			fds[i] = (struct pollfd){.fd = children[i].fd, .events = POLLIN};
			waiting += children[i].fd >= 0;
		}
		if (!waiting || (poll(fds, count, (int)(end_ms - now_ms)) < 0 && errno != EINTR))
			break;
		for (size_t i = 0; i < count; i++)
			if (children[i].fd >= 0 && fds[i].revents)
				main_look_answer(&children[i]);
	}
	for (size_t i = 0; i < count; i++)
		if (children[i].fd >= 0 && children[i].pid > 0)
			(void)kill(children[i].pid, SIGKILL);
}

static int main_look(const struct main_options *o)
{
	struct gather g = {.doc = json_doc_new()};
	static struct main_child children[GATHER_DISKS_MAX];
	struct json *disks;
	struct json_iter it;
	size_t count = 0;

	g.root = json_new_obj(g.doc);
	g.sys = open("/sys", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	gather_disks(&g, NULL);
	disks = json_arr_of(g.doc, g.root, "disks");
	(void)file_mkdirs(o->lock_dir, 0700);
	for (it = json_iter(disks); json_next(&it) && count < ARRAY_SIZE(children); count++)
		main_look_start(&children[count], json_str(json_get(it.value, "name"), ""), o);
	main_look_wait(children, count);
	it = json_iter(disks);
	for (size_t i = 0; i < count && json_next(&it); i++) {
		json_put_str(g.doc, it.value, "state", look_name(children[i].look.state));
		if (*children[i].look.holds)
			json_put_str(g.doc, it.value, "holds", children[i].look.holds);
	}
	return main_print(g.root);
}

/* ---- prepare ---- */

static int main_prepare(const struct main_options *o)
{
	const struct prepare_config config = {
		.disk = o->rest[0],
		.fleet = o->fleet,
		.store = o->store,
		.encrypt = o->encrypt,
	};
	_cleanup_json_ struct json_doc *doc = json_doc_new();
	struct json *root = json_new_obj(doc);
	struct err e = ERR_INIT;
	uint64_t bytes = 0;

	/* Nobody would know that it was mounted */
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	if (prepare_run(&config, &bytes, &e) < 0)
		json_put_str(doc, root, "error", err_msg(&e));
	else
		json_put_int(doc, root, "bytes", (int64_t)bytes);
	return main_print(root);
}

/* ---- wipe ---- */

static void main_wipe_say(struct json_doc *doc, struct json *root)
{
	struct buf b = BUF_INIT(4096);

	if (json_write(root, &b) == 0 && buf_puts(&b, "\n") == 0 &&
	    fd_write_full(STDOUT_FILENO, b.data, b.len) < 0)
		_exit(1); /* nobody listens any more */
	buf_done(&b);
	json_doc_free(doc);
}

/* A line when there is something new, and not more often than every second */
static void main_wipe_progress(enum erase_method method, unsigned int part, void *arg)
{
	static int last_method = -1;
	static unsigned int last_percent;
	uint64_t *said_ms = arg, now_ms = clock_mono_ms();
	struct json_doc *doc;
	struct json *root;

	if ((int)method == last_method && (part / 100 == last_percent || now_ms < *said_ms + 1000))
		return;
	last_method = (int)method;
	last_percent = part / 100;
	*said_ms = now_ms;
	doc = json_doc_new();
	root = json_new_obj(doc);
	json_put_str(doc, root, "method", erase_name(method));
	json_put_int(doc, root, "percent", last_percent);
	main_wipe_say(doc, root);
}

static int main_wipe(const struct main_options *o)
{
	struct json_doc *doc = json_doc_new();
	struct json *root = json_new_obj(doc);
	struct erase_report report = {.method = (enum erase_method)o->method};
	struct prepare_disk d = {0};
	struct err e = ERR_INIT;
	uint64_t said_ms = 0;
	int r = o->store ? prepare_release(o->store, &e) : 0, fd = -1;

	if (r == 0)
		r = fd = prepare_open(o->rest[0], &e);
	if (r >= 0)
		r = prepare_measure(fd, &d, &e);
	if (r == 0) {
		struct erase x = {
			.fd = fd,
			.disk = o->rest[0],
			.size_bytes = d.size_bytes,
			.on_progress = main_wipe_progress,
			.arg = &said_ms,
		};

		r = erase_run(&x, (enum erase_method)o->method, &report, &e);
		(void)ioctl(fd, BLKRRPART); /* the kernel forgets partitions that are gone */
	}
	json_put_str(doc, root, "method", erase_name(report.method));
	json_put_int(doc, root, "bytes", (int64_t)d.size_bytes);
	json_put_int(doc, root, "samples", report.samples);
	if (report.samples)
		json_put_str(doc, root, "verified",
			     r < 0	   ? "no"
			     : report.zero ? "zero"
					   : "changed");
	if (*report.tried)
		json_put_str(doc, root, "tried", report.tried);
	if (r < 0)
		json_put_str(doc, root, "error", err_msg(&e));
	main_wipe_say(doc, root);
	return 0;
}

static int main_option(struct main_options *o, const char *name, const char *value)
{
	if (str_eq(name, "--fleet") && strlen(value) == LOOK_FLEET_MAX - 1)
		o->fleet = value;
	else if (str_eq(name, "--lock-dir"))
		o->lock_dir = value;
	else if (str_eq(name, "--store"))
		o->store = value;
	else if (str_eq(name, "--encrypt"))
		o->encrypt = str_eq(value, "yes");
	else if (str_eq(name, "--method"))
		o->method = erase_parse(value);
	else
		return -EINVAL;
	return 0;
}

int main(int argc, char **argv)
{
	struct main_options o = {.lock_dir = "/run/hyper/disks", .method = -1};
	const char *verb = argc > 1 ? argv[1] : "";

	if (str_eq(verb, "--help"))
		return main_usage(stdout);
	for (int i = 2; i < argc; i++) {
		if (str_starts(argv[i], "--")) {
			if (i + 1 == argc || main_option(&o, argv[i], argv[i + 1]) < 0)
				return main_usage(stderr);
			i++;
		} else if (o.count < ARRAY_SIZE(o.rest)) {
			o.rest[o.count++] = argv[i];
		}
	}
	(void)sandbox_limit(RLIMIT_CORE, 0);
	if (str_eq(verb, "look") && o.fleet && !o.count)
		return main_look(&o);
	if (str_eq(verb, "prepare") && o.fleet && o.store && o.count == 1)
		return main_prepare(&o);
	if (str_eq(verb, "wipe") && o.method >= 0 && o.count == 1)
		return main_wipe(&o);
	return main_usage(stderr);
}
