// SPDX-License-Identifier: Apache-2.0
/*
 * hostd-api: the process behind port 10250.
 *
 * It is the host's only listener and so its outermost parser. hostd starts it as root with three
 * descriptors (wire.h); it reads the certificates, gives up everything else (root folder, uid,
 * capabilities, the network but for the socket that listens, and every system call that it does not
 * need), and only then looks at what comes. A client must show a certificate of the cluster's CA; what it
 * opens is said in allow.h: that of a node, signed by the same CA, opens nothing by itself.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "api/allow.h"
#include "api/exec.h"
#include "api/logs.h"
#include "api/stats.h"
#include "api/wire.h"
#include "base/buf.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/sandbox.h"
#include "base/seccomp.h"
#include "base/str.h"
#include "http/server.h"

#define MAIN_FILES_MAX 2048 /* a connection each, and two for each log */

struct main_state {
	struct loop loop;
	struct http_server *server;
	struct logs *logs;
	struct execs *execs;
	struct stats *stats;
	struct allow *allow;
};

static int main_read_pem(int fd, struct buf *b, const char *parts[3])
{
	const char *at;
	ssize_t n;

	do {
		if (buf_reserve(b, 4096) < 0)
			return -E2BIG;
		n = read(fd, b->data + b->len, 4096);
		if (n > 0)
			b->len += (size_t)n;
	} while (n > 0);
	if (n < 0)
		return -errno;
	at = b->data;
	for (size_t i = 0; i < 3; i++) {
		const char *end = memchr(at, '\0', b->len - (size_t)(at - b->data));

		if (!end)
			return -EBADMSG;
		parts[i] = at;
		at = end + 1;
	}
	return 0;
}

/*
 * Stage 1: no file and no network is reachable; connections come from the listening socket, which stays
 * where it was made. Stage 2: nobody's rights, and no way to get others.
 */
static int main_give_up(unsigned int uid, unsigned int gid)
{
	int flags = CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNET | CLONE_NEWCGROUP;
	int r = unshare(flags) < 0 ? -errno : 0;

	if (r == 0)
		r = sandbox_empty_root();
	if (r == 0)
		r = sandbox_limit(RLIMIT_NOFILE, MAIN_FILES_MAX);
	if (r == 0)
		r = sandbox_limit(RLIMIT_CORE, 0);
	if (r == 0)
		r = sandbox_identity(uid, gid);
	if (r == 0)
		r = sandbox_limit(RLIMIT_NPROC, 0);
	return r;
}

/* Stage 3, when all is set up: what serving takes. Anything else ends the process; hostd starts another. */
static int main_filter(void)
{
	static const int allowed[] = {
		SYS_read,	 SYS_write,	     SYS_writev,       SYS_pread64,
		SYS_close,	 SYS_lseek,	     SYS_fstat,	       SYS_newfstatat,
		SYS_recvfrom,	 SYS_recvmsg,	     SYS_sendto,       SYS_sendmsg,
		SYS_accept4,	 SYS_shutdown,	     SYS_setsockopt,   SYS_getsockopt,
		SYS_getpeername, SYS_getsockname,    SYS_epoll_wait,   SYS_epoll_pwait,
		SYS_epoll_ctl,	 SYS_munmap,	     SYS_mremap,       SYS_madvise,
		SYS_brk,	 SYS_clock_gettime,  SYS_gettimeofday, SYS_getrandom,
		SYS_futex,	 SYS_rt_sigprocmask, SYS_rt_sigreturn, SYS_restart_syscall,
		SYS_getpid,	 SYS_exit,	     SYS_exit_group,
	};
	static const uint32_t memory[] = {PROT_NONE, PROT_READ, PROT_READ | PROT_WRITE};
	static const uint32_t flags[] = {F_GETFD, F_SETFD, F_GETFL, F_SETFL};
	struct seccomp s;

	seccomp_begin(&s, SECCOMP_RET_KILL_PROCESS);
	seccomp_allow(&s, allowed, ARRAY_SIZE(allowed));
	seccomp_allow_if(&s, SYS_mmap, 2, memory, ARRAY_SIZE(memory));
	seccomp_allow_if(&s, SYS_mprotect, 2, memory, ARRAY_SIZE(memory));
	seccomp_allow_if(&s, SYS_fcntl, 1, flags, ARRAY_SIZE(flags));
	return seccomp_apply(&s);
}

static void main_serve_request(struct http_request *r, void *arg)
{
	struct main_state *s = arg;
	const char *path = http_request_path(r), *rest;

	if ((rest = str_starts(path, "/exec/")))
		execs_serve(s->execs, r, rest, false);
	else if ((rest = str_starts(path, "/attach/")))
		execs_serve(s->execs, r, rest, true);
	else if (!str_eq(http_request_method(r), "GET"))
		http_reply_text(r, 405, "Method Not Allowed\n");
	else if (str_eq(path, "/healthz"))
		http_reply_text(r, 200, "ok");
	else if ((rest = str_starts(path, "/containerLogs/")))
		logs_serve(s->logs, r, rest);
	else if ((rest = str_starts(path, "/logs/")))
		logs_serve_host(s->logs, r, rest);
	else if (!stats_serve(s->stats, r))
		http_reply_text(r, 404, "404 page not found\n");
}

static void main_request(struct http_request *r, void *arg)
{
	const struct main_state *s = arg;

	allow_request(s->allow, r);
}

static void main_lost(void *arg)
{
	struct main_state *s = arg;

	log_info("api", "ev=hostd_gone msg=\"ends\"");
	loop_stop(&s->loop, 0);
}

static int main_serve(unsigned int uid, unsigned int gid, struct err *e)
{
	static const struct http_server_ops ops = {.on_request = main_request};
	struct http_server_config config = {.listen_fd = API_FD_LISTEN,
					    .client_cert = HTTP_CLIENT_CERT_REQUIRED,
					    .connections_max = 512};
	struct buf pem = BUF_INIT(API_PEM_MAX);
	struct main_state s = {0};
	struct asker *asker;
	const char *parts[3];
	int r = main_read_pem(API_FD_PEM, &pem, parts);

	if (r < 0)
		return err_sys(e, r, "read the certificates");
	close(API_FD_PEM);
	if (uid)
		r = main_give_up(uid, gid);
	if (r < 0)
		return err_sys(e, r, "give up rights");
	r = loop_init(&s.loop);
	if (r < 0)
		return err_sys(e, r, "event loop");
	config.cert_pem = parts[0];
	config.key_pem = parts[1];
	config.client_ca_pem = parts[2];
	r = http_server_new(&s.loop, &config, &ops, &s, &s.server, e);
	mem_wipe(pem.data, pem.len);
	buf_done(&pem);
	if (r == 0)
		r = asker_new(&s.loop, API_FD_CONTROL, main_lost, &s, &asker);
	if (r == 0) {
		s.logs = logs_new(&s.loop, asker);
		s.execs = execs_new(&s.loop, asker);
		s.stats = stats_new(&s.loop, asker);
		s.allow = allow_new(asker, main_serve_request, &s);
	}
	if (r < 0)
		return err_wrap(e, r, "serve");
	r = uid ? main_filter() : 0;
	return r < 0 ? err_sys(e, r, "filter of system calls") : loop_run(&s.loop);
}

static void main_usage(FILE *out)
{
	fputs("usage: hostd-api --uid UID --gid GID\n"
	      "Serves a host's logs, execs and figures over HTTPS. Started by hostd, which passes the socket, the\n"
	      "certificates and its own end as descriptors 3 to 5; of no use otherwise.\n",
	      out);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {{"uid", required_argument, NULL, 'u'},
						{"gid", required_argument, NULL, 'g'},
						{"help", no_argument, NULL, 'h'},
						{NULL, 0, NULL, 0}};
	struct err e = ERR_INIT;
	uint64_t uid = 0, gid = 0;
	int c;

	while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (c == 'h') {
			main_usage(stdout);
			return 0;
		}
		if ((c != 'u' && c != 'g') ||
		    str_u64(optarg, UINT32_MAX, c == 'u' ? &uid : &gid) < 0) {
			main_usage(stderr);
			return 2;
		}
	}
	log_init("hostd-api");
	if (main_serve((unsigned int)uid, (unsigned int)gid, &e) < 0) {
		log_error("api", "msg=\"%s\"", err_msg(&e));
		return 1;
	}
	return 0;
}
