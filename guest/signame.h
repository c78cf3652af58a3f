/* SPDX-License-Identifier: Apache-2.0 */
/* Signals by name, as image configs and pod specs write them. */
#ifndef GUEST_SIGNAME_H
#define GUEST_SIGNAME_H

/** signame_parse() - "SIGTERM", "TERM", "15", "SIGRTMIN+3". Return: the number, -EINVAL */
int signame_parse(const char *name);

#endif
