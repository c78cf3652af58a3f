// SPDX-License-Identifier: Apache-2.0
/*
 * Without ACPI the MP table is the only way in which Linux learns of further processors and of the
 * I/O APIC. All lines are declared as ISA interrupts with the bus's default: edge, active high, which
 * is what an irqfd delivers.
 */
#include "vmm/mptable.h"

#include <string.h>

#include "vmm/layout.h"

struct mp_floating {
	char signature[4]; /* "_MP_" */
	uint32_t table;
	uint8_t length; /* in 16-byte units */
	uint8_t version;
	uint8_t checksum;
	uint8_t features[5];
} __attribute__((packed));

struct mp_header {
	char signature[4]; /* "PCMP" */
	uint16_t length;
	uint8_t version;
	uint8_t checksum;
	char oem[8];
	char product[12];
	uint32_t oem_table;
	uint16_t oem_size;
	uint16_t entries;
	uint32_t lapic;
	uint32_t reserved;
} __attribute__((packed));

enum mp_entry_type { MP_PROCESSOR, MP_BUS, MP_IOAPIC, MP_IO_INTERRUPT, MP_LOCAL_INTERRUPT };

struct mp_processor {
	uint8_t type, apic_id, apic_version, flags; /* 1: enabled, 2: boot processor */
	uint32_t signature, features;
	uint32_t reserved[2];
} __attribute__((packed));

struct mp_bus {
	uint8_t type, id;
	char name[6];
} __attribute__((packed));

struct mp_ioapic {
	uint8_t type, id, version, flags;
	uint32_t address;
} __attribute__((packed));

struct mp_interrupt {
	uint8_t type, kind; /* 0 INT, 1 NMI, 3 ExtINT */
	uint16_t flags;
	uint8_t bus, irq, apic, pin;
} __attribute__((packed));

#define MP_LAPIC_VERSION  0x14
#define MP_IOAPIC_VERSION 0x11
#define MP_CPU_SIGNATURE  0x600
#define MP_CPU_FEATURES	  0x201 /* FPU, APIC */

static uint8_t mptable_sum(const void *data, size_t len)
{
	const uint8_t *p = data;
	uint8_t sum = 0;

	while (len--)
		sum = (uint8_t)(sum + *p++);
	return (uint8_t)-sum;
}

static uint8_t *mptable_add(uint8_t *at, struct mp_header *h, const void *entry, size_t len)
{
	memcpy(at, entry, len);
	h->entries++;
	return at + len;
}

size_t mptable_write(uint8_t *out, uint32_t gpa, unsigned int vcpus)
{
	struct mp_floating f = {.signature = "_MP_", .length = 1, .version = 4};
	struct mp_header h = {.signature = "PCMP", .version = 4, .lapic = LAYOUT_LAPIC};
	struct mp_bus bus = {.type = MP_BUS, .name = "ISA   "};
	struct mp_ioapic ioapic = {.type = MP_IOAPIC,
				   .id = (uint8_t)vcpus,
				   .version = MP_IOAPIC_VERSION,
				   .flags = 1,
				   .address = LAYOUT_IOAPIC};
	uint8_t *table = out + sizeof(f), *at = table + sizeof(h);

	memcpy(h.oem, "HYPER   ", sizeof(h.oem));
	memcpy(h.product, "HYPERVM     ", sizeof(h.product));
	for (unsigned int i = 0; i < vcpus; i++) {
		struct mp_processor cpu = {.type = MP_PROCESSOR,
					   .apic_id = (uint8_t)i,
					   .apic_version = MP_LAPIC_VERSION,
					   .flags = i == 0 ? 3 : 1,
					   .signature = MP_CPU_SIGNATURE,
					   .features = MP_CPU_FEATURES};

		at = mptable_add(at, &h, &cpu, sizeof(cpu));
	}
	at = mptable_add(at, &h, &bus, sizeof(bus));
	at = mptable_add(at, &h, &ioapic, sizeof(ioapic));
	for (unsigned int i = 0; i < LAYOUT_IOAPIC_PINS; i++) {
		struct mp_interrupt line = {.type = MP_IO_INTERRUPT,
					    .irq = (uint8_t)i,
					    .apic = ioapic.id,
					    .pin = (uint8_t)i};

		at = mptable_add(at, &h, &line, sizeof(line));
	}
	for (unsigned int i = 0; i < 2; i++) {
		struct mp_interrupt lint = {.type = MP_LOCAL_INTERRUPT,
					    .kind = i == 0 ? 3 : 1,
					    .apic = i == 0 ? 0 : 0xff,
					    .pin = (uint8_t)i};

		at = mptable_add(at, &h, &lint, sizeof(lint));
	}
	h.length = (uint16_t)(at - table);
	memcpy(table, &h, sizeof(h));
	((struct mp_header *)table)->checksum = mptable_sum(table, h.length);
	f.table = gpa + (uint32_t)sizeof(f);
	f.checksum = mptable_sum(&f, sizeof(f));
	memcpy(out, &f, sizeof(f));
	return (size_t)(at - out);
}
