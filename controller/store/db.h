/* SPDX-License-Identifier: Apache-2.0 */
/* The database file behind the store; private to store/. */
#ifndef STORE_DB_H
#define STORE_DB_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct db;

/** db_open() - Return: 0; -EBUSY when another process holds it; -errno */
int db_open(const char *path, struct db **out, struct err *e);
struct db *db_close(struct db *db);

/** db_load() - Call @fn for each row. Return: 0 or -errno */
int db_load(struct db *db,
	    int (*fn)(void *arg, const char *resource, const char *namespace, const char *name,
		      uint64_t rev, const char *text, size_t len),
	    void *arg, struct err *e);

int db_put(struct db *db, const char *resource, const char *namespace, const char *name,
	   uint64_t rev, const char *text, size_t len, struct err *e);
int db_delete(struct db *db, const char *resource, const char *namespace, const char *name,
	      struct err *e);

/** db_get_ceiling() - The number below which all revisions may have been given out */
int db_get_ceiling(struct db *db, uint64_t *rev, struct err *e);
int db_set_ceiling(struct db *db, uint64_t rev, struct err *e);

#endif
