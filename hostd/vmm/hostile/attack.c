// SPDX-License-Identifier: Apache-2.0
/*
 * The moves. What devices may write lies in the arena above our own image, so a run is not over by the
 * first good transfer; what is made up of nothing (addresses in the hole, behind RAM, wrapping) is refused
 * by a good VMM and is the end of a bad one. Requests that are mostly right go deeper than noise does,
 * so both are made.
 */
#include "console.h"
#include "hostile.h"

#define QUEUES	   3
#define RING_BYTES 0x8000U /* of one queue: descriptors, available, used, an indirect table */
#define RINGS	   (HOSTILE_DEVS_MAX * QUEUES * RING_BYTES)
#define DATA	   (HOSTILE_ARENA + RINGS)
#define SIZE_MAX_Q 256

#define F_NEXT	   1
#define F_WRITE	   2
#define F_INDIRECT 4

enum reg {
	REG_FEATURES_SEL = 0x14,
	REG_DRIVER_FEATURES = 0x20,
	REG_DRIVER_FEATURES_SEL = 0x24,
	REG_FEATURES = 0x10,
	REG_QUEUE_SEL = 0x30,
	REG_QUEUE_NUM_MAX = 0x34,
	REG_QUEUE_NUM = 0x38,
	REG_QUEUE_READY = 0x44,
	REG_NOTIFY = 0x50,
	REG_ISR = 0x60,
	REG_ACK = 0x64,
	REG_STATUS = 0x70,
	REG_DESC = 0x80,
	REG_AVAIL = 0x90,
	REG_USED = 0xa0,
	REG_CONFIG = 0x100,
};

enum device_id {
	ID_NET = 1,
	ID_BLK = 2,
	ID_BALLOON = 5,
	ID_VSOCK = 19,
};

struct desc {
	uint64_t addr;
	uint32_t len;
	uint16_t flags, next;
};

struct ring {
	volatile struct desc *desc;
	volatile uint16_t *avail; /* flags, index, ring */
	volatile uint16_t *used;
	volatile struct desc *table;
	uint8_t *data; /* 16 KiB for headers and the like */
};

static uint32_t queue_size[HOSTILE_DEVS_MAX][QUEUES];
static uint16_t seen_used[HOSTILE_DEVS_MAX][QUEUES];

static volatile uint32_t *page(uint32_t dev, uint32_t reg)
{
	return (volatile uint32_t *)(uintptr_t)(HOSTILE_BASE + dev * 0x1000U + reg);
}

static void put(uint32_t dev, uint32_t reg, uint32_t v)
{
	*page(dev, reg) = v;
}

static uint32_t get(uint32_t dev, uint32_t reg)
{
	return *page(dev, reg);
}

static struct ring ring_of(uint32_t dev, uint32_t q)
{
	uint64_t at = HOSTILE_ARENA + (uint64_t)(dev * QUEUES + q) * RING_BYTES;

	return (struct ring){.desc = (volatile struct desc *)at,
			     .avail = (volatile uint16_t *)(at + 0x1000),
			     .used = (volatile uint16_t *)(at + 0x2000),
			     .table = (volatile struct desc *)(at + 0x3000),
			     .data = (uint8_t *)(at + 0x4000)};
}

static uint64_t good_address(struct rng *r)
{
	uint64_t at = DATA + rnd(r) % (machine.ram_end - DATA);

	return below(r, 2) ? at & ~0xfffULL : at;
}

static uint64_t any_address(struct rng *r)
{
	static const uint64_t bad[] = {
		0xd0000000,	    0xd0000070,		0xfec00000,	    0xfee00000,
		0xffffffff,	    0xfffff000,		0x100000000,	    0xc0000000,
		0xbffff000,	    0x8000000000000000, 0xffffffffffffffff, 0xfffffffffffff000,
		0x00000000ffffff00, 0x000fffffffffffff, 0x7fffffffffffffff, 0x000000c000000000,
	};

	switch (below(r, 16)) {
	case 0:
		return bad[below(r, sizeof(bad) / sizeof(bad[0]))];
	case 1:
		return machine.ram_end - below(r, 64);
	case 2:
		return rnd(r) | 1ULL << 40;
	}
	return good_address(r);
}

static uint32_t any_length(struct rng *r)
{
	static const uint32_t lengths[] = {0,	       1,	   4,	      12,
					   16,	       20,	   44,	      512,
					   4096,       65536,	   1U << 20,  0x7fffffff,
					   0x80000000, 0xffffffff, 0xfffffff0};

	return below(r, 4) ? 16 * (1 + below(r, 256))
			   : lengths[below(r, sizeof(lengths) / sizeof(lengths[0]))];
}

static void set_desc(volatile struct desc *d, uint64_t addr, uint32_t len, uint32_t flags,
		     uint32_t next)
{
	d->addr = addr;
	d->len = len;
	d->flags = (uint16_t)flags;
	d->next = (uint16_t)next;
}

static void any_desc(struct rng *r, volatile struct desc *d, uint32_t size)
{
	uint32_t flags = below(r, 8) ? below(r, 4) : (uint32_t)rnd(r);

	set_desc(d, any_address(r), any_length(r), flags,
		 below(r, 16) ? below(r, size) : (uint32_t)rnd(r));
}

/* ---- set-up ---- */

static void set_wide(uint32_t dev, uint32_t reg, uint64_t v)
{
	put(dev, reg, (uint32_t)v);
	put(dev, reg + 4, (uint32_t)(v >> 32));
}

static void set_queue(struct attacker *a, uint32_t dev, uint32_t q)
{
	struct ring ring = ring_of(dev, q);
	struct rng *r = &a->rng;
	uint32_t size = 1U << below(r, 9), max;

	put(dev, REG_QUEUE_SEL, q);
	max = get(dev, REG_QUEUE_NUM_MAX);
	if (size > max && below(r, 16))
		size = max;
	/* Never an address of 0 with another's length: that would be our own image */
	for (uint32_t i = 0; i < SIZE_MAX_Q; i++)
		set_desc(&ring.desc[i], DATA, 16, 0, 0);
	for (uint32_t i = 0; i < 0x1000 / 2; i++)
		ring.avail[i] = ring.used[i] = 0;
	queue_size[dev][q] = size ? size : 1;
	seen_used[dev][q] = 0;
	put(dev, REG_QUEUE_NUM, below(r, 64) ? size : (uint32_t)rnd(r));
	set_wide(dev, REG_DESC, below(r, 64) ? (uint64_t)ring.desc : any_address(r));
	set_wide(dev, REG_AVAIL, below(r, 64) ? (uint64_t)ring.avail : any_address(r));
	set_wide(dev, REG_USED, below(r, 64) ? (uint64_t)ring.used : any_address(r));
	put(dev, REG_QUEUE_READY, 1);
}

static void start_device(struct attacker *a, uint32_t dev)
{
	struct rng *r = &a->rng;
	uint32_t low, queues = 0;

	put(dev, REG_STATUS, 0);
	put(dev, REG_STATUS, 3);
	put(dev, REG_FEATURES_SEL, 0);
	low = get(dev, REG_FEATURES);
	put(dev, REG_DRIVER_FEATURES_SEL, 0);
	put(dev, REG_DRIVER_FEATURES, below(r, 32) ? low & (uint32_t)rnd(r) : (uint32_t)rnd(r));
	put(dev, REG_DRIVER_FEATURES_SEL, 1);
	put(dev, REG_DRIVER_FEATURES, below(r, 32) ? 1 : (uint32_t)rnd(r));
	put(dev, REG_STATUS, 11);
	while (queues < QUEUES) {
		put(dev, REG_QUEUE_SEL, queues);
		if (!get(dev, REG_QUEUE_NUM_MAX))
			break;
		if (below(r, 64))
			set_queue(a, dev, queues);
		queues++;
	}
	put(dev, REG_STATUS, 15);
	a->tally.starts += (get(dev, REG_STATUS) & 0xcf) == 15;
}

/* ---- requests ---- */

static void offer(struct attacker *a, uint32_t dev, uint32_t q, uint16_t head)
{
	struct ring ring = ring_of(dev, q);
	uint16_t idx = ring.avail[1];

	ring.avail[2 + idx % queue_size[dev][q]] = head;
	__asm__ volatile("" ::: "memory");
	ring.avail[1] = (uint16_t)(idx + (below(&a->rng, 64) ? 1U : below(&a->rng, 70000)));
	put(dev, REG_NOTIFY, q);
}

/* The parts as a chain in the ring, or in an indirect table */
static void offer_chain(struct attacker *a, uint32_t dev, uint32_t q, const struct desc *parts,
			uint32_t count)
{
	struct ring ring = ring_of(dev, q);
	uint32_t size = queue_size[dev][q], first;
	bool indirect = count > size || below(&a->rng, 2);

	if (!size)
		return;
	first = below(&a->rng, size);
	for (uint32_t i = 0; i < count; i++) {
		uint32_t next = indirect ? i + 1 : (first + i + 1) % size;
		volatile struct desc *d = indirect ? &ring.table[i]
						   : &ring.desc[(first + i) % size];

		set_desc(d, parts[i].addr, parts[i].len,
			 parts[i].flags | (i + 1 < count ? F_NEXT : 0U), next);
		if (!below(&a->rng, 128))
			any_desc(&a->rng, d, size);
	}
	if (indirect)
		set_desc(&ring.desc[first], (uint64_t)ring.table, count * 16, F_INDIRECT, 0);
	offer(a, dev, q, (uint16_t)first);
}

static void use_blk(struct attacker *a, uint32_t dev)
{
	static const uint32_t types[] = {0, 0, 0, 1, 1, 4, 8, 11, 13, 14};
	struct rng *r = &a->rng;
	struct ring ring = ring_of(dev, 0);
	uint64_t *sector = (uint64_t *)(void *)(ring.data + 8);
	struct desc parts[3];
	uint32_t type = below(r, 32) ? types[below(r, 10)] : (uint32_t)rnd(r);
	uint32_t sectors = below(r, 16) ? below(r, 64) : below(r, 1U << 16);
	bool reads = type == 0 || type == 8;

	*(uint32_t *)(void *)ring.data = type;
	*sector = below(r, 8) ? below(r, 4096) : rnd(r);
	/* A range to discard, should it be one */
	*(uint64_t *)(void *)(ring.data + 64) = below(r, 4) ? below(r, 4096) : rnd(r);
	*(uint64_t *)(void *)(ring.data + 72) = below(r, 4) ? below(r, 256) : rnd(r);
	parts[0] = (struct desc){(uint64_t)ring.data, 16, 0, 0};
	parts[1] =
		(struct desc){good_address(r) & ~0xfffffULL, sectors * 512, reads ? F_WRITE : 0, 0};
	if (type == 11 || type == 13)
		parts[1] = (struct desc){(uint64_t)ring.data + 64, 16, 0, 0};
	if (type == 8)
		parts[1].len = 20;
	parts[2] = (struct desc){(uint64_t)ring.data + 128, 1, F_WRITE, 0};
	offer_chain(a, dev, 0, parts, 3);
}

static void use_net(struct attacker *a, uint32_t dev)
{
	struct rng *r = &a->rng;
	uint32_t q = below(r, 2);
	struct ring ring = ring_of(dev, q);
	struct desc parts[2];

	if (q == 0) {
		parts[0] = (struct desc){good_address(r), any_length(r), F_WRITE, 0};
		offer_chain(a, dev, 0, parts, 1);
		return;
	}
	/* The header says how the packet is to be finished: segments, checksums, of anything */
	for (uint32_t i = 0; i < 12; i++)
		ring.data[i] = below(r, 4) ? 0 : (uint8_t)rnd(r);
	for (uint32_t i = 64; i < 128; i++)
		ring.data[i] = (uint8_t)rnd(r);
	ring.data[64] = below(r, 2) ? 0xff : 2; /* to all or to somebody */
	ring.data[76] = 8; /* IPv4, IPv6 or ARP of a kind */
	ring.data[77] = below(r, 2) ? 0 : 6;
	ring.data[78] = 0x45;
	parts[0] = (struct desc){(uint64_t)ring.data, 12, 0, 0};
	parts[1] = (struct desc){(uint64_t)ring.data + 64, 14 + below(r, 4096), 0, 0};
	offer_chain(a, dev, 1, parts, 2);
}

static void use_vsock(struct attacker *a, uint32_t dev)
{
	struct rng *r = &a->rng;
	uint32_t q = below(r, 2);
	struct ring ring = ring_of(dev, q);
	struct desc parts[2];
	uint32_t *h = (uint32_t *)(void *)ring.data;

	if (q == 0) {
		parts[0] = (struct desc){good_address(r), below(r, 8) ? 4096 : any_length(r),
					 F_WRITE, 0};
		offer_chain(a, dev, 0, parts, 1);
		return;
	}
	/* source and destination, ports, length, type and operation, flags, credit: mostly to hostd */
	h[0] = below(r, 16) ? get(dev, REG_CONFIG) : (uint32_t)rnd(r);
	h[1] = 0;
	h[2] = below(r, 16) ? 2 : below(r, 8);
	h[3] = 0;
	h[4] = below(r, 64);
	h[5] = below(r, 8) ? 1024 : (uint32_t)rnd(r);
	h[6] = below(r, 4) ? below(r, 4096) : any_length(r);
	h[7] = (below(r, 8) ? 1 : below(r, 4)) | below(r, 9) << 16;
	h[8] = below(r, 4) ? 0 : (uint32_t)rnd(r);
	h[9] = below(r, 4) ? 1U << 18 : (uint32_t)rnd(r);
	h[10] = (uint32_t)rnd(r);
	for (uint32_t i = 64; i < 128; i++)
		ring.data[i] = (uint8_t)rnd(r);
	parts[0] = (struct desc){(uint64_t)ring.data, 44, 0, 0};
	parts[1] = (struct desc){(uint64_t)ring.data + 64, 1 + below(r, 8192), 0, 0};
	offer_chain(a, dev, 1, parts, 1 + below(r, 2));
}

static void use_balloon(struct attacker *a, uint32_t dev)
{
	struct desc parts[8];
	uint32_t count = 1 + below(&a->rng, 8);

	for (uint32_t i = 0; i < count; i++)
		parts[i] = (struct desc){good_address(&a->rng), any_length(&a->rng), F_WRITE, 0};
	offer_chain(a, dev, 2, parts, count);
}

static void use_device(struct attacker *a, uint32_t dev)
{
	switch (machine.dev_ids[dev]) {
	case ID_BLK:
		use_blk(a, dev);
		break;
	case ID_NET:
		use_net(a, dev);
		break;
	case ID_VSOCK:
		use_vsock(a, dev);
		break;
	case ID_BALLOON:
		use_balloon(a, dev);
		break;
	}
}

/* ---- noise ---- */

static void store_any(struct rng *r, uint32_t dev, uint32_t reg)
{
	uint64_t v = below(r, 2) ? rnd(r) : below(r, 20);
	uintptr_t at = HOSTILE_BASE + dev * 0x1000U + reg;

	switch (below(r, 4)) {
	case 0:
		*(volatile uint8_t *)at = (uint8_t)v;
		break;
	case 1:
		*(volatile uint16_t *)at = (uint16_t)v;
		break;
	case 2:
		*(volatile uint64_t *)at = v;
		break;
	default:
		*(volatile uint32_t *)at = (uint32_t)v;
		break;
	}
}

static void load_any(struct rng *r, uint32_t dev, uint32_t reg)
{
	uintptr_t at = HOSTILE_BASE + dev * 0x1000U + reg;

	switch (below(r, 4)) {
	case 0:
		(void)*(volatile uint8_t *)at;
		break;
	case 1:
		(void)*(volatile uint16_t *)at;
		break;
	case 2:
		(void)*(volatile uint64_t *)at;
		break;
	default:
		(void)*(volatile uint32_t *)at;
		break;
	}
}

/* Any place of the page, and a bit beyond; mostly where registers are */
static void poke(struct rng *r, uint32_t dev)
{
	uint32_t reg = below(r, 4) ? below(r, 0x140) & ~3U : below(r, 0x1008);

	if (below(r, 2))
		store_any(r, dev, reg);
	else
		load_any(r, dev, reg);
}

/*
 * All ports but those by which a guest ends itself and those of KVM's interrupt controllers (see main.c);
 * the console is spared for what we have to say.
 */
static bool port_is_spared(uint16_t port)
{
	return (port >= 0x5d0 && port < 0x5f0) || (port & 0xfffcU) == 0x64 || port == 0x3f8 ||
	       port == 0x3fb || (port & 0xff7eU) == 0x20 || (port & 0xfffeU) == 0x4d0;
}

static void poke_port(struct rng *r)
{
	uint16_t port = (uint16_t)(below(r, 2) ? rnd(r) : 0x3f9 + below(r, 7));
	static uint8_t text[64];

	if (port_is_spared(port))
		return;
	switch (below(r, 5)) {
	case 0:
		out8(port, (uint8_t)rnd(r));
		break;
	case 1:
		if (port > 0x400)
			out32(port, (uint32_t)rnd(r));
		break;
	case 2:
		in8(port);
		break;
	case 3:
		in32(port);
		break;
	default: {
		const uint8_t *from = text;
		uint64_t count = sizeof(text);

		if (port > 0x400)
			__asm__ volatile("rep outsb"
					 : "+S"(from), "+c"(count)
					 : "d"(port)
					 : "memory");
		break;
	}
	}
	/* The loopback bit would swallow our own words. */
	out8(0x3fc, 0);
}

static void scribble(struct rng *r, uint32_t dev, uint32_t q)
{
	struct ring ring = ring_of(dev, q);
	uint32_t size = queue_size[dev][q];

	if (!size)
		return;
	switch (below(r, 8)) {
	case 0:
		ring.avail[1] = (uint16_t)(ring.avail[1] + below(r, 4));
		break;
	case 1:
		ring.avail[2 + below(r, size)] = (uint16_t)(below(r, 16) ? below(r, size) : rnd(r));
		break;
	case 2:
		ring.avail[0] = (uint16_t)rnd(r);
		ring.avail[2 + size] = (uint16_t)rnd(r);
		break;
	case 3:
		ring.used[1] = (uint16_t)rnd(r);
		break;
	case 4:
	case 5:
		any_desc(r, &ring.table[below(r, 8)], size);
		break;
	default:
		any_desc(r, &ring.desc[below(r, size)], size);
		break;
	}
}

static void count_used(struct attacker *a, uint32_t dev, uint32_t q)
{
	uint16_t idx = ring_of(dev, q).used[1], n = (uint16_t)(idx - seen_used[dev][q]);

	if (n <= queue_size[dev][q])
		a->tally.used += n;
	seen_used[dev][q] = idx;
}

/* ---- moves ---- */

/* A device lives for a while, alone or with all processors upon it: some defects need the one, some the other. */
static void choose(struct rng *r)
{
	machine.target = below(r, machine.dev_count);
	machine.race = below(r, 4);
}

static void be_rude(struct attacker *a, uint32_t dev)
{
	struct rng *r = &a->rng;

	switch (below(r, 5)) {
	case 0:
		poke(r, below(r, machine.dev_count + 2));
		break;
	case 1:
		poke_port(r);
		break;
	case 2:
		scribble(r, dev, below(r, QUEUES));
		break;
	case 3:
		put(dev, REG_STATUS, below(r, 4) ? 0 : (uint32_t)rnd(r));
		break;
	default:
		put(dev, REG_ACK, get(dev, REG_ISR));
		break;
	}
}

void attack_step(struct attacker *a)
{
	struct rng *r = &a->rng;
	uint32_t dev = machine.target, status;

	if (!below(r, 16)) {
		choose(r);
		dev = machine.target;
	}
	status = get(dev, REG_STATUS);
	if ((status & 0x4f) != 15) {
		a->tally.broken += (status & 0x40) != 0;
		start_device(a, dev);
	}
	for (uint32_t i = below(r, 32); i; i--)
		use_device(a, dev);
	if (!below(r, 4))
		be_rude(a, dev);
	for (uint32_t q = 0; q < QUEUES; q++)
		count_used(a, dev, q);
}

void race_step(struct attacker *a)
{
	struct rng *r = &a->rng;
	uint32_t dev = machine.target;

	if (machine.race == 0) {
		for (uint32_t i = 0; i < 1000; i++)
			__asm__ volatile("pause");
		return;
	}
	/* Memory is fast, registers are slow: many changes for each exit */
	for (uint32_t i = machine.race == 1 ? below(r, 3) : below(r, 200); i; i--)
		scribble(r, dev, below(r, QUEUES));
	if (machine.race == 3 && !below(r, 4))
		be_rude(a, dev);
	else
		put(dev, REG_NOTIFY, below(r, QUEUES));
}
