// SPDX-License-Identifier: Apache-2.0
/* The packet from hostd, the serial port and the processor's identity: small pure parts. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <linux/serial_reg.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "vmm/cpuid.h"
#include "vmm/serial.h"
#include "vmm/spec.h"

#define FD_COUNT 9

static struct vm_spec good(void)
{
	struct vm_spec s = {
		.magic = VM_SPEC_MAGIC,
		.version = VM_SPEC_VERSION,
		.size_bytes = sizeof(s),
		.name = "8c5b2a-pod.1",
		.memory_bytes = 128U << 20,
		.vcpus = 2,
		.guest_cid = 3,
		.uid = 4711,
		.gid = 4711,
		.fd_count = FD_COUNT,
		.kernel_fd = 1,
		.initrd_fd = 2,
		.vsock_fd = 3,
		.console_fd = VM_FD_NONE,
		.counters_fd = VM_FD_NONE,
		.exit_fd = 4,
		.disk_count = 2,
		.nic_count = 1,
		.extent_count = 3,
		.cmdline = "a=b c",
	};

	s.extents[0] = (struct vm_extent){.fd = 5, .size_bytes = 1};
	s.extents[1] = (struct vm_extent){.fd = 6, .size_bytes = 4096};
	s.extents[2] = (struct vm_extent){.fd = 7, .size_bytes = 1 << 20};
	s.disks[0] = (struct vm_disk){.extent_count = 2, .flags = VM_DISK_READONLY};
	s.disks[1] = (struct vm_disk){.first_extent = 2, .extent_count = 1};
	s.nics[0] = (struct vm_nic){.tap_fd = 7, .vhost_fd = 8, .mac = {2}};
	return s;
}

static int check(const struct vm_spec *s)
{
	struct vm_spec out;

	return spec_check(s, sizeof(*s), FD_COUNT, &out, NULL);
}

static void test_spec_good(void **state)
{
	struct vm_spec s = good(), out;

	(void)state;
	assert_int_equal(spec_check(&s, sizeof(s), FD_COUNT, &out, NULL), 0);
	assert_memory_equal(&s, &out, sizeof(s));
}

static void test_spec_of_another_build(void **state)
{
	struct vm_spec s = good(), out;

	(void)state;
	assert_int_equal(spec_check(&s, sizeof(s) - 1, FD_COUNT, &out, NULL), -EPROTO);
	assert_int_equal(spec_check(&s, 0, FD_COUNT, &out, NULL), -EPROTO);
	s.version++;
	assert_int_equal(check(&s), -EPROTO);
	s = good();
	s.magic ^= 1;
	assert_int_equal(check(&s), -EPROTO);
}

#define REFUSES(change)                               \
	do {                                          \
		struct vm_spec s = good();            \
		change;                               \
		assert_int_equal(check(&s), -EINVAL); \
	} while (0)

static void test_spec_refuses(void **state)
{
	(void)state;
	REFUSES(s.flags = 1);
	REFUSES(s.fd_count = FD_COUNT - 1);
	REFUSES(s.name[0] = '\0');
	REFUSES(s.name[0] = ' ');
	REFUSES(memset(s.name, 'a', sizeof(s.name)));
	REFUSES(s.memory_bytes = 1 << 20);
	REFUSES(s.memory_bytes += 4096);
	REFUSES(s.memory_bytes = UINT64_MAX & ~((2ULL << 20) - 1));
	REFUSES(s.vcpus = 0);
	REFUSES(s.vcpus = VM_VCPUS_MAX + 1);
	REFUSES(s.guest_cid = 2);
	REFUSES(s.uid = 0);
	REFUSES(s.gid = UINT32_MAX);
	REFUSES(s.kvm_fd = VM_FD_NONE);
	REFUSES(s.kernel_fd = FD_COUNT);
	REFUSES(s.initrd_fd = FD_COUNT);
	REFUSES(s.disk_count = VM_DISKS_MAX + 1);
	REFUSES(s.nic_count = VM_NICS_MAX + 1);
	REFUSES(s.extent_count = VM_EXTENTS_MAX + 1);
	REFUSES(s.extents[1].fd = FD_COUNT);
	REFUSES(s.extents[1].size_bytes = 0);
	REFUSES(s.extents[1].size_bytes = UINT64_MAX);
	REFUSES(s.disks[0].extent_count = 0);
	REFUSES(s.disks[0].extent_count = 4);
	REFUSES(s.disks[0].first_extent = UINT32_MAX);
	REFUSES(s.disks[0].flags = 2);
	REFUSES(s.disks[0].flags = 0); /* writable with two files */
	REFUSES(s.nics[0].tap_fd = FD_COUNT);
	REFUSES(s.nics[0].vhost_fd = VM_FD_NONE);
	REFUSES(s.nics[0].mac[0] = 1); /* a multicast address */
	REFUSES(s.nics[0].mtu = 20);
	REFUSES(s.cmdline[1] = '\n');
	REFUSES(memset(s.cmdline, 'a', sizeof(s.cmdline)));
}

static void say(struct serial *s, const char *text)
{
	while (*text)
		serial_out(s, UART_TX, (uint8_t)*text++);
}

static uint32_t marks;

static void on_mark(struct serial *s, uint32_t mark)
{
	(void)s;
	marks = marks << 8 | mark;
}

static void test_serial_marks(void **state)
{
	int log = memfd_create("log", MFD_CLOEXEC);
	struct serial s;
	char text[64] = "";

	(void)state;
	serial_init(&s, log, sizeof(text), -1, on_mark);
	say(&s, "a\033]mark=1\ab\033]mark=12\a\033]mark=99999999\a\033]mark=x7\ac\n");
	assert_int_equal(marks, 1 << 8 | 12);
	assert_int_equal(pread(log, text, sizeof(text), 0), 12);
	assert_string_equal(text, "ab99999\a7\ac\n");
	fd_close(log);
}

static void test_serial(void **state)
{
	int log = memfd_create("log", MFD_CLOEXEC), irq = eventfd(0, EFD_NONBLOCK);
	struct serial s;
	char text[64] = "";
	eventfd_t n;

	(void)state;
	serial_init(&s, log, 40, irq, on_mark);
	assert_int_equal(serial_in(&s, UART_LSR) & UART_LSR_THRE, UART_LSR_THRE);
	serial_out(&s, UART_SCR, 0xa5);
	assert_int_equal(serial_in(&s, UART_SCR), 0xa5);
	/* The divisor hides the data register: what is written there is not sent. */
	serial_out(&s, UART_LCR, UART_LCR_DLAB);
	say(&s, "!");
	assert_int_equal(serial_in(&s, UART_DLL), '!');
	serial_out(&s, UART_LCR, UART_LCR_WLEN8);
	say(&s, "one\ntw");
	assert_int_equal(pread(log, text, sizeof(text), 0), 4);
	say(&s, "o\n");
	assert_int_equal(eventfd_read(irq, &n), -1);
	serial_out(&s, UART_IER, UART_IER_THRI);
	assert_int_equal(eventfd_read(irq, &n), 0);
	assert_int_equal(serial_in(&s, UART_IIR) & 0xf, UART_IIR_THRI);
	/* 40 bytes hold 20 of text and the note that there is no more room. */
	for (int i = 0; i < 1000; i++)
		say(&s, "abcdefghijklmno\n");
	serial_flush(&s);
	assert_int_equal(pread(log, text, sizeof(text), 0), 40);
	assert_memory_equal(text, "one\ntwo\nabcdefghijkl\n[console log full]\n", 40);
	fd_close(log);
	fd_close(irq);
}

static void test_serial_loopback(void **state)
{
	struct serial s;

	(void)state;
	serial_init(&s, -1, 0, -1, on_mark);
	serial_out(&s, UART_MCR, UART_MCR_LOOP | UART_MCR_OUT2 | UART_MCR_RTS);
	assert_int_equal(serial_in(&s, UART_MSR) & 0xf0, UART_MSR_DCD | UART_MSR_CTS);
	for (unsigned int reg = 0; reg < 256; reg++)
		serial_out(&s, reg % SERIAL_PORTS, (uint8_t)reg);
	serial_out(&s, UART_LCR, 0);
	assert_int_equal(serial_in(&s, UART_RX), 0);
}

static void test_cpuid(void **state)
{
	static struct cpuid c;

	(void)state;
	c.head.nent = 5;
	c.entries[0] = (struct kvm_cpuid_entry2){.function = 1, .ebx = 0xff00ab00};
	c.entries[1] = (struct kvm_cpuid_entry2){.function = 0xb, .index = 0};
	c.entries[2] = (struct kvm_cpuid_entry2){.function = 0xb, .index = 1};
	c.entries[3] = (struct kvm_cpuid_entry2){.function = 6};
	c.entries[4] = (struct kvm_cpuid_entry2){.function = 0xa, .eax = 5};
	for (unsigned int id = 0; id < 3; id++) {
		cpuid_adjust(&c, id, 3, true);
		assert_int_equal(c.entries[0].ebx, id << 24 | 3 << 16 | 0xab00);
		assert_true(c.entries[0].ecx & 1U << 24);
		assert_true(c.entries[0].edx & 1U << 28);
		assert_int_equal(c.entries[1].ebx, 1);
		assert_int_equal(c.entries[1].ecx, 1 << 8);
		assert_int_equal(c.entries[2].eax, 2);
		assert_int_equal(c.entries[2].ebx, 3);
		assert_int_equal(c.entries[2].ecx, 2 << 8 | 1);
		assert_int_equal(c.entries[2].edx, id);
		assert_int_equal(c.entries[3].eax, 4);
		assert_int_equal(c.entries[4].eax, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_spec_good),    cmocka_unit_test(test_spec_of_another_build),
		cmocka_unit_test(test_spec_refuses), cmocka_unit_test(test_serial),
		cmocka_unit_test(test_serial_marks), cmocka_unit_test(test_serial_loopback),
		cmocka_unit_test(test_cpuid),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
