/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VMM_SPEC_H
#define VMM_SPEC_H

#include <stddef.h>

#include "base/err.h"
#include "proto/vm_spec.h"

/**
 * spec_check() - Decide whether a packet is a specification that can be worked from
 * @packet:   as received; any alignment
 * @len:      its length [bytes]
 * @fd_count: descriptors that came with it
 * @spec:     filled in on success: all counts, indices and strings are within their bounds
 *
 * Return: 0; -EPROTO when it is of another build; -EINVAL with the field in @e.
 */
int spec_check(const void *packet, size_t len, size_t fd_count, struct vm_spec *spec,
	       struct err *e);

#endif
