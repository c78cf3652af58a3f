/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Between hostd and hostd-api: one SEQPACKET socket, fixed-size packets of one build. hostd-api
 * asks, hostd answers in any order, with descriptors when it could do what was asked.
 */
#ifndef API_WIRE_H
#define API_WIRE_H

#include "api/api.h"

/* Descriptors that hostd-api is started with */
enum {
	API_FD_CONTROL = 3, /* this socket */
	API_FD_LISTEN, /* the listening TCP socket */
	API_FD_PEM, /* a file: certificate, NUL, key, NUL, client CA, NUL */
	API_FD_COUNT,
};

#define API_PEM_MAX (256 << 10)

#define API_WIRE_FDS_MAX 3 /* of an answer */

#define API_WIRE_ARGS_BYTES (48 << 10) /* of an exec's arguments */

enum api_wire_kind {
	API_WIRE_LOG,
	API_WIRE_EXEC,
	API_WIRE_ATTACH,
	API_WIRE_STATS, /* what is used: a JSON text in a file, see api_measured() */
	API_WIRE_PODS, /* the PodList */
	API_WIRE_HOST_LOG, /* the host's own log: {log, inotify, what was before it, if any} */
	API_WIRE_ALLOW, /* may a client? args: user, verb, subresource, groups…; code 0 or -EACCES */
};

/* Sent as far as it is filled: up to args + arg_bytes */
struct api_wire_ask {
	uint32_t id;
	uint32_t kind;
	struct api_log_query query;
	uint64_t after_inode; /* of a log: the file that was rotated away; 0: the newest is wanted */
	uint8_t tty, with_stdin; /* of exec and attach */
	uint32_t arg_count, arg_bytes;
	char args[API_WIRE_ARGS_BYTES]; /* each with its NUL */
};

struct api_wire_answer {
	uint32_t id;
	int32_t code; /* 0: descriptors come along, as the kind has them; else -errno */
	uint8_t rotated; /* of a log: another file goes on behind this one */
	char msg[ERR_MSG_MAX];
};

#endif
