// SPDX-License-Identifier: Apache-2.0
/*
 * The pod's half of the parser. The spec keeps a copy of the pod's JSON and points into it, so that a
 * string is stored once; lists of pointers are allocated beside it, capped.
 */
#include "pod/spec.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/quantity.h"
#include "base/str.h"
#include "pod/spec_impl.h"
#include "pod/support.h"

#define SPEC_HOSTNAME_MAX   63
#define SPEC_FQDN_MAX	    64
#define SPEC_CLUSTER_DOMAIN "cluster.local"

int spec_refuse(struct err *e, const char *fmt, ...)
{
	char path[SPEC_PATH_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(path, sizeof(path), fmt, ap);
	va_end(ap);
	return err_set(e, -ENOTSUP, "%s: not supported by HyperMetal", path);
}

const char *spec_text(struct pod_spec *s, const char *text, size_t len)
{
	if (len > GUEST_STR_MAX || s->text_bytes + len > GUEST_RUN_MAX)
		return NULL;
	s->text_bytes += len + 1;
	return json_str(json_new_strn(s->doc, text, len), "");
}

void *spec_store(struct pod_spec *s, size_t count, size_t size)
{
	struct spec_piece *p;

	if (count > SPEC_LIST_MAX)
		return NULL;
	p = mem_alloc(sizeof(*p) + (count + 1) * size);
	p->next = s->pieces;
	s->pieces = p;
	return p->bytes;
}

int spec_list_make(struct pod_spec *s, struct spec_list *list, size_t max)
{
	list->at = spec_store(s, max, sizeof(*list->at));
	list->count = 0;
	return list->at ? 0 : -E2BIG;
}

int spec_quantity(const struct json *v, unsigned int scale, const char *path, uint64_t *out,
		  struct err *e)
{
	char number[32];
	int64_t value;

	if (!v)
		return 0;
	snprintf(number, sizeof(number), "%lld", (long long)json_int(v, -1));
	if (quantity_parse(json_str(v, number), scale, &value) < 0 || value < 0)
		return err_set(e, -EINVAL, "%s: not a quantity", path);
	*out = (uint64_t)value;
	return 0;
}

int spec_list_read(struct pod_spec *s, const struct json *arr, struct spec_list *list,
		   const char *path, struct err *e)
{
	struct json_iter it = json_iter(arr);

	if (spec_list_make(s, list, json_is_arr(arr) ? json_count(arr) : 0) < 0)
		return err_set(e, -EINVAL, "%s: more than %d entries", path, SPEC_LIST_MAX);
	while (json_is_arr(arr) && json_next(&it)) {
		if (!json_is_str(it.value))
			return err_set(e, -EINVAL, "%s[%u]: not a string", path, list->count);
		list->at[list->count++] = json_str(it.value, "");
	}
	return 0;
}

bool spec_name_ok(const char *s, size_t max)
{
	size_t len = strlen(s);

	if (len == 0 || len > max || s[0] == '.' || s[0] == '-')
		return false;
	for (; *s; s++)
		if (!isascii((unsigned char)*s) ||
		    (!isalnum((unsigned char)*s) && *s != '-' && *s != '.'))
			return false;
	return true;
}

int spec_meta(const struct json *pod, struct spec_meta *meta, struct err *e)
{
	const struct json *m = json_get(pod, "metadata");
	const char *ns = json_str(json_get(m, "namespace"), "");
	const char *name = json_str(json_get(m, "name"), ""),
		   *uid = json_str(json_get(m, "uid"), "");
	const char *deletion = json_str(json_get(m, "deletionTimestamp"), "");
	const char *phase = json_str(json_at(pod, "status", "phase", NULL), "");
	int64_t grace_s;

	*meta = (struct spec_meta){0};
	if (!spec_name_ok(ns, SPEC_NAME_MAX))
		return err_set(e, -EINVAL, "metadata.namespace: not a name");
	if (!spec_name_ok(name, SPEC_NAME_MAX))
		return err_set(e, -EINVAL, "metadata.name: not a name");
	if (!spec_name_ok(uid, SPEC_UID_MAX))
		return err_set(e, -EINVAL, "metadata.uid: not a uid");
	(void)str_copy(meta->ns, sizeof(meta->ns), ns);
	(void)str_copy(meta->name, sizeof(meta->name), name);
	(void)str_copy(meta->uid, sizeof(meta->uid), uid);
	meta->terminal = str_eq(phase, "Succeeded") || str_eq(phase, "Failed");
	meta->deleting = *deletion != '\0';
	if (meta->deleting) {
		grace_s = json_int(json_get(m, "deletionGracePeriodSeconds"), SPEC_GRACE_DEFAULT_S);
		meta->delete_grace_s = (uint32_t)MAX(0, MIN(grace_s, SPEC_GRACE_MAX_S));
		if (clock_parse_rfc3339(deletion, &meta->delete_by_ns) < 0)
			meta->delete_by_ns = 0;
	}
	return 0;
}

static int spec_restart(const struct json *spec, struct pod_spec *s, struct err *e)
{
	const char *policy = json_str(json_get(spec, "restartPolicy"), "Always");

	if (str_eq(policy, "Always"))
		s->restart = GUEST_RESTART_ALWAYS;
	else if (str_eq(policy, "OnFailure"))
		s->restart = GUEST_RESTART_ON_FAILURE;
	else if (str_eq(policy, "Never"))
		s->restart = GUEST_RESTART_NEVER;
	else
		return err_set(e, -EINVAL, "spec.restartPolicy: not a policy");
	return 0;
}

static int spec_dns_read(const struct json *spec, struct pod_spec *s, struct err *e)
{
	const struct json *config = json_get(spec, "dnsConfig"),
			  *options = json_get(config, "options");
	struct json_iter it = json_iter(options);
	int r;

	s->dns = str_eq(json_str(json_get(spec, "dnsPolicy"), ""), "None") ? SPEC_DNS_NONE
									   : SPEC_DNS_HOST;
	r = spec_list_read(s, json_get(config, "nameservers"), &s->dns_servers,
			   "spec.dnsConfig.nameservers", e);
	if (r == 0)
		r = spec_list_read(s, json_get(config, "searches"), &s->dns_search,
				   "spec.dnsConfig.searches", e);
	if (r == 0)
		r = spec_list_make(s, &s->dns_options, json_count(options));
	while (r == 0 && json_next(&it)) {
		const char *name = json_str(json_get(it.value, "name"), "");
		const char *value = json_str(json_get(it.value, "value"), NULL);

		if (!*name)
			return err_set(e, -EINVAL,
				       "spec.dnsConfig.options: an option without a name");
		if (value)
			name = json_str(json_new_fmt(s->doc, "%s:%s", name, value), "");
		s->dns_options.at[s->dns_options.count++] = name;
	}
	return r == -E2BIG ? err_set(e, -EINVAL, "spec.dnsConfig: too many entries") : r;
}

static int spec_hosts(const struct json *spec, struct pod_spec *s, struct err *e)
{
	const struct json *aliases = json_get(spec, "hostAliases");
	struct json_iter it = json_iter(aliases);
	struct buf line = BUF_INIT(4096);
	int r = spec_list_make(s, &s->hosts, MIN(json_count(aliases), (size_t)GUEST_HOSTS_MAX));

	for (unsigned int i = 0; r == 0 && json_next(&it); i++) {
		const char *ip = json_str(json_get(it.value, "ip"), "");
		struct json_iter name = json_iter(json_get(it.value, "hostnames"));
		unsigned char raw[16];

		if (inet_pton(AF_INET, ip, raw) != 1 && inet_pton(AF_INET6, ip, raw) != 1)
			r = err_set(e, -EINVAL, "spec.hostAliases[%u].ip: not an address", i);
		else if (s->hosts.count == GUEST_HOSTS_MAX)
			r = err_set(e, -ENOTSUP, "spec.hostAliases: more than %d", GUEST_HOSTS_MAX);
		buf_clear(&line);
		if (r == 0)
			r = buf_puts(&line, ip);
		while (r == 0 && json_next(&name)) {
			const char *text = json_str(name.value, "");

			if (!spec_name_ok(text, SPEC_NAME_MAX))
				r = err_set(e, -EINVAL,
					    "spec.hostAliases[%u].hostnames: not a host name", i);
			else
				r = buf_printf(&line, " %s", text);
		}
		if (r == 0)
			s->hosts.at[s->hosts.count++] =
				json_str(json_new_strn(s->doc, line.data, line.len), "");
	}
	buf_done(&line);
	return r == -E2BIG ? err_set(e, -EINVAL, "spec.hostAliases: too long") : r;
}

static int spec_group(struct pod_spec *s, const struct json *v, const char *path, struct err *e)
{
	int64_t id = json_int(v, -1);

	if (!v || json_type(v) == JSON_NULL)
		return 0;
	if (id < 0 || id > INT32_MAX)
		return err_set(e, -EINVAL, "%s: not a group id", path);
	if (s->group_count == GUEST_GROUPS_MAX)
		return err_set(e, -ENOTSUP, "%s: more than %d groups", path, GUEST_GROUPS_MAX);
	s->groups[s->group_count++] = (uint32_t)id;
	return 0;
}

static int spec_security(const struct json *security, struct pod_spec *s, struct err *e)
{
	static const char path[] = "spec.securityContext";
	const struct json *fs_group = json_get(security, "fsGroup");
	struct json_iter it = json_iter(json_get(security, "supplementalGroups"));
	int r = spec_confinement(security, path, &s->default_seccomp, e);

	while (r == 0 && json_next(&it))
		r = spec_group(s, it.value, "spec.securityContext.supplementalGroups", e);
	/* The volumes belong to it, and the processes are in it. */
	if (r == 0 && json_type(fs_group) != JSON_NONE && json_type(fs_group) != JSON_NULL) {
		r = spec_group(s, fs_group, "spec.securityContext.fsGroup", e);
		if (r == 0)
			s->fs_group = s->groups[s->group_count - 1];
	}
	return r;
}

static int spec_ports(struct pod_spec *s, const struct json *container, const char *path,
		      struct err *e)
{
	struct json_iter it = json_iter(json_get(container, "ports"));
	unsigned char raw[16];

	for (unsigned int i = 0; json_next(&it); i++) {
		int64_t host = json_int(json_get(it.value, "hostPort"), 0);
		int64_t port = json_int(json_get(it.value, "containerPort"), 0);
		const char *protocol = json_str(json_get(it.value, "protocol"), "TCP");
		const char *ip = json_str(json_get(it.value, "hostIP"), "");

		if (port < 1 || port > UINT16_MAX || host < 0 || host > UINT16_MAX)
			return err_set(e, -EINVAL, "%s.ports[%u]: not a port", path, i);
		if (!host)
			continue;
		if (!str_eq(protocol, "TCP") && !str_eq(protocol, "UDP"))
			return err_set(e, -ENOTSUP,
				       "%s.ports[%u].protocol: %s has no host ports here", path, i,
				       protocol);
		if (str_eq(ip, "0.0.0.0"))
			ip = "";
		if (*ip && inet_pton(AF_INET, ip, raw) != 1)
			return err_set(e, -ENOTSUP, "%s.ports[%u].hostIP: not an IPv4 address",
				       path, i);
		if (s->port_count == SPEC_PORTS_MAX)
			return err_set(e, -ENOTSUP, "%s.ports: more than %d host ports", path,
				       SPEC_PORTS_MAX);
		s->ports[s->port_count++] = (struct spec_port){
			.host_port = (uint16_t)host,
			.container_port = (uint16_t)port,
			.udp = str_eq(protocol, "UDP"),
			.host_ip = ip,
		};
	}
	return 0;
}

static int spec_containers(const struct json *spec, struct pod_spec *s, const char *group,
			   struct err *e)
{
	const struct json *security = json_get(spec, "securityContext");
	struct json_iter it = json_iter(json_get(spec, group));
	char path[SPEC_PATH_MAX];
	int r = 0;

	for (unsigned int i = 0; r == 0 && json_next(&it); i++) {
		struct spec_container *c = &s->containers[s->container_count];

		snprintf(path, sizeof(path), "spec.%s[%u]", group, i);
		if (s->container_count == GUEST_CONTAINERS_MAX)
			return err_set(e, -ENOTSUP, "%s: more than %d containers in a pod", path,
				       GUEST_CONTAINERS_MAX);
		c->init = str_eq(group, "initContainers");
		r = spec_container(s, security, it.value, path, c, e);
		for (uint32_t k = 0; r == 0 && k < s->container_count; k++)
			if (str_eq(s->containers[k].name, c->name))
				r = err_set(e, -EINVAL, "%s.name: used twice", path);
		if (r == 0)
			r = spec_ports(s, it.value, path, e);
		s->container_count++;
		s->init_count += c->init;
	}
	return r;
}

/* With a subdomain the pod has a name in the cluster's domain, as a kubelet makes it. */
static int spec_fqdn(const struct json *spec, struct pod_spec *s, struct err *e)
{
	const char *subdomain = json_str(json_get(spec, "subdomain"), "");

	s->fqdn = "";
	if (!*subdomain)
		return 0;
	if (!spec_name_ok(subdomain, SPEC_HOSTNAME_MAX))
		return err_set(e, -EINVAL, "spec.subdomain: not a name");
	s->fqdn = json_str(json_new_fmt(s->doc, "%s.%s.%s.svc." SPEC_CLUSTER_DOMAIN, s->hostname,
					subdomain, s->ns),
			   "");
	if (strlen(s->fqdn) > GUEST_NAME_MAX)
		return err_set(e, -EINVAL, "spec.subdomain: too long with all that belongs to it");
	if (!json_bool(json_get(spec, "setHostnameAsFQDN"), false))
		return 0;
	/* The kernel's limit. A kubelet leaves such a pod pending for ever. */
	if (strlen(s->fqdn) > SPEC_FQDN_MAX)
		return err_set(e, -EINVAL, "spec.setHostnameAsFQDN: %s has more than %d characters",
			       s->fqdn, SPEC_FQDN_MAX);
	s->hostname = s->fqdn;
	return 0;
}

/* spec.hostname, else the pod's name, cut as a kubelet cuts it: the kernel takes 64 characters. */
static int spec_hostname(const struct json *spec, struct pod_spec *s, struct err *e)
{
	const char *given = json_str(json_get(spec, "hostname"), "");
	char name[SPEC_HOSTNAME_MAX + 1];

	if (*given && !spec_name_ok(given, SPEC_HOSTNAME_MAX))
		return err_set(e, -EINVAL, "spec.hostname: not a host name");
	(void)str_copy(name, sizeof(name), *given ? given : s->name);
	for (size_t len = strlen(name); len && strchr("-.", name[len - 1]); len--)
		name[len - 1] = '\0';
	s->hostname = json_str(json_new_str(s->doc, name), "");
	return spec_fqdn(spec, s, e);
}

static int spec_runtime_class(const struct json *spec, struct pod_spec *s, struct err *e)
{
	const char *class = json_str(json_get(spec, "runtimeClassName"), "");

	if (str_eq(class, "hypervm-full"))
		s->class = SPEC_CLASS_FULL;
	else if (*class && !str_eq(class, "hypervm"))
		return err_set(e, -ENOTSUP,
			       "spec.runtimeClassName: \"hypervm\" and \"hypervm-full\" run here");
	return 0;
}

static int spec_pull_secrets(const struct json *spec, struct pod_spec *s, struct err *e)
{
	const struct json *list = json_get(spec, "imagePullSecrets");
	struct json_iter it = json_iter(list);

	if (spec_list_make(s, &s->pull_secrets, json_count(list)) < 0)
		return err_set(e, -EINVAL, "spec.imagePullSecrets: more than %d", SPEC_LIST_MAX);
	while (json_next(&it)) {
		const char *name = json_str(json_get(it.value, "name"), "");

		if (!*name) /* as a kubelet has it */
			continue;
		if (!spec_name_ok(name, SPEC_NAME_MAX))
			return err_set(e, -EINVAL, "spec.imagePullSecrets: not a name");
		s->pull_secrets.at[s->pull_secrets.count++] = name;
	}
	return 0;
}

static int spec_fill(struct pod_spec *s, const struct json *pod, struct err *e)
{
	const struct json *spec = json_get(pod, "spec"), *meta = json_get(pod, "metadata");
	const char *memory = json_str(json_at(spec, "overhead", "memory", NULL), "0");
	int64_t grace_s =
		json_int(json_get(spec, "terminationGracePeriodSeconds"), SPEC_GRACE_DEFAULT_S);
	int64_t overhead = 0;
	int r;

	s->ns = json_str(json_get(meta, "namespace"), "");
	s->name = json_str(json_get(meta, "name"), "");
	s->uid = json_str(json_get(meta, "uid"), "");
	s->fs_group = GUEST_NO_ID;
	s->service_account = json_str(json_get(spec, "serviceAccountName"), "");
	if (!*s->service_account)
		s->service_account = "default";
	s->share_pids = json_bool(json_get(spec, "shareProcessNamespace"), false);
	s->grace_s = (uint32_t)MAX(0, MIN(grace_s, SPEC_GRACE_MAX_S));
	s->active_deadline_s = MAX(0, json_int(json_get(spec, "activeDeadlineSeconds"), 0));
	if (quantity_parse(memory, QUANTITY_UNITS, &overhead) < 0 || overhead < 0)
		return err_set(e, -EINVAL, "spec.overhead.memory: not a quantity");
	s->overhead_memory = (uint64_t)overhead;
	if (!spec_name_ok(s->service_account, SPEC_NAME_MAX))
		return err_set(e, -EINVAL, "spec.serviceAccountName: not a name");
	r = spec_runtime_class(spec, s, e);
	if (r == 0)
		r = spec_limits(s, meta, e);
	if (r == 0)
		r = spec_support_check(spec, e);
	if (r == 0 && !str_eq(json_str(json_at(spec, "os", "name", NULL), "linux"), "linux"))
		r = spec_refuse(e, "spec.os.name");
	if (r == 0)
		r = spec_pull_secrets(spec, s, e);
	if (r == 0)
		r = spec_hostname(spec, s, e);
	if (r == 0)
		r = spec_volumes(s, spec, e);
	if (r == 0)
		r = spec_restart(spec, s, e);
	if (r == 0)
		r = spec_security(json_get(spec, "securityContext"), s, e);
	if (r == 0)
		r = spec_dns_read(spec, s, e);
	if (r == 0)
		r = spec_hosts(spec, s, e);
	if (r == 0)
		r = spec_containers(spec, s, "initContainers", e);
	if (r == 0)
		r = spec_containers(spec, s, "containers", e);
	if (r == 0 && s->container_count == s->init_count)
		r = err_set(e, -EINVAL, "spec.containers: none");
	return r;
}

int spec_parse(const struct json *pod, struct pod_spec **spec, struct err *e)
{
	struct pod_spec *s;
	struct spec_meta meta;
	int r = spec_meta(pod, &meta, e);

	if (r < 0)
		return r;
	s = mem_alloc(sizeof(*s));
	s->doc = json_doc_new();
	json_set_root(s->doc, json_copy(s->doc, pod));
	r = spec_fill(s, json_root(s->doc), e);
	if (r < 0) {
		spec_free(s);
		return r;
	}
	*spec = s;
	return 0;
}

struct pod_spec *spec_free(struct pod_spec *spec)
{
	if (!spec)
		return NULL;
	while (spec->pieces) {
		struct spec_piece *p = spec->pieces;

		spec->pieces = p->next;
		free(p);
	}
	json_doc_free(spec->doc);
	free(spec);
	return NULL;
}
