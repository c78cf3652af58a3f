// SPDX-License-Identifier: Apache-2.0
/*
 * hostd-image reads what strangers send, so it gets no login but those for the places that it is about
 * to ask: of each place the one whose path fits best.
 */
#include "oci/login.h"

#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"

int login_host(const char *url, char *host, size_t size)
{
	const char *from = strstr(url, "://");
	size_t len;

	from = from ? from + 3 : url;
	len = strcspn(from, "/");
	if (len >= size)
		return -ENAMETOOLONG;
	memcpy(host, from, len);
	host[len] = '\0';
	return 0;
}

/* Return: how much of PLACE/REPOSITORY the login names; 0: it is for another place */
static size_t login_fits(const struct oci_login *l, const char *host, const char *repository)
{
	const char *path = str_starts(l->at, host), *rest;

	if (!path || (*path && *path != '/'))
		return 0;
	path += *path == '/';
	rest = str_starts(repository, path);
	if (*path && (!rest || (*rest && *rest != '/' && !str_ends(path, "/"))))
		return 0;
	return strlen(l->at);
}

static int login_add(const char *host, const char *repository, const struct oci_login *logins,
		     size_t count, struct buf *out)
{
	const struct oci_login *best = NULL;
	size_t best_fit = 0;
	int r;

	for (size_t i = 0; i < count; i++) {
		size_t fit = login_fits(&logins[i], host, repository);

		if (fit > best_fit) {
			best_fit = fit;
			best = &logins[i];
		}
	}
	if (!best)
		return 0;
	r = buf_printf(out, "%s ", host);
	if (r == 0)
		r = buf_puts(out, best->basic);
	return r < 0 ? r : buf_puts(out, "\n");
}

int login_choose(const struct oci_ref *ref, const char *const *mirrors, size_t mirror_count,
		 const struct oci_login *logins, size_t count, struct buf *out)
{
	int r = count ? login_add(ref->registry, ref->repository, logins, count, out) : 0;

	for (size_t i = 0; r == 0 && count && i < mirror_count; i++) {
		const char *url = str_starts(mirrors[i], ref->registry);
		char host[256];

		if (url && *url == '=' && login_host(url + 1, host, sizeof(host)) == 0 &&
		    !str_eq(host, ref->registry))
			r = login_add(host, ref->repository, logins, count, out);
	}
	return r;
}

int login_parse(char *text, struct oci_login *logins, size_t max)
{
	size_t n = 0;

	for (char *line, *rest = text; (line = strsep(&rest, "\n"));) {
		char *blank = strchr(line, ' ');

		if (!*line)
			continue;
		if (!blank || n == max)
			return -EBADMSG;
		*blank = '\0';
		logins[n++] = (struct oci_login){line, blank + 1};
	}
	return (int)n;
}

const struct oci_login *login_find(const struct oci_login *logins, size_t count, const char *host)
{
	for (size_t i = 0; i < count; i++)
		if (str_eq(logins[i].at, host))
			return &logins[i];
	return NULL;
}
