/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the guest protocol share. Private to them. */
#ifndef PROTO_GUEST_FRAME_H
#define PROTO_GUEST_FRAME_H

#include "proto/guest_msg.h"
#include "proto/wire.h"

/** frame_begin() - Write a frame's header; its length is filled in by frame_end() */
void frame_begin(struct wire_writer *w, void *out, size_t size, enum guest_msg_type type,
		 uint16_t stream);

/** frame_end() - Return: the whole frame's length; -ENOBUFS when it did not fit */
long frame_end(struct wire_writer *w);

/** frame_read() - Start reading a frame's payload */
void frame_read(struct wire_reader *r, const struct guest_frame *f);

/** frame_heads() - Room for the headers of all frames of a long message */
static inline size_t frame_heads(size_t len)
{
	return GUEST_FRAMES_BYTES(len) - len;
}

/**
 * frame_split() - Spread a long message over frames
 * @out:     where the frames go
 * @payload: frame_heads() behind @out: all headers fit in front, so spreading never overtakes what is read
 * Return: bytes of all frames.
 */
long frame_split(uint8_t *out, const uint8_t *payload, size_t len, enum guest_msg_type type);

bool container_valid(uint16_t container);

/* ---- guest_run.c ---- */

void run_put_strings(struct wire_writer *w, const struct guest_strings *s);

/** run_get_strings() - A list into m->strings; more than @max entries, or longer ones, make @r fail */
void run_get_strings(struct wire_reader *r, struct guest_run *m, struct guest_strings *s,
		     uint32_t max, size_t str_max);

/* ---- guest_probe.c: the part of a container in RUN ---- */

void life_put(struct wire_writer *w, const struct guest_life *l);
void life_get(struct wire_reader *r, struct guest_run *m, struct guest_life *l);

#endif
