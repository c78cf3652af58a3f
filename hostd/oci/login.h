/* SPDX-License-Identifier: Apache-2.0 */
/* Logins on their way from a pod's secrets to hostd-image: chosen here, used there. Private to the module. */
#ifndef OCI_LOGIN_H
#define OCI_LOGIN_H

#include "base/buf.h"
#include "oci/oci.h"
#include "oci/ref.h"

#define LOGINS_MAX	16 /* places of one image: registry and mirrors */
#define LOGIN_BYTES_MAX 16384

/**
 * login_choose() - Write those that an image's registry and its mirrors may see: HOST, a blank, base64, a line each
 * @out: appended to; should be secret
 * Return: 0 or as buf_append().
 */
int login_choose(const struct oci_ref *ref, const char *const *mirrors, size_t mirror_count,
		 const struct oci_login *logins, size_t count, struct buf *out);

/**
 * login_parse() - Read that again, in place
 * Return: how many; -EBADMSG.
 */
int login_parse(char *text, struct oci_login *logins, size_t max);

/** login_host() - HOST[:PORT] of a URL. Return: -ENAMETOOLONG when it does not fit */
int login_host(const char *url, char *host, size_t size);

/** login_find() - The login for exactly this host, or NULL */
const struct oci_login *login_find(const struct oci_login *logins, size_t count, const char *host);

#endif
