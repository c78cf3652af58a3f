// SPDX-License-Identifier: Apache-2.0
/*
 * The certificate authority is made once, at the first start, and so is the key of tokens. These
 * keys are the only secrets that are kept; the certificates of the API and the administrator are made anew at each start, so that
 * changed addresses need no thought.
 */
#include "pki.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/base64.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"

#define CA_LIFETIME_S  (10LL * 365 * 86400)
#define OWN_LIFETIME_S (365LL * 86400)

static int make_ca(struct pki *p, const char *cert_path, const char *key_path, struct err *e)
{
	struct x509_subject ca = {.common_name = "hypermetal-ca"};
	int r = x509_key_new(&p->ca_key, e);

	if (r == 0)
		r = x509_issue(NULL, NULL, buf_str(&p->ca_key), NULL, &ca, X509_CA, CA_LIFETIME_S,
			       &p->ca_cert, e);
	if (r == 0)
		r = file_write(AT_FDCWD, key_path, p->ca_key.data, p->ca_key.len, 0600, e);
	if (r == 0)
		r = file_write(AT_FDCWD, cert_path, p->ca_cert.data, p->ca_cert.len, 0644, e);
	if (r == 0)
		log_info("enrol", "ev=ca_made path=%s", cert_path);
	return r;
}

static int open_token_key(struct pki *p, const char *dir, struct err *e)
{
	_cleanup_free_ char *path = mem_printf("%s/sa.key", dir);
	int r = file_read(AT_FDCWD, path, &p->token_key, e);

	if (r != -ENOENT)
		return r;
	r = x509_key_new(&p->token_key, e);
	return r < 0 ? r : file_write(AT_FDCWD, path, p->token_key.data, p->token_key.len, 0600, e);
}

static int open_ca(struct pki *p, const char *dir, struct err *e)
{
	_cleanup_free_ char *cert = mem_printf("%s/ca.crt", dir);
	_cleanup_free_ char *key = mem_printf("%s/ca.key", dir);
	struct x509_cert ca;
	int r;

	buf_init(&p->ca_cert, 65536);
	buf_init_secret(&p->ca_key, 65536);
	buf_init_secret(&p->token_key, 65536);
	r = file_read(AT_FDCWD, key, &p->ca_key, e);
	if (r == -ENOENT && access(cert, F_OK) != 0)
		return make_ca(p, cert, key, e);
	if (r == 0)
		r = file_read(AT_FDCWD, cert, &p->ca_cert, e);
	if (r == 0)
		r = x509_cert_read(buf_str(&p->ca_cert), NULL, &ca, e);
	if (r == -EBADMSG)
		err_wrap(e, r, "%s", cert);
	if (r == 0 && ca.not_after_s < time(NULL))
		r = err_set(e, -EKEYEXPIRED, "%s has expired", cert);
	return r;
}

int pki_open(struct pki *p, const char *dir, struct err *e)
{
	int r = open_ca(p, dir, e);

	return r < 0 ? r : open_token_key(p, dir, e);
}

void pki_done(struct pki *p)
{
	buf_done(&p->token_key);
	buf_done(&p->ca_key);
	buf_done(&p->ca_cert);
}

int pki_issue(const struct pki *p, const struct x509_subject *subject, enum x509_usage usage,
	      int64_t lifetime_s, struct enrol_pair *out, struct err *e)
{
	int r;

	memset(out, 0, sizeof(*out));
	r = x509_key_new(&out->key, e);
	if (r == 0)
		r = x509_issue(buf_str(&p->ca_cert), buf_str(&p->ca_key), buf_str(&out->key), NULL,
			       subject, usage, lifetime_s, &out->cert, e);
	if (r < 0)
		enrol_pair_done(out);
	return r;
}

int pki_sign(const struct pki *p, const char *csr_pem, const struct x509_subject *subject,
	     enum x509_usage usage, int64_t lifetime_s, struct buf *cert_pem, struct err *e)
{
	return x509_issue(buf_str(&p->ca_cert), buf_str(&p->ca_key), NULL, csr_pem, subject, usage,
			  lifetime_s, cert_pem, e);
}

void enrol_pair_done(struct enrol_pair *p)
{
	if (p->key.data)
		mem_wipe(p->key.data, p->key.len);
	buf_done(&p->key);
	buf_done(&p->cert);
}
