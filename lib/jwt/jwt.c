// SPDX-License-Identifier: Apache-2.0
/*
 * Three parts of base64url between dots: header, claims, signature. Parsing knows no key, so that it
 * can be fuzzed alone; verification compares the key's name first, as a token of another issuer is no error
 * worth a signature.
 */
#include "jwt/jwt.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/mem.h"
#include "base/str.h"
#include "es256.h"

#define KEY_ID_SIZE 44 /* base64url of 32 bytes */

struct jwt_key {
	struct es256 *key;
	char id[KEY_ID_SIZE], x[KEY_ID_SIZE], y[KEY_ID_SIZE];
};

static void text_of(char out[KEY_ID_SIZE], const unsigned char bytes[ES256_BYTES])
{
	struct buf b = BUF_INIT(0);

	base64url_encode(&b, bytes, ES256_BYTES);
	(void)str_copy(out, KEY_ID_SIZE, buf_str(&b));
	buf_done(&b);
}

int jwt_key_new(const char *key_pem, struct jwt_key **out, struct err *e)
{
	unsigned char x[ES256_BYTES], y[ES256_BYTES], hash[ES256_BYTES];
	struct jwt_key *k = mem_alloc(sizeof(*k));
	int r = es256_new(key_pem, &k->key, e);
	char canonical[256];

	if (r < 0) {
		free(k);
		return r;
	}
	es256_point(k->key, x, y);
	text_of(k->x, x);
	text_of(k->y, y);
	snprintf(canonical, sizeof(canonical),
		 "{\"crv\":\"P-256\",\"kty\":\"EC\",\"x\":\"%s\",\"y\":\"%s\"}", k->x, k->y);
	es256_hash(canonical, strlen(canonical), hash);
	text_of(k->id, hash);
	*out = k;
	return 0;
}

struct jwt_key *jwt_key_free(struct jwt_key *k)
{
	if (k)
		es256_free(k->key);
	free(k);
	return NULL;
}

const char *jwt_key_id(const struct jwt_key *k)
{
	return k->id;
}

struct json *jwt_key_json(const struct jwt_key *k, struct json_doc *doc)
{
	struct json *o = json_new_obj(doc);

	json_put_str(doc, o, "use", "sig");
	json_put_str(doc, o, "kty", "EC");
	json_put_str(doc, o, "kid", k->id);
	json_put_str(doc, o, "crv", "P-256");
	json_put_str(doc, o, "alg", "ES256");
	json_put_str(doc, o, "x", k->x);
	json_put_str(doc, o, "y", k->y);
	return o;
}

int jwt_sign(const struct jwt_key *k, const struct json *claims, struct buf *token, struct err *e)
{
	_cleanup_free_ char *header = mem_printf("{\"alg\":\"ES256\",\"kid\":\"%s\"}", k->id);
	unsigned char signature[ES256_SIGNATURE];
	struct buf text = BUF_INIT(JWT_BYTES_MAX), t;
	int r = json_write(claims, &text);

	buf_init_secret(&t, JWT_BYTES_MAX);
	if (r == 0)
		r = base64url_encode(&t, header, strlen(header));
	if (r == 0)
		r = buf_puts(&t, ".");
	if (r == 0)
		r = base64url_encode(&t, text.data, text.len);
	if (r < 0)
		err_set(e, r, "the claims are too long");
	if (r == 0)
		r = es256_sign(k->key, t.data, t.len, signature, e);
	if (r == 0)
		r = buf_puts(&t, ".");
	if (r == 0)
		r = base64url_encode(&t, signature, sizeof(signature));
	if (r == 0)
		r = buf_append(token, t.data, t.len);
	buf_done(&text);
	buf_done(&t);
	return r;
}

/* One part that holds a JSON object. */
static int parse_object(const char *text, size_t len, struct json_doc **out, struct err *e)
{
	struct buf b = BUF_INIT(JWT_BYTES_MAX);
	int r = base64url_decode(&b, text, len);

	if (r == 0)
		r = json_parse(buf_str(&b), b.len, out, e);
	if (r == 0 && !json_is_obj(json_root(*out)))
		r = -EBADMSG;
	buf_done(&b);
	return r < 0 ? err_set(e, -EBADMSG, "a part is no base64url of a JSON object") : 0;
}

static int check_header(const struct json *header, struct err *e)
{
	if (!str_eq(json_str(json_get(header, "alg"), ""), "ES256"))
		return err_set(e, -EBADMSG, "the algorithm is not ES256");
	if (json_get(header, "crit") || json_get(header, "b64"))
		return err_set(e, -EBADMSG, "the header demands what is not known here");
	return 0;
}

static int parse_signature(const char *text, unsigned char out[ES256_SIGNATURE], struct err *e)
{
	struct buf b = BUF_INIT(ES256_SIGNATURE);
	int r = base64url_decode(&b, text, strlen(text));

	if (r < 0 || b.len != ES256_SIGNATURE)
		r = err_set(e, -EBADMSG, "the signature is not one of ES256");
	else
		memcpy(out, b.data, ES256_SIGNATURE);
	buf_done(&b);
	return r;
}

int jwt_parse(const char *token, struct jwt *out, struct err *e)
{
	const char *first = strchr(token, '.'), *second = first ? strchr(first + 1, '.') : NULL;
	int r;

	memset(out, 0, sizeof(*out));
	if (!second || strchr(second + 1, '.') || strlen(token) > JWT_BYTES_MAX)
		return err_set(e, -EBADMSG, "not three parts, or too long");
	out->signed_len = (size_t)(second - token);
	r = parse_object(token, (size_t)(first - token), &out->header, e);
	if (r == 0)
		r = check_header(json_root(out->header), e);
	if (r == 0)
		r = parse_object(first + 1, (size_t)(second - first - 1), &out->claims, e);
	if (r == 0)
		r = parse_signature(second + 1, out->signature, e);
	if (r < 0)
		jwt_done(out);
	return r;
}

void jwt_done(struct jwt *t)
{
	t->header = json_doc_free(t->header);
	t->claims = json_doc_free(t->claims);
}

int jwt_verify(const struct jwt_key *k, const char *token, struct json_doc **claims, struct err *e)
{
	struct jwt t;
	int r = jwt_parse(token, &t, e);

	if (r < 0)
		return r;
	if (!str_eq(json_str(json_at(json_root(t.header), "kid", NULL), ""), k->id))
		r = err_set(e, -EACCES, "signed with another key");
	else if (!es256_verify(k->key, token, t.signed_len, t.signature))
		r = err_set(e, -EACCES, "the signature is wrong");
	if (r == 0)
		*claims = take_ptr(t.claims);
	jwt_done(&t);
	return r;
}
