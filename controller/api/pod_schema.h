/* SPDX-License-Identifier: Apache-2.0 */
/* Field names and types of Pod v1 (k8s.io/api core/v1); see strict.c. */
#ifndef API_POD_SCHEMA_H
#define API_POD_SCHEMA_H

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
extern const struct schema schema_metadata[]; /* one: the type of metadata */

#endif
