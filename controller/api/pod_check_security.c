// SPDX-License-Identifier: Apache-2.0
/* Users and profiles; names and addresses that resolvers and hosts files get. */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "internal.h"
#include "pod.h"

#define ID_RULE	       "must be between 0 and 2147483647, inclusive"
#define IP_RULE	       "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"
#define NAMESERVER_MAX 3
#define SEARCH_MAX     32

static void check_ids(struct api_call *c, const struct json *context, const char *path)
{
	static const char *const ids[] = {"runAsUser", "runAsGroup", "fsGroup"};

	for (size_t i = 0; i < ARRAY_SIZE(ids); i++)
		part_int(c, context, ids[i], 0, INT32_MAX, ID_RULE, path);
}

static void check_seccomp(struct api_call *c, const struct json *profile, const char *path)
{
	static const char *const types[] = {"Localhost", "RuntimeDefault", "Unconfined", NULL};
	const char *type = json_str(json_get(profile, "type"), "");
	const struct json *local = json_get(profile, "localhostProfile");
	char at[POD_PATH_MAX];

	if (!json_is_obj(profile))
		return;
	snprintf(at, sizeof(at), "%s.localhostProfile", path);
	if (!*type)
		field_required(c, "type is required when seccompProfile is set", "%s.type", path);
	else
		part_enum(c, profile, "type", types, path);
	if (str_eq(type, "Localhost") && !*json_str(local, ""))
		field_required(c, "must be set when seccomp type is Localhost", "%s", at);
	else if (!str_eq(type, "Localhost") && json_is_str(local))
		part_string(c, json_str(local, ""),
			    "can only be set when seccomp type is Localhost", at);
}

static bool adds(const struct json *context, const char *capability)
{
	struct json_iter it = json_iter(json_at(context, "capabilities", "add", NULL));

	while (json_next(&it)) {
		if (str_eq(json_str(it.value, ""), capability))
			return true;
	}
	return false;
}

void pod_check_security(struct api_call *c, const struct json *context, const char *path)
{
	static const char *const proc_mounts[] = {"Default", "Unmasked", NULL};
	char at[POD_PATH_MAX];

	check_ids(c, context, path);
	snprintf(at, sizeof(at), "%.180s.seccompProfile", path);
	check_seccomp(c, json_get(context, "seccompProfile"), at);
	part_enum(c, context, "procMount", proc_mounts, path);
	if (json_bool(json_get(context, "allowPrivilegeEscalation"), true))
		return;
	if (json_bool(json_get(context, "privileged"), false))
		field_invalid(
			c, "false",
			"cannot set `allowPrivilegeEscalation` to false and `privileged` to true",
			"%s", path);
	if (adds(context, "SYS_ADMIN") || adds(context, "CAP_SYS_ADMIN"))
		field_invalid(c, "false",
			      "cannot set `allowPrivilegeEscalation` to false and "
			      "`capabilities.Add` CAP_SYS_ADMIN",
			      "%s", path);
}

void pod_check_pod_security(struct api_call *c, const struct json *spec)
{
	static const char *const changes[] = {"Always", "OnRootMismatch", NULL};
	static const char path[] = "spec.securityContext";
	const struct json *context = json_get(spec, "securityContext");
	struct json_iter it = json_iter(json_get(context, "supplementalGroups"));
	char value[32];

	check_ids(c, context, path);
	for (size_t i = 0; json_next(&it); i++) {
		int64_t id = json_int(it.value, 0);

		snprintf(value, sizeof(value), "%lld", (long long)id);
		if (id < 0 || id > INT32_MAX)
			field_invalid(c, value, ID_RULE, "%s.supplementalGroups[%zu]", path, i);
	}
	part_enum(c, context, "fsGroupChangePolicy", changes, path);
	check_seccomp(c, json_get(context, "seccompProfile"),
		      "spec.securityContext.seccompProfile");
	if (json_bool(json_get(spec, "shareProcessNamespace"), false) &&
	    json_bool(json_get(spec, "hostPID"), false))
		field_invalid(c, "true", "ShareProcessNamespace and HostPID cannot both be enabled",
			      "%s.shareProcessNamespace", path);
}

static bool is_address(const char *text)
{
	unsigned char b[16];

	return inet_pton(AF_INET, text, b) == 1 || inet_pton(AF_INET6, text, b) == 1;
}

static void check_config(struct api_call *c, const struct json *config, bool alone)
{
	static const char path[] = "spec.dnsConfig";
	const struct json *servers = json_get(config, "nameservers");
	const struct json *searches = json_get(config, "searches");
	struct json_iter it = json_iter(servers);
	char at[POD_PATH_MAX];

	if (alone && !json_is_obj(config))
		field_required(c, "must provide `dnsConfig` when `dnsPolicy` is None", "%s", path);
	else if (alone && !json_count(servers))
		field_required(c,
			       "must provide at least one DNS nameserver when `dnsPolicy` is None",
			       "%s.nameservers", path);
	if (json_count(servers) > NAMESERVER_MAX)
		field_invalid(c, "[...]", "must not have more than 3 nameservers", "%s.nameservers",
			      path);
	for (size_t i = 0; json_next(&it); i++) {
		snprintf(at, sizeof(at), "%s.nameservers[%zu]", path, i);
		if (!is_address(json_str(it.value, "")))
			part_string(c, json_str(it.value, ""), IP_RULE, at);
	}
	if (json_count(searches) > SEARCH_MAX)
		field_invalid(c, "[...]", "must not have more than 32 search paths", "%s.searches",
			      path);
	it = json_iter(searches);
	for (size_t i = 0; json_next(&it); i++) {
		char name[API_NAME_MAX] = "";

		snprintf(at, sizeof(at), "%s.searches[%zu]", path, i);
		if (str_copy(name, sizeof(name), json_str(it.value, "")) == 0 && *name &&
		    name[strlen(name) - 1] == '.')
			name[strlen(name) - 1] = '\0'; /* the root's dot is fine */
		if (*name ? !name_is_subdomain(name) : !str_eq(json_str(it.value, ""), "."))
			part_string(c, json_str(it.value, ""), name_subdomain_rule, at);
	}
	it = json_iter(json_get(config, "options"));
	for (size_t i = 0; json_next(&it); i++) {
		if (!*json_str(json_get(it.value, "name"), ""))
			field_required(c, "must not be empty", "%s.options[%zu]", path, i);
	}
}

void pod_check_dns(struct api_call *c, const struct json *spec)
{
	bool alone = str_eq(json_str(json_get(spec, "dnsPolicy"), ""), "None");
	struct json_iter it = json_iter(json_get(spec, "hostAliases"));
	char at[POD_PATH_MAX];

	check_config(c, json_get(spec, "dnsConfig"), alone);
	for (size_t i = 0; json_next(&it); i++) {
		const char *ip = json_str(json_get(it.value, "ip"), "");
		struct json_iter names = json_iter(json_get(it.value, "hostnames"));

		snprintf(at, sizeof(at), "spec.hostAliases[%zu].ip", i);
		if (!is_address(ip))
			part_string(c, ip, IP_RULE, at);
		snprintf(at, sizeof(at), "spec.hostAliases[%zu].hostnames", i);
		while (json_next(&names)) {
			if (!name_is_subdomain(json_str(names.value, "")))
				part_string(c, json_str(names.value, ""), name_subdomain_rule, at);
		}
	}
}
