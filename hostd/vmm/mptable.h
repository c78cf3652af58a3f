/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VMM_MPTABLE_H
#define VMM_MPTABLE_H

#include <stddef.h>
#include <stdint.h>

#define MPTABLE_SIZE_MAX 4096

/**
 * mptable_write() - Describe processors, the I/O APIC and its lines to a kernel without ACPI
 * @out:   MPTABLE_SIZE_MAX bytes, zeroed
 * @gpa:   where the guest sees @out; below 1 MiB and 32-bit clean
 * @vcpus: number of processors, with APIC ids 0..vcpus-1
 * Return: bytes used.
 * Source: Intel MultiProcessor Specification 1.4, chapter 4.
 */
size_t mptable_write(uint8_t *out, uint32_t gpa, unsigned int vcpus);

#endif
