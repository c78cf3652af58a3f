// SPDX-License-Identifier: Apache-2.0
/*
 * The packet filter: a small nf_tables encoder over libnl's netlink core, for one table of fixed
 * shape. In nft's own words:
 *
 *	table ip hyper {
 *	  chain prerouting  { type nat hook prerouting priority dstnat;
 *	    fib daddr type local [ip daddr ADDR] meta l4proto PROTO th dport PORT dnat to IP:PORT  # a pod's port
 *	  }
 *	  chain postrouting { type nat hook postrouting priority srcnat;
 *	    ip saddr RANGE masquerade
 *	  }
 *	  chain input       { type filter hook input priority filter;
 *	    iifname BRIDGE ct state established,related accept
 *	    iifname BRIDGE meta l4proto icmp accept
 *	    iifname BRIDGE drop                                   # pods do not reach the host itself
 *	  }
 *	  chain forward     { type filter hook forward priority filter;
 *	    ct state established,related accept
 *	    oifname BRIDGE iifname BRIDGE accept
 *	    oifname BRIDGE ct status dnat accept
 *	    oifname BRIDGE drop                                   # from outside only by a host port
 *	  }
 *	}
 *
 * A batch that adds, deletes and adds the table again replaces it atomically, whatever was there.
 * Numbers in netlink attributes are big-endian; register contents are as the expression loads them.
 */
/* First: then the kernel's headers leave the names of <netinet/in.h> alone. */
#include <arpa/inet.h>

#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/rtnetlink.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "net/internal.h"

#define NFT_TABLE	    "hyper"
#define NFT_BATCH_MAX	    ((size_t)4 << 20)
#define NFT_PRIORITY_DSTNAT (-100)
#define NFT_PRIORITY_SRCNAT 100
#define NFT_PRIORITY_FILTER 0
#define IP_OFFSET_SADDR	    12
#define IP_OFFSET_DADDR	    16
#define TH_OFFSET_DPORT	    2

struct nft_batch {
	struct buf data;
	uint32_t seq;
	int failed;
};

/* One rule under construction: the message and its open list of expressions */
struct nft_rule {
	struct nft_batch *batch;
	struct nl_msg *msg;
	struct nlattr *exprs;
};

static struct nl_msg *nft_msg(struct nft_batch *b, int type, int flags, int family, uint16_t res_id)
{
	struct nfgenmsg gen = {.nfgen_family = (uint8_t)family, .version = NFNETLINK_V0};
	struct nl_msg *msg = nlmsg_alloc();

	gen.res_id = htons(res_id);
	if (!msg || !nlmsg_put(msg, 0, ++b->seq, type, 0, NLM_F_REQUEST | flags) ||
	    nlmsg_append(msg, &gen, sizeof(gen), NLMSG_ALIGNTO) < 0)
		abort();
	return msg;
}

static struct nl_msg *nft_table_msg(struct nft_batch *b, int op, int flags)
{
	return nft_msg(b, NFNL_SUBSYS_NFTABLES << 8 | op, flags, NFPROTO_IPV4, 0);
}

static void nft_push(struct nft_batch *b, struct nl_msg *msg)
{
	const struct nlmsghdr *h = nlmsg_hdr(msg);
	int r = buf_append(&b->data, h, h->nlmsg_len);

	if (r < 0 && !b->failed)
		b->failed = r;
	nlmsg_free(msg);
}

static void nft_u32(struct nl_msg *msg, int attr, uint32_t value)
{
	NLA_PUT_U32(msg, attr, htonl(value));
	return;
nla_put_failure:
	abort();
}

static void nft_str(struct nl_msg *msg, int attr, const char *value)
{
	NLA_PUT_STRING(msg, attr, value);
	return;
nla_put_failure:
	abort();
}

static void nft_bytes(struct nl_msg *msg, int attr, const void *data, size_t len)
{
	struct nlattr *nest = nla_nest_start(msg, attr);

	if (!nest)
		abort();
	NLA_PUT(msg, NFTA_DATA_VALUE, (int)len, data);
	nla_nest_end(msg, nest);
	return;
nla_put_failure:
	abort();
}

static struct nlattr *nft_nest(struct nl_msg *msg, int attr)
{
	struct nlattr *nest = nla_nest_start(msg, attr);

	if (!nest)
		abort();
	return nest;
}

static void nft_table(struct nft_batch *b, int op)
{
	struct nl_msg *msg = nft_table_msg(b, op, op == NFT_MSG_NEWTABLE ? NLM_F_CREATE : 0);

	nft_str(msg, NFTA_TABLE_NAME, NFT_TABLE);
	nft_push(b, msg);
}

static void nft_chain(struct nft_batch *b, const char *name, const char *type, int hook,
		      int priority)
{
	struct nl_msg *msg = nft_table_msg(b, NFT_MSG_NEWCHAIN, NLM_F_CREATE);
	struct nlattr *nest;

	nft_str(msg, NFTA_CHAIN_TABLE, NFT_TABLE);
	nft_str(msg, NFTA_CHAIN_NAME, name);
	nest = nft_nest(msg, NFTA_CHAIN_HOOK);
	nft_u32(msg, NFTA_HOOK_HOOKNUM, (uint32_t)hook);
	nft_u32(msg, NFTA_HOOK_PRIORITY, (uint32_t)priority);
	nla_nest_end(msg, nest);
	nft_u32(msg, NFTA_CHAIN_POLICY, NF_ACCEPT);
	nft_str(msg, NFTA_CHAIN_TYPE, type);
	nft_push(b, msg);
}

static struct nft_rule nft_rule(struct nft_batch *b, const char *chain)
{
	struct nft_rule r = {.batch = b};

	r.msg = nft_table_msg(b, NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND);
	nft_str(r.msg, NFTA_RULE_TABLE, NFT_TABLE);
	nft_str(r.msg, NFTA_RULE_CHAIN, chain);
	r.exprs = nft_nest(r.msg, NFTA_RULE_EXPRESSIONS);
	return r;
}

static void nft_rule_end(struct nft_rule *r)
{
	nla_nest_end(r->msg, r->exprs);
	nft_push(r->batch, r->msg);
}

/* Opens one expression; the caller puts its attributes and calls nft_expr_end(). */
struct nft_expr {
	struct nlattr *elem, *data;
};

static struct nft_expr nft_expr(struct nft_rule *r, const char *name)
{
	struct nft_expr x;

	x.elem = nft_nest(r->msg, NFTA_LIST_ELEM);
	nft_str(r->msg, NFTA_EXPR_NAME, name);
	x.data = nft_nest(r->msg, NFTA_EXPR_DATA);
	return x;
}

static void nft_expr_end(struct nft_rule *r, struct nft_expr x)
{
	nla_nest_end(r->msg, x.data);
	nla_nest_end(r->msg, x.elem);
}

static void nft_compare(struct nft_rule *r, int op, const void *data, size_t len)
{
	struct nft_expr x = nft_expr(r, "cmp");

	nft_u32(r->msg, NFTA_CMP_SREG, NFT_REG_1);
	nft_u32(r->msg, NFTA_CMP_OP, (uint32_t)op);
	nft_bytes(r->msg, NFTA_CMP_DATA, data, len);
	nft_expr_end(r, x);
}

static void nft_load(struct nft_rule *r, const char *name, int key_attr, int dreg_attr, int key)
{
	struct nft_expr x = nft_expr(r, name);

	nft_u32(r->msg, key_attr, (uint32_t)key);
	nft_u32(r->msg, dreg_attr, NFT_REG_1);
	nft_expr_end(r, x);
}

static void nft_mask(struct nft_rule *r, uint32_t mask)
{
	static const uint32_t zero;
	struct nft_expr x = nft_expr(r, "bitwise");

	nft_u32(r->msg, NFTA_BITWISE_SREG, NFT_REG_1);
	nft_u32(r->msg, NFTA_BITWISE_DREG, NFT_REG_1);
	nft_u32(r->msg, NFTA_BITWISE_LEN, sizeof(mask));
	nft_bytes(r->msg, NFTA_BITWISE_MASK, &mask, sizeof(mask));
	nft_bytes(r->msg, NFTA_BITWISE_XOR, &zero, sizeof(zero));
	nft_expr_end(r, x);
}

static void nft_payload(struct nft_rule *r, int base, uint32_t offset, uint32_t len)
{
	struct nft_expr x = nft_expr(r, "payload");

	nft_u32(r->msg, NFTA_PAYLOAD_DREG, NFT_REG_1);
	nft_u32(r->msg, NFTA_PAYLOAD_BASE, (uint32_t)base);
	nft_u32(r->msg, NFTA_PAYLOAD_OFFSET, offset);
	nft_u32(r->msg, NFTA_PAYLOAD_LEN, len);
	nft_expr_end(r, x);
}

static void nft_interface(struct nft_rule *r, int key, const char *name)
{
	char padded[16] = "";

	memcpy(padded, name, strnlen(name, sizeof(padded) - 1));
	nft_load(r, "meta", NFTA_META_KEY, NFTA_META_DREG, key);
	nft_compare(r, NFT_CMP_EQ, padded, sizeof(padded));
}

static void nft_protocol(struct nft_rule *r, uint8_t protocol)
{
	nft_load(r, "meta", NFTA_META_KEY, NFTA_META_DREG, NFT_META_L4PROTO);
	nft_compare(r, NFT_CMP_EQ, &protocol, sizeof(protocol));
}

static void nft_conntrack_any(struct nft_rule *r, int key, uint32_t bits)
{
	static const uint32_t zero;

	nft_load(r, "ct", NFTA_CT_KEY, NFTA_CT_DREG, key);
	nft_mask(r, bits);
	nft_compare(r, NFT_CMP_NEQ, &zero, sizeof(zero));
}

static void nft_established(struct nft_rule *r)
{
	/* NF_CT_STATE_BIT() of the kernel: 1 << (state + 1) */
	nft_conntrack_any(r, NFT_CT_STATE, 1 << (IP_CT_ESTABLISHED + 1) | 1 << (IP_CT_RELATED + 1));
}

static void nft_verdict(struct nft_rule *r, int verdict)
{
	struct nft_expr x = nft_expr(r, "immediate");
	struct nlattr *data, *code;

	nft_u32(r->msg, NFTA_IMMEDIATE_DREG, NFT_REG_VERDICT);
	data = nft_nest(r->msg, NFTA_IMMEDIATE_DATA);
	code = nft_nest(r->msg, NFTA_DATA_VERDICT);
	nft_u32(r->msg, NFTA_VERDICT_CODE, (uint32_t)verdict);
	nla_nest_end(r->msg, code);
	nla_nest_end(r->msg, data);
	nft_expr_end(r, x);
}

static void nft_immediate(struct nft_rule *r, int reg, const void *data, size_t len)
{
	struct nft_expr x = nft_expr(r, "immediate");

	nft_u32(r->msg, NFTA_IMMEDIATE_DREG, (uint32_t)reg);
	nft_bytes(r->msg, NFTA_IMMEDIATE_DATA, data, len);
	nft_expr_end(r, x);
}

static void nft_destination_is_local(struct nft_rule *r)
{
	static const uint32_t local = RTN_LOCAL;
	struct nft_expr x = nft_expr(r, "fib");

	nft_u32(r->msg, NFTA_FIB_DREG, NFT_REG_1);
	nft_u32(r->msg, NFTA_FIB_RESULT, NFT_FIB_RESULT_ADDRTYPE);
	nft_u32(r->msg, NFTA_FIB_FLAGS, NFTA_FIB_F_DADDR);
	nft_expr_end(r, x);
	nft_compare(r, NFT_CMP_EQ, &local, sizeof(local));
}

static void nft_dnat(struct nft_rule *r, uint32_t ip, uint16_t port)
{
	uint32_t be_ip = htonl(ip);
	uint16_t be_port = htons(port);
	struct nft_expr x;

	nft_immediate(r, NFT_REG_1, &be_ip, sizeof(be_ip));
	nft_immediate(r, NFT_REG_2, &be_port, sizeof(be_port));
	x = nft_expr(r, "nat");
	nft_u32(r->msg, NFTA_NAT_TYPE, NFT_NAT_DNAT);
	nft_u32(r->msg, NFTA_NAT_FAMILY, NFPROTO_IPV4);
	nft_u32(r->msg, NFTA_NAT_REG_ADDR_MIN, NFT_REG_1);
	nft_u32(r->msg, NFTA_NAT_REG_PROTO_MIN, NFT_REG_2);
	nft_expr_end(r, x);
}

static void nft_host_port(struct nft_batch *b, const struct net_port *port, uint32_t ip)
{
	struct nft_rule r = nft_rule(b, "prerouting");
	uint16_t be_port = htons(port->host_port);
	struct in_addr host_ip;

	nft_destination_is_local(&r);
	if (port->host_ip[0] && inet_pton(AF_INET, port->host_ip, &host_ip) == 1) {
		nft_payload(&r, NFT_PAYLOAD_NETWORK_HEADER, IP_OFFSET_DADDR, sizeof(host_ip));
		nft_compare(&r, NFT_CMP_EQ, &host_ip, sizeof(host_ip));
	}
	nft_protocol(&r, port->udp ? IPPROTO_UDP : IPPROTO_TCP);
	nft_payload(&r, NFT_PAYLOAD_TRANSPORT_HEADER, TH_OFFSET_DPORT, sizeof(be_port));
	nft_compare(&r, NFT_CMP_EQ, &be_port, sizeof(be_port));
	nft_dnat(&r, ip, port->pod_port);
	nft_rule_end(&r);
}

static void nft_masquerade(struct nft_batch *b, const struct net *n)
{
	struct nft_rule r = nft_rule(b, "postrouting");
	uint32_t network = htonl(n->network);

	nft_payload(&r, NFT_PAYLOAD_NETWORK_HEADER, IP_OFFSET_SADDR, sizeof(network));
	nft_mask(&r, htonl(~0U << (32 - n->prefix_len)));
	nft_compare(&r, NFT_CMP_EQ, &network, sizeof(network));
	nft_expr_end(&r, nft_expr(&r, "masq"));
	nft_rule_end(&r);
}

static void nft_input(struct nft_batch *b, const struct net *n)
{
	struct nft_rule r = nft_rule(b, "input");

	nft_interface(&r, NFT_META_IIFNAME, n->bridge);
	nft_established(&r);
	nft_verdict(&r, NF_ACCEPT);
	nft_rule_end(&r);

	r = nft_rule(b, "input");
	nft_interface(&r, NFT_META_IIFNAME, n->bridge);
	nft_protocol(&r, IPPROTO_ICMP);
	nft_verdict(&r, NF_ACCEPT);
	nft_rule_end(&r);

	r = nft_rule(b, "input");
	nft_interface(&r, NFT_META_IIFNAME, n->bridge);
	nft_verdict(&r, NF_DROP);
	nft_rule_end(&r);
}

static void nft_forward(struct nft_batch *b, const struct net *n)
{
	struct nft_rule r = nft_rule(b, "forward");

	nft_established(&r);
	nft_verdict(&r, NF_ACCEPT);
	nft_rule_end(&r);

	r = nft_rule(b, "forward");
	nft_interface(&r, NFT_META_OIFNAME, n->bridge);
	nft_interface(&r, NFT_META_IIFNAME, n->bridge);
	nft_verdict(&r, NF_ACCEPT);
	nft_rule_end(&r);

	r = nft_rule(b, "forward");
	nft_interface(&r, NFT_META_OIFNAME, n->bridge);
	nft_conntrack_any(&r, NFT_CT_STATUS, IPS_DST_NAT);
	nft_verdict(&r, NF_ACCEPT);
	nft_rule_end(&r);

	r = nft_rule(b, "forward");
	nft_interface(&r, NFT_META_OIFNAME, n->bridge);
	nft_verdict(&r, NF_DROP);
	nft_rule_end(&r);
}

static void nft_build(struct nft_batch *b, const struct net *n)
{
	const struct net_pod *pod;

	nft_push(b, nft_msg(b, NFNL_MSG_BATCH_BEGIN, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES));
	nft_table(b, NFT_MSG_NEWTABLE);
	nft_table(b, NFT_MSG_DELTABLE);
	nft_table(b, NFT_MSG_NEWTABLE);
	nft_chain(b, "prerouting", "nat", NF_INET_PRE_ROUTING, NFT_PRIORITY_DSTNAT);
	nft_chain(b, "postrouting", "nat", NF_INET_POST_ROUTING, NFT_PRIORITY_SRCNAT);
	nft_chain(b, "input", "filter", NF_INET_LOCAL_IN, NFT_PRIORITY_FILTER);
	nft_chain(b, "forward", "filter", NF_INET_FORWARD, NFT_PRIORITY_FILTER);
	nft_masquerade(b, n);
	nft_input(b, n);
	nft_forward(b, n);
	list_for_each(pod, &n->pods, node)
		for (size_t i = 0; i < pod->port_count; i++)
			nft_host_port(b, &pod->ports[i], pod->ip);
	nft_push(b, nft_msg(b, NFNL_MSG_BATCH_END, NLM_F_ACK, AF_UNSPEC, NFNL_SUBSYS_NFTABLES));
}

/*
 * The kernel queues one error per message that failed and one acknowledgement for the end of the
 * batch; the first that carries a code tells why the transaction was refused.
 */
static int nft_wait(struct nl_sock *sk, uint32_t last_seq)
{
	struct sockaddr_nl from;
	int r = 0;

	for (;;) {
		unsigned char *data = NULL;
		int len = nl_recv(sk, &from, &data, NULL);
		const struct nlmsghdr *h = (const struct nlmsghdr *)(void *)data;

		if (len <= 0)
			return -EIO;
		for (; nlmsg_ok(h, len); h = nlmsg_next((struct nlmsghdr *)(uintptr_t)h, &len)) {
			const struct nlmsgerr *ack = nlmsg_data(h);

			if (h->nlmsg_type != NLMSG_ERROR)
				continue;
			if (r == 0)
				r = ack->error;
			if (r < 0 || h->nlmsg_seq == last_seq) {
				free(data);
				return r;
			}
		}
		free(data);
	}
}

int nft_replace(const struct net *n, struct err *e)
{
	struct nft_batch b = {.data = BUF_INIT(NFT_BATCH_MAX)};
	struct nl_sock *sk = nl_socket_alloc();
	int r;

	if (!sk)
		return err_set(e, -ENOMEM, "packet filter");
	nft_build(&b, n);
	r = b.failed;
	if (r == 0 && nl_connect(sk, NETLINK_NETFILTER) < 0)
		r = -EPROTONOSUPPORT;
	if (r == 0) {
		nl_socket_set_buffer_size(sk, 1 << 20, (int)b.data.len + (1 << 16));
		if (nl_sendto(sk, b.data.data, b.data.len) < 0)
			r = -EIO;
	}
	if (r == 0)
		r = nft_wait(sk, b.seq);
	nl_socket_free(sk);
	buf_done(&b.data);
	return r < 0 ? err_sys(e, r, "replace the packet filter table " NFT_TABLE) : 0;
}
