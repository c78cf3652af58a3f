/* SPDX-License-Identifier: Apache-2.0 */
/* What every namespace has of its own; private to api/. */
#ifndef API_ACCOUNT_H
#define API_ACCOUNT_H

#include "internal.h"

/**
 * account_fill_namespace() - Make the default ServiceAccount and the CA's ConfigMap, or put them right
 * @site: NULL or without a CA: no ConfigMap
 * Return: 0, also for a namespace that is being deleted; -errno.
 */
int account_fill_namespace(struct store *s, const struct api_site *site, const char *ns,
			   struct err *e);

/* Fills all namespaces that there are, and puts back what is removed from them. */
struct account_keeper;
int account_keeper_new(struct store *s, const struct api_site *site, struct account_keeper **out,
		       struct err *e);
struct account_keeper *account_keeper_free(struct account_keeper *k);

#endif
