// SPDX-License-Identifier: Apache-2.0
/*
 * mbedTLS for keys and certificates, and the only file of this module that knows it. All of our keys
 * are P-256; a request may bring any key that mbedTLS reads. A request's own attributes are never
 * copied: the caller says what the certificate holds. Everything passes through here as PEM texts,
 * because that is what is stored, sent and given to the HTTP client.
 */
#include "x509/x509.h"

#include <arpa/inet.h>
#include <errno.h>
#include <mbedtls/asn1.h>
#include <mbedtls/ctr_drbg.h>
#include <mbedtls/ecp.h>
#include <mbedtls/error.h>
#include <mbedtls/oid.h>
#include <mbedtls/pk.h>
#include <mbedtls/sha256.h>
#include <mbedtls/x509_crt.h>
#include <mbedtls/x509_csr.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "base/random.h"
#include "base/str.h"

#define PEM_MAX	       8192
#define NAME_MAX_BYTES 2048
#define BACKDATE_S     300

static int fail(struct err *e, int rc, const char *what)
{
	char text[128] = "";

	mbedtls_strerror(rc, text, sizeof(text));
	return err_set(e, -EBADMSG, "%s: %s", what, text);
}

static int parse_key(mbedtls_pk_context *pk, const char *pem)
{
	return mbedtls_pk_parse_key(pk, (const unsigned char *)pem, strlen(pem) + 1, NULL, 0,
				    random_feed, NULL);
}

int x509_key_new(struct buf *key_pem, struct err *e)
{
	unsigned char pem[PEM_MAX];
	mbedtls_pk_context pk;
	int rc;

	mbedtls_pk_init(&pk);
	rc = mbedtls_pk_setup(&pk, mbedtls_pk_info_from_type(MBEDTLS_PK_ECKEY));
	if (rc == 0)
		rc = mbedtls_ecp_gen_key(MBEDTLS_ECP_DP_SECP256R1, mbedtls_pk_ec(pk), random_feed,
					 NULL);
	if (rc == 0)
		rc = mbedtls_pk_write_key_pem(&pk, pem, sizeof(pem));
	mbedtls_pk_free(&pk);
	if (rc == 0)
		rc = buf_puts(key_pem, (char *)pem);
	else
		rc = fail(e, rc, "make a key");
	mem_wipe(pem, sizeof(pem));
	return rc;
}

/* SHA-256 over a text and a public key as DER, in hex */
static int hash_public_key(mbedtls_pk_context *pk, const char *text, char *hex, struct err *e)
{
	unsigned char der[PEM_MAX], hash[(X509_KEY_ID_SIZE - 1) / 2];
	int n = mbedtls_pk_write_pubkey_der(pk, der, sizeof(der)); /* at the end of the buffer */
	mbedtls_sha256_context sha;

	if (n < 0)
		return fail(e, n, "write the public key");
	mbedtls_sha256_init(&sha);
	mbedtls_sha256_starts(&sha, 0);
	mbedtls_sha256_update(&sha, (const unsigned char *)text, strlen(text));
	mbedtls_sha256_update(&sha, der + sizeof(der) - n, (size_t)n);
	mbedtls_sha256_finish(&sha, hash);
	mbedtls_sha256_free(&sha);
	str_hex(hex, hash, sizeof(hash));
	return 0;
}

int x509_key_id(const char *key_pem, const char *purpose, char *id, struct err *e)
{
	_cleanup_(mbedtls_pk_free) mbedtls_pk_context pk;
	int rc;

	mbedtls_pk_init(&pk);
	rc = parse_key(&pk, key_pem);
	return rc ? fail(e, rc, "read the private key") : hash_public_key(&pk, purpose, id, e);
}

/* The alternative names in mbedTLS's form, which points to texts of the subject and to @ip */
struct sans {
	mbedtls_x509_san_list list[2 * X509_NAMES_MAX];
	unsigned char ip[X509_NAMES_MAX][16];
	size_t count;
};

static void sans_add(struct sans *s, int type, const void *data, size_t len)
{
	mbedtls_x509_san_list *item = &s->list[s->count];

	item->node.type = type;
	item->node.san.unstructured_name.p = (unsigned char *)(uintptr_t)data;
	item->node.san.unstructured_name.len = len;
	if (s->count)
		s->list[s->count - 1].next = item;
	s->count++;
}

static int sans_fill(struct sans *s, const struct x509_subject *subject)
{
	const struct x509_names *dns = &subject->dns, *ips = &subject->ips;

	for (size_t i = 0; i < dns->count; i++)
		sans_add(s, MBEDTLS_X509_SAN_DNS_NAME, dns->text[i], strlen(dns->text[i]));
	for (size_t i = 0; i < ips->count; i++) {
		bool v4 = inet_pton(AF_INET, ips->text[i], s->ip[i]) == 1;

		if (!v4 && inet_pton(AF_INET6, ips->text[i], s->ip[i]) != 1)
			return MBEDTLS_ERR_X509_BAD_INPUT_DATA;
		sans_add(s, MBEDTLS_X509_SAN_IP_ADDRESS, s->ip[i], v4 ? 4 : 16);
	}
	return 0;
}

static int set_usage(mbedtls_x509write_cert *crt, enum x509_usage usage)
{
	mbedtls_asn1_sequence eku = {0};
	const char *oid = usage == X509_SERVER ? MBEDTLS_OID_SERVER_AUTH : MBEDTLS_OID_CLIENT_AUTH;
	int rc = mbedtls_x509write_crt_set_basic_constraints(crt, usage == X509_CA,
							     usage == X509_CA ? 0 : -1);

	if (rc == 0)
		rc = mbedtls_x509write_crt_set_key_usage(
			crt, usage == X509_CA
				     ? MBEDTLS_X509_KU_KEY_CERT_SIGN | MBEDTLS_X509_KU_CRL_SIGN |
					       MBEDTLS_X509_KU_DIGITAL_SIGNATURE
				     : MBEDTLS_X509_KU_DIGITAL_SIGNATURE |
					       MBEDTLS_X509_KU_KEY_ENCIPHERMENT);
	if (rc || usage == X509_CA)
		return rc;
	eku.buf.tag = MBEDTLS_ASN1_OID;
	eku.buf.len = usage == X509_SERVER ? MBEDTLS_OID_SIZE(MBEDTLS_OID_SERVER_AUTH)
					   : MBEDTLS_OID_SIZE(MBEDTLS_OID_CLIENT_AUTH);
	eku.buf.p = (unsigned char *)(uintptr_t)oid;
	return mbedtls_x509write_crt_set_ext_key_usage(crt, &eku);
}

static int set_validity(mbedtls_x509write_cert *crt, int64_t lifetime_s)
{
	time_t from = time(NULL) - BACKDATE_S, to = from + BACKDATE_S + (time_t)lifetime_s;
	char a[16], b[16];
	struct tm tm;

	strftime(a, sizeof(a), "%Y%m%d%H%M%S", gmtime_r(&from, &tm));
	strftime(b, sizeof(b), "%Y%m%d%H%M%S", gmtime_r(&to, &tm));
	return mbedtls_x509write_crt_set_validity(crt, a, b);
}

/* Everything in the certificate but keys and names. */
static int set_body(mbedtls_x509write_cert *crt, const struct x509_subject *s,
		    enum x509_usage usage, int64_t lifetime_s)
{
	unsigned char serial[16];
	struct sans sans = {.count = 0};
	int rc;

	random_fill(serial, sizeof(serial));
	serial[0] = (serial[0] & 0x3f) | 0x40; /* positive, always 16 bytes */
	mbedtls_x509write_crt_set_version(crt, MBEDTLS_X509_CRT_VERSION_3);
	mbedtls_x509write_crt_set_md_alg(crt, MBEDTLS_MD_SHA256);
	rc = mbedtls_x509write_crt_set_serial_raw(crt, serial, sizeof(serial));
	if (rc == 0)
		rc = set_validity(crt, lifetime_s);
	if (rc == 0)
		rc = set_usage(crt, usage);
	if (rc == 0)
		rc = sans_fill(&sans, s);
	if (rc == 0 && sans.count)
		rc = mbedtls_x509write_crt_set_subject_alternative_name(crt, sans.list);
	if (rc == 0)
		rc = mbedtls_x509write_crt_set_subject_key_identifier(crt);
	if (rc == 0)
		rc = mbedtls_x509write_crt_set_authority_key_identifier(crt);
	return rc;
}

/* The objects that x509_issue() works with, so that one place frees them. */
struct issue {
	mbedtls_x509write_cert crt;
	mbedtls_x509_crt ca;
	mbedtls_x509_csr csr;
	mbedtls_pk_context key, ca_key;
	mbedtls_pk_context *subject_key, *issuer_key;
};

static int issue_load(struct issue *i, const char *ca_pem, const char *ca_key_pem,
		      const char *key_pem, const char *csr_pem)
{
	int rc = 0;

	i->subject_key = &i->key;
	if (csr_pem) {
		rc = mbedtls_x509_csr_parse(&i->csr, (const unsigned char *)csr_pem,
					    strlen(csr_pem) + 1);
		i->subject_key = &i->csr.pk;
	} else {
		rc = parse_key(&i->key, key_pem);
	}
	i->issuer_key = i->subject_key;
	if (rc == 0 && ca_pem) {
		rc = parse_key(&i->ca_key, ca_key_pem);
		if (rc == 0)
			rc = mbedtls_x509_crt_parse(&i->ca, (const unsigned char *)ca_pem,
						    strlen(ca_pem) + 1);
		i->issuer_key = &i->ca_key;
	}
	return rc;
}

static int issue_names(struct issue *i, const char *ca_pem, const struct x509_subject *subject)
{
	char issuer[NAME_MAX_BYTES];
	struct buf name = BUF_INIT(NAME_MAX_BYTES);
	int rc = x509_subject_name(subject, &name) < 0 ? MBEDTLS_ERR_X509_BUFFER_TOO_SMALL : 0;

	if (rc == 0)
		rc = mbedtls_x509write_crt_set_subject_name(&i->crt, buf_str(&name));
	if (rc == 0 && ca_pem) {
		rc = mbedtls_x509_dn_gets(issuer, sizeof(issuer), &i->ca.subject);
		rc = rc < 0 ? rc : mbedtls_x509write_crt_set_issuer_name(&i->crt, issuer);
	} else if (rc == 0) {
		rc = mbedtls_x509write_crt_set_issuer_name(&i->crt, buf_str(&name));
	}
	buf_done(&name);
	return rc;
}

int x509_issue(const char *ca_pem, const char *ca_key_pem, const char *key_pem, const char *csr_pem,
	       const struct x509_subject *subject, enum x509_usage usage, int64_t lifetime_s,
	       struct buf *cert_pem, struct err *e)
{
	unsigned char pem[PEM_MAX];
	struct issue i = {0};
	int rc;

	mbedtls_x509write_crt_init(&i.crt);
	mbedtls_x509_crt_init(&i.ca);
	mbedtls_x509_csr_init(&i.csr);
	mbedtls_pk_init(&i.key);
	mbedtls_pk_init(&i.ca_key);
	rc = issue_load(&i, ca_pem, ca_key_pem, key_pem, csr_pem);
	if (rc == 0) {
		mbedtls_x509write_crt_set_subject_key(&i.crt, i.subject_key);
		mbedtls_x509write_crt_set_issuer_key(&i.crt, i.issuer_key);
		rc = issue_names(&i, ca_pem, subject);
	}
	if (rc == 0)
		rc = set_body(&i.crt, subject, usage, lifetime_s);
	if (rc == 0)
		rc = mbedtls_x509write_crt_pem(&i.crt, pem, sizeof(pem), random_feed, NULL);
	rc = rc == 0 ? buf_puts(cert_pem, (char *)pem) : fail(e, rc, "issue a certificate");
	mbedtls_x509write_crt_free(&i.crt);
	mbedtls_x509_crt_free(&i.ca);
	mbedtls_x509_csr_free(&i.csr);
	mbedtls_pk_free(&i.key);
	mbedtls_pk_free(&i.ca_key);
	return rc;
}

int x509_csr_new(const char *key_pem, const struct x509_subject *subject, struct buf *csr_pem,
		 struct err *e)
{
	_cleanup_(mbedtls_pk_free) mbedtls_pk_context pk;
	_cleanup_(mbedtls_x509write_csr_free) mbedtls_x509write_csr csr;
	_cleanup_(buf_done) struct buf name = BUF_INIT(NAME_MAX_BYTES);
	struct sans sans = {.count = 0};
	unsigned char pem[PEM_MAX];
	int r, rc;

	mbedtls_pk_init(&pk);
	mbedtls_x509write_csr_init(&csr);
	r = x509_subject_name(subject, &name);
	if (r < 0)
		return err_sys(e, r, "subject of the request");
	rc = parse_key(&pk, key_pem);
	if (rc)
		return fail(e, rc, "read the private key");
	mbedtls_x509write_csr_set_md_alg(&csr, MBEDTLS_MD_SHA256);
	mbedtls_x509write_csr_set_key(&csr, &pk);
	rc = mbedtls_x509write_csr_set_subject_name(&csr, buf_str(&name));
	if (rc == 0)
		rc = sans_fill(&sans, subject);
	if (rc == 0 && sans.count)
		rc = mbedtls_x509write_csr_set_subject_alternative_name(&csr, sans.list);
	if (rc == 0)
		rc = mbedtls_x509write_csr_pem(&csr, pem, sizeof(pem), random_feed, NULL);
	return rc ? fail(e, rc, "write a request") : buf_puts(csr_pem, (char *)pem);
}

static int text_of(const unsigned char *p, size_t len, char out[X509_TEXT_MAX])
{
	if (len >= X509_TEXT_MAX || memchr(p, '\0', len))
		return -EBADMSG;
	memcpy(out, p, len);
	out[len] = '\0';
	return 0;
}

static int read_name(const mbedtls_x509_name *n, struct x509_subject *s, struct err *e)
{
	char text[X509_TEXT_MAX];
	int r = 0;

	for (; n && r == 0; n = n->next) {
		if (!n->oid.p)
			continue;
		r = text_of(n->val.p, n->val.len, text);
		if (r < 0)
			break;
		if (MBEDTLS_OID_CMP(MBEDTLS_OID_AT_CN, &n->oid) == 0) {
			if (s->common_name[0])
				return err_set(e, -EBADMSG, "subject has several common names");
			str_copy(s->common_name, sizeof(s->common_name), text);
		} else if (MBEDTLS_OID_CMP(MBEDTLS_OID_AT_ORGANIZATION, &n->oid) == 0) {
			r = x509_names_add(&s->orgs, text);
		}
	}
	return r < 0 ? err_set(e, -EBADMSG, "subject is too long or malformed") : 0;
}

static int read_sans(const mbedtls_x509_sequence *sans, struct x509_subject *s, struct err *e)
{
	char text[X509_TEXT_MAX];
	int r = 0;

	for (; sans && sans->buf.p && r == 0; sans = sans->next) {
		int type = sans->buf.tag & MBEDTLS_ASN1_TAG_VALUE_MASK;

		if (type == MBEDTLS_X509_SAN_DNS_NAME) {
			r = text_of(sans->buf.p, sans->buf.len, text);
			if (r == 0)
				r = x509_names_add(&s->dns, text);
		} else if (type == MBEDTLS_X509_SAN_IP_ADDRESS &&
			   (sans->buf.len == 4 || sans->buf.len == 16)) {
			inet_ntop(sans->buf.len == 4 ? AF_INET : AF_INET6, sans->buf.p, text,
				  sizeof(text));
			r = x509_names_add(&s->ips, text);
		} else {
			s->other_sans = true;
		}
	}
	return r < 0 ? err_set(e, -EBADMSG, "too many or malformed alternative names") : 0;
}

/* Proof of possession: the request is signed with the key that it carries (RFC 2986 §3). */
static int verify_csr(mbedtls_x509_csr *csr, struct err *e)
{
	const mbedtls_md_info_t *md = mbedtls_md_info_from_type(csr->MBEDTLS_PRIVATE(sig_md));
	unsigned char hash[MBEDTLS_MD_MAX_SIZE];
	int rc;

	if (!md || mbedtls_md(md, csr->cri.p, csr->cri.len, hash))
		return err_set(e, -EBADMSG, "signature algorithm of the request is unknown");
	rc = mbedtls_pk_verify_ext(csr->MBEDTLS_PRIVATE(sig_pk), csr->MBEDTLS_PRIVATE(sig_opts),
				   &csr->pk, csr->MBEDTLS_PRIVATE(sig_md), hash,
				   mbedtls_md_get_size(md), csr->MBEDTLS_PRIVATE(sig).p,
				   csr->MBEDTLS_PRIVATE(sig).len);
	return rc ? fail(e, rc, "signature of the request") : 0;
}

int x509_csr_read(const char *pem, size_t len, struct x509_subject *subject, char *key_id,
		  struct err *e)
{
	_cleanup_free_ char *text = mem_strndup(pem, MIN(len, (size_t)65536));
	mbedtls_x509_csr csr;
	int r, rc;

	memset(subject, 0, sizeof(*subject));
	mbedtls_x509_csr_init(&csr);
	rc = mbedtls_x509_csr_parse(&csr, (unsigned char *)text, strlen(text) + 1);
	r = rc ? fail(e, rc, "read the request") : verify_csr(&csr, e);
	if (r == 0)
		r = read_name(&csr.subject, subject, e);
	if (r == 0)
		r = read_sans(&csr.subject_alt_names, subject, e);
	if (r == 0 && key_id)
		r = hash_public_key(&csr.pk, "", key_id, e);
	mbedtls_x509_csr_free(&csr);
	return r;
}

static int64_t seconds_of(const mbedtls_x509_time *t)
{
	struct tm tm = {
		.tm_year = t->year - 1900,
		.tm_mon = t->mon - 1,
		.tm_mday = t->day,
		.tm_hour = t->hour,
		.tm_min = t->min,
		.tm_sec = t->sec,
	};

	return timegm(&tm);
}

static int check_pair(const mbedtls_x509_crt *crt, const char *key_pem, struct err *e)
{
	_cleanup_(mbedtls_pk_free) mbedtls_pk_context pk;
	int rc;

	mbedtls_pk_init(&pk);
	rc = parse_key(&pk, key_pem);
	if (rc)
		return fail(e, rc, "read the private key");
	if (mbedtls_pk_check_pair(&crt->pk, &pk, random_feed, NULL))
		return err_set(e, -EKEYREJECTED, "the certificate is for another key");
	return 0;
}

int x509_cert_read(const char *pem, const char *key_pem, struct x509_cert *cert, struct err *e)
{
	_cleanup_(mbedtls_x509_crt_free) mbedtls_x509_crt crt;
	int r, rc;

	memset(cert, 0, sizeof(*cert));
	mbedtls_x509_crt_init(&crt);
	rc = mbedtls_x509_crt_parse(&crt, (const unsigned char *)pem, strlen(pem) + 1);
	if (rc)
		return fail(e, rc, "read the certificate");
	r = key_pem ? check_pair(&crt, key_pem, e) : 0;
	if (r == 0)
		r = read_name(&crt.subject, &cert->subject, e);
	if (r == 0)
		r = read_sans(&crt.subject_alt_names, &cert->subject, e);
	cert->not_before_s = seconds_of(&crt.valid_from);
	cert->not_after_s = seconds_of(&crt.valid_to);
	return r;
}
