/* SPDX-License-Identifier: Apache-2.0 */
/* The controller's command line. */
#ifndef CONTROLLER_OPTIONS_H
#define CONTROLLER_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct listen_address {
	char host[64]; /* numeric */
	uint16_t port;
};

struct options {
	const char *data;
	struct listen_address api, boot;
	bool serve_boot;
	const char *images;
	unsigned int ready_within_s; /* 0: the default */
	const char *advertise_api, *advertise_boot; /* URLs without a path */
	const char *kubeconfig; /* written, or with --api read; NULL: none */
	const char *host_settings, *host_settings_dir;
	bool enrol_manual;
	const char *boot_args;
	const char *remote_api; /* --api */
};

/**
 * options_read() - Read the command line
 * Return: 0; 1 when --help was answered; -EINVAL with the reason in @e.
 */
int options_read(struct options *o, int argc, char **argv, struct err *e);

/** listen_parse() - "ADDR:PORT", "[ADDR]:PORT" or ":PORT". Return: 0 or -EINVAL */
int listen_parse(const char *text, struct listen_address *out);

/** url_host() - The host of "scheme://HOST[:PORT][/…]" without brackets. Return: 0 or -EINVAL */
int url_host(const char *url, char *out, size_t size);

/** url_check() - Whether the value of option @name is a URL; NULL is. Return: 0; -EINVAL with the reason in @e */
int url_check(const char *name, const char *url, const char *scheme, struct err *e);

#endif
