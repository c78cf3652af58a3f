/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The boot service: what a machine is told between its firmware and its kernel, over plain HTTP.
 *
 *	GET /boot/ipxe                    a script that asks again with what iPXE knows of the machine
 *	GET /boot/ipxe?mac&uuid&serial    the script that boots it
 *	GET /boot/image/VERSION/kernel, initramfs   the image that the script names
 *	GET /boot/kernel, /boot/initramfs the default image, for scripts that others write
 *	GET /boot/undionly.kpxe, snponly.efi, autoexec.ipxe   iPXE, and what it looks for beside itself
 *	GET /boot/host/ID.cpio            this boot's own piece: CA, one-time token, settings
 *
 * A machine that cannot be served is sent round again: every answer to /boot/ipxe is a script that
 * ends in a boot or in another try. Which image a machine gets is decided elsewhere, each time anew.
 */
#ifndef BOOT_BOOT_H
#define BOOT_BOOT_H

#include <stdint.h>

#include "base/err.h"
#include "base/loop.h"

#define BOOT_NODE_NAME_MAX 64
#define BOOT_TOKEN_MAX	   64
#define BOOT_VERSION_MAX   64

struct boot;

/* What iPXE said of a machine, checked; "" where it said nothing */
struct boot_host {
	char mac[18]; /* "52:54:00:12:34:56" */
	char uuid[37]; /* lower case */
	char serial[65];
	char node_name[BOOT_NODE_NAME_MAX]; /* from the settings, or made of the MAC */
	char advertise[64]; /* the setting of that name: ADDR:PORT, or "" */
	char console[32]; /* the setting of that name: ttyS1,115200n8, or "" */
};

struct boot_config {
	const char *address;
	uint16_t port;
	const char *boot_url; /* how machines reach this service, e.g. "http://192.0.2.10:6480" */
	const char *api_url; /* how they reach the API */
	const char *ca_pem; /* that the API's certificate is signed by */
	const char *settings_file; /* KEY=VALUE lines for all hosts, or NULL */
	const char *settings_dir; /* files by MAC address with dashes, for one host each, or NULL */
	const char *boot_args; /* kernel parameters, or NULL */
};

/* The image that a machine gets */
struct boot_image {
	char version[BOOT_VERSION_MAX]; /* good in a URL as it is */
	unsigned int limit_s; /* the host reboots when it is not Ready by then; 0: it does not */
};

struct boot_ops {
	/*
	 * A machine is about to boot: record it and mint its token.
	 * @token: BOOT_TOKEN_MAX bytes
	 * Return: 0; -errno with the reason in @e: the machine is sent round again.
	 */
	int (*mint)(const struct boot_host *host, char *token, struct err *e, void *arg);
	/* It has its token: which image? Return: 0; -errno with the reason in @e: as above */
	int (*choose)(const struct boot_host *host, struct boot_image *image, struct err *e,
		      void *arg);
	/*
	 * Open a file of an image: bzImage, initramfs or a network boot loader
	 * @version: "": the default one
	 * Return: a descriptor or -errno.
	 */
	int (*open)(const char *version, const char *name, void *arg);
};

/** boot_new() - Serve. Strings of @config are copied. Return: 0 or -errno */
int boot_new(struct loop *loop, const struct boot_config *config, const struct boot_ops *ops,
	     void *arg, struct boot **boot, struct err *e);

struct boot *boot_free(struct boot *boot);

/** boot_port() - The port listened on */
uint16_t boot_port(const struct boot *boot);

#endif
