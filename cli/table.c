// SPDX-License-Identifier: Apache-2.0
#include "table.h"

#include <string.h>

#include "base/mem.h"
#include "base/str.h"

#define TABLE_CELL_MAX 1024

struct table {
	size_t columns, rows;
	char **cells; /* rows * columns, headers first */
	size_t widths[TABLE_COLUMNS_MAX];
};

void table_add(struct table *t, const char *const *cells)
{
	char safe[TABLE_CELL_MAX];

	t->cells = realloc(t->cells, (t->rows + 1) * t->columns * sizeof(*t->cells));
	if (!t->cells)
		abort();
	for (size_t i = 0; i < t->columns; i++) {
		str_visible(safe, sizeof(safe), cells[i] && *cells[i] ? cells[i] : "-");
		t->cells[t->rows * t->columns + i] = mem_strdup(safe);
		t->widths[i] = MAX(t->widths[i], strlen(safe));
	}
	t->rows++;
}

struct table *table_new(const char *const *headers)
{
	struct table *t = mem_alloc(sizeof(*t));

	while (t->columns < TABLE_COLUMNS_MAX && headers[t->columns])
		t->columns++;
	table_add(t, headers);
	return t;
}

void table_print(struct table *t, FILE *out)
{
	for (size_t i = 0; i < t->rows * t->columns; i++) {
		size_t column = i % t->columns;

		if (column + 1 == t->columns)
			fprintf(out, "%s\n", t->cells[i]);
		else
			fprintf(out, "%-*s", (int)t->widths[column] + 3, t->cells[i]);
		free(t->cells[i]);
	}
	free(t->cells);
	free(t);
}
