/* SPDX-License-Identifier: Apache-2.0 */
/* Volumes of the pod that drive describes, and the files that it sends for them. */
#ifndef GUEST_TESTS_DRIVE_VOLUME_H
#define GUEST_TESTS_DRIVE_VOLUME_H

#include "base/loop.h"
#include "vm/session.h"

/**
 * drive_volume_option() - Take an option
 * --fs-group GID, --volume disk | disk@OFFSET+SIZE | memory | memory+SIZE | files: the next volume
 * --file VOLUME NAME=TEXT: what it has at first; behind --update-after-ms N what it has then
 * --mount VOLUME PATH SUBPATH rw|ro: of the last container
 * Return: how many words were taken, 0 if it is none of them.
 */
int drive_volume_option(char **argv, struct guest_run *run, struct guest_container *c);

/** drive_volume_send() - Before RUN: send the files; the changed ones follow later */
void drive_volume_send(struct loop *l, struct session *s, struct guest_run *run);

#endif
