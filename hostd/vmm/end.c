// SPDX-License-Identifier: Apache-2.0
/* How a VM ends: whoever notices first writes down why, for hostd and for one that comes later. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"
#include "vmm/vmm.h"

#define END_STATUS_FAILED 125

static const char *const end_reasons[] = {
	[VM_REASON_NONE] = "none",   [VM_REASON_POWEROFF] = "poweroff",
	[VM_REASON_RESET] = "reset", [VM_REASON_PANIC] = "panic",
	[VM_REASON_ERROR] = "error", [VM_REASON_KILLED] = "killed",
};

uint64_t vm_age_ns(const struct vm *vm)
{
	return clock_mono_ns() - vm->start_ns;
}

void vm_mark(struct vm *vm, uint32_t mark)
{
	uint64_t bit = mark < VM_MARK_MAX ? 1ULL << mark : 0;

	/* Each once: a guest must not be able to fill the host's log. */
	if (bit && !(__atomic_fetch_or(&vm->marks, bit, __ATOMIC_RELAXED) & bit))
		log_info("vmm", "ev=vm_mark vm=%s mark=%u ns=%llu", vm->spec->name, mark,
			 (unsigned long long)vm_age_ns(vm));
}

/* Nobody may be listening; then nobody needs to know. */
static void end_send(const struct vm *vm, const struct vm_event *ev)
{
	if (vm->control_fd >= 0)
		send(vm->control_fd, ev, sizeof(*ev), MSG_NOSIGNAL | MSG_DONTWAIT);
}

void vm_started(const struct vm *vm)
{
	struct vm_event ev = {.magic = VM_EVENT_MAGIC, .type = VM_EVENT_STARTED};

	log_info("vmm", "ev=vm_started vm=%s vcpus=%u memory_mib=%llu ns=%llu", vm->spec->name,
		 vm->spec->vcpus, (unsigned long long)(vm->spec->memory_bytes >> 20),
		 (unsigned long long)vm_age_ns(vm));
	end_send(vm, &ev);
}

static void end_record(const struct vm *vm, const struct vm_exit *x)
{
	int fd = vm_fd_at(vm, vm->spec->exit_fd);

	if (fd >= 0 && pwrite(fd, x, sizeof(*x), 0) != (ssize_t)sizeof(*x))
		log_error("vmm", "ev=vm_exit_record_lost vm=%s", vm->spec->name);
}

void vm_end(struct vm *vm, enum vm_reason reason, int code, const char *fmt, ...)
{
	struct vm_event ev = {.magic = VM_EVENT_MAGIC, .type = VM_EVENT_EXITED};
	char text[VM_DETAIL_MAX];
	uint64_t exits = 0;
	va_list ap;

	while (__atomic_exchange_n(&vm->ended, 1, __ATOMIC_SEQ_CST))
		pause();
	serial_flush(&vm->serial);
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	str_printable(ev.exit.detail, sizeof(ev.exit.detail), text);
	for (unsigned int i = 0; i < vm->spec->vcpus; i++)
		if (vm->counters)
			exits += vm->counters->vcpus[i].io + vm->counters->vcpus[i].mmio +
				 vm->counters->vcpus[i].signal + vm->counters->vcpus[i].other;
	ev.exit.magic = VM_EXIT_MAGIC;
	ev.exit.reason = reason;
	ev.exit.code = code;
	ev.exit.run_ms = vm_age_ns(vm) / 1000000U;
	ev.exit.ended_epoch_ns = clock_real_ns();
	end_record(vm, &ev.exit);
	log_info("vmm", "ev=vm_ended vm=%s reason=%s code=%d run_ms=%llu exits=%llu detail=\"%s\"",
		 vm->spec->name, end_reasons[reason], code, (unsigned long long)ev.exit.run_ms,
		 (unsigned long long)exits, ev.exit.detail);
	end_send(vm, &ev);
	_exit(reason == VM_REASON_POWEROFF ? code & 0xff
	      : reason == VM_REASON_RESET  ? 0
					   : END_STATUS_FAILED);
}
