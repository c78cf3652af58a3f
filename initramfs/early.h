/* What the parts of the early stage share. */
#ifndef EARLY_H
#define EARLY_H

#include <stdbool.h>

/* Whether the kernel's command line has WORD */
bool cmdline_has(const char *word);

/* One line on the console and into the kernel's log */
__attribute__((format(printf, 1, 2))) void say(const char *format, ...);

/* Report what failed and why, then reboot, or wait when debugging. errno is the reason. */
__attribute__((noreturn)) void fail(const char *what);

/* In the root image, as its /: what is mounted below it, kernel settings, the loopback link. What a host cannot be
 * without ends in fail(). */
void settle(void);

#endif
