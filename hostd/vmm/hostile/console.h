/* SPDX-License-Identifier: Apache-2.0 */
/* Ports and the serial console. */
#ifndef VMM_HOSTILE_CONSOLE_H
#define VMM_HOSTILE_CONSOLE_H

#include <stdint.h>

#define CONSOLE_PORT 0x3f8

static inline void out8(uint16_t port, uint8_t v)
{
	__asm__ volatile("outb %0, %1" : : "a"(v), "Nd"(port));
}

static inline void out16(uint16_t port, uint16_t v)
{
	__asm__ volatile("outw %0, %1" : : "a"(v), "Nd"(port));
}

static inline void out32(uint16_t port, uint32_t v)
{
	__asm__ volatile("outl %0, %1" : : "a"(v), "Nd"(port));
}

static inline uint8_t in8(uint16_t port)
{
	uint8_t v;

	__asm__ volatile("inb %1, %0" : "=a"(v) : "Nd"(port));
	return v;
}

static inline uint32_t in32(uint16_t port)
{
	uint32_t v;

	__asm__ volatile("inl %1, %0" : "=a"(v) : "Nd"(port));
	return v;
}

static inline void say(const char *s)
{
	while (*s)
		out8(CONSOLE_PORT, (uint8_t)*s++);
}

static inline void say_in(uint64_t v, unsigned int base)
{
	char text[24];
	unsigned int at = sizeof(text) - 1;

	text[at] = 0;
	do {
		text[--at] = "0123456789abcdef"[v % base];
		v /= base;
	} while (v);
	say(text + at);
}

static inline void say_number(uint64_t v)
{
	say_in(v, 10);
}

static inline void say_hex(uint64_t v)
{
	say_in(v, 16);
}

#endif
