// SPDX-License-Identifier: Apache-2.0
/*
 * What the host's display says (journal/screen.h): put together of what the modules know, and written when it changed.
 * Nothing here is a clock: the page says since when, not for how long.
 */
#include <fcntl.h>
#include <ifaddrs.h>
#include <inttypes.h>
#include <net/if.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "hostd.h"
#include "journal/journal.h"

#define SCREEN_BRIDGE	   "hyper0" /* the pods' */
#define SCREEN_LATER_MS	   1000
#define SCREEN_ADDRESS_MAX 4 /* shown */
#define SCREEN_TEXT_MAX	   4096
#define NS_PER_S	   1000000000ULL

static void screen_put(struct buf *b, const char *key, const char *value)
{
	char safe[ERR_MSG_MAX];

	if (*value)
		buf_printf(b, "%s=%s\n", key, str_visible(safe, sizeof(safe), value));
}

static bool screen_numeric(const struct sockaddr *sa, char *out, size_t size)
{
	socklen_t len = sa->sa_family == AF_INET    ? sizeof(struct sockaddr_in)
			: sa->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6)
						    : 0;

	return len && getnameinfo(sa, len, out, (socklen_t)size, NULL, 0, NI_NUMERICHOST) == 0;
}

/* Whether it is one of the host's addresses, as text: not of the pods' bridge, nor what only a link knows (%) */
static bool screen_address(const struct ifaddrs *i, char *text, size_t size)
{
	return i->ifa_addr && !(i->ifa_flags & IFF_LOOPBACK) &&
	       !str_eq(i->ifa_name, SCREEN_BRIDGE) && screen_numeric(i->ifa_addr, text, size) &&
	       !strchr(text, '%');
}

/* Return: whether there are any */
static bool screen_addresses(struct buf *b)
{
	struct buf all = BUF_INIT(SCREEN_TEXT_MAX), mac = BUF_INIT(64);
	_cleanup_free_ char *path = NULL;
	char text[NI_MAXHOST];
	struct ifaddrs *list = NULL;
	int count = 0;

	if (getifaddrs(&list) < 0)
		return false;
	for (const struct ifaddrs *i = list; i && count < SCREEN_ADDRESS_MAX; i = i->ifa_next) {
		if (!screen_address(i, text, sizeof(text)))
			continue;
		if (!path)
			path = mem_printf("/sys/class/net/%s/address", i->ifa_name);
		buf_printf(&all, "%s%s", count++ ? " " : "", text);
	}
	freeifaddrs(list);
	screen_put(b, "addresses", buf_str(&all));
	if (path && file_read(AT_FDCWD, path, &mac, NULL) == 0 && mac.len)
		screen_put(b, "mac", str_trim(mac.data));
	buf_done(&all);
	buf_done(&mac);
	return count > 0;
}

static void screen_state(const struct hostd *h, bool address, const char **state, char *reason,
			 size_t size)
{
	(void)str_copy(reason, size, h->screen_trouble);
	if (h->bare && address) {
		*state = "Waiting for its files from the boot service";
	} else if (!address && !h->screen_joined && !*reason) {
		*state = "Waiting for the network";
		(void)str_copy(reason, size, "no address yet");
	} else if (!h->screen_joined && h->screen_waits) {
		*state = "Waiting for approval";
		snprintf(reason, size, "an operator types: hyper approve %s",
			 h->settings.node_name);
	} else if (!h->screen_joined) {
		*state = *reason ? "Not joined" : "Joining";
	} else if (*reason) {
		*state = "Cut off from the controller";
	} else {
		*state = h->screen_ready ? "Ready" : "Not Ready";
		(void)str_copy(reason, size, h->screen_reason);
	}
}

static void screen_pods(const struct hostd *h, struct buf *b)
{
	struct pods_count count = {0};

	if (h->pods)
		count = pods_count(h->pods);
	buf_printf(b, "pods=%u running, %u in all\n", count.running, count.all);
}

void wire_screen(struct hostd *h)
{
	char reason[ERR_MSG_MAX], since[CLOCK_RFC3339_MAX];
	struct buf b = BUF_INIT(SCREEN_TEXT_MAX);
	uint64_t boot_ns = clock_real_ns() - clock_mono_ns();
	const char *state;

	screen_put(&b, "name", h->settings.node_name);
	screen_state(h, screen_addresses(&b), &state, reason, sizeof(reason));
	screen_put(&b, "state", state);
	screen_put(&b, "reason", reason);
	screen_put(&b, "controller", h->settings.api);
	screen_put(&b, "image", h->inventory.os_image);
	screen_pods(h, &b);
	/* To the minute, or its jitter would be a change; before the clock is set it says nothing */
	clock_rfc3339(since, (int64_t)(boot_ns / NS_PER_S / 60 * 60));
	if (h->screen_joined)
		screen_put(&b, "since", since);
	screen_put(&b, "screen", h->settings.screen);
	if (journal_tell(h->paths.run, JOURNAL_STATUS, buf_str(&b), NULL) < 0)
		log_debug("main", "ev=no_screen");
	buf_done(&b);
}

void wire_syslog(const struct hostd *h)
{
	const char *version = str_starts(h->inventory.os_image, "HyperMetal ");
	struct buf b = BUF_INIT(SCREEN_TEXT_MAX);

	screen_put(&b, "url", h->settings.syslog);
	screen_put(&b, "ca", h->settings.syslog_ca);
	screen_put(&b, "name", h->settings.node_name);
	screen_put(&b, "version", version ? version : h->inventory.os_image);
	if (*h->settings.syslog &&
	    journal_tell(h->paths.run, JOURNAL_SYSLOG, buf_str(&b), NULL) < 0)
		log_warn("main", "ev=no_syslog");
	buf_done(&b);
}

static void screen_now(struct timer *t)
{
	wire_screen(container_of(t, struct hostd, screen));
}

void wire_screen_later(struct hostd *h)
{
	if (!h->screen.loop)
		timer_init(&h->loop, &h->screen, screen_now);
	if (!timer_armed(&h->screen))
		timer_set(&h->screen, SCREEN_LATER_MS);
}

void wire_screen_node(struct hostd *h, const struct json *node)
{
	struct json_iter it = json_iter(json_at(node, "status", "conditions", NULL));

	h->screen_joined = true;
	h->screen_ready = false;
	(void)str_copy(h->screen_reason, sizeof(h->screen_reason), "");
	while (json_next(&it)) {
		if (!str_eq(json_str(json_get(it.value, "type"), ""), "Ready"))
			continue;
		h->screen_ready = str_eq(json_str(json_get(it.value, "status"), ""), "True");
		if (!h->screen_ready)
			snprintf(h->screen_reason, sizeof(h->screen_reason), "%s: %s",
				 json_str(json_get(it.value, "reason"), ""),
				 json_str(json_get(it.value, "message"), ""));
	}
	wire_screen(h);
}

void wire_on_trouble(const char *why, void *arg)
{
	struct hostd *h = arg;

	h->screen_waits = why && !*why;
	(void)str_copy(h->screen_trouble, sizeof(h->screen_trouble), why ? why : "");
	wire_screen(h);
}
