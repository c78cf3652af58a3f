// SPDX-License-Identifier: Apache-2.0
/* Processors, memory and how they lie to each other, as the kernel sees them. */
#include <ctype.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"
#include "inventory/gather.h"

#define CPU_INFO_MAX  16384 /* of the first processor: a flags line has some 2000 bytes */
#define CPU_COUNT_MAX 4096
#define CPU_NODES_MAX 64
#define CPU_FILES     "devices/system/cpu"
#define CPU_NODES     "devices/system/node"

/* The value of "name<tabs>: value" in /proc/cpuinfo's first part; "" when it is not there. */
static char *cpu_info(const char *text, const char *name, char *out, size_t size)
{
	const char *end = strstr(text, "\n\n"), *line = text;
	size_t len = strlen(name);

	out[0] = '\0';
	for (; line && *line && (!end || line < end); line = strchr(line, '\n')) {
		const char *colon;
		int n;

		line += *line == '\n';
		colon = line + strcspn(line, ":\n");
		if (strncmp(line, name, len) != 0 || *colon != ':' ||
		    !isspace((unsigned char)line[len]))
			continue;
		colon += strspn(colon, ": \t");
		n = (int)strcspn(colon, "\n");
		snprintf(out, size, "%.*s", n, colon);
		return out;
	}
	return out;
}

/* Whether a processor is the first of those that a list like "0-3,8" names. */
static bool cpu_leads(int dirfd, const char *cpu, const char *list)
{
	char path[GATHER_LINE_MAX], line[GATHER_LINE_MAX];
	long number = strtol(cpu + 3, NULL, 10);

	snprintf(path, sizeof(path), CPU_FILES "/%.32s/topology/%s", cpu, list);
	gather_line(dirfd, path, line);
	return isdigit((unsigned char)*line) && strtol(line, NULL, 10) == number;
}

static void cpu_topology(struct gather *g, struct json *o)
{
	char **names = mem_array(CPU_COUNT_MAX, sizeof(*names));
	size_t count = gather_names(g->sys, CPU_FILES, names, CPU_COUNT_MAX);
	int64_t sockets = 0, cores = 0, threads = 0;

	for (size_t i = 0; i < count; i++) {
		char path[GATHER_LINE_MAX], line[GATHER_LINE_MAX];

		if (strncmp(names[i], "cpu", 3) != 0 || !isdigit((unsigned char)names[i][3]))
			continue;
		snprintf(path, sizeof(path), CPU_FILES "/%.32s/topology/core_cpus_list", names[i]);
		if (!*gather_line(g->sys, path, line))
			continue; /* switched off */
		threads++;
		cores += cpu_leads(g->sys, names[i], "core_cpus_list");
		sockets += cpu_leads(g->sys, names[i], "package_cpus_list");
	}
	gather_names_free(names, count);
	free(names);
	if (!threads)
		return;
	json_put_int(g->doc, o, "sockets", sockets);
	json_put_int(g->doc, o, "cores", cores);
	json_put_int(g->doc, o, "threads", threads);
}

void gather_cpu(struct gather *g)
{
	char *info = mem_alloc(CPU_INFO_MAX), *value = mem_alloc(CPU_INFO_MAX);
	struct json *o = json_obj_of(g->doc, g->root, "cpu");
	int64_t khz = gather_number(g->sys, CPU_FILES "/cpu0/cpufreq/cpuinfo_max_freq", 0);

	info[gather_bytes(g->proc, "cpuinfo", info, CPU_INFO_MAX - 1)] = '\0';
	gather_put(g->doc, o, "model", cpu_info(info, "model name", value, GATHER_LINE_MAX));
	gather_put(g->doc, o, "vendor", cpu_info(info, "vendor_id", value, GATHER_LINE_MAX));
	gather_put(g->doc, o, "microcode", cpu_info(info, "microcode", value, GATHER_LINE_MAX));
	cpu_topology(g, o);
	if (khz > 0)
		json_put_int(g->doc, o, "maxMHz", khz / 1000);
	cpu_info(info, "flags", value, CPU_INFO_MAX);
	json_put_str(g->doc, o, "virtualization",
		     str_has_word(value, "vmx")	  ? "vmx"
		     : str_has_word(value, "svm") ? "svm"
						  : "none");
	if (str_has_word(value, "hypervisor"))
		json_put_bool(g->doc, o, "virtual", true);
	free(info);
	free(value);
}

/* "MemTotal: 123 kB" somewhere in a file's first bytes. Return: bytes, 0 unknown */
static int64_t cpu_mem_total(int dirfd, const char *path)
{
	char text[1024];
	const char *p;
	unsigned long long kib;

	text[gather_bytes(dirfd, path, text, sizeof(text) - 1)] = '\0';
	p = strstr(text, "MemTotal:");
	return p && sscanf(p, "MemTotal: %llu kB", &kib) == 1 && kib < INT64_MAX >> 10
		       ? (int64_t)kib << 10
		       : 0;
}

static void cpu_node(struct gather *g, struct json *list, const char *name)
{
	struct json *o = json_new_obj(g->doc), *distances;
	char path[GATHER_LINE_MAX], line[GATHER_LINE_MAX], *save = NULL, *word;
	int64_t bytes;

	json_put_int(g->doc, o, "node", strtol(name + 4, NULL, 10));
	snprintf(path, sizeof(path), CPU_NODES "/%.32s/cpulist", name);
	gather_put(g->doc, o, "cpus", gather_line(g->sys, path, line));
	snprintf(path, sizeof(path), CPU_NODES "/%.32s/meminfo", name);
	bytes = cpu_mem_total(g->sys, path);
	if (bytes)
		json_put_int(g->doc, o, "memoryBytes", bytes);
	snprintf(path, sizeof(path), CPU_NODES "/%.32s/distance", name);
	gather_line(g->sys, path, line);
	distances = json_arr_of(g->doc, o, "distances");
	for (word = strtok_r(line, " ", &save); word; word = strtok_r(NULL, " ", &save))
		json_push(g->doc, distances, json_new_int(g->doc, strtol(word, NULL, 10)));
	json_push(g->doc, list, o);
}

void gather_memory(struct gather *g)
{
	struct json *memory = json_obj_of(g->doc, g->root, "memory"),
		    *list = json_arr_of(g->doc, g->root, "numa");
	char *names[CPU_NODES_MAX];
	size_t count = gather_names(g->sys, CPU_NODES, names, CPU_NODES_MAX);
	int64_t total = cpu_mem_total(g->proc, "meminfo");

	if (total)
		json_put_int(g->doc, memory, "totalBytes", total);
	for (size_t i = 0; i < count; i++)
		if (strncmp(names[i], "node", 4) == 0 && isdigit((unsigned char)names[i][4]))
			cpu_node(g, list, names[i]);
	gather_names_free(names, count);
}
