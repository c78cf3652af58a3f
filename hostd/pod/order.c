// SPDX-License-Identifier: Apache-2.0
/*
 * The one RUN message: what the pod's spec says, filled up from the images' configurations as OCI and
 * Kubernetes prescribe (command replaces entrypoint, args replace cmd; the pod's variables win).
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"
#include "pod/impl.h"

#define ORDER_WORDS_MAX 4096

/* Everything that the message points to. */
struct order {
	struct guest_run run;
	const char *words[ORDER_WORDS_MAX];
	size_t word_count;
	struct texts env[GUEST_CONTAINERS_MAX]; /* of the pod, not of the images */
	struct texts args; /* and paths in volumes, with $(NAME) resolved */
	char users[GUEST_CONTAINERS_MAX][48];
	struct resolv resolv;
};

static bool order_push(struct order *o, struct guest_strings *list, const char *word)
{
	if (o->word_count == ORDER_WORDS_MAX)
		return false;
	if (!list->count)
		list->at = &o->words[o->word_count];
	o->words[o->word_count++] = word;
	list->count++;
	return true;
}

static bool order_list(struct order *o, struct guest_strings *list, const char *const *at,
		       size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!order_push(o, list, at[i]))
			return false;
	return true;
}

/* The pod's own words, with the container's variables in them. */
static bool order_expand(struct order *o, struct guest_strings *list, const struct spec_list *words,
			 const struct texts *env)
{
	struct buf text;
	bool ok = true;

	buf_init_secret(&text, GUEST_STR_MAX);
	for (uint32_t i = 0; ok && i < words->count; i++) {
		ok = texts_expand(env, words->at[i], &text) == 0 &&
		     texts_add(&o->args, &text) == 0 &&
		     order_push(o, list, o->args.at[o->args.count - 1]);
		buf_done(&text);
	}
	return ok;
}

static bool order_args(struct order *o, struct guest_container *g, const struct spec_container *s,
		       const struct texts *env, const struct oci_image *image)
{
	bool ok;

	if (s->has_command)
		ok = order_expand(o, &g->args, &s->command, env);
	else
		ok = order_list(o, &g->args, image->entrypoint.at, image->entrypoint.count);
	if (s->has_args)
		ok = ok && order_expand(o, &g->args, &s->args, env);
	else if (!s->has_command)
		ok = ok && order_list(o, &g->args, image->cmd.at, image->cmd.count);
	return ok;
}

static bool order_overridden(const struct texts *env, const char *variable)
{
	return texts_find(env, variable, strcspn(variable, "=")) >= 0;
}

static bool order_env(struct order *o, struct guest_container *g, const struct texts *env,
		      const struct oci_image *image)
{
	for (size_t i = 0; i < image->env.count; i++)
		if (strchr(image->env.at[i], '=') && !order_overridden(env, image->env.at[i]) &&
		    !order_push(o, &g->env, image->env.at[i]))
			return false;
	return order_list(o, &g->env, (const char *const *)env->at, env->count);
}

static void order_user(struct order *o, uint32_t index, struct guest_container *g,
		       const struct spec_container *s, const struct oci_image *image)
{
	char *user = o->users[index];

	g->user = image->user;
	if (s->run_as_user < 0 && s->run_as_group < 0)
		return;
	if (s->run_as_user >= 0 && s->run_as_group >= 0)
		snprintf(user, sizeof(o->users[0]), "%lld:%lld", (long long)s->run_as_user,
			 (long long)s->run_as_group);
	else if (s->run_as_user >= 0)
		snprintf(user, sizeof(o->users[0]), "%lld", (long long)s->run_as_user);
	else
		snprintf(user, sizeof(o->users[0]), "%.12s:%lld",
			 *image->user && !strchr(image->user, ':') ? image->user : "0",
			 (long long)s->run_as_group);
	g->user = user;
}

static int order_container(struct order *o, struct pod *p, uint32_t index, struct err *e)
{
	const struct spec_container *s = &p->spec->containers[index];
	const struct oci_image *image = p->containers[index].image;
	struct guest_container *g = &o->run.containers[index];
	int r;

	if (image->layer_count > GUEST_LAYERS_MAX)
		return err_set(e, -E2BIG, "image %s has more than %d layers", s->image,
			       GUEST_LAYERS_MAX);
	for (size_t k = 0; k < image->layer_count; k++)
		g->layers[g->layer_count++] = (uint16_t)prepare_layer_index(
			p->layers, p->layer_count, image->layers[k].path);
	r = env_make(p, index, true, &o->env[index], e);
	if (r < 0)
		return err_wrap(e, r, "container %s", s->name);
	if (!order_args(o, g, s, &o->env[index], image) || !order_env(o, g, &o->env[index], image))
		return err_set(e, -E2BIG, "container %s: too many arguments and variables",
			       s->name);
	if (!g->args.count)
		return err_set(e, -EINVAL,
			       "container %s: neither the pod nor the image says what to run",
			       s->name);
	g->name = s->name;
	g->cwd = *s->cwd ? s->cwd : image->cwd;
	g->stop_signal = *s->stop_signal ? s->stop_signal : image->stop_signal;
	g->life = s->life;
	g->sidecar = s->sidecar;
	g->over = ending_is_final(p, index);
	g->default_seccomp = s->default_seccomp;
	g->init = s->init;
	g->read_only_root = s->read_only_root;
	g->tty = s->tty;
	g->open_stdin = s->open_stdin;
	g->stdin_once = s->stdin_once;
	g->no_new_privs = s->no_new_privs;
	g->must_not_be_root = s->run_as_non_root;
	g->privileged = s->privileged;
	g->caps_add = s->privileged ? UINT64_MAX : s->caps_add;
	g->caps_drop = s->caps_drop;
	g->memory_bytes = s->memory_limit;
	g->cpu_millis = s->cpu_limit;
	g->group_count = p->spec->group_count;
	memcpy(g->groups, p->spec->groups, sizeof(g->groups));
	order_user(o, index, g, s, image);
	return order_mounts(s, &o->env[index], &o->run, g, &o->args, e);
}

static void order_resolv(struct order *o, const struct pod *p)
{
	struct buf b = BUF_INIT(65536);

	if (p->spec->dns == SPEC_DNS_HOST &&
	    file_read(AT_FDCWD, p->pods->config.resolv_conf, &b, NULL) == 0)
		resolv_parse(buf_str(&b), &o->resolv);
	buf_done(&b);
}

static bool order_net(struct order *o, const struct pod *p)
{
	struct guest_net *n = &o->run.net;
	struct in_addr address = {0}, gateway = {0};
	bool ok = true;

	if (p->attached) {
		inet_pton(AF_INET, p->nif.ip, &address);
		inet_pton(AF_INET, p->nif.gateway, &gateway);
		n->address = ntohl(address.s_addr);
		n->gateway = ntohl(gateway.s_addr);
		n->prefix = (uint8_t)p->nif.prefix_len;
		n->mtu = p->nif.mtu;
	}
	order_resolv(o, p);
	/* The pod's own name servers come first, as a kubelet merges dnsConfig. */
	ok = order_list(o, &n->dns_servers, p->spec->dns_servers.at, p->spec->dns_servers.count);
	for (size_t i = 0; ok && i < o->resolv.server_count; i++)
		ok = order_push(o, &n->dns_servers, o->resolv.servers[i]);
	ok = ok && order_list(o, &n->dns_search, p->spec->dns_search.at, p->spec->dns_search.count);
	for (size_t i = 0; ok && i < o->resolv.search_count; i++)
		ok = order_push(o, &n->dns_search, o->resolv.search[i]);
	return ok &&
	       order_list(o, &n->dns_options, p->spec->dns_options.at,
			  p->spec->dns_options.count) &&
	       order_list(o, &n->hosts, p->spec->hosts.at, p->spec->hosts.count);
}

int order_send(struct pod *p, struct err *e)
{
	struct order *o = mem_alloc(sizeof(*o));
	int r = 0;

	o->run.hostname = p->spec->hostname;
	o->run.fqdn = p->spec->fqdn;
	o->run.share_pids = p->spec->share_pids;
	o->run.grace_ms = p->spec->grace_s * 1000;
	o->run.restart = p->spec->restart;
	order_volumes(p, &o->run);
	o->run.wall_clock_ns = clock_real_ns();
	o->run.container_count = p->spec->container_count;
	o->run.layer_count = (uint32_t)p->plan.layer_count;
	for (size_t i = 0; i < p->plan.layer_count; i++)
		o->run.layers[i] = (struct guest_layer){p->plan.layers[i].offset_bytes,
							p->plan.layers[i].size_bytes};
	if (!order_net(o, p))
		r = err_set(e, -E2BIG, "too many name servers, hosts and the like");
	for (uint32_t i = 0; r == 0 && i < p->spec->container_count; i++)
		r = order_container(o, p, i, e);
	if (r == 0)
		r = session_send_run(p->session, &o->run, e);
	for (uint32_t i = 0; i < GUEST_CONTAINERS_MAX; i++)
		texts_done(&o->env[i]);
	texts_done(&o->args);
	free(o);
	return r;
}
