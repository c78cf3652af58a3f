// SPDX-License-Identifier: Apache-2.0
/*
 * mbedTLS for signatures, and the only file of this module that knows it. Numbers are kept as mbedTLS'
 * own, so that nothing is parsed again for each token.
 */
#include "es256.h"

#include <errno.h>
#include <mbedtls/ecdsa.h>
#include <mbedtls/ecp.h>
#include <mbedtls/error.h>
#include <mbedtls/pk.h>
#include <mbedtls/sha256.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/random.h"

struct es256 {
	mbedtls_ecp_group group;
	mbedtls_mpi d;
	mbedtls_ecp_point q;
	unsigned char x[ES256_BYTES], y[ES256_BYTES];
};

static int fail(struct err *e, int rc, const char *what)
{
	char text[128] = "";

	mbedtls_strerror(rc, text, sizeof(text));
	return err_set(e, -EBADMSG, "%s: %s", what, text);
}

static int read_key(struct es256 *k, const char *pem)
{
	unsigned char point[1 + 2 * ES256_BYTES];
	mbedtls_pk_context pk;
	size_t len = 0;
	int rc;

	mbedtls_pk_init(&pk);
	rc = mbedtls_pk_parse_key(&pk, (const unsigned char *)pem, strlen(pem) + 1, NULL, 0,
				  random_feed, NULL);
	if (rc == 0 && !mbedtls_pk_can_do(&pk, MBEDTLS_PK_ECKEY))
		rc = MBEDTLS_ERR_PK_TYPE_MISMATCH;
	if (rc == 0)
		rc = mbedtls_ecp_export(mbedtls_pk_ec(pk), &k->group, &k->d, &k->q);
	if (rc == 0 &&
	    mbedtls_ecp_keypair_get_group_id(mbedtls_pk_ec(pk)) != MBEDTLS_ECP_DP_SECP256R1)
		rc = MBEDTLS_ERR_PK_TYPE_MISMATCH;
	if (rc == 0)
		rc = mbedtls_ecp_point_write_binary(&k->group, &k->q, MBEDTLS_ECP_PF_UNCOMPRESSED,
						    &len, point, sizeof(point));
	if (rc == 0) {
		memcpy(k->x, point + 1, ES256_BYTES);
		memcpy(k->y, point + 1 + ES256_BYTES, ES256_BYTES);
	}
	mbedtls_pk_free(&pk);
	return rc;
}

int es256_new(const char *key_pem, struct es256 **out, struct err *e)
{
	struct es256 *k = mem_alloc(sizeof(*k));
	int rc;

	mbedtls_ecp_group_init(&k->group);
	mbedtls_mpi_init(&k->d);
	mbedtls_ecp_point_init(&k->q);
	rc = read_key(k, key_pem);
	if (rc) {
		es256_free(k);
		return fail(e, rc, "read the signing key");
	}
	*out = k;
	return 0;
}

struct es256 *es256_free(struct es256 *k)
{
	if (!k)
		return NULL;
	mbedtls_ecp_group_free(&k->group);
	mbedtls_mpi_free(&k->d);
	mbedtls_ecp_point_free(&k->q);
	free(k);
	return NULL;
}

void es256_point(const struct es256 *k, unsigned char x[ES256_BYTES], unsigned char y[ES256_BYTES])
{
	memcpy(x, k->x, ES256_BYTES);
	memcpy(y, k->y, ES256_BYTES);
}

void es256_hash(const void *data, size_t len, unsigned char hash[ES256_BYTES])
{
	if (mbedtls_sha256(data, len, hash, 0))
		abort(); /* only a broken build can fail */
}

int es256_sign(struct es256 *k, const void *data, size_t len,
	       unsigned char signature[ES256_SIGNATURE], struct err *e)
{
	unsigned char hash[ES256_BYTES];
	mbedtls_mpi r, s;
	int rc;

	mbedtls_mpi_init(&r);
	mbedtls_mpi_init(&s);
	es256_hash(data, len, hash);
	rc = mbedtls_ecdsa_sign(&k->group, &r, &s, &k->d, hash, sizeof(hash), random_feed, NULL);
	if (rc == 0)
		rc = mbedtls_mpi_write_binary(&r, signature, ES256_BYTES);
	if (rc == 0)
		rc = mbedtls_mpi_write_binary(&s, signature + ES256_BYTES, ES256_BYTES);
	mbedtls_mpi_free(&r);
	mbedtls_mpi_free(&s);
	return rc ? fail(e, rc, "sign") : 0;
}

bool es256_verify(struct es256 *k, const void *data, size_t len,
		  const unsigned char signature[ES256_SIGNATURE])
{
	unsigned char hash[ES256_BYTES];
	mbedtls_mpi r, s;
	int rc;

	mbedtls_mpi_init(&r);
	mbedtls_mpi_init(&s);
	es256_hash(data, len, hash);
	rc = mbedtls_mpi_read_binary(&r, signature, ES256_BYTES);
	if (rc == 0)
		rc = mbedtls_mpi_read_binary(&s, signature + ES256_BYTES, ES256_BYTES);
	if (rc == 0)
		rc = mbedtls_ecdsa_verify(&k->group, hash, sizeof(hash), &k->q, &r, &s);
	mbedtls_mpi_free(&r);
	mbedtls_mpi_free(&s);
	return rc == 0;
}
