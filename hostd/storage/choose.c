// SPDX-License-Identifier: Apache-2.0
/*
 * One disk is used, the others are left alone: what fails then is one thing, and a host that was given the wrong names
 * has touched as little as can be. `auto` takes what cannot be anybody's; a name is the operator's word, but not against
 * what lies on the disk.
 */
#include "storage/storage.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"

#define CHOOSE_BYTES_MIN ((int64_t)1 << 30) /* for auto: a smaller one is no gain */

static const char *text_of(const struct json *disk, const char *key)
{
	return json_str(json_get(disk, key), "");
}

static bool is(const struct json *disk, const char *key)
{
	return json_bool(json_get(disk, key), false);
}

/* NULL: it may be used. Else why not */
static const char *choose_objection(const struct json *disk)
{
	const char *state = text_of(disk, "state");

	if (*text_of(disk, "error"))
		return text_of(disk, "error");
	if (is(disk, "readOnly"))
		return "it is read-only";
	if (str_eq(state, "empty") || str_eq(state, "ours"))
		return NULL;
	return *text_of(disk, "holds") ? text_of(disk, "holds") : state;
}

static bool choose_auto_likes(const struct json *disk)
{
	return !choose_objection(disk) && !is(disk, "removable") &&
	       !str_eq(text_of(disk, "transport"), "usb") &&
	       json_int(json_get(disk, "sizeBytes"), 0) >= CHOOSE_BYTES_MIN;
}

/* One that does not turn before one that does, then the larger, then the first */
static bool choose_better(const struct json *a, const struct json *b)
{
	if (!b)
		return true;
	if (is(a, "rotational") != is(b, "rotational"))
		return !is(a, "rotational");
	return json_int(json_get(a, "sizeBytes"), 0) > json_int(json_get(b, "sizeBytes"), 0);
}

/* "sda", "/dev/sda", a serial number, a WWN with or without its kind ("naa.", "eui."), or "pci-0000:00:12.0" */
static bool choose_means(const char *word, const struct json *disk)
{
	const char *wwid = text_of(disk, "wwid"), *dot = strchr(wwid, '.');
	const char *name = str_starts(word, "/dev/"), *pci = str_starts(word, "pci-");

	return str_eq(name ? name : word, text_of(disk, "name")) ||
	       (*text_of(disk, "serial") && str_eq(word, text_of(disk, "serial"))) ||
	       (*wwid && (str_eq(word, wwid) || (dot && str_eq(word, dot + 1)))) ||
	       (pci && *text_of(disk, "pci") && str_eq(pci, text_of(disk, "pci")));
}

static void choose_why(struct storage_choice *c, const char *word, const char *why)
{
	size_t n = strlen(c->why);

	snprintf(c->why + n, sizeof(c->why) - n, "%s%s: %s", n ? "; " : "", word, why);
}

/* The one disk that a word means; NULL, and it is said why there is none */
static struct json *choose_find(const struct json *disks, const char *word,
				struct storage_choice *c)
{
	struct json_iter it = json_iter(disks);
	struct json *found = NULL;

	while (json_next(&it)) {
		if (!choose_means(word, it.value))
			continue;
		if (found) {
			choose_why(c, word, "several disks are called so");
			return NULL;
		}
		found = it.value;
	}
	if (!found)
		choose_why(c, word, "there is no such disk");
	return found;
}

static struct json *choose_auto(const struct json *disks, struct storage_choice *c)
{
	struct json_iter it = json_iter(disks);
	struct json *found = NULL;

	while (json_next(&it))
		if (choose_auto_likes(it.value) && choose_better(it.value, found))
			found = it.value;
	if (!found)
		choose_why(c, "auto", "no disk is empty or ours, built in, and has a GiB");
	return found;
}

static struct json *choose_named(const struct json *disks, const char *data,
				 struct storage_choice *c)
{
	_cleanup_free_ char *words = mem_strdup(data);
	struct json *found = NULL;
	char *rest = words, *word;

	while (!found && (word = strsep(&rest, ","))) {
		const char *objection;

		found = choose_find(disks, word, c);
		objection = found ? choose_objection(found) : NULL;
		if (objection) {
			choose_why(c, word, objection);
			found = NULL;
		}
	}
	return found;
}

void storage_choose(struct json_doc *doc, struct json *disks, const char *data,
		    struct storage_choice *choice)
{
	struct json_iter it = json_iter(disks);
	struct json *found = NULL;

	*choice = (struct storage_choice){0};
	if (str_eq(data, "auto"))
		found = choose_auto(disks, choice);
	else if (!str_eq(data, "none"))
		found = choose_named(disks, data, choice);
	if (found && str_copy(choice->name, sizeof(choice->name), text_of(found, "name")) == 0)
		choice->why[0] = '\0';
	while (json_next(&it))
		json_put_str(doc, it.value, "use",
			     it.value == found			  ? "data"
			     : choose_objection(it.value) == NULL ? "spare"
								  : "left alone");
}
