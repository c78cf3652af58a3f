// SPDX-License-Identifier: Apache-2.0
#include "vmm/virtio/vhost.h"

#include <errno.h>
#include <linux/if_tun.h>
#include <linux/vhost.h>
#include <linux/virtio_ids.h>
#include <string.h>
#include <sys/ioctl.h>

#include "base/mem.h"

#define VNET_QUEUE_SIZE	    256U
#define VVSOCK_QUEUE_SIZE   64U /* the driver fills it with buffers at once: 256 cost a pod 1 MiB */
#define VHOST_QUEUES	    2 /* rx and tx; vsock's event queue stays with us, and idle */
#define VHOST_RING_FEATURES (1ULL << VIRTIO_RING_F_INDIRECT_DESC | 1ULL << VIRTIO_RING_F_EVENT_IDX)
#define VNET_HDR_BYTES	    ((int)sizeof(struct virtio_net_hdr_mrg_rxbuf))

struct vhost_table {
	struct vhost_memory head;
	struct vhost_memory_region regions[GMEM_REGIONS_MAX];
};

static int vhost_ioctl(int fd, unsigned long request, void *arg)
{
	return ioctl(fd, request, arg) < 0 ? -errno : 0;
}

static int vhost_open(int fd, const struct gmem *m, uint64_t *features)
{
	struct vhost_table table = {.head.nregions = (uint32_t)m->count};
	int r;

	r = vhost_ioctl(fd, VHOST_SET_OWNER, NULL);
	if (r == 0)
		r = vhost_ioctl(fd, VHOST_GET_FEATURES, features);
	if (r < 0)
		return r;
	for (size_t i = 0; i < m->count; i++)
		table.regions[i] = (struct vhost_memory_region){
			.guest_phys_addr = m->regions[i].gpa,
			.memory_size = m->regions[i].size_bytes,
			.userspace_addr = (uint64_t)(uintptr_t)m->regions[i].hva,
		};
	return vhost_ioctl(fd, VHOST_SET_MEM_TABLE, &table);
}

static int vhost_set_queue(const struct vdev *d, int fd, unsigned int i)
{
	const struct vq *q = &d->queues[i];
	struct vhost_vring_state state = {.index = i, .num = q->size};
	struct vhost_vring_addr addr = {.index = i,
					.desc_user_addr = (uint64_t)(uintptr_t)q->desc,
					.avail_user_addr = (uint64_t)(uintptr_t)q->avail,
					.used_user_addr = (uint64_t)(uintptr_t)q->used};
	struct vhost_vring_file kick = {.index = i, .fd = d->kick_fds[i]};
	struct vhost_vring_file call = {.index = i, .fd = d->irq_fd};
	int r;

	if (!q->ready)
		return -EINVAL;
	r = vhost_ioctl(fd, VHOST_SET_VRING_NUM, &state);
	state.num = 0;
	if (r == 0)
		r = vhost_ioctl(fd, VHOST_SET_VRING_BASE, &state);
	if (r == 0)
		r = vhost_ioctl(fd, VHOST_SET_VRING_ADDR, &addr);
	if (r == 0)
		r = vhost_ioctl(fd, VHOST_SET_VRING_CALL, &call);
	return r < 0 ? r : vhost_ioctl(fd, VHOST_SET_VRING_KICK, &kick);
}

static int vhost_set_queues(const struct vdev *d, int fd, uint64_t vhost_features)
{
	uint64_t features = d->driver_features & vhost_features;
	int r = vhost_ioctl(fd, VHOST_SET_FEATURES, &features);

	for (unsigned int i = 0; r == 0 && i < VHOST_QUEUES; i++)
		r = vhost_set_queue(d, fd, i);
	return r;
}

static int vnet_set_backend(const struct vnet *n)
{
	for (unsigned int i = 0; i < VHOST_QUEUES; i++) {
		struct vhost_vring_file backend = {.index = i, .fd = n->tap_fd};
		int r = vhost_ioctl(n->vhost_fd, VHOST_NET_SET_BACKEND, &backend);

		if (r < 0)
			return r;
	}
	return 0;
}

/* What the driver can take in unfinished form, in the tap's words */
static unsigned int vnet_offloads(const struct vdev *d)
{
	unsigned int flags = 0;

	if (vdev_has(d, VIRTIO_NET_F_GUEST_CSUM)) {
		flags |= TUN_F_CSUM;
		if (vdev_has(d, VIRTIO_NET_F_GUEST_TSO4))
			flags |= TUN_F_TSO4;
		if (vdev_has(d, VIRTIO_NET_F_GUEST_TSO6))
			flags |= TUN_F_TSO6;
	}
	return flags;
}

static int vnet_activate(struct vdev *d)
{
	struct vnet *n = container_of(d, struct vnet, dev);
	int r, hdr = VNET_HDR_BYTES;

	if (ioctl(n->tap_fd, TUNSETVNETHDRSZ, &hdr) < 0 ||
	    ioctl(n->tap_fd, TUNSETOFFLOAD, (unsigned long)vnet_offloads(d)) < 0)
		return -errno;
	r = vhost_set_queues(d, n->vhost_fd, n->vhost_features);
	return r < 0 ? r : vnet_set_backend(n);
}

static void vnet_reset(struct vdev *d)
{
	const struct vnet *n = container_of(d, struct vnet, dev);

	for (unsigned int i = 0; i < VHOST_QUEUES; i++) {
		struct vhost_vring_file none = {.index = i, .fd = -1};

		vhost_ioctl(n->vhost_fd, VHOST_NET_SET_BACKEND, &none);
	}
}

static const struct vdev_ops vnet_ops = {.activate = vnet_activate, .reset = vnet_reset};

static void vhost_init_dev(struct vdev *d, const struct gmem *m, unsigned int queues,
			   uint32_t queue_size)
{
	d->queue_count = queues;
	d->queue_size = queue_size;
	d->always_used = true;
	vdev_init(d, m);
}

int vnet_init(struct vnet *n, const struct gmem *m, const struct vm_nic *nic, const int *fds,
	      struct err *e)
{
	struct vdev *d = &n->dev;
	int r;

	n->tap_fd = fds[nic->tap_fd];
	n->vhost_fd = fds[nic->vhost_fd];
	r = vhost_open(n->vhost_fd, m, &n->vhost_features);
	if (r < 0)
		return err_sys(e, r, "vhost-net");
	memcpy(n->config.mac, nic->mac, sizeof(n->config.mac));
	n->config.mtu = nic->mtu;
	d->ops = &vnet_ops;
	d->name = "net";
	d->id = VIRTIO_ID_NET;
	d->config = &n->config;
	d->config_bytes = sizeof(n->config);
	d->features = (n->vhost_features & (VHOST_RING_FEATURES | 1ULL << VIRTIO_NET_F_MRG_RXBUF)) |
		      1ULL << VIRTIO_NET_F_MAC | 1ULL << VIRTIO_NET_F_CSUM |
		      1ULL << VIRTIO_NET_F_GUEST_CSUM | 1ULL << VIRTIO_NET_F_GUEST_TSO4 |
		      1ULL << VIRTIO_NET_F_GUEST_TSO6 | 1ULL << VIRTIO_NET_F_HOST_TSO4 |
		      1ULL << VIRTIO_NET_F_HOST_TSO6;
	if (nic->mtu)
		d->features |= 1ULL << VIRTIO_NET_F_MTU;
	vhost_init_dev(d, m, 2, VNET_QUEUE_SIZE);
	return 0;
}

static int vvsock_set_running(const struct vvsock *v, int on)
{
	return vhost_ioctl(v->vhost_fd, VHOST_VSOCK_SET_RUNNING, &on);
}

static int vvsock_activate(struct vdev *d)
{
	struct vvsock *v = container_of(d, struct vvsock, dev);
	int r = vhost_set_queues(d, v->vhost_fd, v->vhost_features);

	return r < 0 ? r : vvsock_set_running(v, 1);
}

static void vvsock_reset(struct vdev *d)
{
	vvsock_set_running(container_of(d, struct vvsock, dev), 0);
}

static const struct vdev_ops vvsock_ops = {.activate = vvsock_activate, .reset = vvsock_reset};

int vvsock_init(struct vvsock *v, const struct gmem *m, int vhost_fd, uint32_t cid, struct err *e)
{
	struct vdev *d = &v->dev;
	uint64_t cid64 = cid;
	int r;

	v->vhost_fd = vhost_fd;
	r = vhost_open(vhost_fd, m, &v->vhost_features);
	if (r == 0)
		r = vhost_ioctl(vhost_fd, VHOST_VSOCK_SET_GUEST_CID, &cid64);
	if (r < 0)
		return err_sys(e, r, "vhost-vsock, cid %u", cid);
	v->config.guest_cid = cid;
	d->ops = &vvsock_ops;
	d->name = "vsock";
	d->id = VIRTIO_ID_VSOCK;
	d->config = &v->config;
	d->config_bytes = sizeof(v->config);
	d->features = v->vhost_features & VHOST_RING_FEATURES;
	vhost_init_dev(d, m, 3, VVSOCK_QUEUE_SIZE);
	return 0;
}
