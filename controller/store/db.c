// SPDX-License-Identifier: Apache-2.0
/*
 * SQLite, and the only file that knows it. One table of objects, one of counters. WAL with full
 * synchronisation: what was acknowledged survives a power failure. The file is locked exclusively
 * for the life of the process, so that a second controller on the same folder fails at once.
 */
#include "db.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/mem.h"

#define SCHEMA_VERSION 1

struct db {
	sqlite3 *sql;
	sqlite3_stmt *put, *del, *ceiling;
};

static int db_fail(const struct db *db, struct err *e, const char *what)
{
	int rc = db->sql ? sqlite3_errcode(db->sql) : SQLITE_NOMEM;
	int code = rc == SQLITE_BUSY || rc == SQLITE_LOCKED ? -EBUSY
		   : rc == SQLITE_FULL			    ? -ENOSPC
							    : -EIO;

	return err_set(e, code, "database: %s: %s", what,
		       db->sql ? sqlite3_errmsg(db->sql) : "out of memory");
}

static int db_exec(struct db *db, const char *sql, struct err *e)
{
	return sqlite3_exec(db->sql, sql, NULL, NULL, NULL) == SQLITE_OK ? 0 : db_fail(db, e, sql);
}

static int db_get_int(struct db *db, const char *sql, int64_t *value, struct err *e)
{
	sqlite3_stmt *st;
	int r = 0;

	*value = 0;
	if (sqlite3_prepare_v2(db->sql, sql, -1, &st, NULL) != SQLITE_OK)
		return db_fail(db, e, sql);
	switch (sqlite3_step(st)) {
	case SQLITE_ROW:
		*value = sqlite3_column_int64(st, 0);
		break;
	case SQLITE_DONE:
		break;
	default:
		r = db_fail(db, e, sql);
	}
	sqlite3_finalize(st);
	return r;
}

static int db_schema(struct db *db, struct err *e)
{
	int64_t version;
	int r = db_get_int(db, "PRAGMA user_version", &version, e);

	if (r < 0)
		return r;
	if (version > SCHEMA_VERSION)
		return err_set(e, -EPROTO,
			       "database: written by a newer version (schema %lld, known is %d)",
			       (long long)version, SCHEMA_VERSION);
	if (version == SCHEMA_VERSION)
		return 0;
	return db_exec(db,
		       "BEGIN;"
		       "CREATE TABLE object(resource TEXT, namespace TEXT, name TEXT,"
		       " rev INTEGER NOT NULL, body TEXT NOT NULL,"
		       " PRIMARY KEY(resource, namespace, name)) WITHOUT ROWID;"
		       "CREATE TABLE counter(name TEXT PRIMARY KEY, value INTEGER NOT NULL);"
		       "PRAGMA user_version=1;"
		       "COMMIT",
		       e);
}

static int db_prepare(struct db *db, const char *sql, sqlite3_stmt **st, struct err *e)
{
	return sqlite3_prepare_v3(db->sql, sql, -1, SQLITE_PREPARE_PERSISTENT, st, NULL) ==
			       SQLITE_OK
		       ? 0
		       : db_fail(db, e, sql);
}

static int db_set_up(struct db *db, struct err *e)
{
	static const char *const sql[] = {
		"PRAGMA locking_mode=EXCLUSIVE",
		"PRAGMA journal_mode=WAL",
		"PRAGMA synchronous=FULL",
		"BEGIN IMMEDIATE; COMMIT",
	};
	int r;

	for (size_t i = 0; i < ARRAY_SIZE(sql); i++) {
		r = db_exec(db, sql[i], e);
		if (r < 0)
			return r;
	}
	r = db_schema(db, e);
	if (r == 0)
		r = db_prepare(db, "INSERT OR REPLACE INTO object VALUES(?,?,?,?,?)", &db->put, e);
	if (r == 0)
		r = db_prepare(db, "DELETE FROM object WHERE resource=? AND namespace=? AND name=?",
			       &db->del, e);
	if (r == 0)
		r = db_prepare(db, "INSERT OR REPLACE INTO counter VALUES('ceiling',?)",
			       &db->ceiling, e);
	return r;
}

int db_open(const char *path, struct db **out, struct err *e)
{
	struct db *db = mem_alloc(sizeof(*db));
	mode_t old = umask(0077); /* secrets are in it */
	int r = sqlite3_open_v2(path, &db->sql, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL);

	r = r == SQLITE_OK ? db_set_up(db, e) : db_fail(db, e, path);
	umask(old);
	if (r == -EBUSY)
		err_set(e, r, "database: %s is in use by another process", path);
	if (r < 0) {
		db_close(db);
		return r;
	}
	*out = db;
	return 0;
}

struct db *db_close(struct db *db)
{
	if (!db)
		return NULL;
	sqlite3_finalize(db->put);
	sqlite3_finalize(db->del);
	sqlite3_finalize(db->ceiling);
	sqlite3_close(db->sql);
	free(db);
	return NULL;
}

int db_load(struct db *db,
	    int (*fn)(void *arg, const char *resource, const char *namespace, const char *name,
		      uint64_t rev, const char *text, size_t len),
	    void *arg, struct err *e)
{
	sqlite3_stmt *st;
	int rc, r = db_prepare(db,
			       "SELECT resource, namespace, name, rev, body FROM object"
			       " ORDER BY resource, namespace, name",
			       &st, e);

	if (r < 0)
		return r;
	while (r == 0 && (rc = sqlite3_step(st)) == SQLITE_ROW)
		r = fn(arg, (const char *)sqlite3_column_text(st, 0),
		       (const char *)sqlite3_column_text(st, 1),
		       (const char *)sqlite3_column_text(st, 2),
		       (uint64_t)sqlite3_column_int64(st, 3),
		       (const char *)sqlite3_column_text(st, 4),
		       (size_t)sqlite3_column_bytes(st, 4));
	if (r == 0 && rc != SQLITE_DONE)
		r = db_fail(db, e, "read objects");
	sqlite3_finalize(st);
	return r;
}

/* Run a statement that returns nothing and make it ready for the next time. */
static int db_run(struct db *db, sqlite3_stmt *st, const char *what, struct err *e)
{
	int r = sqlite3_step(st) == SQLITE_DONE ? 0 : db_fail(db, e, what);

	sqlite3_reset(st);
	sqlite3_clear_bindings(st);
	return r;
}

static void db_bind_key(sqlite3_stmt *st, const char *resource, const char *namespace,
			const char *name)
{
	sqlite3_bind_text(st, 1, resource, -1, SQLITE_STATIC);
	sqlite3_bind_text(st, 2, namespace, -1, SQLITE_STATIC);
	sqlite3_bind_text(st, 3, name, -1, SQLITE_STATIC);
}

int db_put(struct db *db, const char *resource, const char *namespace, const char *name,
	   uint64_t rev, const char *text, size_t len, struct err *e)
{
	db_bind_key(db->put, resource, namespace, name);
	sqlite3_bind_int64(db->put, 4, (sqlite3_int64)rev);
	sqlite3_bind_text(db->put, 5, text, (int)len, SQLITE_STATIC);
	return db_run(db, db->put, "write object", e);
}

int db_delete(struct db *db, const char *resource, const char *namespace, const char *name,
	      struct err *e)
{
	db_bind_key(db->del, resource, namespace, name);
	return db_run(db, db->del, "delete object", e);
}

int db_get_ceiling(struct db *db, uint64_t *rev, struct err *e)
{
	int64_t value;
	int r = db_get_int(db, "SELECT value FROM counter WHERE name='ceiling'", &value, e);

	*rev = (uint64_t)value;
	return r;
}

int db_set_ceiling(struct db *db, uint64_t rev, struct err *e)
{
	sqlite3_bind_int64(db->ceiling, 1, (sqlite3_int64)rev);
	return db_run(db, db->ceiling, "write counter", e);
}
