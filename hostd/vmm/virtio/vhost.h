/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Devices whose queues the host kernel works: net by vhost-net on a tap, vsock by vhost-vsock.
 *
 * hypervm only carries the driver's settings over when it says DRIVER_OK. Notifications go from the
 * ioeventfd straight to the kernel, interrupts from the kernel straight to the irqfd.
 */
#ifndef VMM_VIRTIO_VHOST_H
#define VMM_VIRTIO_VHOST_H

#include <linux/virtio_net.h>
#include <linux/virtio_vsock.h>

#include "base/err.h"
#include "proto/vm_spec.h"
#include "vmm/virtio/mmio.h"

struct vnet {
	struct vdev dev;
	struct virtio_net_config config;
	int tap_fd;
	int vhost_fd;
	uint64_t vhost_features;
};

struct vvsock {
	struct vdev dev;
	struct virtio_vsock_config config;
	int vhost_fd;
	uint64_t vhost_features;
};

/**
 * vnet_init() - Take the descriptors of one network interface
 * Return: 0; -errno of the first vhost call, e.g. when the descriptor is no vhost-net.
 * Source: virtio 1.2 §5.1.
 */
int vnet_init(struct vnet *n, const struct gmem *m, const struct vm_nic *nic, const int *fds,
	      struct err *e);

/**
 * vvsock_init() - Take the vsock device and the guest's address
 * @cid: unique on the host; -EADDRINUSE when it is not
 * Return: 0 or -errno.
 * Source: virtio 1.2 §5.10.
 */
int vvsock_init(struct vvsock *v, const struct gmem *m, int vhost_fd, uint32_t cid, struct err *e);

#endif
