/* SPDX-License-Identifier: Apache-2.0 */
/* The developer's mode: what hostd does, from a command line. */
#ifndef VMM_DEV_H
#define VMM_DEV_H

#include <stdbool.h>

#include "base/err.h"
#include "proto/vm_spec.h"

/**
 * dev_prepare() - Open what the arguments name and describe it as hostd would
 * @spec:   filled in and checked
 * @fds:    VM_FDS_MAX entries, filled in
 * @jailed: set to false by --no-jail
 * Return: 0 or -errno.
 */
int dev_prepare(int argc, char **argv, struct vm_spec *spec, int *fds, bool *jailed, struct err *e);

#endif
