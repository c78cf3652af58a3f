/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who a container's process is: the "user" of an OCI image config, "name|uid[:group|gid]", looked up
 * in the image's own passwd and group, as Docker and containerd do it.
 */
#ifndef GUEST_USER_H
#define GUEST_USER_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define USER_GROUPS_MAX 128
#define USER_HOME_MAX	256
#define USER_FILE_MAX	(256 * 1024) /* of passwd and of group; what lies behind is not seen */

struct user {
	uint32_t uid, gid;
	uint32_t groups[USER_GROUPS_MAX];
	size_t group_count;
	char home[USER_HOME_MAX]; /* "/" when passwd has none */
};

/**
 * user_resolve() - Look a user up
 * @passwd, @group: text of the files, NUL-terminated; "" when there is none
 * @spec:           "" is root
 *
 * A name must be listed; a number need not be. Without a group in @spec the primary group is that of
 * passwd, else 0, and the groups that list the user are supplementary.
 * Return: 0; -ENOENT, -EINVAL with the reason in @e.
 */
int user_resolve(const char *passwd, const char *group, const char *spec, struct user *u,
		 struct err *e);

/** user_add_group() - One more supplementary group, if it is not there yet. Return: 0 or -E2BIG */
int user_add_group(struct user *u, uint32_t gid);

#endif
