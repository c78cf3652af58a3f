// SPDX-License-Identifier: Apache-2.0
#include "signame.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>

#include "base/mem.h"
#include "base/str.h"

/* The kernel's numbers; libc keeps the first three real-time signals for itself. */
#define SIGNAME_RTMIN 34
#define SIGNAME_RTMAX 64

static const struct {
	const char *name;
	int number;
} signals[] = {
	{"HUP", SIGHUP},	  {"INT", SIGINT},
	{"QUIT", SIGQUIT},	  {"ILL", SIGILL},
	{"TRAP", SIGTRAP},	  {"ABRT", SIGABRT},
	{"BUS", SIGBUS},	  {"FPE", SIGFPE},
	{"KILL", SIGKILL},	  {"USR1", SIGUSR1},
	{"SEGV", SIGSEGV},	  {"USR2", SIGUSR2},
	{"PIPE", SIGPIPE},	  {"ALRM", SIGALRM},
	{"TERM", SIGTERM},	  {"CHLD", SIGCHLD},
	{"CONT", SIGCONT},	  {"STOP", SIGSTOP},
	{"TSTP", SIGTSTP},	  {"TTIN", SIGTTIN},
	{"TTOU", SIGTTOU},	  {"URG", SIGURG},
	{"XCPU", SIGXCPU},	  {"XFSZ", SIGXFSZ},
	{"VTALRM", SIGVTALRM},	  {"PROF", SIGPROF},
	{"WINCH", SIGWINCH},	  {"IO", SIGIO},
	{"PWR", SIGPWR},	  {"SYS", SIGSYS},
	{"RTMIN", SIGNAME_RTMIN}, {"RTMAX", SIGNAME_RTMAX},
};

int signame_parse(const char *name)
{
	const char *rest = str_starts(name, "SIG");
	uint64_t v;

	if (str_u64(name, SIGNAME_RTMAX, &v) == 0)
		return v ? (int)v : -EINVAL;
	name = rest ? rest : name;
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
		if (str_eq(name, signals[i].name))
			return signals[i].number;
	rest = str_starts(name, "RTMIN+");
	if (rest && str_u64(rest, SIGNAME_RTMAX - SIGNAME_RTMIN, &v) == 0)
		return SIGNAME_RTMIN + (int)v;
	rest = str_starts(name, "RTMAX-");
	if (rest && str_u64(rest, SIGNAME_RTMAX - SIGNAME_RTMIN, &v) == 0)
		return SIGNAME_RTMAX - (int)v;
	return -EINVAL;
}
