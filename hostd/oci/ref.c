// SPDX-License-Identifier: Apache-2.0
#include "oci/ref.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"

#define REF_DEFAULT_REGISTRY "docker.io"
#define REF_DEFAULT_FOLDER   "library/"
#define REF_DEFAULT_TAG	     "latest"

static bool is_lower_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool is_alnum(char c)
{
	return is_lower_alnum(c) || (c >= 'A' && c <= 'Z');
}

bool oci_digest_valid(const char *s)
{
	const char *hex = str_starts(s, "sha256:");

	return hex && strlen(hex) == 64 && strspn(hex, "0123456789abcdef") == 64;
}

const char *oci_digest_hex(const char *digest)
{
	return digest + strlen("sha256:");
}

/* path-component: alphanumerics, joined by one of . _ __ or any number of - */
static bool component_valid(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		size_t run = 0;

		if (is_lower_alnum(s[i]))
			continue;
		while (i + run < len && !is_lower_alnum(s[i + run]))
			run++;
		if (i == 0 || i + run == len)
			return false;
		if (strspn(s + i, "-") < run && !(run == 1 && (s[i] == '.' || s[i] == '_')) &&
		    !(run == 2 && strncmp(s + i, "__", 2) == 0))
			return false;
		i += run - 1;
	}
	return len > 0;
}

static bool repository_valid(const char *s)
{
	for (;;) {
		size_t len = strcspn(s, "/");

		if (!component_valid(s, len))
			return false;
		if (!s[len])
			return true;
		s += len + 1;
	}
}

static bool port_valid(const char *s)
{
	uint64_t port;

	return str_u64(s, 65535, &port) == 0 && port > 0;
}

/* A DNS name, an IPv4 address or an IPv6 address in brackets, and a port perhaps */
static bool registry_valid(const char *s)
{
	size_t len;

	if (*s == '[') {
		len = strspn(s + 1, "0123456789abcdefABCDEF:");
		if (len < 2 || s[1 + len] != ']')
			return false;
		s += len + 2;
		return !*s || (*s == ':' && port_valid(s + 1));
	}
	for (;; s++) {
		len = 0;
		while (is_alnum(s[len]) || s[len] == '-')
			len++;
		if (len == 0 || s[0] == '-' || s[len - 1] == '-')
			return false;
		s += len;
		if (*s != '.')
			break;
	}
	return !*s || (*s == ':' && port_valid(s + 1));
}

static bool tag_valid(const char *s)
{
	size_t len = strlen(s);

	if (len == 0 || len > 128 || !(is_alnum(*s) || *s == '_'))
		return false;
	for (; *s; s++)
		if (!is_alnum(*s) && !strchr("_.-", *s))
			return false;
	return true;
}

/* Whether a first component is a registry, as all tools decide it */
static bool names_registry(const char *s, size_t len)
{
	return memchr(s, '.', len) || memchr(s, ':', len) ||
	       (len == 9 && !memcmp(s, "localhost", 9));
}

static int ref_bad(struct err *e, const char *name, const char *why)
{
	char shown[128];

	return err_set(e, -EINVAL, "image name \"%s\": %s",
		       str_printable(shown, sizeof(shown), name), why);
}

int oci_ref_parse(const char *name, struct oci_ref *ref, struct err *e)
{
	char text[OCI_NAME_MAX], *rest = text, *digest, *tag, *slash;
	size_t len;

	*ref = (struct oci_ref){0};
	if (str_copy(text, sizeof(text), name) < 0)
		return ref_bad(e, name, "too long");
	digest = strchr(text, '@');
	if (digest) {
		*digest++ = '\0';
		if (!oci_digest_valid(digest))
			return ref_bad(e, name, "the digest is not sha256: and 64 hex digits");
		str_copy(ref->digest, sizeof(ref->digest), digest);
	}
	slash = strchr(text, '/');
	if (slash && names_registry(text, (size_t)(slash - text))) {
		*slash = '\0';
		if (!registry_valid(text) ||
		    str_copy(ref->registry, sizeof(ref->registry), text) < 0)
			return ref_bad(e, name, "the registry is no host name");
		rest = slash + 1;
	}
	if (!*ref->registry || str_eq(ref->registry, "index.docker.io"))
		str_copy(ref->registry, sizeof(ref->registry), REF_DEFAULT_REGISTRY);
	tag = strrchr(rest, ':');
	if (tag) {
		*tag++ = '\0';
		if (!tag_valid(tag))
			return ref_bad(e, name, "the tag is not valid");
		str_copy(ref->tag, sizeof(ref->tag), tag);
	} else if (!digest) {
		str_copy(ref->tag, sizeof(ref->tag), REF_DEFAULT_TAG);
	}
	if (!repository_valid(rest))
		return ref_bad(e, name,
			       "the repository must be lower-case letters and digits, "
			       "separated by one of . _ - /");
	if (str_eq(ref->registry, REF_DEFAULT_REGISTRY) && !strchr(rest, '/'))
		str_copy(ref->repository, sizeof(ref->repository), REF_DEFAULT_FOLDER);
	len = strlen(ref->repository);
	if (str_copy(ref->repository + len, sizeof(ref->repository) - len, rest) < 0)
		return ref_bad(e, name, "too long");
	return 0;
}

char *oci_ref_name(const struct oci_ref *ref, char *out)
{
	snprintf(out, OCI_NAME_MAX, "%s/%s%s%s%s%s", ref->registry, ref->repository,
		 *ref->tag ? ":" : "", ref->tag, *ref->digest ? "@" : "", ref->digest);
	return out;
}
