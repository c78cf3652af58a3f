// SPDX-License-Identifier: Apache-2.0
/*
 * Labels: the few facts by which one selects hosts. A name of ours that a machine has no value for
 * is set to null, so that what an earlier boot said does not stay.
 */
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "inventory/gather.h"

#define LABELS_PREFIX	 "hypermetal.io/"
#define LABELS_VALUE_MAX 63 /* of Kubernetes */
#define LABELS_GIB	 ((int64_t)1 << 30)

struct labels {
	struct json_doc *doc;
	struct json *labels;
};

/* Length of "(R)" or "(TM)" at the beginning of a text: those in processors' names only lengthen them */
static size_t labels_mark(const char *s)
{
	return str_starts(s, "(R)") ? 3 : str_starts(s, "(TM)") ? 4 : 0;
}

/* Letters, digits and -_. between them, 63 at most; all else becomes one '-'. */
static void labels_put(struct labels *l, const char *name, const char *value)
{
	char key[64], out[LABELS_VALUE_MAX + 1];
	size_t n = 0;

	for (; *value && n < LABELS_VALUE_MAX; value++) {
		bool plain, kept;

		value += labels_mark(value);
		plain = isalnum((unsigned char)*value);
		kept = plain || (*value && strchr("-_.", *value));
		if (!*value)
			break;
		if (plain || (n && (kept || out[n - 1] != '-')))
			out[n++] = kept ? *value : '-';
	}
	while (n && !isalnum((unsigned char)out[n - 1]))
		n--;
	out[n] = '\0';
	snprintf(key, sizeof(key), LABELS_PREFIX "%s", name);
	json_put(l->doc, l->labels, key, n ? json_new_str(l->doc, out) : json_new_null(l->doc));
}

static void labels_int(struct labels *l, const char *name, int64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRId64, value);
	labels_put(l, name, value < 0 ? "" : text);
}

static int64_t labels_sum(const struct json *list, const char *key)
{
	struct json_iter it = json_iter(list);
	int64_t sum = 0, n;

	while (json_next(&it)) {
		n = json_int(json_get(it.value, key), 0);
		if (n > 0 && sum <= INT64_MAX - n)
			sum += n;
	}
	return sum;
}

static int64_t labels_gib(int64_t bytes)
{
	return bytes / LABELS_GIB + (bytes % LABELS_GIB >= LABELS_GIB / 2);
}

static int64_t labels_fastest(const struct json *nics)
{
	struct json_iter it = json_iter(nics);
	int64_t fastest = -1, n;

	while (json_next(&it)) {
		n = json_int(json_get(it.value, "speedMbps"), -1);
		fastest = MAX(fastest, n);
	}
	return fastest;
}

/* The worst that any disk says; one that does not tell stands between good and bad */
static const char *labels_health(const struct json *disks)
{
	static const char *const order[] = {"", "good", "unknown", "warning", "failing"};
	struct json_iter it = json_iter(disks);
	size_t worst = 0;

	while (json_next(&it)) {
		const char *state = json_str(json_at(it.value, "health", "state", NULL), "");

		for (size_t i = worst + 1; i < ARRAY_SIZE(order); i++)
			if (str_eq(state, order[i]))
				worst = i;
	}
	return order[worst];
}

static const char *labels_present(const struct json *o, const char *otherwise)
{
	return json_bool(json_get(o, "present"), false) ? otherwise : "none";
}

static void labels_counts(struct labels *l, const struct json *root)
{
	const struct json *cpu = json_get(root, "cpu"), *memory = json_get(root, "memory"),
			  *disks = json_get(root, "disks"), *nics = json_get(root, "nics");
	int64_t bytes = labels_sum(json_get(memory, "dimms"), "sizeBytes");

	if (!bytes) /* what the firmware took is missing then */
		bytes = json_int(json_get(memory, "totalBytes"), 0);
	labels_int(l, "cpu-sockets", json_int(json_get(cpu, "sockets"), -1));
	labels_int(l, "cpu-cores", json_int(json_get(cpu, "cores"), -1));
	labels_int(l, "cpu-threads", json_int(json_get(cpu, "threads"), -1));
	labels_int(l, "memory-gib", labels_gib(bytes));
	labels_int(l, "numa-nodes", (int64_t)json_count(json_get(root, "numa")));
	labels_int(l, "nics", (int64_t)json_count(nics));
	labels_int(l, "nic-mbps", labels_fastest(nics));
	labels_int(l, "disks", (int64_t)json_count(disks));
	labels_int(l, "disk-gib", labels_gib(labels_sum(disks, "sizeBytes")));
	labels_int(l, "pci-no-driver", (int64_t)json_count(json_get(root, "noDriver")));
}

struct json *gather_labels(struct json_doc *doc, const struct json *root)
{
	static const char *const texts[][3] = {
		{"vendor", "system", "vendor"},	       {"product", "system", "product"},
		{"serial", "system", "serial"},	       {"asset-tag", "chassis", "assetTag"},
		{"cpu-model", "cpu", "model"},	       {"virtualization", "cpu", "virtualization"},
		{"secure-boot", "boot", "secureBoot"},
	};
	struct labels l = {doc, json_new_obj(doc)};
	const struct json *tpm = json_get(root, "tpm");

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		labels_put(&l, texts[i][0],
			   json_str(json_at(root, texts[i][1], texts[i][2], NULL), ""));
	labels_counts(&l, root);
	labels_put(&l, "virtual",
		   json_bool(json_at(root, "cpu", "virtual", NULL), false) ? "true" : "false");
	labels_put(&l, "disk-health", labels_health(json_get(root, "disks")));
	labels_put(&l, "firmware",
		   str_eq(json_str(json_at(root, "boot", "firmware", NULL), ""), "UEFI") ? "uefi"
											 : "bios");
	labels_put(&l, "bmc", labels_present(json_get(root, "bmc"), "present"));
	labels_put(&l, "tpm", labels_present(tpm, json_str(json_get(tpm, "version"), "present")));
	return l.labels;
}
