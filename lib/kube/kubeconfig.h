/* SPDX-License-Identifier: Apache-2.0 */
/* kubeconfig files (client-go, clientcmd/api/v1): the one context in use, flattened. */
#ifndef KUBE_KUBECONFIG_H
#define KUBE_KUBECONFIG_H

#include "base/err.h"

struct kubeconfig {
	char *server; /* https://host:port, without a slash at the end */
	char *ca_pem; /* NULL: the system's */
	char *cert_pem, *key_pem; /* client certificate, or NULL */
	char *token; /* bearer token, or NULL */
	char *namespace; /* never NULL */
};

/**
 * kubeconfig_find() - The file to use
 * @given: --kubeconfig, or NULL
 * Looks at @given, $KUBECONFIG, out/run/kubeconfig here and beside the program, ~/.kube/config.
 * Return: its path (free() it), or NULL with what was tried in @e.
 */
char *kubeconfig_find(const char *given, struct err *e);

/** kubeconfig_load() - Read a file. Return: 0, or -errno with place and reason */
int kubeconfig_load(const char *path, struct kubeconfig *k, struct err *e);

/** kubeconfig_parse() - Read a text; @dir is what relative paths in it are relative to */
int kubeconfig_parse(const char *text, size_t len, const char *dir, struct kubeconfig *k,
		     struct err *e);

void kubeconfig_done(struct kubeconfig *k);

#endif
