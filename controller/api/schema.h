/* SPDX-License-Identifier: Apache-2.0 */
/* Field names and types of kinds (k8s.io/api); read by strict.c, written down with the macros below. */
#ifndef API_SCHEMA_H
#define API_SCHEMA_H

#include <stddef.h>

enum schema_type {
	SCHEMA_STRING,
	SCHEMA_INT,
	SCHEMA_BOOL,
	SCHEMA_INT_OR_STRING,
	SCHEMA_QUANTITY,
	SCHEMA_ANY,
	SCHEMA_OBJECT, /* sub: its members */
	SCHEMA_MAP, /* sub: the one type of its values */
	SCHEMA_LIST, /* sub: the one type of its elements */
};

/* Ends with a NULL name where it lists members. */
struct schema {
	const char *name;
	enum schema_type type;
	const struct schema *sub;
};

extern const struct schema schema_pod[];
extern const struct schema schema_configmap[], schema_secret[], schema_serviceaccount[],
	schema_runtimeclass[], schema_tokenrequest[];

/* Parts: members of metadata, of {name} and of a toleration; one value's type */
extern const struct schema schema_metadata[], schema_local_ref[], schema_toleration[];
extern const struct schema schema_string[], schema_quantity[];

#define STR(n)                         \
	{                              \
		n, SCHEMA_STRING, NULL \
	}
#define INT(n)                      \
	{                           \
		n, SCHEMA_INT, NULL \
	}
#define BOOL(n)                      \
	{                            \
		n, SCHEMA_BOOL, NULL \
	}
#define PORT(n)                               \
	{                                     \
		n, SCHEMA_INT_OR_STRING, NULL \
	}
#define QTY(n)                           \
	{                                \
		n, SCHEMA_QUANTITY, NULL \
	}
#define ANY(n)                      \
	{                           \
		n, SCHEMA_ANY, NULL \
	}
#define OBJ(n, s)                   \
	{                           \
		n, SCHEMA_OBJECT, s \
	}
#define LIST(n, s)                \
	{                         \
		n, SCHEMA_LIST, s \
	}
#define MAP(n, s)                \
	{                        \
		n, SCHEMA_MAP, s \
	}
#define STRS(n)                               \
	{                                     \
		n, SCHEMA_LIST, schema_string \
	}
#define STRMAP(n)                            \
	{                                    \
		n, SCHEMA_MAP, schema_string \
	}
#define OBJS(n, s)                                               \
	{                                                        \
		n, SCHEMA_LIST, &(const struct schema)OBJ("", s) \
	}
#define END                            \
	{                              \
		NULL, SCHEMA_ANY, NULL \
	}

#endif
