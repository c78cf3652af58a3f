/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The host kernel's vhost-net, vhost-vsock and tap, as far as a VMM sees them: an ioctl() that takes the
 * place of libc's in a test program. It holds us to what the kernel's vhost expects, and to what we expect
 * of ourselves: nothing of a running queue changes, and no ring lies outside RAM.
 */
#ifndef VMM_TESTS_VHOST_FAKE_H
#define VMM_TESTS_VHOST_FAKE_H

#include <errno.h>
#include <linux/if_tun.h>
#include <linux/vhost.h>
#include <linux/virtio_config.h>
#include <linux/virtio_net.h>
#include <linux/virtio_ring.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/ioctl.h>

#include "vmm/mem.h"

#define FAKE_TAP   1000
#define FAKE_NET   1001
#define FAKE_VSOCK 1002

struct fake_vhost {
	uint64_t features; /* that were set last */
	uint32_t num[2];
	struct vhost_vring_addr addr[2];
	bool running[2];
};

static struct fake_vhost fake_net, fake_vsock;
static const struct gmem *fake_mem; /* guest's RAM */
static unsigned long fake_fail; /* this request fails with EFAULT … */
static unsigned int fake_fail_at; /* … at its n-th call from now, the first being 0 */

#define FAKE_FEATURES                                                            \
	(1ULL << VIRTIO_F_VERSION_1 | 1ULL << VIRTIO_F_ACCESS_PLATFORM |         \
	 1ULL << VIRTIO_RING_F_INDIRECT_DESC | 1ULL << VIRTIO_RING_F_EVENT_IDX | \
	 1ULL << VIRTIO_NET_F_MRG_RXBUF | 1ULL << VHOST_NET_F_VIRTIO_NET_HDR)

/* Not assert(): a fuzz target must end here, too */
static inline void fake_want(bool kept)
{
	if (!kept)
		abort();
}

static inline bool fake_in_ram(uint64_t at, uint64_t len)
{
	for (size_t i = 0; i < fake_mem->count; i++) {
		const struct gmem_region *r = &fake_mem->regions[i];
		uint64_t start = (uint64_t)(uintptr_t)r->hva;

		if (at >= start && at - start < r->size_bytes &&
		    len <= r->size_bytes - (at - start))
			return true;
	}
	return false;
}

static inline int fake_vring(struct fake_vhost *v, unsigned long request, void *arg)
{
	unsigned int i = *(unsigned int *)arg;
	struct vhost_vring_state *state = arg;

	fake_want(i < 2);
	if (request == VHOST_NET_SET_BACKEND) {
		v->running[i] = ((struct vhost_vring_file *)arg)->fd >= 0;
		return 0;
	}
	fake_want(!v->running[i]);
	if (request == VHOST_SET_VRING_NUM) {
		fake_want(state->num && !(state->num & (state->num - 1)) && state->num <= 256);
		v->num[i] = state->num;
	} else if (request == VHOST_SET_VRING_BASE) {
		fake_want(state->num == 0);
	} else if (request == VHOST_SET_VRING_ADDR) {
		struct vhost_vring_addr *a = &v->addr[i];

		*a = *(struct vhost_vring_addr *)arg;
		fake_want(fake_in_ram(a->desc_user_addr, 16ULL * v->num[i]));
		fake_want(fake_in_ram(a->avail_user_addr, 6 + 2ULL * v->num[i]));
		fake_want(fake_in_ram(a->used_user_addr, 6 + 8ULL * v->num[i]));
	}
	return 0;
}

static inline int fake_vhost_ioctl(struct fake_vhost *v, unsigned long request, void *arg)
{
	switch (request) {
	case VHOST_SET_OWNER:
	case VHOST_SET_MEM_TABLE:
	case VHOST_VSOCK_SET_GUEST_CID:
		return 0;
	case VHOST_GET_FEATURES:
		*(uint64_t *)arg = FAKE_FEATURES;
		return 0;
	case VHOST_SET_FEATURES:
		v->features = *(uint64_t *)arg;
		fake_want(!v->running[0] && !v->running[1]);
		fake_want(!(v->features & ~FAKE_FEATURES));
		fake_want(!(v->features >> VIRTIO_F_ACCESS_PLATFORM & 1));
		return 0;
	case VHOST_VSOCK_SET_RUNNING:
		v->running[0] = v->running[1] = *(int *)arg != 0;
		return 0;
	}
	return fake_vring(v, request, arg);
}

int ioctl(int fd, unsigned long request, ...)
{
	va_list ap;
	void *arg;

	va_start(ap, request);
	arg = va_arg(ap, void *);
	va_end(ap);
	if (request == fake_fail && fake_fail_at-- == 0) {
		fake_fail = 0;
		errno = EFAULT;
		return -1;
	}
	if (fd == FAKE_NET)
		return fake_vhost_ioctl(&fake_net, request, arg);
	if (fd == FAKE_VSOCK)
		return fake_vhost_ioctl(&fake_vsock, request, arg);
	fake_want(fd == FAKE_TAP && (request == TUNSETVNETHDRSZ || request == TUNSETOFFLOAD));
	return 0;
}

#endif
