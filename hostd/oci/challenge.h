/* SPDX-License-Identifier: Apache-2.0 */
/* What a registry wants to see before it answers (WWW-Authenticate). */
#ifndef OCI_CHALLENGE_H
#define OCI_CHALLENGE_H

#include <stddef.h>

/* Texts may be "" */
struct oci_challenge {
	char realm[512]; /* http:// or https:// URL of the token service */
	char service[256];
	char scope[512];
};

/**
 * oci_challenge_parse() - Find the Bearer challenge in a WWW-Authenticate value
 * @header: several challenges may be in it, of schemes we do not know, too
 * Return: 0; -ENOENT when there is none; -EINVAL when it is malformed, too long, or has no realm.
 * Source: RFC 9110 §11.2 to §11.6.1, RFC 6750 §3; distribution's token authentication.
 */
int oci_challenge_parse(const char *header, struct oci_challenge *challenge);

/**
 * oci_challenge_url() - Where to ask for a token
 * Return: 0; -E2BIG when it does not fit.
 */
int oci_challenge_url(const struct oci_challenge *challenge, char *url, size_t size);

#endif
