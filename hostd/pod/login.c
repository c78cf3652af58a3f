// SPDX-License-Identifier: Apache-2.0
/*
 * imagePullSecrets: Secrets of type kubernetes.io/dockerconfigjson, which hold what "docker login" writes,
 *
 *	{"auths": {"HOST[:PORT][/PATH]": {"auth": "base64 of USER:PASSWORD", or "username" and "password"}}}
 *
 * and of the older kubernetes.io/dockercfg, which hold the inner object alone. An entry that cannot be read is
 * left out, as a kubelet leaves it out; a missing secret is told and does not keep the image from being tried.
 */
#include <errno.h>
#include <string.h>

#include "base/base64.h"
#include "base/mem.h"
#include "base/str.h"
#include "pod/impl.h"

#define LOGIN_TEXT_MAX	 4096 /* of one */
#define LOGIN_CONFIG_MAX ((size_t)1 << 20)

/* "https://index.docker.io/v1/" is how docker has always called docker.io. */
static char *login_place(const char *key)
{
	static const char *const hub[] = {"index.docker.io", "registry-1.docker.io"};
	const char *from = strstr(key, "://");
	char *place = mem_strdup(from ? from + 3 : key);
	size_t len;

	for (len = strlen(place); len && place[len - 1] == '/'; len--)
		place[len - 1] = '\0';
	if (str_ends(place, "/v1") || str_ends(place, "/v2"))
		place[len - 3] = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(hub); i++)
		if (str_eq(place, hub[i]))
			memcpy(place, "docker.io", sizeof("docker.io"));
	return place;
}

/* Whether it is base64 of USER:PASSWORD, without what would end a header */
static bool login_basic_ok(const char *basic)
{
	struct buf text;
	bool ok;

	buf_init_secret(&text, LOGIN_TEXT_MAX);
	ok = !strpbrk(basic, "\r\n") && base64_decode(&text, basic) == 0 && text.len &&
	     memchr(text.data, ':', text.len);
	buf_done(&text);
	return ok;
}

static void login_one(struct logins *l, const char *key, const struct json *entry)
{
	const char *auth = json_str(json_get(entry, "auth"), "");
	const char *user = json_str(json_get(entry, "username"), "");
	const char *password = json_str(json_get(entry, "password"), "");
	struct buf plain, basic;

	if (!*key || l->count == POD_LOGINS_MAX || strpbrk(key, " \r\n"))
		return;
	buf_init_secret(&plain, LOGIN_TEXT_MAX);
	buf_init_secret(&basic, LOGIN_TEXT_MAX);
	if (*auth)
		(void)buf_puts(&basic, auth);
	else if (*user && !strchr(user, ':') && buf_printf(&plain, "%s:", user) == 0 &&
		 buf_puts(&plain, password) == 0)
		(void)base64_encode(&basic, plain.data, plain.len);
	if (basic.len && login_basic_ok(basic.data))
		l->at[l->count++] =
			(struct oci_login){login_place(key), mem_strdup(buf_str(&basic))};
	buf_done(&plain);
	buf_done(&basic);
}

void logins_read(struct logins *l, const struct json *secret)
{
	static const char *const keys[] = {".dockerconfigjson", ".dockercfg"};
	struct json_doc *doc = NULL;
	struct buf text;

	buf_init_secret(&text, LOGIN_CONFIG_MAX);
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		const struct json *auths;
		struct json_iter it;

		buf_clear(&text);
		if (source_key(secret, POD_SECRET, keys[i], &text, NULL) < 0 ||
		    json_parse(buf_str(&text), text.len, &doc, NULL) < 0)
			continue;
		auths = i == 0 ? json_get(json_root(doc), "auths") : json_root(doc);
		it = json_iter(auths);
		while (json_is_obj(auths) && json_next(&it))
			login_one(l, it.key, it.value);
		doc = json_doc_free(doc);
	}
	buf_done(&text);
}

void logins_done(struct logins *l)
{
	for (size_t i = 0; i < l->count; i++) {
		mem_free_secret((char *)(uintptr_t)l->at[i].basic);
		free((char *)(uintptr_t)l->at[i].at);
	}
	l->count = 0;
}

int logins_make(struct pod *p, struct logins *l)
{
	const struct spec_list *names = &p->spec->pull_secrets;

	for (uint32_t i = 0; i < names->count; i++) {
		const struct source_name name = {.kind = POD_SECRET, .name = names->at[i]};
		const struct json *secret;
		struct err e = ERR_INIT;
		int r = source_get(p, &name, &secret, &e);

		if (r == -EAGAIN && !*e.msg)
			return -EAGAIN; /* soon */
		if (r == 0)
			logins_read(l, secret);
		else if (!p->logins_missed)
			pod_event(p, "Warning", "FailedToRetrieveImagePullSecret",
				  "Unable to retrieve the image pull secret %s: %s", names->at[i],
				  err_msg(&e));
		p->logins_missed |= r < 0;
	}
	return 0;
}
