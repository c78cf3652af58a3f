// SPDX-License-Identifier: Apache-2.0
/*
 * A guest that attacks its VMM. It is started as a kernel, with seed=N among its parameters: the first
 * processor sets devices up, well or badly, and uses them; the others change rings and registers of the
 * same device under its hands. A run is a function of its seed but for what the processors do to each
 * other. It says what it reached every few thousand moves on the serial console and never ends by itself.
 */
#include "hostile.h"

#include "console.h"

#define LAPIC_ICR_LOW	0xfee00300U
#define LAPIC_ICR_HIGH	0xfee00310U
#define LAPIC_SPURIOUS	0xfee000f0U
#define IPI_INIT_OTHERS 0xc4500U
#define IPI_SIPI_OTHERS 0xc4608U /* starts at page 8 */
#define TRAMPOLINE	0x8000U
#define EXIT_PORT	0x5e0
#define EXIT_FAULT	0x0301U /* power off, code 3 */
#define REPORT_MOVES	256
#define NMI		2
#define PIC_MASTER_MASK 0x21
#define PIC_SLAVE_MASK	0xa1

struct start_info {
	uint32_t magic, version, flags, module_count;
	uint64_t modules, cmdline, rsdp, memory_map;
	uint32_t memory_map_count, reserved;
};

struct range {
	uint64_t address, size;
	uint32_t type, reserved;
};

struct gate {
	uint16_t low, selector, attributes, middle;
	uint32_t high, zero;
};

extern uint32_t start_info, cpus_up;
extern const uint8_t trampoline[], trampoline_end[];
void on_fault(void);
void on_other(void);
void hostile_main(uint32_t cpu);
_Noreturn void hostile_fault(uint64_t a, uint64_t b);
void *memcpy(void *to, const void *from, unsigned long n);
void *memset(void *to, int c, unsigned long n);

struct machine machine;
static struct attacker attackers[HOSTILE_CPUS_MAX];
static struct gate idt[256];
static uint64_t seed;
static volatile bool ready;

void *memcpy(void *to, const void *from, unsigned long n)
{
	for (unsigned long i = 0; i < n; i++)
		((volatile uint8_t *)to)[i] = ((const uint8_t *)from)[i];
	return to;
}

void *memset(void *to, int c, unsigned long n)
{
	for (unsigned long i = 0; i < n; i++)
		((volatile uint8_t *)to)[i] = (uint8_t)c;
	return to;
}

void hostile_fault(uint64_t a, uint64_t b)
{
	say("hostile: fault ");
	say_hex(a);
	say(" ");
	say_hex(b);
	say("\n");
	out32(EXIT_PORT, EXIT_FAULT);
	for (;;)
		__asm__ volatile("hlt");
}

static void set_idt(void)
{
	struct {
		uint16_t limit;
		uint64_t base;
	} __attribute__((packed)) idtr = {sizeof(idt) - 1, (uint64_t)idt};

	for (unsigned int i = 0; i < 256; i++) {
		uint64_t to = (uint64_t)(i < 32 && i != NMI ? on_fault : on_other);

		idt[i] = (struct gate){.low = (uint16_t)to,
				       .selector = 8,
				       .attributes = 0x8e00,
				       .middle = (uint16_t)(to >> 16)};
	}
	__asm__ volatile("lidt %0" : : "m"(idtr));
}

static void read_memory_map(const struct start_info *info)
{
	const struct range *map = (const struct range *)info->memory_map;

	for (uint32_t i = 0; i < info->memory_map_count; i++)
		if (map[i].type == 1 && map[i].address + map[i].size < 0xc0000001ULL &&
		    map[i].address + map[i].size > machine.ram_end)
			machine.ram_end = map[i].address + map[i].size;
}

static void read_seed(const char *p)
{
	static const char key[] = "seed=";

	for (; *p; p++) {
		unsigned int i = 0;

		while (key[i] && p[i] == key[i])
			i++;
		if (key[i])
			continue;
		for (p += i; *p >= '0' && *p <= '9'; p++)
			seed = seed * 10 + (uint64_t)(*p - '0');
		return;
	}
}

static void find_devices(void)
{
	while (machine.dev_count < HOSTILE_DEVS_MAX) {
		const volatile uint32_t *page =
			(const volatile uint32_t *)(uintptr_t)(HOSTILE_BASE +
							       machine.dev_count * 0x1000U);

		if (page[0] != 0x74726976)
			return;
		machine.dev_ids[machine.dev_count++] = page[2];
	}
}

static void wait_a_little(void)
{
	for (volatile unsigned int i = 0; i < 200000; i++)
		;
}

static void start_others(void)
{
	volatile uint32_t *low = (volatile uint32_t *)(uintptr_t)LAPIC_ICR_LOW;

	memcpy((void *)(uintptr_t)TRAMPOLINE, trampoline,
	       (unsigned long)(trampoline_end - trampoline));
	*(volatile uint32_t *)(uintptr_t)LAPIC_SPURIOUS = 0x1ff;
	*low = IPI_INIT_OTHERS;
	wait_a_little();
	*low = IPI_SIPI_OTHERS;
	wait_a_little();
}

static void report(void)
{
	struct tally sum = {0};

	for (unsigned int i = 0; i < HOSTILE_CPUS_MAX; i++) {
		const volatile struct tally *t = &attackers[i].tally;

		sum.ops += t->ops;
		sum.starts += t->starts;
		sum.used += t->used;
		sum.broken += t->broken;
	}
	say("hostile: cpus=");
	say_number(*(volatile uint32_t *)&cpus_up);
	say(" ops=");
	say_number(sum.ops);
	say(" starts=");
	say_number(sum.starts);
	say(" used=");
	say_number(sum.used);
	say(" broken=");
	say_number(sum.broken);
	say("\n");
}

static void begin(void)
{
	const struct start_info *info = (const struct start_info *)(uintptr_t)start_info;

	read_seed((const char *)info->cmdline);
	/*
	 * No interrupt is ever pending: with interrupts off, KVM would ask for a window at each entry, and
	 * what QEMU 7.2's emulated SVM keeps for that seems to reach other VMs on the same processor: they
	 * ended by triple faults, once in some minutes, and only beside a guest like this one.
	 */
	out8(PIC_MASTER_MASK, 0xff);
	out8(PIC_SLAVE_MASK, 0xff);
	read_memory_map(info);
	find_devices();
	for (unsigned int i = 0; i < HOSTILE_CPUS_MAX; i++)
		attackers[i].rng.state = (seed + 1) * 0x9e3779b97f4a7c15ULL + i * 0x1234567ULL + 1;
	say("hostile: seed=");
	say_number(seed);
	say(" devices=");
	say_number(machine.dev_count);
	say(" ram=");
	say_hex(machine.ram_end);
	say("\n");
	start_others();
	ready = true;
}

void hostile_main(uint32_t cpu)
{
	struct attacker *a = &attackers[cpu % HOSTILE_CPUS_MAX];

	set_idt();
	if (cpu == 0)
		begin();
	while (!ready)
		__asm__ volatile("pause");
	for (;;) {
		if (cpu)
			race_step(a);
		else
			attack_step(a);
		if (++a->tally.ops % REPORT_MOVES == 0 && cpu == 0)
			report();
	}
}
