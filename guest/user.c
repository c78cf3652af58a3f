// SPDX-License-Identifier: Apache-2.0
/*
 * The files come out of an image: lines that are not understood are skipped, fields are compared
 * where they lie, nothing is copied but the home directory.
 */
#include "user.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"

#define USER_FIELDS 7

struct field {
	const char *at;
	size_t len;
};

/* Splits one line at colons. Return: the start of the next line, NULL behind the last. */
static const char *user_line(const char *p, struct field f[USER_FIELDS], size_t *count)
{
	*count = 0;
	if (!p || !*p)
		return NULL;
	for (;;) {
		size_t len = strcspn(p, ":\n");

		if (*count < USER_FIELDS)
			f[(*count)++] = (struct field){p, len};
		p += len;
		if (*p != ':')
			return *p ? p + 1 : p;
		p++;
	}
}

static bool field_is(const struct field *f, const char *s)
{
	return strlen(s) == f->len && memcmp(f->at, s, f->len) == 0;
}

static bool id_parse(const char *s, size_t len, uint32_t *id)
{
	char digits[12];
	uint64_t v;

	if (len >= sizeof(digits))
		return false;
	memcpy(digits, s, len);
	digits[len] = '\0';
	/* UINT32_MAX is setuid(2)'s "leave it" */
	if (str_u64(digits, UINT32_MAX - 1, &v) < 0)
		return false;
	*id = (uint32_t)v;
	return true;
}

int user_add_group(struct user *u, uint32_t gid)
{
	for (size_t i = 0; i < u->group_count; i++)
		if (u->groups[i] == gid)
			return 0;
	if (u->group_count == USER_GROUPS_MAX)
		return -E2BIG;
	u->groups[u->group_count++] = gid;
	return 0;
}

static bool member_of(const struct field *members, const char *name)
{
	size_t name_len = strlen(name), left = members->len;
	const char *p = members->at;

	while (name_len) {
		const char *comma = memchr(p, ',', left);
		size_t len = comma ? (size_t)(comma - p) : left;

		if (len == name_len && memcmp(p, name, len) == 0)
			return true;
		if (!comma)
			break;
		p += len + 1;
		left -= len + 1;
	}
	return false;
}

/* Name and numbers of the passwd line for @who. Return: whether there is one. */
static bool passwd_find(const char *passwd, const char *who, struct user *u, char *name,
			size_t name_size)
{
	uint32_t want = 0, uid, gid;
	bool numeric = id_parse(who, strlen(who), &want);
	struct field f[USER_FIELDS];
	size_t n;

	while ((passwd = user_line(passwd, f, &n))) {
		if (n < 4 || !id_parse(f[2].at, f[2].len, &uid) ||
		    !id_parse(f[3].at, f[3].len, &gid))
			continue;
		if (!field_is(&f[0], who) && !(numeric && uid == want))
			continue;
		u->uid = uid;
		u->gid = gid;
		if (n > 5 && f[5].len && f[5].len < sizeof(u->home)) {
			memcpy(u->home, f[5].at, f[5].len);
			u->home[f[5].len] = '\0';
		}
		if (f[0].len < name_size) {
			memcpy(name, f[0].at, f[0].len);
			name[f[0].len] = '\0';
		}
		return true;
	}
	return false;
}

static bool group_find(const char *group, const char *who, uint32_t *gid)
{
	uint32_t want = 0, id;
	bool numeric = id_parse(who, strlen(who), &want);
	struct field f[USER_FIELDS];
	size_t n;

	while ((group = user_line(group, f, &n))) {
		if (n < 3 || !id_parse(f[2].at, f[2].len, &id))
			continue;
		if (field_is(&f[0], who) || (numeric && id == want)) {
			*gid = id;
			return true;
		}
	}
	*gid = want;
	return numeric;
}

static void add_memberships(const char *group, const char *name, struct user *u)
{
	struct field f[USER_FIELDS];
	uint32_t gid;
	size_t n;

	while ((group = user_line(group, f, &n)))
		if (n > 3 && member_of(&f[3], name) && id_parse(f[2].at, f[2].len, &gid))
			user_add_group(u, gid);
}

int user_resolve(const char *passwd, const char *group, const char *spec, struct user *u,
		 struct err *e)
{
	char spec_copy[256], name[256] = "", *with_group;
	const char *who = spec_copy;

	*u = (struct user){.home = "/"};
	if (str_copy(spec_copy, sizeof(spec_copy), spec) < 0)
		return err_set(e, -EINVAL, "user name too long");
	with_group = strchr(spec_copy, ':');
	if (with_group)
		*with_group++ = '\0';
	if (!who[0])
		who = "0";
	if (!passwd_find(passwd, who, u, name, sizeof(name)) &&
	    !id_parse(who, strlen(who), &u->uid))
		return err_set(e, -ENOENT,
			       "unable to find user %s: no matching entries in passwd file", who);
	if (!with_group || !with_group[0])
		add_memberships(group, name, u);
	else if (!group_find(group, with_group, &u->gid))
		return err_set(e, -ENOENT,
			       "unable to find group %s: no matching entries in group file",
			       with_group);
	return 0;
}
