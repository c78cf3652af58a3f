// SPDX-License-Identifier: Apache-2.0
/*
 * hostd-image: pulls one image and ends. It is the only program that reads what registries send.
 *
 * Before it looks at any of that it gives up its rights: a root folder with the store (read-only), its
 * own folder, mkfs.erofs and what name resolution and TLS need; its own user; limits; a short list of
 * system calls. What it made is taken over by hostd after it has ended.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/sandbox.h"
#include "base/seccomp.h"
#include "base/str.h"
#include "json/json.h"
#include "oci/image_run.h"
#include "oci/login.h"
#include "oci/manifest.h"
#include "oci/pull.h"

#define IMAGE_MIRRORS_MAX 8
#define IMAGE_FILES_MAX	  256

struct options {
	struct oci_pull_spec pull;
	const char *mirrors[IMAGE_MIRRORS_MAX];
	uint64_t uid, gid, result_fd;
	bool with_logins;
	char text[LOGIN_BYTES_MAX + 1];
	struct oci_login logins[LOGINS_MAX];
};

static void usage(FILE *to)
{
	fputs("usage: hostd-image --store DIR --folder DIR --mkfs FILE [options] NAME\n"
	      "Pulls one image: makes an EROFS file of each layer that the store does not have.\n\n"
	      "  --store DIR      the store; only read\n"
	      "  --folder DIR     where new files go\n"
	      "  --mkfs FILE      mkfs.erofs\n"
	      "  --mirror R=URL   ask URL for images of registry R first; repeatable\n"
	      "  --logins         read logins from standard input: HOST, a blank, base64 of USER:PASSWORD, a line each\n"
	      "  --room BYTES     limit of what is made (default 16 GiB)\n"
	      "  --uid N --gid N  become this user and see nothing else than these folders and the network\n"
	      "  --result-fd N    write the result there, one line of JSON (default 1)\n"
	      "  --help           print this\n",
	      to);
}

static int parse(int argc, char **argv, struct options *o)
{
	static const struct option names[] = {
		{"store", required_argument, NULL, 's'},
		{"folder", required_argument, NULL, 'f'},
		{"mkfs", required_argument, NULL, 'm'},
		{"mirror", required_argument, NULL, 'r'},
		{"logins", no_argument, NULL, 'l'},
		{"room", required_argument, NULL, 'b'},
		{"uid", required_argument, NULL, 'u'},
		{"gid", required_argument, NULL, 'g'},
		{"result-fd", required_argument, NULL, 'd'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	int c, r = 0;

	while (r == 0 && (c = getopt_long(argc, argv, "", names, NULL)) >= 0) {
		switch (c) {
		case 's':
			o->pull.store = optarg;
			break;
		case 'f':
			o->pull.folder = optarg;
			break;
		case 'm':
			o->pull.mkfs = optarg;
			break;
		case 'r':
			if (o->pull.mirror_count == IMAGE_MIRRORS_MAX)
				return -EINVAL;
			o->mirrors[o->pull.mirror_count++] = optarg;
			break;
		case 'l':
			o->with_logins = true;
			break;
		case 'b':
			r = str_u64(optarg, UINT64_MAX, &o->pull.room_bytes);
			break;
		case 'u':
			r = str_u64(optarg, INT32_MAX, &o->uid);
			break;
		case 'g':
			r = str_u64(optarg, INT32_MAX, &o->gid);
			break;
		case 'd':
			r = str_u64(optarg, INT32_MAX, &o->result_fd);
			break;
		case 'h':
			usage(stdout);
			exit(0);
		default:
			return -EINVAL;
		}
	}
	if (r < 0 || optind + 1 != argc || !o->pull.store || !o->pull.folder || !o->pull.mkfs)
		return -EINVAL;
	o->pull.mirrors = o->mirrors;
	o->pull.name = argv[optind];
	return 0;
}

static int read_logins(struct options *o, struct err *e)
{
	size_t len = 0;
	ssize_t n;
	int r;

	if (!o->with_logins)
		return 0;
	while (len < LOGIN_BYTES_MAX &&
	       (n = read(STDIN_FILENO, o->text + len, LOGIN_BYTES_MAX - len)) > 0)
		len += (size_t)n;
	r = login_parse(o->text, o->logins, LOGINS_MAX);
	if (r < 0)
		return err_set(e, r, "logins: not lines of HOST and base64");
	o->pull.logins = o->logins;
	o->pull.login_count = (size_t)r;
	return 0;
}

static int limit(void)
{
	static const struct {
		int resource;
		unsigned long value;
	} limits[] = {
		{RLIMIT_CORE, 0},
		{RLIMIT_NOFILE, IMAGE_FILES_MAX},
	};

	for (size_t i = 0; i < ARRAY_SIZE(limits); i++) {
		int r = sandbox_limit(limits[i].resource, limits[i].value);

		if (r < 0)
			return r;
	}
	return 0;
}

/*
 * What libcurl, mbedTLS, the resolver's thread and mkfs.erofs ask of the kernel; traced, and what their
 * C library may use in its place. Another call fails as in a kernel that has none such, so that a new
 * library that tries something better first goes on with what it did before.
 */
static int confine_calls(void)
{
	static const int allowed[] = {
		/* memory and threads */
		SYS_mmap,
		SYS_munmap,
		SYS_mremap,
		SYS_mprotect,
		SYS_madvise,
		SYS_brk,
		SYS_futex,
		SYS_clone,
		SYS_set_tid_address,
		SYS_set_robust_list,
		SYS_rseq,
		SYS_arch_prctl,
		SYS_exit,
		SYS_exit_group,
		SYS_sched_yield,
		SYS_sched_getaffinity,
		/* files; what there is of them the root folder decides */
		SYS_read,
		SYS_readv,
		SYS_pread64,
		SYS_preadv,
		SYS_write,
		SYS_writev,
		SYS_pwrite64,
		SYS_pwritev,
		SYS_open,
		SYS_openat,
		SYS_close,
		SYS_close_range,
		SYS_stat,
		SYS_lstat,
		SYS_fstat,
		SYS_newfstatat,
		SYS_statx,
		SYS_statfs,
		SYS_fstatfs,
		SYS_access,
		SYS_faccessat,
		SYS_faccessat2,
		SYS_readlink,
		SYS_lseek,
		SYS_fcntl,
		SYS_ioctl,
		SYS_ftruncate,
		SYS_fallocate,
		SYS_fadvise64,
		SYS_fsync,
		SYS_fdatasync,
		SYS_chmod,
		SYS_fchmod,
		SYS_rename,
		SYS_renameat,
		SYS_unlink,
		SYS_unlinkat,
		SYS_dup,
		SYS_dup2,
		SYS_dup3,
		SYS_pipe2,
		SYS_eventfd2,
		SYS_sendfile,
		SYS_copy_file_range,
		SYS_umask,
		/* network: sockets are made below */
		SYS_connect,
		SYS_bind,
		SYS_shutdown,
		SYS_sendto,
		SYS_sendmsg,
		SYS_recvfrom,
		SYS_recvmsg,
		SYS_getsockname,
		SYS_getpeername,
		SYS_getsockopt,
		SYS_setsockopt,
		SYS_poll,
		SYS_ppoll,
		/* mkfs.erofs; it is named by a pidfd, nobody else can be */
		SYS_clone3,
		SYS_execve,
		SYS_setsid,
		SYS_wait4,
		SYS_pidfd_send_signal,
		/* signals, time, oneself */
		SYS_rt_sigaction,
		SYS_rt_sigprocmask,
		SYS_rt_sigreturn,
		SYS_sigaltstack,
		SYS_restart_syscall,
		SYS_clock_gettime,
		SYS_clock_nanosleep,
		SYS_nanosleep,
		SYS_gettimeofday,
		SYS_getrandom,
		SYS_getpid,
		SYS_gettid,
		SYS_getuid,
		SYS_geteuid,
		SYS_getgid,
		SYS_getegid,
		SYS_prlimit64,
		SYS_uname,
		SYS_sysinfo,
	};
	static const uint32_t families[] = {AF_INET, AF_INET6};
	struct seccomp s;

	seccomp_begin(&s, SECCOMP_RET_ERRNO | ENOSYS);
	seccomp_allow_if(&s, SYS_socket, 0, families, ARRAY_SIZE(families));
	seccomp_allow(&s, allowed, ARRAY_SIZE(allowed));
	return seccomp_apply(&s);
}

static int confine(const struct options *o, struct err *e)
{
	const struct sandbox_bind binds[] = {
		{.path = o->pull.store},
		{.path = o->pull.folder, .writable = true},
		{.path = o->pull.mkfs},
		{.path = "/dev/null", .writable = true},
		{.path = "/etc/resolv.conf", .optional = true},
		{.path = "/etc/hosts", .optional = true},
		{.path = "/etc/ssl/certs/ca-certificates.crt", .optional = true},
	};
	int r = limit();

	if (r < 0)
		return err_sys(e, r, "limits");
	if (!o->uid)
		return 0;
	if (unshare(CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS) < 0)
		return err_sys(e, -errno, "namespaces");
	r = sandbox_root(binds, ARRAY_SIZE(binds));
	if (r < 0)
		return err_sys(e, r, "the folders of a pull");
	r = sandbox_identity((uid_t)o->uid, (gid_t)o->gid);
	if (r < 0)
		return err_sys(e, r, "the user of a pull");
	/* A pull of a hostd that has gone is nobody's. (A change of user resets this, so it comes last.) */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		return err_sys(e, -errno, "prctl");
	r = confine_calls();
	return r < 0 ? err_sys(e, r, "the system calls of a pull") : 0;
}

static int report(const struct options *o, const struct oci_pulled *pulled, int code,
		  const struct err *e)
{
	_cleanup_json_ struct json_doc *doc = json_doc_new();
	_cleanup_(buf_done) struct buf b = BUF_INIT(0);
	struct json *root = json_new_obj(doc);

	if (code < 0) {
		json_put_int(doc, root, "code", code);
		json_put_str(doc, root, "error", err_msg(e));
	} else {
		json_put_str(doc, root, "digest", pulled->digest);
		json_put_int(doc, root, "bytes", (int64_t)pulled->bytes);
	}
	if (json_write(root, &b) < 0 || buf_puts(&b, "\n") < 0)
		return -EIO;
	return fd_write_full((int)o->result_fd, b.data, b.len);
}

int image_run(int argc, char **argv)
{
	struct options o = {.pull.room_bytes = OCI_LAYER_SIZE_MAX, .result_fd = 1};
	struct oci_pulled pulled = {0};
	struct err e = ERR_INIT;
	int r;

	log_init("hostd-image");
	if (parse(argc, argv, &o) < 0) {
		usage(stderr);
		return 2;
	}
	signal(SIGPIPE, SIG_IGN);
	umask(022);
	r = confine(&o, &e);
	if (r == 0)
		r = read_logins(&o, &e);
	if (r == 0)
		r = oci_pull_run(&o.pull, &pulled, &e);
	if (report(&o, &pulled, r, &e) < 0)
		return 1;
	return r < 0;
}
