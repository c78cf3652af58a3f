// SPDX-License-Identifier: Apache-2.0
/* Keys, requests and certificates: what is written is read again, and what is wrong is refused. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/str.h"
#include "x509/x509.h"

static char *new_key(void)
{
	struct buf b = BUF_INIT(0);

	assert_int_equal(x509_key_new(&b, NULL), 0);
	return buf_take(&b);
}

static struct x509_subject node(const char *name)
{
	struct x509_subject s = {.common_name = ""};

	assert_int_equal(str_copy(s.common_name, sizeof(s.common_name), name), 0);
	assert_int_equal(x509_names_add(&s.orgs, "system:nodes"), 0);
	return s;
}

static void test_names(void **state)
{
	struct x509_names n = {.count = 0};
	char text[X509_TEXT_MAX + 1];

	(void)state;
	memset(text, 'a', sizeof(text) - 1);
	text[X509_TEXT_MAX] = '\0';
	assert_int_equal(x509_names_add(&n, text), -E2BIG);
	text[X509_TEXT_MAX - 1] = '\0';
	assert_int_equal(x509_names_add(&n, text), 0);
	assert_int_equal(x509_names_add(&n, text), 0);
	assert_int_equal(n.count, 1);
	while (n.count < X509_NAMES_MAX) {
		snprintf(text, sizeof(text), "n%zu", n.count);
		assert_int_equal(x509_names_add(&n, text), 0);
	}
	assert_int_equal(x509_names_add(&n, "one more"), -E2BIG);
	assert_int_equal(x509_names_add(&n, "n3"), 0);
	assert_false(x509_names_has(&n, "one more"));
}

/* A comma in a name must not become a second attribute, such as another organization. */
static void test_escapes(void **state)
{
	static const char name[] = "h1,O=system:masters \\\"+<>;#=";
	struct x509_subject s = node(name), read;
	_cleanup_free_ char *key = new_key();
	struct buf b = BUF_INIT(0);

	(void)state;
	assert_int_equal(x509_csr_new(key, &s, &b, NULL), 0);
	assert_int_equal(x509_csr_read(buf_str(&b), b.len, &read, NULL, NULL), 0);
	assert_string_equal(read.common_name, name);
	assert_int_equal(read.orgs.count, 1);
	assert_string_equal(read.orgs.text[0], "system:nodes");
	buf_clear(&b);
	assert_int_equal(x509_subject_name(&s, &b), 0);
	assert_string_equal(buf_str(&b),
			    "O=system:nodes,CN=h1\\,O\\=system:masters \\\\\\\"\\+\\<\\>\\;\\#\\=");
	buf_done(&b);
}

static void test_request(void **state)
{
	_cleanup_free_ char *key = new_key(), *other = new_key();
	char id[X509_KEY_ID_SIZE], same[X509_KEY_ID_SIZE], purpose[X509_KEY_ID_SIZE];
	struct x509_subject s = node("system:node:h1"), read;
	struct buf b = BUF_INIT(0);
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(x509_names_add(&s.dns, "h1.example"), 0);
	assert_int_equal(x509_names_add(&s.ips, "192.0.2.7"), 0);
	assert_int_equal(x509_names_add(&s.ips, "2001:db8::1"), 0);
	assert_int_equal(x509_csr_new(key, &s, &b, &e), 0);
	assert_int_equal(x509_csr_read(buf_str(&b), b.len, &read, id, &e), 0);
	assert_string_equal(read.common_name, "system:node:h1");
	assert_int_equal(read.orgs.count, 1);
	assert_true(x509_names_has(&read.orgs, "system:nodes"));
	assert_int_equal(read.dns.count, 1);
	assert_true(x509_names_has(&read.dns, "h1.example"));
	assert_int_equal(read.ips.count, 2);
	assert_true(x509_names_has(&read.ips, "192.0.2.7"));
	assert_true(x509_names_has(&read.ips, "2001:db8::1"));
	assert_false(read.other_sans);
	assert_int_equal(x509_key_id(key, "", same, &e), 0);
	assert_string_equal(id, same);
	assert_int_equal(x509_key_id(key, "signer", purpose, &e), 0);
	assert_string_not_equal(id, purpose);
	assert_int_equal(x509_key_id(other, "", same, &e), 0);
	assert_string_not_equal(id, same);

	b.data[b.len / 2] ^= 1; /* the signature or the coding is broken */
	assert_int_equal(x509_csr_read(buf_str(&b), b.len, &read, id, &e), -EBADMSG);
	assert_int_equal(x509_csr_read("", 0, &read, id, &e), -EBADMSG);
	assert_int_equal(x509_csr_new("no key", &s, &b, &e), -EBADMSG);
	assert_int_equal(x509_key_id("no key", "", id, &e), -EBADMSG);
	assert_int_equal(x509_names_add(&s.ips, "not an address"), 0);
	assert_int_equal(x509_csr_new(key, &s, &b, &e), -EBADMSG);
	s = node("system:node:h1");
	assert_int_equal(x509_names_add(&s.orgs, "a second one"), 0);
	assert_int_equal(x509_csr_new(key, &s, &b, &e), -E2BIG);
	buf_done(&b);
}

static void test_issue(void **state)
{
	struct buf ca = BUF_INIT(0), csr = BUF_INIT(0), leaf = BUF_INIT(0);
	struct x509_subject root = {.common_name = "ca"}, asked = node("system:node:h1");
	_cleanup_free_ char *ca_key = new_key(), *key = new_key();
	struct x509_subject given = node("system:node:h2");
	struct x509_cert cert;
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(x509_issue(NULL, NULL, ca_key, NULL, &root, X509_CA, 7200, &ca, &e), 0);
	assert_int_equal(x509_cert_read(buf_str(&ca), ca_key, &cert, &e), 0);
	assert_string_equal(cert.subject.common_name, "ca");

	/* Of a request the key is taken, nothing else. */
	assert_int_equal(x509_csr_new(key, &asked, &csr, &e), 0);
	assert_int_equal(x509_names_add(&given.dns, "h2.example"), 0);
	assert_int_equal(x509_issue(buf_str(&ca), ca_key, NULL, buf_str(&csr), &given, X509_SERVER,
				    3600, &leaf, &e),
			 0);
	assert_int_equal(x509_cert_read(buf_str(&leaf), NULL, &cert, &e), 0);
	assert_memory_equal(&cert.subject, &given, sizeof(given));
	assert_in_range(cert.not_after_s - time(NULL), 3590, 3600);
	assert_in_range(time(NULL) - cert.not_before_s, 300, 310);

	/* One file may hold both, in either order. */
	assert_int_equal(buf_puts(&leaf, key), 0);
	assert_int_equal(x509_cert_read(buf_str(&leaf), buf_str(&leaf), &cert, &e), 0);
	assert_int_equal(x509_cert_read(buf_str(&leaf), ca_key, &cert, &e), -EKEYREJECTED);
	assert_int_equal(x509_cert_read(buf_str(&leaf), "", &cert, &e), -EBADMSG);
	assert_int_equal(x509_cert_read("", key, &cert, &e), -EBADMSG);
	assert_int_equal(x509_issue(buf_str(&ca), "no key", key, NULL, &given, X509_CLIENT, 3600,
				    &leaf, &e),
			 -EBADMSG);
	buf_done(&ca);
	buf_done(&csr);
	buf_done(&leaf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_escapes),
		cmocka_unit_test(test_request),
		cmocka_unit_test(test_issue),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
