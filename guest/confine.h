/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a container's process may do in the guest: capabilities, identity, system calls.
 *
 * The wall around the pod is the virtual machine. Inside it containers are kept apart from each other
 * and from hyperstart: none may open a vsock socket, for the host takes whoever speaks from
 * this VM for hyperstart.
 */
#ifndef GUEST_CONFINE_H
#define GUEST_CONFINE_H

#include "base/err.h"
#include "proto/guest_msg.h"
#include "user.h"

/** confine_caps() - The capabilities that a container's root has: the usual 14, less and more */
uint64_t confine_caps(const struct guest_container *c);

/**
 * confine_default_calls() - Refuse what container runtimes refuse by default (seccompProfile RuntimeDefault)
 * @caps: the container's: some calls are for those who have a capability
 * Return: 0 or -errno.
 */
int confine_default_calls(uint64_t caps, struct err *e);

/**
 * confine_apply() - Take on the container's identity and drop the rest, for good
 * Context: the container's process, just before exec.
 * Return: 0 or -errno.
 */
int confine_apply(const struct guest_container *c, const struct user *u, struct err *e);

#endif
