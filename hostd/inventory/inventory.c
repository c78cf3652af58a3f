// SPDX-License-Identifier: Apache-2.0
#include "inventory/inventory.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/proc.h"
#include "base/retry.h"
#include "base/str.h"

#define INVENTORY_DEADLINE_MS 30000
#define INVENTORY_AGAIN_MS    (6U * 3600 * 1000) /* health of disks */
#define INVENTORY_FAILED_MS   (10U * 60 * 1000)
#define INVENTORY_SPREAD      10 /* percent */

struct inventory {
	struct inventory_config config;
	struct proc proc; /* pidfd -1: none runs */
	int fd; /* of what it says, -1 */
	struct watch out, ended;
	struct buf reply;
	struct timer look, deadline;
	bool again; /* something changed while one runs */
	uint64_t started_ms, ended_ms; /* when the last one did; 0: none yet */
	char *last; /* reply that was told */
};

/* Sooner only: what is due already is not put off, or a link that flaps would be seen never. */
static void inventory_due(struct inventory *inv, uint64_t delay_ms)
{
	uint64_t now_ms = clock_mono_ms();

	if (timer_armed(&inv->look) && inv->look.due_ms <= now_ms + delay_ms)
		return;
	timer_set(&inv->look, delay_ms);
}

void inventory_changed(struct inventory *inv)
{
	uint64_t now_ms = clock_mono_ms(), delay_ms, next_ms;

	if (!inv)
		return;
	if (inv->proc.pidfd >= 0) {
		inv->again = true;
		return;
	}
	delay_ms = (uint64_t)inv->config.settle_ms;
	next_ms = inv->ended_ms + (uint64_t)inv->config.gap_ms;
	if (inv->ended_ms && next_ms > now_ms + delay_ms)
		delay_ms = next_ms - now_ms;
	inventory_due(inv, delay_ms);
}

/* Return: 0; -errno, and nothing was told */
static int inventory_tell(struct inventory *inv, struct err *e)
{
	_cleanup_json_ struct json_doc *doc = NULL;
	struct buf text = BUF_INIT(INVENTORY_TEXT_MAX);
	const struct json *labels, *document;
	int r = json_parse(buf_str(&inv->reply), inv->reply.len, &doc, e);

	if (r < 0)
		return r;
	labels = json_get(json_root(doc), "labels");
	document = json_get(json_root(doc), "inventory");
	if (!json_is_obj(labels) || !json_is_obj(document))
		return err_set(e, -EBADMSG, "there are no labels, or no document");
	r = json_write(document, &text);
	if (r == 0 && (!inv->last || !str_eq(inv->last, buf_str(&inv->reply)))) {
		free(inv->last);
		inv->last = mem_strdup(buf_str(&inv->reply));
		inv->config.on_facts(labels, buf_str(&text), inv->config.arg);
	}
	buf_done(&text);
	return r < 0 ? err_sys(e, r, "the document") : 0;
}

static void inventory_close(struct inventory *inv)
{
	watch_del(&inv->out);
	inv->fd = fd_close(inv->fd);
}

static void inventory_read(struct inventory *inv)
{
	char data[4096];
	ssize_t n;

	while ((n = read(inv->fd, data, sizeof(data))) > 0) {
		if (buf_append(&inv->reply, data, (size_t)n) == 0)
			continue;
		buf_clear(&inv->reply); /* more than it may say: refused as a whole */
		(void)proc_kill(&inv->proc, SIGKILL);
		n = 0;
		break;
	}
	if (n == 0 || (errno != EAGAIN && errno != EINTR))
		inventory_close(inv);
}

/* One that runs is left to itself: it is killed, and whoever it belongs to then collects it. */
static void inventory_stop(struct inventory *inv)
{
	int code;

	inventory_close(inv);
	watch_del(&inv->ended);
	buf_done(&inv->reply);
	if (inv->proc.pidfd < 0)
		return;
	(void)proc_kill(&inv->proc, SIGKILL);
	(void)proc_reap(&inv->proc, &code);
	inv->proc.pidfd = fd_close(inv->proc.pidfd);
}

static void inventory_readable(struct watch *w, uint32_t events)
{
	(void)events;
	inventory_read(container_of(w, struct inventory, out));
}

static void inventory_ended(struct watch *w, uint32_t events)
{
	struct inventory *inv = container_of(w, struct inventory, ended);
	struct err e = ERR_INIT;
	int code = -1, r;

	(void)events;
	if (proc_reap(&inv->proc, &code) == 0)
		return;
	watch_del(&inv->ended);
	inv->proc.pidfd = fd_close(inv->proc.pidfd);
	timer_cancel(&inv->deadline);
	if (inv->fd >= 0)
		inventory_read(inv);
	inventory_close(inv);
	inv->ended_ms = clock_mono_ms();
	r = code ? err_set(&e, -EIO, "it ended with code %d", code) : inventory_tell(inv, &e);
	if (r < 0)
		log_warn("inventory", "ev=inventory_failed error=\"%s\"", err_msg(&e));
	else
		log_info("inventory", "ev=inventory bytes=%zu ms=%llu", inv->reply.len,
			 (unsigned long long)(inv->ended_ms - inv->started_ms));
	buf_done(&inv->reply);
	timer_set(&inv->look,
		  retry_jitter(r < 0 ? INVENTORY_FAILED_MS : INVENTORY_AGAIN_MS, INVENTORY_SPREAD));
	if (inv->again)
		inventory_changed(inv);
}

static void inventory_late(struct timer *t)
{
	struct inventory *inv = container_of(t, struct inventory, deadline);

	log_warn("inventory", "ev=inventory_late pid=%d", (int)inv->proc.pid);
	(void)proc_kill(&inv->proc, SIGKILL);
}

static int inventory_spawn(struct inventory *inv, struct err *e)
{
	char uid[16];
	const char *const argv[] = {inv->config.program,  inv->config.lock_dir,
				    inv->config.lldp_dir, uid,
				    inv->config.boot_mac, NULL};
	_cleanup_fd_ int theirs = -1;
	int r = fd_pipe(&inv->fd, &theirs, false), fds[] = {-1, theirs, STDERR_FILENO};
	const struct proc_spec spec = {
		.argv = argv,
		.fds = fds,
		.fd_count = ARRAY_SIZE(fds),
		.cgroup_fd = -1,
	};

	if (r < 0)
		return err_sys(e, r, "pipe");
	snprintf(uid, sizeof(uid), "%u", (unsigned int)inv->config.uid);
	r = proc_spawn(&spec, &inv->proc, e);
	if (r < 0)
		return r;
	r = watch_add(inv->config.loop, &inv->ended, inv->proc.pidfd, EPOLLIN, inventory_ended);
	if (r == 0)
		r = watch_add(inv->config.loop, &inv->out, inv->fd, EPOLLIN, inventory_readable);
	return r < 0 ? err_sys(e, r, "watch it") : 0;
}

static void inventory_look(struct timer *t)
{
	struct inventory *inv = container_of(t, struct inventory, look);
	struct err e = ERR_INIT;

	if (inv->proc.pidfd >= 0) /* of old, and not to be killed */
		return;
	inv->again = false;
	inv->started_ms = clock_mono_ms();
	buf_init(&inv->reply, INVENTORY_REPLY_MAX);
	if (inventory_spawn(inv, &e) == 0) {
		timer_set(&inv->deadline, (uint64_t)inv->config.deadline_ms);
		return;
	}
	log_warn("inventory", "ev=inventory_failed error=\"%s\"", err_msg(&e));
	inventory_stop(inv);
	timer_set(&inv->look, retry_jitter(INVENTORY_FAILED_MS, INVENTORY_SPREAD));
}

struct inventory *inventory_new(const struct inventory_config *config)
{
	struct inventory *inv = mem_alloc(sizeof(*inv));

	inv->config = *config;
	if (!inv->config.settle_ms)
		inv->config.settle_ms = INVENTORY_SETTLE_MS;
	if (!inv->config.gap_ms)
		inv->config.gap_ms = INVENTORY_GAP_MS;
	if (!inv->config.deadline_ms)
		inv->config.deadline_ms = INVENTORY_DEADLINE_MS;
	inv->proc.pidfd = inv->fd = -1;
	timer_init(config->loop, &inv->look, inventory_look);
	timer_init(config->loop, &inv->deadline, inventory_late);
	return inv;
}

struct inventory *inventory_free(struct inventory *inv)
{
	if (!inv)
		return NULL;
	inventory_stop(inv);
	timer_cancel(&inv->look);
	timer_cancel(&inv->deadline);
	free(inv->last);
	free(inv);
	return NULL;
}
