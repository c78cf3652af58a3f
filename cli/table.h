/* SPDX-License-Identifier: Apache-2.0 */
/* Text tables: columns as wide as their widest cell, three blanks between, as kubectl prints them. */
#ifndef CLI_TABLE_H
#define CLI_TABLE_H

#include <stdio.h>

#define TABLE_COLUMNS_MAX 12

struct table;

/** table_new() - @headers ends with NULL */
struct table *table_new(const char *const *headers);

/** table_add() - One row; NULL and "" show as "-"; unprintable characters are escaped */
void table_add(struct table *t, const char *const *cells);

/** table_print() - Write it and free it */
void table_print(struct table *t, FILE *out);

#endif
