/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The connection to the host: made again and again until it stands, and again when it breaks.
 *
 * Nothing is queued here. When there is room towards the host, the owner is asked for the next
 * message, so that after a break it simply starts over from its present state.
 */
#ifndef GUEST_LINK_H
#define GUEST_LINK_H

#include "base/loop.h"
#include "proto/guest_msg.h"

struct link_events {
	void (*hello)(struct guest_hello *m); /* fill in the state */
	void (*up)(const struct guest_welcome *m); /* the host knows us */
	void (*down)(void); /* after up(): it hears nothing of us any more */
	void (*frame)(const struct guest_frame *f); /* anything after WELCOME */
	long (*next)(void *out, size_t size); /* the next message, 0 for none */
};

/**
 * link_start() - Connect from the loop
 * @device: a character device to use instead of vsock (the kernel's hyper_port=), or NULL
 */
void link_start(struct loop *l, const struct link_events *events, const char *device);

/** link_pump() - Send what there is to send, as far as the host takes it */
void link_pump(void);

#endif
