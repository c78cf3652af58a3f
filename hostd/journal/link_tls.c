// SPDX-License-Identifier: Apache-2.0
/*
 * mbedTLS as a client on a link's socket, the only file of the journal that knows mbedTLS. The receiver is verified against
 * a CA and by its name, or, where it has a certificate of its own, by that certificate's SHA-256: never not at all.
 */
#include <errno.h>
#include <mbedtls/error.h>
#include <mbedtls/psa_util.h>
#include <mbedtls/sha256.h>
#include <mbedtls/ssl.h>
#include <psa/crypto.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/mem.h"
#include "journal/link.h"

struct link_tls {
	mbedtls_ssl_config config;
	mbedtls_ssl_context ssl;
	mbedtls_x509_crt ca;
	struct link *link;
	bool draining; /* nothing is waited for */
};

static int link_tls_fail(struct err *e, int r, const char *what)
{
	char words[128];

	mbedtls_strerror(r, words, sizeof(words));
	return err_set(e, -EPROTO, "%s: %s", what, words);
}

static int link_tls_out(void *arg, const unsigned char *data, size_t len)
{
	const struct link_tls *t = arg;
	int n = link_write(t->link, data, len);

	return n < 0 ? MBEDTLS_ERR_SSL_INTERNAL_ERROR : n;
}

static int link_tls_in(void *arg, unsigned char *data, size_t size)
{
	const struct link_tls *t = arg;

	for (;;) {
		ssize_t n = recv(t->link->fd, data, size, MSG_DONTWAIT);

		if (n >= 0)
			return (int)n;
		if (errno == EAGAIN && t->draining)
			return MBEDTLS_ERR_SSL_WANT_READ;
		if (errno != EINTR && (errno != EAGAIN || link_wait(t->link, false) < 0))
			return MBEDTLS_ERR_SSL_INTERNAL_ERROR;
	}
}

static int link_tls_setup(struct link_tls *t, const struct link_target *target, struct err *e)
{
	const unsigned char *ca = (const unsigned char *)target->ca_pem;
	int r = 0;

	if (ca)
		r = mbedtls_x509_crt_parse(&t->ca, ca, strlen(target->ca_pem) + 1);
	if (r < 0) /* some of a bundle may be of a kind that is not known */
		return link_tls_fail(e, r, "CA certificates");
	r = mbedtls_ssl_config_defaults(&t->config, MBEDTLS_SSL_IS_CLIENT,
					MBEDTLS_SSL_TRANSPORT_STREAM, MBEDTLS_SSL_PRESET_DEFAULT);
	if (r != 0)
		return link_tls_fail(e, r, "TLS");
	mbedtls_ssl_conf_rng(&t->config, mbedtls_psa_get_random, MBEDTLS_PSA_RANDOM_STATE);
	mbedtls_ssl_conf_min_tls_version(&t->config, MBEDTLS_SSL_VERSION_TLS1_2);
	mbedtls_ssl_conf_ca_chain(&t->config, &t->ca, NULL);
	/* By fingerprint: judged below, before anything is sent */
	mbedtls_ssl_conf_authmode(&t->config,
				  ca ? MBEDTLS_SSL_VERIFY_REQUIRED : MBEDTLS_SSL_VERIFY_OPTIONAL);
	r = mbedtls_ssl_setup(&t->ssl, &t->config);
	if (r == 0)
		r = mbedtls_ssl_set_hostname(&t->ssl, target->host);
	if (r != 0)
		return link_tls_fail(e, r, "TLS");
	mbedtls_ssl_set_bio(&t->ssl, t, link_tls_out, link_tls_in, NULL);
	return 0;
}

static int link_tls_judge(struct link_tls *t, const struct link_target *target, struct err *e)
{
	const mbedtls_x509_crt *peer = mbedtls_ssl_get_peer_cert(&t->ssl);
	uint8_t is[sizeof(target->fingerprint)];

	if (target->ca_pem)
		return 0; /* the handshake has */
	if (!peer || mbedtls_sha256(peer->raw.p, peer->raw.len, is, 0) != 0 ||
	    memcmp(is, target->fingerprint, sizeof(is)) != 0)
		return err_set(e, -EPROTO,
			       "the receiver's certificate is not the one of syslog_ca");
	return 0;
}

/* Why a certificate was refused, in a line */
static int link_tls_refused(const struct link_tls *t, int r, struct err *e)
{
	uint32_t flags = mbedtls_ssl_get_verify_result(&t->ssl);
	char words[200] = "";

	if (r != MBEDTLS_ERR_X509_CERT_VERIFY_FAILED || flags == UINT32_MAX ||
	    mbedtls_x509_crt_verify_info(words, sizeof(words), "", flags) <= 0)
		return link_tls_fail(e, r, "TLS handshake");
	words[strcspn(words, "\n")] = '\0';
	return err_set(e, -EPROTO, "the receiver's certificate: %s", words);
}

int link_tls_open(struct link *l, const struct link_target *target, struct err *e)
{
	struct link_tls *t;
	int r;

	if (psa_crypto_init() != PSA_SUCCESS)
		return err_set(e, -EIO, "no random numbers for TLS");
	t = mem_alloc(sizeof(*t));
	mbedtls_ssl_config_init(&t->config);
	mbedtls_ssl_init(&t->ssl);
	mbedtls_x509_crt_init(&t->ca);
	t->link = l;
	l->tls = t;
	r = link_tls_setup(t, target, e);
	if (r < 0)
		return r;
	r = mbedtls_ssl_handshake(&t->ssl);
	return r ? link_tls_refused(t, r, e) : link_tls_judge(t, target, e);
}

void link_tls_close(struct link *l)
{
	struct link_tls *t = l->tls;

	if (!t)
		return;
	mbedtls_ssl_free(&t->ssl);
	mbedtls_ssl_config_free(&t->config);
	mbedtls_x509_crt_free(&t->ca);
	free(t);
	l->tls = NULL;
}

int link_tls_send(struct link *l, const void *data, size_t len)
{
	const unsigned char *at = data;

	while (len) {
		int n = mbedtls_ssl_write(&l->tls->ssl, at, len);

		if (n == MBEDTLS_ERR_SSL_WANT_READ || n == MBEDTLS_ERR_SSL_WANT_WRITE)
			continue;
		if (n <= 0)
			return -EPIPE;
		at += n;
		len -= (size_t)n;
	}
	return 0;
}

int link_tls_drain(struct link *l)
{
	struct link_tls *t = l->tls;
	unsigned char data[512];
	int n;

	t->draining = true;
	do
		n = mbedtls_ssl_read(&t->ssl, data, sizeof(data));
	while (n > 0 || n == MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET);
	t->draining = false;
	return n == MBEDTLS_ERR_SSL_WANT_READ ? 0 : -ECONNRESET;
}
