// SPDX-License-Identifier: Apache-2.0
/*
 * mbedTLS for certificates, and the only file of this module that knows it. All of our keys are
 * P-256; a request may bring any key that mbedTLS reads. A request's own attributes are never copied:
 * the caller says what the certificate holds.
 */
#include "x509.h"

#include <arpa/inet.h>
#include <errno.h>
#include <mbedtls/asn1.h>
#include <mbedtls/ctr_drbg.h>
#include <mbedtls/ecp.h>
#include <mbedtls/entropy.h>
#include <mbedtls/error.h>
#include <mbedtls/oid.h>
#include <mbedtls/pk.h>
#include <mbedtls/sha256.h>
#include <mbedtls/x509_crt.h>
#include <mbedtls/x509_csr.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "base/mem.h"
#include "base/str.h"

#define PEM_MAX	       8192
#define NAME_MAX_BYTES 2048
#define BACKDATE_S     300

int x509_names_add(struct x509_names *n, const char *text)
{
	if (x509_names_has(n, text))
		return 0;
	if (n->count == X509_NAMES_MAX || strlen(text) >= X509_TEXT_MAX)
		return -E2BIG;
	str_copy(n->text[n->count++], X509_TEXT_MAX, text);
	return 0;
}

bool x509_names_has(const struct x509_names *n, const char *text)
{
	for (size_t i = 0; i < n->count; i++) {
		if (str_eq(n->text[i], text))
			return true;
	}
	return false;
}

static int fail(struct err *e, int rc, const char *what)
{
	char text[128] = "";

	mbedtls_strerror(rc, text, sizeof(text));
	return err_set(e, -EBADMSG, "%s: %s", what, text);
}

/* The kernel's generator is all the randomness there is. */
static int random_bytes(void *arg, unsigned char *out, size_t len)
{
	(void)arg;
	while (len) {
		ssize_t n = getrandom(out, len, 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return MBEDTLS_ERR_ENTROPY_SOURCE_FAILED;
		out += n;
		len -= (size_t)n;
	}
	return 0;
}

int x509_key_new(struct buf *key_pem, struct err *e)
{
	unsigned char pem[PEM_MAX];
	mbedtls_pk_context pk;
	int rc;

	mbedtls_pk_init(&pk);
	rc = mbedtls_pk_setup(&pk, mbedtls_pk_info_from_type(MBEDTLS_PK_ECKEY));
	if (rc == 0)
		rc = mbedtls_ecp_gen_key(MBEDTLS_ECP_DP_SECP256R1, mbedtls_pk_ec(pk), random_bytes,
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

/* A subject as mbedTLS reads it: "O=a, O=b, CN=c", special characters escaped. */
static int name_append(struct buf *b, const char *key, const char *value)
{
	int r = buf_printf(b, "%s%s=", b->len ? "," : "", key);

	for (; r == 0 && *value; value++) {
		if (strchr(",=+<>#;\"\\", *value))
			r = buf_puts(b, "\\");
		if (r == 0)
			r = buf_append(b, value, 1);
	}
	return r;
}

static int subject_name(const struct x509_subject *s, struct buf *b)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < s->orgs.count; i++)
		r = name_append(b, "O", s->orgs.text[i]);
	return r ? r : name_append(b, "CN", s->common_name);
}

static int set_sans(mbedtls_x509write_cert *crt, const struct x509_subject *s)
{
	static mbedtls_x509_san_list list[2 * X509_NAMES_MAX];
	static unsigned char ip[X509_NAMES_MAX][16];
	size_t n = 0;

	memset(list, 0, sizeof(list));
	for (size_t i = 0; i < s->dns.count; i++, n++) {
		list[n].node.type = MBEDTLS_X509_SAN_DNS_NAME;
		list[n].node.san.unstructured_name.p = (unsigned char *)(uintptr_t)s->dns.text[i];
		list[n].node.san.unstructured_name.len = strlen(s->dns.text[i]);
	}
	for (size_t i = 0; i < s->ips.count; i++, n++) {
		bool v4 = inet_pton(AF_INET, s->ips.text[i], ip[i]) == 1;

		if (!v4 && inet_pton(AF_INET6, s->ips.text[i], ip[i]) != 1)
			return MBEDTLS_ERR_X509_BAD_INPUT_DATA;
		list[n].node.type = MBEDTLS_X509_SAN_IP_ADDRESS;
		list[n].node.san.unstructured_name.p = ip[i];
		list[n].node.san.unstructured_name.len = v4 ? 4 : 16;
	}
	for (size_t i = 1; i < n; i++)
		list[i - 1].next = &list[i];
	return n ? mbedtls_x509write_crt_set_subject_alternative_name(crt, list) : 0;
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
	int rc = random_bytes(NULL, serial, sizeof(serial));

	serial[0] = (serial[0] & 0x3f) | 0x40; /* positive, always 16 bytes */
	mbedtls_x509write_crt_set_version(crt, MBEDTLS_X509_CRT_VERSION_3);
	mbedtls_x509write_crt_set_md_alg(crt, MBEDTLS_MD_SHA256);
	if (rc == 0)
		rc = mbedtls_x509write_crt_set_serial_raw(crt, serial, sizeof(serial));
	if (rc == 0)
		rc = set_validity(crt, lifetime_s);
	if (rc == 0)
		rc = set_usage(crt, usage);
	if (rc == 0)
		rc = set_sans(crt, s);
	if (rc == 0)
		rc = mbedtls_x509write_crt_set_subject_key_identifier(crt);
	if (rc == 0)
		rc = mbedtls_x509write_crt_set_authority_key_identifier(crt);
	return rc;
}

static int parse_key(mbedtls_pk_context *pk, const char *pem)
{
	return mbedtls_pk_parse_key(pk, (const unsigned char *)pem, strlen(pem) + 1, NULL, 0,
				    random_bytes, NULL);
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
	int rc = subject_name(subject, &name) < 0 ? MBEDTLS_ERR_X509_BUFFER_TOO_SMALL : 0;

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
		rc = mbedtls_x509write_crt_pem(&i.crt, pem, sizeof(pem), random_bytes, NULL);
	rc = rc == 0 ? buf_puts(cert_pem, (char *)pem) : fail(e, rc, "issue a certificate");
	mbedtls_x509write_crt_free(&i.crt);
	mbedtls_x509_crt_free(&i.ca);
	mbedtls_x509_csr_free(&i.csr);
	mbedtls_pk_free(&i.key);
	mbedtls_pk_free(&i.ca_key);
	return rc;
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

static int key_hash(mbedtls_pk_context *pk, char *hex, struct err *e)
{
	unsigned char der[PEM_MAX], hash[32];
	int n = mbedtls_pk_write_pubkey_der(pk, der, sizeof(der)); /* at the end of the buffer */

	if (n < 0)
		return fail(e, n, "public key of the request");
	mbedtls_sha256(der + sizeof(der) - n, (size_t)n, hash, 0);
	str_hex(hex, hash, sizeof(hash));
	return 0;
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
		r = key_hash(&csr.pk, key_id, e);
	mbedtls_x509_csr_free(&csr);
	return r;
}

int x509_cert_read(const char *pem, struct x509_subject *subject, int64_t *not_after_s,
		   struct err *e)
{
	mbedtls_x509_crt crt;
	struct tm tm = {0};
	int r, rc;

	memset(subject, 0, sizeof(*subject));
	mbedtls_x509_crt_init(&crt);
	rc = mbedtls_x509_crt_parse(&crt, (const unsigned char *)pem, strlen(pem) + 1);
	r = rc ? fail(e, rc, "read the certificate") : read_name(&crt.subject, subject, e);
	if (r == 0)
		r = read_sans(&crt.subject_alt_names, subject, e);
	tm.tm_year = crt.valid_to.year - 1900;
	tm.tm_mon = crt.valid_to.mon - 1;
	tm.tm_mday = crt.valid_to.day;
	tm.tm_hour = crt.valid_to.hour;
	tm.tm_min = crt.valid_to.min;
	tm.tm_sec = crt.valid_to.sec;
	*not_after_s = timegm(&tm);
	mbedtls_x509_crt_free(&crt);
	return r;
}
