/* SPDX-License-Identifier: Apache-2.0 */
/* Time: monotonic for intervals, real for what is shown and sent. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stddef.h>
#include <stdint.h>

#define CLOCK_RFC3339_MAX 32

/** clock_mono_ms() - Milliseconds since boot, suspended time included (CLOCK_BOOTTIME) */
uint64_t clock_mono_ms(void);

/** clock_mono_ns() - The same clock in nanoseconds */
uint64_t clock_mono_ns(void);

/** clock_real_ns() - Nanoseconds since the epoch */
uint64_t clock_real_ns(void);

/**
 * clock_rfc3339() - Write a time as Kubernetes' metav1.Time: "2026-01-02T03:04:05Z"
 * @out:    at least CLOCK_RFC3339_MAX bytes
 * @epoch_s: seconds since the epoch
 * Return: @out.
 */
char *clock_rfc3339(char *out, int64_t epoch_s);

/** clock_rfc3339_micro() - metav1.MicroTime: six digits of fraction, always */
char *clock_rfc3339_micro(char *out, uint64_t epoch_ns);

/** clock_rfc3339_nano() - RFC3339Nano with nine digits, as container logs carry it */
char *clock_rfc3339_nano(char *out, uint64_t epoch_ns);

/**
 * clock_parse_rfc3339() - Read "2026-01-02T03:04:05[.fraction](Z|+hh:mm)"
 * @epoch_ns: set on success
 * Return: 0; -EINVAL for anything else, also for times before 1970.
 */
int clock_parse_rfc3339(const char *s, uint64_t *epoch_ns);

#endif
