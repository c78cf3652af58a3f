// SPDX-License-Identifier: Apache-2.0
/*
 * What became of the boot before: host and the kernel tell what traces there are, node what the API knows, fate weighs
 * them, and the Node gets a condition and an Event. Records of kernels are removed when the API has the verdict.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "hostd.h"

#define WIRE_PSTORE	 "/sys/fs/pstore"
#define WIRE_BACKEND	 "/sys/module/pstore/parameters/backend"
#define WIRE_FPDT	 "/sys/firmware/acpi/fpdt"
#define WIRE_EFI	 "/sys/firmware/efi"
#define WIRE_CMDLINE_MAX 8192

static bool wire_cmdline(const char *word, bool prefix)
{
	struct buf b = BUF_INIT(WIRE_CMDLINE_MAX);
	bool has = file_read(AT_FDCWD, "/proc/cmdline", &b, NULL) == 0 &&
		   (prefix ? str_word(buf_str(&b), word) != NULL : str_has_word(buf_str(&b), word));

	buf_done(&b);
	return has;
}

static void wire_starts_path(const struct hostd *h, char *path)
{
	snprintf(path, HOSTD_PATH_MAX, "%s/starts", h->paths.run);
}

/* This one runs well enough. */
static void wire_calm(struct timer *t)
{
	struct hostd *h = container_of(t, struct hostd, calm);
	char path[HOSTD_PATH_MAX];

	wire_starts_path(h, path);
	unlink(path);
}

void wire_fate_begin(struct hostd *h)
{
	char path[HOSTD_PATH_MAX], words[128];

	snprintf(path, sizeof(path), "%s/times", h->paths.run);
	fate_times_load(&h->times, path);
	wire_fate_mark(h, FATE_INIT);
	if (!h->coldplug)
		return;
	wire_starts_path(h, path);
	if (fate_starts_note(path, clock_mono_ms() / 1000, words) &&
	    !wire_cmdline("hyper.debug", false)) {
		log_error("main", "ev=hostd_failed words=\"%s\"", words);
		host_panic(words);
	}
	timer_init(&h->loop, &h->calm, wire_calm);
	timer_set(&h->calm, FATE_CALM_S * 1000ULL);
}

void wire_fate_mark(struct hostd *h, enum fate_mark mark)
{
	fate_times_mark(&h->times, mark, clock_mono_ms());
}

/* The boot is over: how long it took */
static void wire_times(struct hostd *h)
{
	char text[FATE_TIMES_BYTES], path[HOSTD_PATH_MAX];

	if (h->times_told)
		return;
	h->times_told = true;
	wire_fate_mark(h, FATE_READY);
	snprintf(path, sizeof(path), "%s/boot/loader", h->paths.run);
	fate_times_before(&h->times, WIRE_FPDT, path);
	if (fate_times_text(&h->times, h->inventory.boot_id, text) == 0)
		node_set_facts(h->node, NULL, FATE_TIMES_KEY, text);
}

/* "" when nothing takes records */
static void wire_backend(char *out, size_t size)
{
	struct buf b = BUF_INIT(64);

	out[0] = '\0';
	if (file_read(AT_FDCWD, WIRE_BACKEND, &b, NULL) == 0 && b.len &&
	    !str_eq(str_trim(b.data), "(null)"))
		(void)str_copy(out, size, str_trim(b.data));
	buf_done(&b);
}

/* One store at a time: ERST is built in and comes first, then the firmware's variables, then memory that was set aside. */
static void wire_store(struct hostd *h)
{
	char *store = h->evidence.store;

	wire_backend(store, sizeof(h->evidence.store));
	if (!*store && access(WIRE_EFI, F_OK) == 0)
		(void)host_module_load("efi_pstore", "pstore_disable=0");
	if (!*store)
		wire_backend(store, sizeof(h->evidence.store));
	if (!*store && wire_cmdline("ramoops.", true))
		(void)host_module_load("ramoops", NULL);
	if (!*store)
		wire_backend(store, sizeof(h->evidence.store));
}

void wire_fate_look(struct hostd *h)
{
	const struct host_watchdog *w = host_watchdog_get();
	struct fate_evidence *ev = &h->evidence;
	struct err e = ERR_INIT;

	ev->boot_id = h->inventory.boot_id;
	ev->watchdog = w->tells;
	ev->watchdog_bit = w->bit;
	if (!h->coldplug)
		return;
	wire_store(h);
	if (fate_records_read(WIRE_PSTORE, &ev->records, &e) < 0)
		log_warn("main", "ev=no_records error=\"%s\"", err_msg(&e));
	log_info("main", "ev=traces store=%s records=%zu panic=%d watchdog=%d",
		 *ev->store ? ev->store : "none", ev->records.count, ev->records.panic,
		 ev->watchdog_bit);
}

static const struct json *wire_condition(const struct json *node)
{
	struct json_iter it = json_iter(json_at(node, "status", "conditions", NULL));

	while (json_next(&it))
		if (str_eq(json_str(json_get(it.value, "type"), ""), FATE_CONDITION))
			return it.value;
	return NULL;
}

void wire_fate_before(struct hostd *h, const struct json *node)
{
	struct fate_verdict *v = &h->verdict;
	const struct json *said;

	if (fate_judge(&h->evidence, node, v)) {
		h->verdict_due = true;
		node_set_condition(h->node, FATE_CONDITION, v->unexpected, v->reason, v->message);
		return;
	}
	h->verdict_due = false;
	said = wire_condition(node); /* by a hostd of this boot */
	if (said && !h->reboot_by_ms)
		node_set_condition(h->node, FATE_CONDITION,
				   str_eq(json_str(json_get(said, "status"), ""), "True"),
				   json_str(json_get(said, "reason"), ""),
				   json_str(json_get(said, "message"), ""));
	fate_records_remove(WIRE_PSTORE, &h->evidence.records);
}

void wire_fate_node(struct hostd *h, const struct json *node)
{
	const struct fate_verdict *v = &h->verdict;
	const struct json *said = wire_condition(node);
	char words[FATE_MESSAGE_MAX + 32];

	if (h->was_ready)
		wire_times(h);
	if (!h->verdict_due || !str_eq(json_str(json_get(said, "reason"), ""), v->reason))
		return;
	h->verdict_due = false;
	snprintf(words, sizeof(words), "%s: %s", v->reason, v->message);
	log_info("main", "ev=reset reason=%s", v->reason);
	if (!str_eq(v->reason, "FirstBoot"))
		node_event(h->node, NULL, v->unexpected ? "Warning" : "Normal", "Rebooted", words);
	fate_records_remove(WIRE_PSTORE, &h->evidence.records);
}
