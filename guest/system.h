/* SPDX-License-Identifier: Apache-2.0 */
/* The guest as a machine: what is mounted at the start, what a RUN changes, and how it ends. */
#ifndef GUEST_SYSTEM_H
#define GUEST_SYSTEM_H

#include "base/err.h"
#include "proto/guest_msg.h"
#include "proto/vm_spec.h"

/** system_mark() - Tell the VMM that a moment was reached (proto/vm_spec.h) */
void system_mark(enum vm_mark mark);

/** system_init() - Mount the kernel's file systems, open the console, set limits. Return: or -errno */
int system_init(struct err *e);

/** system_set_up() - Make the machine the pod's: clock, name, network, disks. Return: 0 or -errno */
int system_set_up(const struct guest_run *run, struct err *e);

/** system_power_off() - End the VM, and with it its disks: nothing is written back */
_Noreturn void system_power_off(void);

#endif
