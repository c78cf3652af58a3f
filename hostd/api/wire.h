/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Between hostd and hostd-api: one SEQPACKET socket, fixed-size packets of one build. hostd-api
 * asks, hostd answers in any order, with two descriptors when it could open the log.
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

struct api_wire_ask {
	uint32_t id;
	struct api_log_query query;
};

struct api_wire_answer {
	uint32_t id;
	int32_t code; /* 0: the descriptors {log, inotify} come along; else -errno */
	char msg[ERR_MSG_MAX];
};

#endif
