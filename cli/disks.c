// SPDX-License-Identifier: Apache-2.0
#include "disks.h"

#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "cmd.h"
#include "table.h"

#define DISKS_ANNOTATION "hypermetal.io/disks"

struct json_doc *disks_of(const struct json *node)
{
	const char *text =
		json_str(json_at(node, "metadata", "annotations", DISKS_ANNOTATION, NULL), NULL);
	struct json_doc *doc = NULL;

	if (!text || json_parse(text, strlen(text), &doc, NULL) < 0)
		return NULL;
	return json_is_obj(json_root(doc)) ? doc : json_doc_free(doc);
}

static const char *text_of(const struct json *o, const char *key)
{
	return json_str(json_get(o, key), "");
}

void disks_print(const struct json *report, FILE *out)
{
	static const char *const headers[] = {"NAME", "SERIAL",	 "STATE", "HOLDS",
					      "USE",  "TROUBLE", NULL};
	struct json_iter it = json_iter(json_get(report, "disks"));
	char why[1024];
	struct table *t;

	if (!json_count(json_get(report, "disks")))
		return;
	fprintf(out, "\nWhat the disks hold (data=%s",
		str_visible(why, sizeof(why), text_of(report, "data")));
	if (*text_of(report, "why"))
		fprintf(out, "; none is used: %s",
			str_visible(why, sizeof(why), text_of(report, "why")));
	fprintf(out, "):\n");
	t = table_new(headers);
	while (json_next(&it))
		table_add(t,
			  (const char *[]){text_of(it.value, "name"), text_of(it.value, "serial"),
					   text_of(it.value, "state"), text_of(it.value, "holds"),
					   text_of(it.value, "use"), text_of(it.value, "error")});
	table_print(t, out);
}
