// SPDX-License-Identifier: Apache-2.0
/*
 * mbedTLS on a non-blocking socket, the only file of the server that knows mbedTLS. TLS 1.2 and 1.3,
 * random numbers from PSA's generator.
 *
 * A required client certificate is verified by mbedTLS in the handshake. An optional one is, too
 * (VERIFY_OPTIONAL), but a bad one only leaves a mark there; tls_conn_peer() ends such a connection before
 * a byte of it is read. It could be done earlier, by a verify callback, but then the alert of TLS 1.3
 * would leave under keys that the client no longer uses, and an operator with a stale certificate would
 * read of a bad MAC. The subject is checked byte by byte, since names become user and groups: a NUL, a control character or a name
 * that does not fit ends the connection instead of being cut.
 */
#include "server_tls.h"

#include <errno.h>
#include <mbedtls/error.h>
#include <mbedtls/oid.h>
#include <mbedtls/psa_util.h>
#include <mbedtls/ssl.h>
#include <psa/crypto.h>
#include <string.h>
#include <sys/socket.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"

struct tls_server {
	mbedtls_ssl_config config;
	mbedtls_x509_crt cert, client_ca;
	mbedtls_pk_context key;
};

struct tls_conn {
	mbedtls_ssl_context ssl;
	int fd;
	bool wants_write;
	size_t retry_len; /* of the write that is to be repeated */
};

static int tls_fail(struct err *e, int r, const char *what)
{
	char words[128];

	mbedtls_strerror(r, words, sizeof(words));
	return err_set(e, -EINVAL, "%s: %s", what, words);
}

static int tls_send(void *arg, const unsigned char *data, size_t len)
{
	const struct tls_conn *conn = arg;
	ssize_t n = send(conn->fd, data, len, MSG_NOSIGNAL | MSG_DONTWAIT);

	if (n >= 0)
		return (int)n;
	if (errno == EAGAIN || errno == EINTR)
		return MBEDTLS_ERR_SSL_WANT_WRITE;
	return MBEDTLS_ERR_SSL_INTERNAL_ERROR;
}

static int tls_recv(void *arg, unsigned char *data, size_t size)
{
	const struct tls_conn *conn = arg;
	ssize_t n = recv(conn->fd, data, size, MSG_DONTWAIT);

	if (n >= 0)
		return (int)n;
	if (errno == EAGAIN || errno == EINTR)
		return MBEDTLS_ERR_SSL_WANT_READ;
	return MBEDTLS_ERR_SSL_INTERNAL_ERROR;
}

static int tls_load(struct tls_server *s, const struct http_server_config *config, struct err *e)
{
	const unsigned char *cert = (const unsigned char *)config->cert_pem;
	const unsigned char *key = (const unsigned char *)config->key_pem;
	const unsigned char *ca = (const unsigned char *)config->client_ca_pem;
	int r;

	/* PEM lengths count the NUL; a positive result is the number of certificates that failed. */
	r = mbedtls_x509_crt_parse(&s->cert, cert, strlen(config->cert_pem) + 1);
	if (r != 0)
		return tls_fail(e, MIN(r, 0), "server certificate");
	r = mbedtls_pk_parse_key(&s->key, key, strlen(config->key_pem) + 1, NULL, 0,
				 mbedtls_psa_get_random, MBEDTLS_PSA_RANDOM_STATE);
	if (r != 0)
		return tls_fail(e, r, "server key");
	r = mbedtls_pk_check_pair(&s->cert.pk, &s->key, mbedtls_psa_get_random,
				  MBEDTLS_PSA_RANDOM_STATE);
	if (r != 0)
		return tls_fail(e, r, "server certificate and key are no pair");
	if (config->client_cert == HTTP_CLIENT_CERT_NONE)
		return 0;
	if (!ca)
		return err_set(e, -EINVAL, "client certificates wanted, but no CA given");
	r = mbedtls_x509_crt_parse(&s->client_ca, ca, strlen(config->client_ca_pem) + 1);
	return r ? tls_fail(e, MIN(r, 0), "client CA") : 0;
}

int tls_server_new(const struct http_server_config *config, struct tls_server **server,
		   struct err *e)
{
	struct tls_server *s;
	int r;

	if (!config->key_pem)
		return err_set(e, -EINVAL, "server certificate without key");
	if (psa_crypto_init() != PSA_SUCCESS)
		return err_set(e, -EIO, "no random numbers for TLS");
	s = mem_alloc(sizeof(*s));
	mbedtls_ssl_config_init(&s->config);
	mbedtls_x509_crt_init(&s->cert);
	mbedtls_x509_crt_init(&s->client_ca);
	mbedtls_pk_init(&s->key);
	r = tls_load(s, config, e);
	if (r < 0) {
		tls_server_free(s);
		return r;
	}
	r = mbedtls_ssl_config_defaults(&s->config, MBEDTLS_SSL_IS_SERVER,
					MBEDTLS_SSL_TRANSPORT_STREAM, MBEDTLS_SSL_PRESET_DEFAULT);
	if (r == 0)
		r = mbedtls_ssl_conf_own_cert(&s->config, &s->cert, &s->key);
	if (r != 0) {
		tls_server_free(s);
		return tls_fail(e, r, "TLS");
	}
	mbedtls_ssl_conf_rng(&s->config, mbedtls_psa_get_random, MBEDTLS_PSA_RANDOM_STATE);
	mbedtls_ssl_conf_min_tls_version(&s->config, MBEDTLS_SSL_VERSION_TLS1_2);
	switch (config->client_cert) {
	case HTTP_CLIENT_CERT_NONE:
		mbedtls_ssl_conf_authmode(&s->config, MBEDTLS_SSL_VERIFY_NONE);
		break;
	case HTTP_CLIENT_CERT_OPTIONAL:
		mbedtls_ssl_conf_authmode(&s->config, MBEDTLS_SSL_VERIFY_OPTIONAL);
		break;
	case HTTP_CLIENT_CERT_REQUIRED:
		mbedtls_ssl_conf_authmode(&s->config, MBEDTLS_SSL_VERIFY_REQUIRED);
		break;
	}
	if (config->client_cert != HTTP_CLIENT_CERT_NONE)
		mbedtls_ssl_conf_ca_chain(&s->config, &s->client_ca, NULL);
	*server = s;
	return 0;
}

void tls_server_free(struct tls_server *server)
{
	if (!server)
		return;
	mbedtls_ssl_config_free(&server->config);
	mbedtls_x509_crt_free(&server->cert);
	mbedtls_x509_crt_free(&server->client_ca);
	mbedtls_pk_free(&server->key);
	free(server);
}

struct tls_conn *tls_conn_new(struct tls_server *server, int fd)
{
	struct tls_conn *conn = mem_alloc(sizeof(*conn));

	conn->fd = fd;
	mbedtls_ssl_init(&conn->ssl);
	if (mbedtls_ssl_setup(&conn->ssl, &server->config) != 0) {
		tls_conn_free(conn);
		return NULL;
	}
	mbedtls_ssl_set_bio(&conn->ssl, conn, tls_send, tls_recv, NULL);
	return conn;
}

void tls_conn_free(struct tls_conn *conn)
{
	if (!conn)
		return;
	mbedtls_ssl_free(&conn->ssl);
	free(conn);
}

/* Turns mbedTLS's result into ours and remembers what it waits for */
static ssize_t tls_result(struct tls_conn *conn, int r)
{
	conn->wants_write = r == MBEDTLS_ERR_SSL_WANT_WRITE;
	if (r >= 0)
		return r;
	if (r == MBEDTLS_ERR_SSL_WANT_READ || r == MBEDTLS_ERR_SSL_WANT_WRITE)
		return -EAGAIN;
	if (r == MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY || r == MBEDTLS_ERR_SSL_CONN_EOF)
		return 0;
	return r == MBEDTLS_ERR_SSL_ALLOC_FAILED ? -ENOMEM : -EPROTO;
}

int tls_conn_handshake(struct tls_conn *conn)
{
	int r = mbedtls_ssl_handshake(&conn->ssl);

	if (r != 0 && r != MBEDTLS_ERR_SSL_WANT_READ && r != MBEDTLS_ERR_SSL_WANT_WRITE) {
		char words[128];

		mbedtls_strerror(r, words, sizeof(words));
		log_debug("http", "msg=\"TLS handshake failed\" why=\"%s\"", words);
	}
	/* An end of the stream in the middle of it is a failure. */
	if (r == MBEDTLS_ERR_SSL_CONN_EOF || r == MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY)
		return -ECONNRESET;
	return (int)tls_result(conn, r);
}

ssize_t tls_conn_read(struct tls_conn *conn, void *data, size_t size)
{
	return tls_result(conn, mbedtls_ssl_read(&conn->ssl, data, size));
}

ssize_t tls_conn_write(struct tls_conn *conn, const void *data, size_t len)
{
	ssize_t n;

	/* A repeated write reports @len as sent, so it must not have grown meanwhile. */
	if (conn->retry_len)
		len = MIN(len, conn->retry_len);
	n = tls_result(conn, mbedtls_ssl_write(&conn->ssl, data, len));
	conn->retry_len = n == -EAGAIN ? len : 0;
	return n;
}

bool tls_conn_wants_write(const struct tls_conn *conn)
{
	return conn->wants_write;
}

void tls_conn_goodbye(struct tls_conn *conn)
{
	mbedtls_ssl_close_notify(&conn->ssl);
}

static int tls_name(char *out, const mbedtls_x509_buf *value)
{
	if (value->len == 0 || value->len >= HTTP_PEER_NAME_MAX)
		return -EACCES;
	for (size_t i = 0; i < value->len; i++)
		if (value->p[i] < 0x20 || value->p[i] == 0x7f)
			return -EACCES;
	memcpy(out, value->p, value->len);
	out[value->len] = '\0';
	return 0;
}

static int tls_read_subject(const mbedtls_x509_crt *crt, struct http_peer *peer)
{
	for (const mbedtls_x509_name *n = &crt->subject; n; n = n->next) {
		char *out = NULL;

		if (MBEDTLS_OID_CMP(MBEDTLS_OID_AT_CN, &n->oid) == 0) {
			if (peer->common_name[0])
				return -EACCES;
			out = peer->common_name;
		} else if (MBEDTLS_OID_CMP(MBEDTLS_OID_AT_ORGANIZATION, &n->oid) == 0) {
			if (peer->group_count == HTTP_PEER_GROUPS_MAX)
				return -EACCES;
			out = peer->groups[peer->group_count++];
		}
		if (out && tls_name(out, &n->val) < 0)
			return -EACCES;
	}
	return 0;
}

static int tls_refuse(struct tls_conn *conn, unsigned char alert)
{
	mbedtls_ssl_send_alert_message(&conn->ssl, MBEDTLS_SSL_ALERT_LEVEL_FATAL, alert);
	return -EACCES;
}

int tls_conn_peer(struct tls_conn *conn, struct http_peer *peer)
{
	const mbedtls_x509_crt *crt = mbedtls_ssl_get_peer_cert(&conn->ssl);
	uint32_t flags = crt ? mbedtls_ssl_get_verify_result(&conn->ssl) : 0;

	*peer = (struct http_peer){0};
	if (!crt)
		return 0;
	if (flags & MBEDTLS_X509_BADCERT_EXPIRED)
		return tls_refuse(conn, MBEDTLS_SSL_ALERT_MSG_CERT_EXPIRED);
	if (flags & MBEDTLS_X509_BADCERT_NOT_TRUSTED)
		return tls_refuse(conn, MBEDTLS_SSL_ALERT_MSG_UNKNOWN_CA);
	if (flags || tls_read_subject(crt, peer) < 0) {
		*peer = (struct http_peer){0};
		return tls_refuse(conn, MBEDTLS_SSL_ALERT_MSG_BAD_CERT);
	}
	str_hex(peer->serial, crt->serial.p, MIN(crt->serial.len, sizeof(peer->serial) / 2 - 1));
	peer->verified = true;
	return 0;
}
