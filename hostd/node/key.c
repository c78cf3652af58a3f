// SPDX-License-Identifier: Apache-2.0
/*
 * mbedTLS does the work; its random numbers are the kernel's. Keys pass through here as PEM texts,
 * because that is what is stored, sent and given to the HTTP client.
 */
#include "node/key.h"

#include <arpa/inet.h>
#include <errno.h>
#include <mbedtls/ecp.h>
#include <mbedtls/oid.h>
#include <mbedtls/pk.h>
#include <mbedtls/sha256.h>
#include <mbedtls/x509_crt.h>
#include <mbedtls/x509_csr.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "base/mem.h"
#include "base/str.h"

#define KEY_PEM_SIZE 4096
#define KEY_SANS_MAX 8

static int key_random(void *arg, unsigned char *out, size_t len)
{
	(void)arg;
	while (len) {
		ssize_t n = getrandom(out, len, 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return MBEDTLS_ERR_ECP_RANDOM_FAILED;
		out += n;
		len -= (size_t)n;
	}
	return 0;
}

static void key_cleanup_pk(mbedtls_pk_context *pk)
{
	mbedtls_pk_free(pk);
}
#define _cleanup_pk_ _cleanup_(key_cleanup_pk)

static int key_parse(const char *pem, mbedtls_pk_context *pk, struct err *e)
{
	int r = mbedtls_pk_parse_key(pk, (const unsigned char *)pem, strlen(pem) + 1, NULL, 0,
				     key_random, NULL);

	return r ? err_set(e, -EBADMSG, "unreadable private key (mbedTLS -0x%04x)", -r) : 0;
}

int key_generate(struct buf *pem, struct err *e)
{
	_cleanup_pk_ mbedtls_pk_context pk;
	unsigned char text[KEY_PEM_SIZE];
	int r;

	mbedtls_pk_init(&pk);
	r = mbedtls_pk_setup(&pk, mbedtls_pk_info_from_type(MBEDTLS_PK_ECKEY));
	if (r == 0)
		r = mbedtls_ecp_gen_key(MBEDTLS_ECP_DP_SECP256R1, mbedtls_pk_ec(pk), key_random,
					NULL);
	if (r == 0)
		r = mbedtls_pk_write_key_pem(&pk, text, sizeof(text));
	if (r)
		return err_set(e, -EIO, "make a key (mbedTLS -0x%04x)", -r);
	r = buf_puts(pem, (const char *)text);
	mem_wipe(text, sizeof(text));
	return r;
}

int key_id(const char *key_pem, const char *purpose, char *id, struct err *e)
{
	_cleanup_pk_ mbedtls_pk_context pk;
	unsigned char der[KEY_PEM_SIZE], hash[32];
	mbedtls_sha256_context sha;
	int r, len;

	mbedtls_pk_init(&pk);
	r = key_parse(key_pem, &pk, e);
	if (r < 0)
		return r;
	len = mbedtls_pk_write_pubkey_der(&pk, der, sizeof(der));
	if (len < 0)
		return err_set(e, -EBADMSG, "write public key (mbedTLS -0x%04x)", -len);
	mbedtls_sha256_init(&sha);
	mbedtls_sha256_starts(&sha, 0);
	mbedtls_sha256_update(&sha, (const unsigned char *)purpose, strlen(purpose));
	/* mbedTLS writes to the end of the buffer. */
	mbedtls_sha256_update(&sha, der + sizeof(der) - len, (size_t)len);
	mbedtls_sha256_finish(&sha, hash);
	mbedtls_sha256_free(&sha);
	str_hex(id, hash, (KEY_ID_SIZE - 1) / 2);
	return 0;
}

struct key_sans {
	mbedtls_x509_san_list list[KEY_SANS_MAX];
	unsigned char addresses[KEY_SANS_MAX][16];
	size_t count;
};

static int key_san_add(struct key_sans *s, int type, const char *text)
{
	mbedtls_x509_san_list *item = &s->list[s->count];
	size_t len = strlen(text);
	void *data = (void *)(size_t)text;

	if (s->count == KEY_SANS_MAX)
		return -E2BIG;
	if (type == MBEDTLS_X509_SAN_IP_ADDRESS) {
		data = s->addresses[s->count];
		if (inet_pton(AF_INET, text, data) == 1)
			len = 4;
		else if (inet_pton(AF_INET6, text, data) == 1)
			len = 16;
		else
			return -EINVAL;
	}
	item->node.type = type;
	item->node.san.unstructured_name.p = data;
	item->node.san.unstructured_name.len = len;
	if (s->count)
		s->list[s->count - 1].next = item;
	s->count++;
	return 0;
}

static int key_sans_fill(struct key_sans *s, const struct key_request *rq)
{
	int r = 0;

	for (size_t i = 0; rq->dns && rq->dns[i] && r == 0; i++)
		r = key_san_add(s, MBEDTLS_X509_SAN_DNS_NAME, rq->dns[i]);
	for (size_t i = 0; rq->ips && rq->ips[i] && r == 0; i++)
		r = key_san_add(s, MBEDTLS_X509_SAN_IP_ADDRESS, rq->ips[i]);
	return r;
}

int key_csr(const char *key_pem, const struct key_request *rq, struct buf *pem, struct err *e)
{
	_cleanup_pk_ mbedtls_pk_context pk;
	unsigned char text[KEY_PEM_SIZE];
	struct key_sans sans = {0};
	mbedtls_x509write_csr csr;
	char subject[256];
	int r;

	mbedtls_pk_init(&pk);
	r = key_parse(key_pem, &pk, e);
	if (r == 0)
		r = key_sans_fill(&sans, rq);
	if (r < 0)
		return err_wrap(e, r, "certificate request");
	snprintf(subject, sizeof(subject), "O=%s,CN=%s", rq->organization, rq->common_name);
	mbedtls_x509write_csr_init(&csr);
	mbedtls_x509write_csr_set_md_alg(&csr, MBEDTLS_MD_SHA256);
	mbedtls_x509write_csr_set_key(&csr, &pk);
	r = mbedtls_x509write_csr_set_subject_name(&csr, subject);
	if (r == 0 && sans.count)
		r = mbedtls_x509write_csr_set_subject_alternative_name(&csr, sans.list);
	if (r == 0)
		r = mbedtls_x509write_csr_pem(&csr, text, sizeof(text), key_random, NULL);
	mbedtls_x509write_csr_free(&csr);
	if (r)
		return err_set(e, -EIO, "certificate request (mbedTLS -0x%04x)", -r);
	return buf_puts(pem, (const char *)text);
}

static uint64_t key_time(const mbedtls_x509_time *t)
{
	struct tm tm = {
		.tm_year = t->year - 1900,
		.tm_mon = t->mon - 1,
		.tm_mday = t->day,
		.tm_hour = t->hour,
		.tm_min = t->min,
		.tm_sec = t->sec,
	};
	time_t s = timegm(&tm);

	return s > 0 ? (uint64_t)s : 0;
}

static void key_common_name(const mbedtls_x509_name *name, char *out, size_t size)
{
	out[0] = '\0';
	for (; name; name = name->next)
		if (MBEDTLS_OID_CMP(MBEDTLS_OID_AT_CN, &name->oid) == 0 && name->val.len < size) {
			memcpy(out, name->val.p, name->val.len);
			out[name->val.len] = '\0';
		}
}

int key_cert_check(const char *cert_pem, const char *key_pem, struct key_cert_info *info,
		   struct err *e)
{
	_cleanup_pk_ mbedtls_pk_context pk;
	mbedtls_x509_crt crt;
	int r;

	mbedtls_pk_init(&pk);
	r = key_parse(key_pem, &pk, e);
	if (r < 0)
		return r;
	mbedtls_x509_crt_init(&crt);
	r = mbedtls_x509_crt_parse(&crt, (const unsigned char *)cert_pem, strlen(cert_pem) + 1);
	if (r) {
		r = err_set(e, -EBADMSG, "unreadable certificate (mbedTLS %d)", r);
	} else if (mbedtls_pk_check_pair(&crt.pk, &pk, key_random, NULL)) {
		r = err_set(e, -EINVAL, "certificate is for another key");
	} else {
		info->not_before_s = key_time(&crt.valid_from);
		info->not_after_s = key_time(&crt.valid_to);
		key_common_name(&crt.subject, info->common_name, sizeof(info->common_name));
	}
	mbedtls_x509_crt_free(&crt);
	return r;
}
