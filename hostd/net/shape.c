// SPDX-License-Identifier: Apache-2.0
/*
 * A pod's share of the network, held on its tap: what goes to the pod leaves the host through the tap, so a
 * token bucket (tbf) delays it; what the pod sends comes in, where nothing can be queued, so a policer drops
 * what is too much, and TCP finds its speed. Both live and die with the tap.
 *
 * libnl knows neither the matchall classifier nor the police action: their attributes are put together here
 * as linux/pkt_cls.h has them.
 */
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <string.h>

#include "base/mem.h"
#include "net/internal.h"
#include "nlink/nlink.h"

#define SHAPE_TICK_NS	   64 /* the kernel's PSCHED_SHIFT of 6 */
#define SHAPE_BURST_MIN	   (64 * 1024) /* one segment that the card would have cut */
#define SHAPE_BURST_PART   50 /* of a second */
#define SHAPE_LATENCY_PART 5 /* of a second, in tbf's queue */
#define SHAPE_RATE_MAX	   0xffffffffU /* 34 Gbit/s; what is faster needs no limit of ours */
#define SHAPE_CELL_LOG	   8
#define SHAPE_CELLS	   256 /* TC_RTAB_SIZE in entries */

/* Sizes to times as old kernels want them; new ones look at the rate alone, but the table must be there. */
static void shape_table(const struct tc_ratespec *rate, uint32_t table[SHAPE_CELLS])
{
	for (uint64_t i = 0; i < SHAPE_CELLS; i++)
		table[i] = (uint32_t)MIN(((i + 1) << SHAPE_CELL_LOG) * 1000000000U / SHAPE_TICK_NS /
						 rate->rate,
					 (uint64_t)UINT32_MAX);
}

static uint32_t shape_burst(uint32_t bytes_per_s)
{
	return MAX(bytes_per_s / SHAPE_BURST_PART, (uint32_t)SHAPE_BURST_MIN);
}

/* How long the burst takes at the rate, in the kernel's ticks */
static uint32_t shape_ticks(uint32_t bytes, uint32_t bytes_per_s)
{
	return (uint32_t)MIN((uint64_t)bytes * 1000000000U / SHAPE_TICK_NS / bytes_per_s,
			     (uint64_t)UINT32_MAX);
}

static struct tc_ratespec shape_rate(uint32_t bytes_per_s)
{
	return (struct tc_ratespec){.rate = bytes_per_s,
				    .linklayer = TC_LINKLAYER_ETHERNET,
				    .cell_log = SHAPE_CELL_LOG};
}

static struct nl_msg *shape_begin(int type, const struct tcmsg *tc, const char *kind)
{
	struct nl_msg *m = nlmsg_alloc_simple(type, NLM_F_CREATE | NLM_F_REPLACE);
	struct tcmsg head = *tc;

	if (!m)
		return NULL;
	if (nlmsg_append(m, &head, sizeof(head), NLMSG_ALIGNTO) < 0 ||
	    nla_put_string(m, TCA_KIND, kind) < 0) {
		nlmsg_free(m);
		return NULL;
	}
	return m;
}

static int shape_to_pod(struct nl_sock *sk, int index, uint32_t bytes_per_s, struct err *e)
{
	const struct tcmsg tc = {
		.tcm_ifindex = index, .tcm_parent = TC_H_ROOT, .tcm_handle = 0x10000};
	uint32_t table[SHAPE_CELLS], burst = shape_burst(bytes_per_s);
	struct tc_tbf_qopt opt = {.rate = shape_rate(bytes_per_s),
				  .limit = bytes_per_s / SHAPE_LATENCY_PART + burst,
				  .buffer = shape_ticks(burst, bytes_per_s)};
	struct nl_msg *m = shape_begin(RTM_NEWQDISC, &tc, "tbf");
	struct nlattr *options;

	shape_table(&opt.rate, table);
	options = m ? nla_nest_start(m, TCA_OPTIONS) : NULL;
	if (!options || nla_put(m, TCA_TBF_PARMS, sizeof(opt), &opt) < 0 ||
	    nla_put(m, TCA_TBF_BURST, sizeof(burst), &burst) < 0 ||
	    nla_put(m, TCA_TBF_RTAB, sizeof(table), table) < 0) {
		nlmsg_free(m);
		return err_set(e, -ENOMEM, "limit what goes to the pod");
	}
	nla_nest_end(m, options);
	return nlink_send(sk, m, "limit what goes to the pod", e);
}

/* The policer as the only action of a filter that matches everything */
static int shape_put_police(struct nl_msg *m, uint32_t bytes_per_s)
{
	uint32_t table[SHAPE_CELLS];
	struct tc_police police = {.action = TC_POLICE_SHOT,
				   .rate = shape_rate(bytes_per_s),
				   .burst = shape_ticks(shape_burst(bytes_per_s), bytes_per_s)};
	struct nlattr *options, *actions, *action, *inner;

	shape_table(&police.rate, table);
	options = nla_nest_start(m, TCA_OPTIONS);
	actions = options ? nla_nest_start(m, TCA_MATCHALL_ACT) : NULL;
	action = actions ? nla_nest_start(m, 1) : NULL;
	if (!action || nla_put_string(m, TCA_ACT_KIND, "police") < 0)
		return -ENOMEM;
	inner = nla_nest_start(m, TCA_ACT_OPTIONS);
	if (!inner || nla_put(m, TCA_POLICE_TBF, sizeof(police), &police) < 0 ||
	    nla_put(m, TCA_POLICE_RATE, sizeof(table), table) < 0)
		return -ENOMEM;
	nla_nest_end(m, inner);
	nla_nest_end(m, action);
	nla_nest_end(m, actions);
	nla_nest_end(m, options);
	return 0;
}

static int shape_from_pod(struct nl_sock *sk, int index, uint32_t bytes_per_s, struct err *e)
{
	const struct tcmsg qdisc = {
		.tcm_ifindex = index, .tcm_parent = TC_H_INGRESS, .tcm_handle = 0xffff0000U};
	const struct tcmsg filter = {.tcm_ifindex = index,
				     .tcm_parent = 0xffff0000U,
				     .tcm_handle = 1,
				     .tcm_info = TC_H_MAKE(1U << 16, __builtin_bswap16(ETH_P_ALL))};
	struct nl_msg *m;
	int r = nlink_send(sk, shape_begin(RTM_NEWQDISC, &qdisc, "ingress"),
			   "limit what the pod sends", e);

	if (r < 0)
		return r;
	m = shape_begin(RTM_NEWTFILTER, &filter, "matchall");
	if (m && shape_put_police(m, bytes_per_s) < 0) {
		nlmsg_free(m);
		m = NULL;
	}
	return nlink_send(sk, m, "limit what the pod sends", e);
}

int shape_tap(const char *tap, const struct net_rate *rate, struct err *e)
{
	unsigned int index = if_nametoindex(tap);
	struct nl_sock *sk;
	int r;

	if (!index)
		return err_set(e, -ENODEV, "no tap %s", tap);
	r = nlink_open(&sk, e);
	if (r < 0)
		return r;
	if (rate->ingress && rate->ingress <= SHAPE_RATE_MAX)
		r = shape_to_pod(sk, (int)index, (uint32_t)rate->ingress, e);
	if (r == 0 && rate->egress && rate->egress <= SHAPE_RATE_MAX)
		r = shape_from_pod(sk, (int)index, (uint32_t)rate->egress, e);
	nl_socket_free(sk);
	return r;
}
