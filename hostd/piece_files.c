// SPDX-License-Identifier: Apache-2.0
/* What the boot service answers, checked and written; and where it is. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"
#include "json/json.h"
#include "piece.h"

/* Takes the @len bytes at @p for a boot service's address, if they can be one */
static int piece_service(const char *p, size_t len, char *url)
{
	const char *rest;

	while (len && p[len - 1] == '/')
		len--;
	if (len >= HOST_URL_MAX)
		return -EINVAL;
	memcpy(url, p, len);
	url[len] = '\0';
	rest = str_starts(url, "http://");
	if (!rest)
		rest = str_starts(url, "https://");
	return rest && *rest && *rest != '/' && !strpbrk(url, "\"\\?# ") ? 0 : -EINVAL;
}

int piece_url(const char *cmdline, char *url)
{
	const char *p = str_word(cmdline, "hyper.boot=");

	return p ? piece_service(p, strcspn(p, " \n"), url) : -ENOENT;
}

int piece_lease_url(const char *lease, char *url)
{
	for (const char *line = lease; *line;) {
		size_t len = strcspn(line, "\n");
		const char *p = str_starts(line, "bootfile="), *path;

		if (!p)
			p = str_starts(line, "boot_file=");
		if (p && memmem(line, len, "://", 3)) {
			len -= (size_t)(p - line);
			path = memmem(p, len, "/boot/", 6);
			return piece_service(p, path ? (size_t)(path - p) : len, url);
		}
		line += len + (line[len] == '\n');
	}
	return -ENOENT;
}

/* The file NAME of an answer, NULL if there is none */
static const char *piece_file(const struct json_doc *doc, const char *name)
{
	return json_str(json_get(json_root(doc), name), NULL);
}

int piece_write(const char *dir, const char *text, size_t len, struct err *e)
{
	static const char *const names[] = {"ca.crt", "token", "settings"};
	_cleanup_json_ struct json_doc *doc = NULL;
	struct host_settings settings;
	const char *content;
	int r = json_parse(text, len, &doc, e);

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(names); i++)
		if (!piece_file(doc, names[i]))
			r = err_set(e, -EBADMSG, "it has no %s", names[i]);
	if (r < 0)
		return err_wrap(e, -EBADMSG, "the boot service's answer");
	content = piece_file(doc, "settings");
	if (host_settings_parse(content, strlen(content), &settings, e) < 0)
		return err_wrap(e, -EBADMSG, "the boot service's answer");
	r = file_mkdirs(dir, 0700);
	if (r < 0)
		return err_sys(e, r, "make %s", dir);
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(names); i++) {
		_cleanup_free_ char *path = mem_printf("%s/%s", dir, names[i]);

		content = piece_file(doc, names[i]);
		r = file_write(AT_FDCWD, path, content, strlen(content), 0600, e);
	}
	return r;
}
