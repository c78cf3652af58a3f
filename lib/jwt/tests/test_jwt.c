// SPDX-License-Identifier: Apache-2.0
/* Tokens: what is signed verifies, what was touched does not; RFC 7515's own example. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/base64.h"
#include "base/mem.h"
#include "base/str.h"
#include "jwt/es256.h"
#include "jwt/jwt.h"

/* RFC 7515, appendix A.3 */
static const char rfc_key[] = "-----BEGIN EC PRIVATE KEY-----\n"
			      "MHcCAQEEII6bEJ5xkJi/mASH3x9dd+nLKWBuvtImO19XwhPfhPSyoAoGCCqGSM49\n"
			      "AwEHoUQDQgAEf83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEXH8UTNG72b\n"
			      "focs3+257rn0s2ldbqkLJK2KRiMohYjlrQ==\n"
			      "-----END EC PRIVATE KEY-----\n";
static const char rfc_token[] =
	"eyJhbGciOiJFUzI1NiJ9"
	".eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
	".DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";

static void test_rfc(void **state)
{
	struct es256 *k;
	struct jwt t;

	(void)state;
	assert_int_equal(es256_new(rfc_key, &k, NULL), 0);
	assert_int_equal(jwt_parse(rfc_token, &t, NULL), 0);
	assert_string_equal(json_str(json_get(json_root(t.claims), "iss"), ""), "joe");
	assert_true(es256_verify(k, rfc_token, t.signed_len, t.signature));
	assert_false(es256_verify(k, rfc_token, t.signed_len - 1, t.signature));
	t.signature[63] ^= 1;
	assert_false(es256_verify(k, rfc_token, t.signed_len, t.signature));
	memset(t.signature, 0, sizeof(t.signature)); /* r = s = 0 must never pass */
	assert_false(es256_verify(k, rfc_token, t.signed_len, t.signature));
	jwt_done(&t);
	es256_free(k);
	assert_int_equal(es256_new("no key", &k, NULL), -EBADMSG);
}

static struct json_doc *claims(const char *text)
{
	struct json_doc *doc;

	assert_int_equal(json_parse(text, strlen(text), &doc, NULL), 0);
	return doc;
}

static void test_round_trip(void **state)
{
	_cleanup_json_ struct json_doc *doc = claims("{\"sub\":\"a\",\"n\":5}");
	struct json_doc *back = NULL;
	struct buf token = BUF_INIT(0), more = BUF_INIT(0);
	struct jwt_key *k;

	(void)state;
	assert_int_equal(jwt_key_new(rfc_key, &k, NULL), 0);
	assert_int_equal(jwt_sign(k, json_root(doc), &token, NULL), 0);
	assert_int_equal(jwt_verify(k, buf_str(&token), &back, NULL), 0);
	assert_true(json_equal(json_root(doc), json_root(back)));
	back = json_doc_free(back);
	for (size_t i = 0; i < token.len; i++) { /* every single character counts */
		char was = token.data[i];

		token.data[i] = was == 'A' ? 'B' : 'A';
		if (jwt_verify(k, buf_str(&token), &back, NULL) == 0)
			fail_msg("character %zu may be changed", i);
		token.data[i] = was;
	}
	assert_int_equal(jwt_verify(k, rfc_token, &back, NULL), -EACCES); /* no kid */
	buf_printf(&more, "%s=", buf_str(&token));
	assert_int_equal(jwt_verify(k, buf_str(&more), &back, NULL), -EBADMSG);
	buf_done(&more);
	buf_done(&token);
	jwt_key_free(k);
}

/* @parts in JSON; the third is bytes */
static int parse(const char *header, const char *body, const char *tail)
{
	struct buf b = BUF_INIT(0);
	struct jwt t;
	int r;

	base64url_encode(&b, header, strlen(header));
	buf_puts(&b, ".");
	base64url_encode(&b, body, strlen(body));
	buf_puts(&b, tail);
	r = jwt_parse(buf_str(&b), &t, NULL);
	if (r == 0)
		jwt_done(&t);
	buf_done(&b);
	return r;
}

static void test_refused(void **state)
{
	char sig[88] = ".", *deep = mem_alloc(40000);

	(void)state;
	memset(sig + 1, 'A', 86);
	assert_int_equal(parse("{\"alg\":\"ES256\"}", "{}", sig), 0);
	assert_int_equal(parse("{\"alg\":\"none\"}", "{}", "."), -EBADMSG);
	assert_int_equal(parse("{\"alg\":\"none\"}", "{}", sig), -EBADMSG);
	assert_int_equal(parse("{\"alg\":\"HS256\"}", "{}", sig), -EBADMSG);
	assert_int_equal(parse("{}", "{}", sig), -EBADMSG);
	assert_int_equal(parse("{\"alg\":\"ES256\",\"crit\":[]}", "{}", sig), -EBADMSG);
	assert_int_equal(parse("{\"alg\":\"ES256\"}", "[]", sig), -EBADMSG);
	assert_int_equal(parse("{\"alg\":\"ES256\"}", "{", sig), -EBADMSG);
	assert_int_equal(parse("{\"alg\":\"ES256\"}", "{}", ""), -EBADMSG);
	assert_int_equal(parse("{\"alg\":\"ES256\"}", "{}", "."), -EBADMSG);
	assert_int_equal(parse("{\"alg\":\"ES256\"}", "{}", ".AAAA"), -EBADMSG);
	assert_int_equal(parse("{\"alg\":\"ES256\"}", "{}", "..."), -EBADMSG);
	memset(deep, ' ', 39999);
	deep[0] = '{';
	deep[20000] = '}';
	assert_int_equal(parse("{\"alg\":\"ES256\"}", deep, sig), -EBADMSG);
	free(deep);
}

static void test_base64url(void **state)
{
	static const char *const wrong[] = {"A", "AB", "AAB", "AA==", "A+AA", "A/AA", "AA\nA"};
	struct buf b = BUF_INIT(0), t = BUF_INIT(0);

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		if (base64url_decode(&b, wrong[i], strlen(wrong[i])) != -EBADMSG)
			fail_msg("%s was taken", wrong[i]);
	}
	for (size_t len = 0; len < 8; len++) {
		buf_clear(&b);
		buf_clear(&t);
		assert_int_equal(base64url_encode(&t, "\xff\xfe\xfd\xfb\0\1\2", len), 0);
		assert_int_equal(base64url_decode(&b, buf_str(&t), t.len), 0);
		assert_int_equal(b.len, len);
		assert_memory_equal(buf_str(&b), "\xff\xfe\xfd\xfb\0\1\2", len);
	}
	buf_done(&b);
	buf_done(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rfc),
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_base64url),
	};

	return cmocka_run_group_tests_name("jwt", tests, NULL, NULL);
}
