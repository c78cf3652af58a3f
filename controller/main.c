// SPDX-License-Identifier: Apache-2.0
/*
 * controller: the modules wired together. All of them know the store; none knows another: what one
 * needs of another is a callback set here.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "api/api.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/str.h"
#include "boot/boot.h"
#include "boot_config.h"
#include "enrol/enrol.h"
#include "kube/kubeconfig.h"
#include "options.h"
#include "remote/remote.h"
#include "rollout.h"
#include "sched/sched.h"
#include "store/store.h"

struct controller {
	struct options opt;
	struct loop loop;
	struct store *store;
	struct enrol *enrol;
	struct api *api;
	struct sched *sched;
	struct rollout *rollout;
	struct boot *boot;
	struct remote *remote; /* --api: instead of api and sched */
	struct kubeconfig kubeconfig;
	char api_url[300], operator_url[300], boot_url[300];
};

static const char *const volatiles[] = {"leases", "events", NULL};
static const char *const remote_volatiles[] = {REMOTE_VOLATILES, NULL};
static const char *const namespaces[] = {"default", "kube-system", "kube-node-lease",
					 "kube-public"};

static void on_signal(int signo, void *arg)
{
	struct controller *c = arg;

	if (signo == SIGHUP) {
		rollout_reload(c->rollout);
		return;
	}
	log_info("main", "ev=stopping signal=%d", signo);
	loop_stop(&c->loop, 0);
}

static int open_store(struct controller *c, struct err *e)
{
	_cleanup_free_ char *path = mem_printf("%s/controller.db", c->opt.data);
	struct store_config config = {.path = path, .volatiles = volatiles};
	int r = file_mkdirs(c->opt.data, 0700);

	if (r < 0)
		return err_sys(e, r, "make %s", c->opt.data);
	if (c->opt.remote_api)
		config.volatiles = remote_volatiles;
	r = store_open(&c->loop, &config, &c->store, e);
	for (size_t i = 0; !c->opt.remote_api && r == 0 && i < ARRAY_SIZE(namespaces); i++)
		r = api_make_namespace(c->store, namespaces[i], e);
	return r;
}

static int start_api(struct controller *c, struct err *e)
{
	const char *names[16] = {"localhost",  "127.0.0.1",	     "::1",
				 "kubernetes", "kubernetes.default", "kubernetes.default.svc"};
	size_t n = 6;
	char host[256] = "", machine[256] = "";
	struct enrol_pair server = {.cert = BUF_INIT(0)}, client = {.cert = BUF_INIT(0)};
	struct api_config config = {.address = c->opt.api.host, .port = c->opt.api.port};
	int r;

	if (!str_eq(c->opt.api.host, "0.0.0.0") && !str_eq(c->opt.api.host, "::"))
		names[n++] = c->opt.api.host;
	if (c->opt.advertise_api && url_host(c->opt.advertise_api, host, sizeof(host)) == 0)
		names[n++] = host;
	if (gethostname(machine, sizeof(machine) - 1) == 0 && *machine)
		names[n++] = machine;
	r = enrol_issue_server(c->enrol, "hypermetal-api", names, &server, e);
	if (r == 0)
		r = enrol_issue_client(c->enrol, "kube-apiserver-kubelet-client", "system:masters",
				       &client, e);
	config.cert_pem = buf_str(&server.cert);
	config.key_pem = buf_str(&server.key);
	config.ca_pem = enrol_ca_pem(c->enrol);
	config.images = rollout_api(c->rollout);
	config.token_key_pem = enrol_token_key_pem(c->enrol);
	config.client_cert_pem = buf_str(&client.cert);
	config.client_key_pem = buf_str(&client.key);
	if (r == 0)
		r = api_new(&c->loop, c->store, &config, &c->api, e);
	enrol_pair_done(&server);
	enrol_pair_done(&client);
	return r;
}

/* How others reach us, where the operator did not say. */
static void name_url(char *out, size_t size, const char *scheme, const struct listen_address *at,
		     uint16_t port, const char *advertise)
{
	bool any = str_eq(at->host, "0.0.0.0") || str_eq(at->host, "::");
	bool v6 = strchr(at->host, ':') && !any;

	if (advertise)
		str_copy(out, size, advertise);
	else
		snprintf(out, size, "%s://%s%s%s:%u", scheme, v6 ? "[" : "",
			 any ? "127.0.0.1" : at->host, v6 ? "]" : "", port);
}

/*
 * Hosts use the advertised address; operators the one that we listen on, which holds where hosts come
 * through a translated one (QEMU's user network, a load balancer). Listening on every address says
 * nothing, so then it is the advertised one too.
 */
static void name_operator_url(struct controller *c)
{
	bool any = str_eq(c->opt.api.host, "0.0.0.0") || str_eq(c->opt.api.host, "::");

	name_url(c->operator_url, sizeof(c->operator_url), "https", &c->opt.api, api_port(c->api),
		 any ? c->opt.advertise_api : NULL);
}

/* "ADDR:PORT" or "[ADDR]:PORT" without the port. */
static void address_of(const char *advertise, char *out, size_t size)
{
	struct listen_address at;

	str_copy(out, size, listen_parse(advertise, &at) == 0 ? at.host : advertise);
}

static int mint(const struct boot_host *host, char *token, struct err *e, void *arg)
{
	struct controller *c = arg;
	char address[64];
	struct enrol_host h = {.node_name = host->node_name,
			       .mac = host->mac,
			       .uuid = host->uuid,
			       .serial = host->serial,
			       .address = address};

	address_of(host->advertise, address, sizeof(address));
	return enrol_mint(c->enrol, &h, token, e);
}

static int choose_image(const struct boot_host *host, struct boot_image *image, struct err *e,
			void *arg)
{
	struct controller *c = arg;

	return rollout_choose(c->rollout, host, image, e);
}

static int open_image(const char *version, const char *name, void *arg)
{
	struct controller *c = arg;

	return rollout_open(c->rollout, version, name);
}

static void annotate(const char *node, const char *key, const char *value, void *arg)
{
	struct controller *c = arg;

	if (c->remote)
		remote_annotate(c->remote, node, key, value);
}

static int start_rollout(struct controller *c, struct err *e)
{
	const struct rollout_config config = {
		.data = c->opt.data,
		.images = c->opt.serve_boot ? c->opt.images : NULL,
		.ready_within_s = c->opt.ready_within_s,
		.annotate = c->opt.remote_api ? annotate : NULL,
		.arg = c,
	};

	return rollout_new(&c->loop, c->store, &config, &c->rollout, e);
}

static int start_boot(struct controller *c, struct err *e)
{
	static const struct boot_ops ops = {
		.mint = mint, .choose = choose_image, .open = open_image};
	struct boot_config config = {.address = c->opt.boot.host,
				     .port = c->opt.boot.port,
				     .boot_url = c->boot_url,
				     .api_url = c->api_url,
				     .ca_pem = c->opt.remote_api ? c->kubeconfig.ca_pem
								 : enrol_ca_pem(c->enrol),
				     .settings_file = c->opt.host_settings,
				     .settings_dir = c->opt.host_settings_dir,
				     .boot_args = c->opt.boot_args};
	int r;

	name_url(c->boot_url, sizeof(c->boot_url), "http", &c->opt.boot, c->opt.boot.port,
		 c->opt.advertise_boot);
	r = boot_new(&c->loop, &config, &ops, c, &c->boot, e);
	if (r == 0)
		log_info("main", "ev=boot_ready boot=%s listen=%s:%u", c->boot_url,
			 c->opt.boot.host, boot_port(c->boot));
	return r;
}

/* The embedded default: our own API and scheduler, a kubeconfig for the operator. */
static int start_own(struct controller *c, struct err *e)
{
	struct enrol_config enrol = {.dir = c->opt.data, .manual = c->opt.enrol_manual};
	int r = enrol_new(&c->loop, c->store, &enrol, &c->enrol, e);

	if (r == 0)
		r = start_api(c, e);
	if (r == 0)
		r = sched_new(&c->loop, c->store, &c->sched, e);
	if (r < 0)
		return r;
	name_url(c->api_url, sizeof(c->api_url), "https", &c->opt.api, api_port(c->api),
		 c->opt.advertise_api);
	name_operator_url(c);
	if (c->opt.kubeconfig)
		r = enrol_write_kubeconfig(c->enrol, c->operator_url, c->opt.kubeconfig, e);
	return r;
}

static void decide(void *arg, const struct store_object *csr, const char *type, const char *reason,
		   const char *message)
{
	struct controller *c = arg;

	remote_decide(c->remote, csr, type, reason, message);
}

/* --api: another API server, which schedules and signs; we enrol its hosts. */
static int start_remote(struct controller *c, struct err *e)
{
	struct kubeconfig *k = &c->kubeconfig;
	struct enrol_config enrol = {.dir = c->opt.data,
				     .manual = c->opt.enrol_manual,
				     .decide = decide,
				     .decide_arg = c};
	struct remote_config config = {.url = c->opt.remote_api};
	int r = kubeconfig_load(c->opt.kubeconfig, k, e);

	if (r == 0 && !k->ca_pem)
		r = err_set(e, -EINVAL,
			    "%s: certificate-authority-data is missing: hosts need the CA",
			    c->opt.kubeconfig);
	if (r < 0)
		return r;
	config.ca_pem = k->ca_pem;
	config.cert_pem = k->cert_pem;
	config.key_pem = k->key_pem;
	config.token = k->token;
	r = enrol_new(&c->loop, c->store, &enrol, &c->enrol, e);
	if (r == 0)
		r = remote_new(&c->loop, c->store, &config, &c->remote, e);
	str_copy(c->api_url, sizeof(c->api_url),
		 c->opt.advertise_api ? c->opt.advertise_api : c->opt.remote_api);
	return r;
}

static int start(struct controller *c, struct err *e)
{
	static const int signals[] = {SIGTERM, SIGINT, SIGHUP, 0};
	int r = loop_init(&c->loop);

	if (r == 0)
		r = loop_signals(&c->loop, signals, on_signal, c);
	if (r < 0)
		return err_sys(e, r, "event loop");
	r = open_store(c, e);
	if (r == 0)
		r = start_rollout(c, e);
	if (r == 0)
		r = c->opt.remote_api ? start_remote(c, e) : start_own(c, e);
	if (r == 0 && c->opt.serve_boot)
		r = start_boot(c, e);
	if (r == 0)
		log_info("main", "ev=ready api=%s", c->api_url);
	return r;
}

/* A fleet holds a connection or two per host open; the usual soft limit is 1,024. */
static void raise_file_limit(void)
{
	struct rlimit l;

	if (getrlimit(RLIMIT_NOFILE, &l) == 0 && l.rlim_cur < l.rlim_max) {
		l.rlim_cur = l.rlim_max;
		setrlimit(RLIMIT_NOFILE, &l);
	}
}

/* `controller boot-config`. Return: the exit status */
static int print_boot_config(int argc, char **argv)
{
	struct buf out = BUF_INIT(0);
	struct err e = ERR_INIT;
	int r = boot_config_print(argc, argv, &out, &e);

	if (r == 0 && (fputs(buf_str(&out), stdout) < 0 || fflush(stdout) < 0))
		r = err_sys(&e, -errno, "write");
	buf_done(&out);
	if (r < 0)
		fprintf(stderr, "controller: %s\n", err_msg(&e));
	return r < 0 ? 2 : 0;
}

int main(int argc, char **argv)
{
	struct controller c = {.api = NULL};
	struct err e = ERR_INIT;
	int r;

	if (argc > 1 && str_eq(argv[1], "boot-config"))
		return print_boot_config(argc - 1, argv + 1);
	r = options_read(&c.opt, argc, argv, &e);
	if (r != 0) {
		if (r < 0)
			fprintf(stderr, "controller: %s\n", err_msg(&e));
		return r < 0 ? 2 : 0;
	}
	log_init("controller");
	signal(SIGPIPE, SIG_IGN);
	raise_file_limit();
	r = start(&c, &e);
	if (r == 0)
		r = loop_run(&c.loop);
	else
		fprintf(stderr, "controller: %s\n", err_msg(&e));
	boot_free(c.boot);
	api_free(c.api);
	sched_free(c.sched);
	remote_free(c.remote);
	enrol_free(c.enrol);
	rollout_free(c.rollout);
	store_close(c.store);
	loop_done(&c.loop);
	kubeconfig_done(&c.kubeconfig);
	return r < 0 ? 1 : 0;
}
