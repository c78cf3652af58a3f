// SPDX-License-Identifier: Apache-2.0
/* resolv.conf(5): the plan's name servers; without any, those that the network named, the best interface's first. */
#include <fcntl.h>
#include <string.h>

#include "base/buf.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/str.h"
#include "uplink/internal.h"

#define RESOLV_SIZE_MAX	   4096
#define RESOLV_SERVERS_MAX 6 /* resolvers look at three; some of these may not answer any more */

static void resolv_servers(struct buf *b, const struct uplink_ip *at, size_t count, int *left)
{
	char text[UPLINK_ADDRESS_MAX];

	for (size_t i = 0; i<count && * left> 0; i++, --*left)
		(void)buf_printf(b, "nameserver %s\n", uplink_ip_text(&at[i], text));
}

/* The interface with the next metric, or NULL */
static const struct uplink_if *resolv_next(const struct uplink *u, const struct uplink_if *last)
{
	const struct uplink_if *i, *next = NULL;

	list_for_each(i, &u->ifs, node)
		if ((!last || i->metric > last->metric) && (!next || i->metric < next->metric))
			next = i;
	return next;
}

void resolv_write(struct uplink *u)
{
	static char last[RESOLV_SIZE_MAX];
	struct buf b = BUF_INIT(RESOLV_SIZE_MAX - 1);
	struct err e = ERR_INIT;
	int left = RESOLV_SERVERS_MAX;

	for (const struct uplink_if *i = resolv_next(u, NULL); i; i = resolv_next(u, i)) {
		if (i->dhcp4.wanted && *i->lease4.domain)
			(void)buf_printf(&b, "search %s\n", i->lease4.domain);
		if (u->plan.dns_count)
			continue;
		if (i->dhcp4.wanted)
			resolv_servers(&b, i->lease4.dns, i->lease4.dns_count, &left);
		if (i->dhcp6.wanted)
			resolv_servers(&b, i->lease6.dns, i->lease6.dns_count, &left);
		resolv_servers(&b, i->rdnss, i->rdnss_count, &left);
	}
	resolv_servers(&b, u->plan.dns, u->plan.dns_count, &left);
	if (!str_eq(buf_str(&b), last)) {
		(void)str_copy(last, sizeof(last), buf_str(&b));
		if (file_write(AT_FDCWD, u->config.resolv_conf, last, strlen(last), 0644, &e) < 0)
			log_warn("uplink", "ev=resolv_failed error=\"%s\"", err_msg(&e));
	}
	buf_done(&b);
}
