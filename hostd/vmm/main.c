// SPDX-License-Identifier: Apache-2.0
/*
 * hypervm runs one HyperVM. hostd starts it with nothing but a socket; the developer's mode (--run)
 * opens the same files itself and goes the same way from there.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/str.h"
#include "vmm/dev.h"
#include "vmm/spec.h"
#include "vmm/vmm.h"

#define MAIN_STATUS_FAILED 125

static struct vm vm;
static struct vm_spec spec;
static int fds[VM_FDS_MAX];

static const char usage[] =
	"usage: hypervm                 run the VM that hostd describes on descriptor 3\n"
	"       hypervm --run OPTIONS   run one by hand, as root, console on standard output\n"
	"\n"
	"  --kernel FILE      uncompressed ELF kernel (vmlinux)\n"
	"  --initrd FILE      its initrd\n"
	"  --append TEXT      more kernel parameters\n"
	"  --mem MIB          memory, default 128\n"
	"  --cpus N           processors, default 1\n"
	"  --disk FILE[:ro]   a disk; FILE+FILE… makes one read-only disk of several files\n"
	"  --tap NAME         a network interface on this tap\n"
	"  --cid N            a vsock device with this address\n"
	"  --exit-file FILE   where the exit record goes\n"
	"  --uid N            identity in the jail, default 65534\n"
	"  --no-jail          keep all rights\n"
	"\n"
	"Exit status: the guest's own when it powers off, 0 after a reset, else 125.\n";

static int main_receive(struct err *e)
{
	static struct vm_spec packet;
	size_t count = 0;
	ssize_t n = fd_recv(VM_CONTROL_FD, &packet, sizeof(packet), fds, VM_FDS_MAX, &count);

	if (n < 0)
		return err_sys(e, (int)n, "receive the specification");
	return spec_check(&packet, (size_t)n, count, &spec, e);
}

/* Before there is a checked specification there is no exit record to write: the event must do. */
static int main_refuse(int r, const struct err *e)
{
	struct vm_event ev = {.magic = VM_EVENT_MAGIC,
			      .type = VM_EVENT_EXITED,
			      .exit = {.magic = VM_EXIT_MAGIC, .reason = VM_REASON_ERROR}};

	log_error("vmm", "ev=vm_refused why=\"%s\"", err_msg(e));
	ev.exit.code = r;
	ev.exit.ended_epoch_ns = clock_real_ns();
	str_printable(ev.exit.detail, sizeof(ev.exit.detail), err_msg(e));
	fd_send(VM_CONTROL_FD, &ev, sizeof(ev), NULL, 0);
	return MAIN_STATUS_FAILED;
}

int main(int argc, char **argv)
{
	uint64_t start_ns = clock_mono_ns();
	struct err e = ERR_INIT;
	int r;

	log_init("hypervm");
	signal(SIGPIPE, SIG_IGN); /* the host's log may go, the VM stays */
	vm = (struct vm){.spec = &spec, .fds = fds, .jailed = true, .start_ns = start_ns};
	if (argc > 1 && (str_eq(argv[1], "--help") || str_eq(argv[1], "-h"))) {
		fputs(usage, stdout);
		return 0;
	}
	if (argc > 1 && str_eq(argv[1], "--run")) {
		vm.control_fd = -1;
		r = dev_prepare(argc - 1, argv + 1, &spec, fds, &vm.jailed, &e);
		if (r < 0) {
			fprintf(stderr, "hypervm: %s\n", err_msg(&e));
			return MAIN_STATUS_FAILED;
		}
		vm_run(&vm);
	}
	if (argc > 1) {
		fputs(usage, stderr);
		return 2;
	}
	vm.control_fd = VM_CONTROL_FD;
	r = main_receive(&e);
	if (r < 0)
		return main_refuse(r, &e);
	vm_run(&vm);
}
