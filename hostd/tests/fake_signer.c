// SPDX-License-Identifier: Apache-2.0
#include "fake_signer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the four above first */
#include <cmocka.h>

#include <mbedtls/pk.h>
#include <mbedtls/x509_crt.h>
#include <mbedtls/x509_csr.h>
#include <string.h>

#include "../../lib/http/tests/certs.h"
#include "base/base64.h"
#include "fake_api.h"
#include "json/json.h"

static int zero_random(void *arg, unsigned char *out, size_t len)
{
	(void)arg;
	memset(out, 7, len);
	return 0;
}

char *fake_sign(const char *days_from, const char *days_to)
{
	struct buf pem = BUF_INIT(0), out = BUF_INIT(0), text = BUF_INIT(0);
	const char *body = fake_api_body("POST", FAKE_CSRS);
	unsigned char cert[4096];
	mbedtls_x509_csr csr;
	mbedtls_x509write_cert crt;
	mbedtls_pk_context ca;
	struct json_doc *doc;
	char subject[256];

	assert_int_equal(json_parse(body, strlen(body), &doc, NULL), 0);
	assert_int_equal(
		base64_decode(&pem, json_str(json_at(json_root(doc), "spec", "request", NULL), "")),
		0);
	json_doc_free(doc);
	mbedtls_x509_csr_init(&csr);
	mbedtls_x509write_crt_init(&crt);
	mbedtls_pk_init(&ca);
	assert_int_equal(mbedtls_x509_csr_parse(&csr, (unsigned char *)pem.data, pem.len + 1), 0);
	assert_int_equal(mbedtls_pk_parse_key(&ca, (const unsigned char *)TEST_CLIENT_KEY,
					      sizeof(TEST_CLIENT_KEY), NULL, 0, zero_random, NULL),
			 0);
	assert_true(mbedtls_x509_dn_gets(subject, sizeof(subject), &csr.subject) > 0);
	assert_string_equal(subject, "O=system:nodes, CN=system:node:h1");
	mbedtls_x509write_crt_set_subject_key(&crt, &csr.pk);
	mbedtls_x509write_crt_set_issuer_key(&crt, &ca);
	mbedtls_x509write_crt_set_md_alg(&crt, MBEDTLS_MD_SHA256);
	assert_int_equal(mbedtls_x509write_crt_set_subject_name(&crt, subject), 0);
	assert_int_equal(mbedtls_x509write_crt_set_issuer_name(&crt, "CN=ca"), 0);
	assert_int_equal(mbedtls_x509write_crt_set_serial_raw(&crt, (unsigned char *)"1", 1), 0);
	assert_int_equal(mbedtls_x509write_crt_set_validity(&crt, days_from, days_to), 0);
	assert_int_equal(mbedtls_x509write_crt_pem(&crt, cert, sizeof(cert), zero_random, NULL), 0);
	assert_int_equal(base64_encode(&out, cert, strlen((char *)cert)), 0);
	buf_printf(&text, "{\"status\":{\"certificate\":\"%s\"}}", out.data);
	mbedtls_x509_csr_free(&csr);
	mbedtls_x509write_crt_free(&crt);
	mbedtls_pk_free(&ca);
	buf_done(&pem);
	buf_done(&out);
	return buf_take(&text);
}
