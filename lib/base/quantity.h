/* SPDX-License-Identifier: Apache-2.0 */
/* Kubernetes resource quantities: "250m", "1.5Gi", "2e3" (k8s.io/apimachinery, api/resource). */
#ifndef BASE_QUANTITY_H
#define BASE_QUANTITY_H

#include <stdint.h>

#define QUANTITY_UNITS 1U /* memory in bytes, counts */
#define QUANTITY_MILLI 1000U /* cpu in thousandths */

/**
 * quantity_parse() - Read a quantity as an integer
 * @s:     sign, decimal number, and one of n u m k M G T P E Ki Mi Gi Ti Pi Ei or a decimal exponent
 * @scale: QUANTITY_UNITS or QUANTITY_MILLI: what the number is multiplied with
 * @value: set on success; a fraction is rounded away from zero, beyond int64_t it saturates
 * Return: 0; -EINVAL for anything that is not a quantity.
 */
int quantity_parse(const char *s, unsigned int scale, int64_t *value);

/** quantity_add() - The sum of two, which saturates */
int64_t quantity_add(int64_t a, int64_t b);

#endif
