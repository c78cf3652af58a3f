/* SPDX-License-Identifier: Apache-2.0 */
/* Where things lie in the guest's physical address space and on its interrupt lines. */
#ifndef VMM_LAYOUT_H
#define VMM_LAYOUT_H

#define LAYOUT_PVH_INFO	   0x6000U /* hvm_start_info, module list, memory map */
#define LAYOUT_ZERO_PAGE   0x7000U /* 64-bit boot protocol */
#define LAYOUT_PAGE_TABLES 0x9000U /* 3 pages: identity map of the first GiB */
#define LAYOUT_CMDLINE	   0x20000U
#define LAYOUT_CMDLINE_MAX 2048U /* the kernel's COMMAND_LINE_SIZE */
#define LAYOUT_LOW_END	   0xa0000U
#define LAYOUT_MPTABLE	   0xf0000U
#define LAYOUT_HIGH_START  0x100000U
#define LAYOUT_TSS	   0xfffbd000U /* three pages that KVM wants on Intel; outside RAM */

#define LAYOUT_IOAPIC	   0xfec00000U
#define LAYOUT_LAPIC	   0xfee00000U
#define LAYOUT_IOAPIC_PINS 24

/* virtio-mmio devices: one page and one line each, in order */
#define LAYOUT_VIRTIO_BASE   0xd0000000U
#define LAYOUT_VIRTIO_STRIDE 0x1000U
#define LAYOUT_VIRTIO_IRQ    5
#define LAYOUT_VIRTIO_MAX    (LAYOUT_IOAPIC_PINS - LAYOUT_VIRTIO_IRQ)

#define LAYOUT_SERIAL_PORT 0x3f8
#define LAYOUT_SERIAL_IRQ  4

#endif
