/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Kubernetes' channel protocols for exec and attach over a WebSocket: binary messages whose first byte
 * names the channel. v5 adds CHANNEL_CLOSE, which says in its second byte which channel has ended.
 */
#ifndef HTTP_CHANNEL_H
#define HTTP_CHANNEL_H

#define CHANNEL_V4 "v4.channel.k8s.io"
#define CHANNEL_V5 "v5.channel.k8s.io"

enum channel {
	CHANNEL_STDIN,
	CHANNEL_STDOUT,
	CHANNEL_STDERR,
	CHANNEL_STATUS, /* a metav1.Status in JSON, the last that the server says */
	CHANNEL_RESIZE, /* {"Width":columns,"Height":lines} */
	CHANNEL_CLOSE = 255,
	CHANNEL_NONE = -1, /* not named yet, or a message without one */
};

#endif
