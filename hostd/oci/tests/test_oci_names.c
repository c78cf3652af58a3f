// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the four above first */
#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "oci/challenge.h"
#include "oci/login.h"
#include "oci/ref.h"

#define HEX16  "0123456789abcdef"
#define DIGEST "sha256:" HEX16 HEX16 HEX16 HEX16

static const struct {
	const char *name, *full; /* NULL: refused */
} names[] = {
	{"nginx", "docker.io/library/nginx:latest"},
	{"nginx:1.27", "docker.io/library/nginx:1.27"},
	{"nginx@" DIGEST, "docker.io/library/nginx@" DIGEST},
	{"nginx:1@" DIGEST, "docker.io/library/nginx:1@" DIGEST},
	{"a/b/c", "docker.io/a/b/c:latest"},
	{"docker.io/nginx", "docker.io/library/nginx:latest"},
	{"index.docker.io/a/b", "docker.io/a/b:latest"},
	{"localhost/x", "localhost/x:latest"},
	{"localhost:5000/x:y", "localhost:5000/x:y"},
	{"10.0.2.2:5000/library/nginx", "10.0.2.2:5000/library/nginx:latest"},
	{"[::1]:5000/x", "[::1]:5000/x:latest"},
	{"[fd00::1]/x", "[fd00::1]/x:latest"},
	{"Example.COM/x", "Example.COM/x:latest"},
	{"quay.io/a-b/c__d/e.f-g_h--i", "quay.io/a-b/c__d/e.f-g_h--i:latest"},
	{"x:_tag.-A", "docker.io/library/x:_tag.-A"},
	{"", NULL},
	{":", NULL},
	{"/", NULL},
	{"x:", NULL},
	{"x@", NULL},
	{":x", NULL},
	{"@" DIGEST, NULL},
	{"Nginx", NULL},
	{"library/Nginx", NULL},
	{"a//b", NULL},
	{"a/", NULL},
	{"/a", NULL},
	{"a..b", NULL},
	{"a___b", NULL},
	{"a._b", NULL},
	{"-a", NULL},
	{"a-", NULL},
	{"a b", NULL},
	{"a/../b", NULL},
	{"x:t/y", NULL},
	{"x:t:u", NULL},
	{"x:-t", NULL},
	{"x@sha256:abc", NULL},
	{"x@sha512:" HEX16 HEX16 HEX16 HEX16, NULL},
	{"x@" DIGEST "0", NULL},
	{"x@SHA256:" HEX16 HEX16 HEX16 HEX16, NULL},
	{"host:99999/x", NULL},
	{"host:/x", NULL},
	{"-host.io/x", NULL},
	{"ho_st.io/x", NULL},
	{"host.io:80:80/x", NULL},
	{"[::1/x", NULL},
	{"http://host.io/x", NULL},
	{"x\n", NULL},
	{"x\xc3\xa4", NULL},
};

static void test_names(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		char full[OCI_NAME_MAX];
		struct err e = ERR_INIT;
		struct oci_ref ref, again;
		int r = oci_ref_parse(names[i].name, &ref, &e);

		if (!names[i].full) {
			if (r != -EINVAL)
				fail_msg("taken: %s", names[i].name);
			assert_non_null(strstr(e.msg, "image name \""));
			continue;
		}
		if (r < 0)
			fail_msg("%s: %s", names[i].name, err_msg(&e));
		assert_string_equal(oci_ref_name(&ref, full), names[i].full);
		/* The full name means the same */
		assert_int_equal(oci_ref_parse(full, &again, NULL), 0);
		assert_string_equal(oci_ref_name(&again, full), names[i].full);
		assert_string_equal(again.registry, ref.registry);
	}
}

static void test_long_names(void **state)
{
	char name[1200];
	struct oci_ref ref;

	(void)state;
	for (size_t len = 1; len < sizeof(name); len++) {
		memset(name, 'a', len);
		name[len] = '\0';
		assert_int_equal(oci_ref_parse(name, &ref, NULL),
				 len <= 255 - strlen("library/") ? 0 : -EINVAL);
	}
	memset(name, 't', 131);
	name[0] = 'x';
	name[1] = ':';
	name[131] = '\0';
	assert_int_equal(oci_ref_parse(name, &ref, NULL), -EINVAL);
	name[130] = '\0';
	assert_int_equal(oci_ref_parse(name, &ref, NULL), 0);
}

static const struct {
	const char *header;
	int code;
	const char *url;
} challenges[] = {
	{"Bearer realm=\"https://auth.docker.io/token\",service=\"registry.docker.io\","
	 "scope=\"repository:library/nginx:pull\"",
	 0,
	 "https://auth.docker.io/token?service=registry.docker.io"
	 "&scope=repository%3Alibrary%2Fnginx%3Apull"},
	{"bearer  realm = \"http://a/t?x=1\" , service=b", 0, "http://a/t?x=1&service=b"},
	{"Basic realm=\"https://no\", Bearer realm=\"https://yes\", Digest realm=\"https://no\"", 0,
	 "https://yes"},
	{"Bearer error=\"x\",realm=\"https://a\",service=\"q\\\"uo te&\"", 0,
	 "https://a?service=q%22uo%20te%26"},
	{"Basic realm=\"Registry\"", -ENOENT, NULL},
	{"", -ENOENT, NULL},
	{"Bearer", -EINVAL, NULL},
	{"Bearer service=\"x\"", -EINVAL, NULL},
	{"Bearer realm=\"ftp://x\"", -EINVAL, NULL},
	{"Bearer realm=\"https://x", -EINVAL, NULL},
	{"Bearer realm=\"https://x\\", -EINVAL, NULL},
	{"Bearer realm=", -EINVAL, NULL},
	{"=", -EINVAL, NULL},
	{"Bearer realm=\"https://x\n\"", -EINVAL, NULL},
};

static void test_challenges(void **state)
{
	struct oci_challenge c;
	char url[256], header[1200];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(challenges); i++) {
		int r = oci_challenge_parse(challenges[i].header, &c);

		if (r != challenges[i].code)
			fail_msg("%s: %d", challenges[i].header, r);
		if (r < 0)
			continue;
		assert_int_equal(oci_challenge_url(&c, url, sizeof(url)), 0);
		assert_string_equal(url, challenges[i].url);
		for (size_t size = 1; size <= strlen(url); size++) {
			char small[256];

			assert_int_equal(oci_challenge_url(&c, small, size), -E2BIG);
		}
	}
	memset(header, 'a', sizeof(header));
	memcpy(header, "Bearer realm=\"https://", 22);
	header[sizeof(header) - 2] = '"';
	header[sizeof(header) - 1] = '\0';
	assert_int_equal(oci_challenge_parse(header, &c), -EINVAL);
}

/* Of several logins each place sees the one that fits it best, and no other. */
static void test_login_choice(void **state)
{
	static const struct oci_login logins[] = {
		{"docker.io", "aHVi"},		{"docker.io/team", "dGVhbQ=="},
		{"docker.io/tea", "bm8="},	{"mirror:5000", "bWlycm9y"},
		{"docker.io.evil", "ZXZpbA=="}, {"other", "b3RoZXI="},
	};
	static const char *const mirrors[] = {"docker.io=http://mirror:5000/x",
					      "quay.io=http://other",
					      "docker.io=https://docker.io"};
	static const struct {
		const char *image, *chosen;
	} cases[] = {
		{"nginx", "docker.io aHVi\nmirror:5000 bWlycm9y\n"},
		{"team/app", "docker.io dGVhbQ==\nmirror:5000 bWlycm9y\n"},
		{"docker.io.evil/x", "docker.io.evil ZXZpbA==\n"},
		{"quay.io/x", "other b3RoZXI=\n"},
		{"ghcr.io/x", ""},
	};
	struct oci_login read[LOGINS_MAX];
	struct buf b = BUF_INIT(0);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct oci_ref ref;

		buf_clear(&b);
		assert_int_equal(oci_ref_parse(cases[i].image, &ref, NULL), 0);
		assert_int_equal(login_choose(&ref, mirrors, ARRAY_SIZE(mirrors), logins,
					      ARRAY_SIZE(logins), &b),
				 0);
		assert_string_equal(buf_str(&b), cases[i].chosen);
	}
	buf_clear(&b);
	buf_puts(&b, "a:1 x\n\nb y\n");
	assert_int_equal(login_parse(b.data, read, LOGINS_MAX), 2);
	assert_string_equal(login_find(read, 2, "b")->basic, "y");
	assert_null(login_find(read, 2, "a"));
	buf_clear(&b);
	buf_puts(&b, "a:1");
	assert_int_equal(login_parse(b.data, read, LOGINS_MAX), -EBADMSG);
	buf_done(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_long_names),
		cmocka_unit_test(test_challenges),
		cmocka_unit_test(test_login_choice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
