/* SPDX-License-Identifier: Apache-2.0 */
/* FILES messages: collected from their frames and written into the volume they are for. */
#ifndef GUEST_FILES_H
#define GUEST_FILES_H

#include "base/err.h"
#include "proto/guest_msg.h"

/**
 * files_frame() - Take a frame of FILES; the last of a message writes the volume
 * Return: 0; -errno with the reason in @e: the message is dropped, the volume as it was.
 */
int files_frame(const struct guest_frame *f, struct err *e);

/** files_reset() - A new connection: forget half a message of the last one */
void files_reset(void);

#endif
