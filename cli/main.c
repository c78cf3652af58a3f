// SPDX-License-Identifier: Apache-2.0
/*
 * hyper: the operator's command line. One table names the commands; the options that all of them
 * take are read here, before and behind the command's name, and each command reads its own.
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "cmd.h"

#ifndef HYPER_VERSION
#define HYPER_VERSION "0.1"
#endif

struct main_command {
	const char *name, *arguments, *summary, *options;
	int (*run)(struct cmd *c, int argc, char **argv);
};

static const struct main_command main_commands[] = {
	{"run", "[OPTIONS] IMAGE [COMMAND [ARG...]]", "start a pod from an image",
	 "  --name NAME          pod's name (default: made from the image's)\n"
	 "  -p, --publish [IP:]HOSTPORT:PORT[/udp]\n"
	 "                       open a port of the host for the pod; may be repeated\n"
	 "  -e, --env KEY=VALUE  set a variable; may be repeated\n"
	 "  --cpu N              CPUs it may use, e.g. 2 or 500m (default 1); a tenth is kept for it\n"
	 "  --memory SIZE        e.g. 256Mi (default 128Mi)\n"
	 "  --restart POLICY     Always (default), OnFailure or Never\n"
	 "  --host NAME          put it on this host\n"
	 "  -d, --detach         do not wait until it runs\n"
	 "  --timeout SECONDS    how long to wait (default 120)\n",
	 cmd_run},
	{"list", "[-A]", "list pods", "  -A, --all-namespaces  of all namespaces\n", cmd_list},
	{"logs", "[-f] [OPTIONS] POD [CONTAINER]", "show what a pod printed",
	 "  -f, --follow         go on until the container ends\n"
	 "  -t, --timestamps     with the time of each line\n"
	 "  --tail N             only the last N lines\n"
	 "  --since TIME         only lines of the last TIME: 90s, 5m, 2h\n"
	 "  --since-time TIME    only lines from then on: 2026-01-02T03:04:05Z\n"
	 "  --limit-bytes N      no more than N bytes\n"
	 "  --stream NAME        only Stdout or Stderr\n"
	 "  -p, --previous       of the container's run before its last restart\n"
	 "  -c, --container NAME of a pod with several containers\n",
	 cmd_logs},
	{"host-logs", "[-f] [OPTIONS] HOST", "show what a host's kernel and its programs said",
	 "  -f, --follow         go on\n"
	 "  --tail N             only the last N lines\n"
	 "  --since TIME         only lines of the last TIME: 90s, 5m, 2h\n"
	 "  --grep TEXT          only lines with this text\n"
	 "  --kernel             only the kernel's\n"
	 "  --programs           only those of hostd and its helpers\n"
	 "\nA host keeps its last lines, up to a MiB, in memory: those of its present boot.\n",
	 cmd_host_logs},
	{"exec", "[-i] [-t] [-c CONTAINER] POD -- COMMAND [ARG...]", "run a command in a pod",
	 "  -i, --stdin          pass standard input on\n"
	 "  -t, --tty            in a terminal\n"
	 "  -c, --container NAME of a pod with several containers\n"
	 "\nThe exit status is the command's; 127 when there is no such command, 126 when it cannot be\n"
	 "executed, 1 when the pod cannot be reached.\n",
	 cmd_exec},
	{"attach", "[-i] [-t] [-c CONTAINER] POD", "see a container's output, and type into it",
	 "  -i, --stdin          pass standard input on, to a container with `stdin: true`\n"
	 "  -t, --tty            the container has a terminal\n"
	 "  -c, --container NAME of a pod with several containers\n",
	 cmd_exec},
	{"describe", "POD | host NAME", "show all about a pod or a host", "", cmd_describe},
	{"stop", "[-t SECONDS] POD...", "end pods and remove them: ask, wait, then kill",
	 "  -t, --time SECONDS   how long a pod may take (default: as it says, 30)\n", cmd_rm},
	{"rm", "[-f] [-t SECONDS] POD...", "end pods and remove them, with -f at once",
	 "  -f, --force          at once\n"
	 "  -t, --time SECONDS   how long a pod may take (default: as it says, 30)\n"
	 "  --no-wait            do not wait until they are gone\n",
	 cmd_rm},
	{"top", "[hosts | pods] [-A] [OPTIONS]", "show what hosts or pods use, the busiest first",
	 "  -A, --all-namespaces  pods of all namespaces\n"
	 "  --containers         each container of a pod by itself\n"
	 "  --sort cpu|memory    by what (default: cpu)\n"
	 "\nCPU in thousandths of a processor, memory as the working set, measured right now.\n",
	 cmd_top},
	{"images", "", "list the images that hosts hold", "", cmd_images},
	{"hosts", "", "list hosts", "", cmd_hosts},
	{"approve", "[HOST...]", "let unknown hosts in; without a name, list who waits", "",
	 cmd_approve},
	{"image", "add DIR | list | rm VERSION...", "keep the images that hosts boot",
	 "  add DIR              a folder as `make images` leaves it: every file with its .sha256\n"
	 "  rm VERSION...        not while a host is to boot it, or was last Ready on it\n",
	 cmd_image},
	{"reimage", "HOST... | -l SELECTOR --image VERSION", "boot hosts into another image",
	 "  --image VERSION      one of `hyper image list`\n"
	 "  -l, --selector LABELS  all hosts with these labels\n"
	 "  --delete             remove pods that nothing would make again; else they begin again\n"
	 "                       on the host when it is back\n"
	 "  --timeout SECONDS    until a host is Ready again (default 1200)\n"
	 "\nOne host after the other; the first that does not come back with the image is the last.\n",
	 cmd_drain},
	{"reboot", "HOST... | -l SELECTOR", "restart hosts, one after the other",
	 "  -l, --selector LABELS  all hosts with these labels\n"
	 "  --delete             remove pods that nothing would make again\n"
	 "  --timeout SECONDS    until a host is Ready again (default 1200)\n",
	 cmd_drain},
	{"drain", "HOST... | -l SELECTOR",
	 "put no new pods on hosts, and move those that are there",
	 "  -l, --selector LABELS  all hosts with these labels\n"
	 "  --delete             remove pods that nothing would make again, too\n"
	 "  --timeout SECONDS    for all pods of a host (default 1200)\n",
	 cmd_drain},
	{"wipe", "HOST --disk DISK... | --all | --status",
	 "make all data of a host's disks unreadable",
	 "  --disk DISK          by its name or serial number; may be repeated\n"
	 "  --all                every disk that it has\n"
	 "  --method METHOD      auto (default), discard, nvme-format, nvme-sanitize,\n"
	 "                       ata-secure-erase or overwrite\n"
	 "  --yes                do not ask for the host's name\n"
	 "  --status             show how far it is, or what came of it\n"
	 "  --timeout SECONDS    how long to wait for the end (default: a day)\n"
	 "\nWhatever is on them, also of others. The disk with images and pods' scratch only when the\n"
	 "host is cordoned and drained.\n",
	 cmd_wipe},
	{"cordon", "HOST...", "put no new pods on hosts", "", cmd_cordon},
	{"uncordon", "HOST...", "put pods on hosts again", "", cmd_cordon},
};

static const char main_common[] =
	"  -n, --namespace NS   namespace (default: the kubeconfig's)\n"
	"  -o json              print the API's own objects\n"
	"  --kubeconfig FILE    default: $KUBECONFIG, out/run/kubeconfig, ~/.kube/config\n"
	"  -h, --help           this text\n";

static const struct main_command *main_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(main_commands); i++)
		if (str_eq(main_commands[i].name, name))
			return &main_commands[i];
	return NULL;
}

static void main_help(FILE *out)
{
	fputs("usage: hyper COMMAND [OPTIONS]\n\nRuns pods on a fleet of HyperMetal hosts.\n\n",
	      out);
	for (size_t i = 0; i < ARRAY_SIZE(main_commands); i++)
		fprintf(out, "  %-9s %s\n", main_commands[i].name, main_commands[i].summary);
	fprintf(out, "\nEvery command takes:\n%s\n`hyper help COMMAND` tells more.\n", main_common);
}

static int main_help_command(const char *name)
{
	const struct main_command *m = main_find(name);

	if (!m) {
		fprintf(stderr, "hyper: there is no command `%s`; `hyper help` lists them\n", name);
		return CMD_USAGE;
	}
	printf("usage: hyper %s %s\n\n%s.\n\n%s%s", m->name, m->arguments, m->summary, m->options,
	       main_common);
	return CMD_OK;
}

struct main_options {
	const char *kubeconfig, *namespace;
	bool json, help;
};

/* The value of an option that is argv[*i], or of "--name=value"; advances *i past a separate one. */
static const char *main_value(int argc, char **argv, int *i, const char *shorter,
			      const char *longer)
{
	const char *arg = argv[*i], *rest = str_starts(arg, longer);

	if (rest && *rest == '=')
		return rest + 1;
	if (!str_eq(arg, longer) && !str_eq(arg, shorter))
		return NULL;
	if (*i + 1 >= argc || !argv[*i + 1])
		return "";
	return argv[++*i];
}

/*
 * Takes the common options out of argv. Behind `--`, and for `run` behind the image's name, nothing
 * is ours any more: the command's own parser decides, so only options in front of the first operand
 * that follows the command's name are looked at when @stop_at_operand.
 */
static int main_take_options(int argc, char **argv, struct main_options *o)
{
	bool run = argc > 1 && str_eq(argv[1], "run"), raw = false;
	int kept = 1;

	for (int i = 1; i < argc && argv[i]; i++) {
		const char *v;

		if (raw || str_eq(argv[i], "--")) {
			raw = true;
		} else if (str_eq(argv[i], "-h") || str_eq(argv[i], "--help")) {
			o->help = true;
			continue;
		} else if ((v = main_value(argc, argv, &i, "-n", "--namespace"))) {
			o->namespace = v;
			continue;
		} else if ((v = main_value(argc, argv, &i, "--kubeconfig", "--kubeconfig"))) {
			o->kubeconfig = v;
			continue;
		} else if ((v = main_value(argc, argv, &i, "-o", "--output"))) {
			if (!str_eq(v, "json")) {
				fprintf(stderr, "hyper: -o takes json only\n");
				return -1;
			}
			o->json = true;
			continue;
		} else if (run && i > 1 && argv[i][0] != '-') {
			/* An option's value, or the image: cmd_run() must see all that follows. */
			raw = true;
		} else if (run && i > 1 && i + 1 < argc && !strchr(argv[i], '=') &&
			   !str_eq(argv[i], "-d") && !str_eq(argv[i], "--detach")) {
			argv[kept++] = argv[i++]; /* every other option of run takes a value */
		}
		argv[kept++] = argv[i];
	}
	argv[kept] = NULL;
	return kept;
}

static int main_run(const struct main_command *m, const struct main_options *o, int argc,
		    char **argv)
{
	struct cmd c = {.json = o->json};
	struct kubeconfig k;
	struct err e = ERR_INIT;
	_cleanup_free_ char *path = kubeconfig_find(o->kubeconfig, &e);
	int r;

	if (!path)
		return cmd_fail(&e, m->name);
	if (kubeconfig_load(path, &k, &e) < 0)
		return cmd_fail(&e, "kubeconfig");
	c.namespace = o->namespace ? o->namespace : k.namespace;
	if (api_new(&k, &c.api, &e) < 0)
		r = cmd_fail(&e, m->name);
	else
		r = m->run(&c, argc, argv);
	api_free(c.api);
	kubeconfig_done(&k);
	if (fflush(stdout) != 0 || ferror(stdout))
		return CMD_FAILED;
	return r;
}

int main(int argc, char **argv)
{
	struct main_options o = {0};
	const struct main_command *m;

	signal(SIGPIPE, SIG_DFL);
	argc = main_take_options(argc, argv, &o);
	if (argc < 0)
		return CMD_USAGE;
	if (argc > 1 && str_eq(argv[1], "help")) {
		if (argc > 2)
			return main_help_command(argv[2]);
		o.help = true;
		argc = 1;
	}
	if (argc > 1 && (str_eq(argv[1], "version") || str_eq(argv[1], "--version"))) {
		puts("hyper " HYPER_VERSION);
		return CMD_OK;
	}
	if (argc < 2) {
		main_help(o.help ? stdout : stderr);
		return o.help ? CMD_OK : CMD_USAGE;
	}
	if (o.help)
		return main_help_command(argv[1]);
	m = main_find(argv[1]);
	return m ? main_run(m, &o, argc - 1, argv + 1) : main_help_command(argv[1]);
}
