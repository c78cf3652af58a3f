// SPDX-License-Identifier: Apache-2.0
/*
 * The reader's only state is where it is: in which frame, in which message. SHA-1 is here because the
 * handshake of RFC 6455 wants it, as a proof that the server read the request, not as protection.
 */
#include "http/ws.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "base/base64.h"
#include "base/mem.h"
#include "base/random.h"
#include "base/str.h"

#define WS_GUID	    "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
#define WS_FIN	    0x80
#define WS_RESERVED 0x70
#define WS_OP	    0x0f
#define WS_MASKED   0x80
#define WS_KEY_LEN  24

static bool op_is_control(uint8_t op)
{
	return op >= WS_CLOSE;
}

/* Return: the head's length; 0 when it is not whole; -EPROTO */
static long head_read(const struct ws_reader *r, const uint8_t *d, size_t len, uint64_t *payload)
{
	uint8_t op;
	size_t n = 2;

	if (len < 2)
		return 0;
	op = d[0] & WS_OP;
	*payload = d[1] & 0x7f;
	if (d[0] & WS_RESERVED || (op > WS_BINARY && op < WS_CLOSE) || op > WS_PONG)
		return -EPROTO;
	if (!(d[1] & WS_MASKED) == r->from_client)
		return -EPROTO;
	if (op_is_control(op) && (*payload > WS_CONTROL_MAX || !(d[0] & WS_FIN)))
		return -EPROTO;
	if (!op_is_control(op) && (op == WS_CONTINUATION) != r->in_message_)
		return -EPROTO;
	if (*payload >= 126) {
		size_t size = *payload == 126 ? 2 : 8;

		n += size;
		if (len < n)
			return 0;
		*payload = 0;
		for (size_t i = 0; i < size; i++)
			*payload = *payload << 8 | d[2 + i];
		if (*payload > INT64_MAX)
			return -EPROTO;
	}
	if (r->from_client)
		n += 4;
	return len < n ? 0 : (long)n;
}

static void unmask(struct ws_reader *r, uint8_t *data, size_t len)
{
	for (size_t i = 0; i < len && r->from_client; i++)
		data[i] ^= r->mask_[r->mask_at_++ % 4];
}

static long read_control(struct ws_reader *r, uint8_t *data, size_t len, size_t head,
			 size_t payload, struct ws_piece *p)
{
	struct ws_reader once = {.from_client = r->from_client};

	if (len - head < payload)
		return 0;
	if (r->from_client)
		memcpy(once.mask_, data + head - 4, 4);
	unmask(&once, data + head, payload);
	*p = (struct ws_piece){
		.op = (enum ws_op)(data[0] & WS_OP),
		.first = true,
		.last = true,
		.data = data + head,
		.len = payload,
	};
	return (long)(head + payload);
}

long ws_read(struct ws_reader *r, uint8_t *data, size_t len, size_t max, struct ws_piece *p)
{
	bool first = false;
	uint64_t payload;
	long head = 0;
	size_t n;

	if (!r->in_frame_) {
		head = head_read(r, data, len, &payload);
		if (head <= 0)
			return head;
		if (op_is_control(data[0] & WS_OP))
			return read_control(r, data, len, (size_t)head, (size_t)payload, p);
		first = !r->in_message_;
		if (first)
			r->op_ = data[0] & WS_OP;
		r->in_frame_ = r->in_message_ = true;
		r->fin_ = data[0] & WS_FIN;
		r->left_ = payload;
		r->mask_at_ = 0;
		if (r->from_client)
			memcpy(r->mask_, data + head - 4, 4);
	}
	n = MIN(len - (size_t)head, max);
	n = (size_t)MIN((uint64_t)n, r->left_);
	if (!n && r->left_ && !head)
		return 0;
	unmask(r, data + head, n);
	r->left_ -= n;
	r->in_frame_ = r->left_ > 0;
	r->in_message_ = r->in_frame_ || !r->fin_;
	*p = (struct ws_piece){
		.op = (enum ws_op)r->op_,
		.first = first,
		.last = !r->in_message_,
		.data = data + head,
		.len = n,
	};
	return head + (long)n;
}

size_t ws_head(uint8_t out[WS_HEAD_MAX], enum ws_op op, uint64_t len, const uint8_t mask[4])
{
	size_t n = 2, size = len < 126 ? 0 : len <= UINT16_MAX ? 2 : 8;

	out[0] = (uint8_t)(WS_FIN | (uint8_t)op);
	out[1] = (uint8_t)((mask ? WS_MASKED : 0) | (size == 0	 ? (uint8_t)len
						     : size == 2 ? 126
								 : 127));
	for (size_t i = size; i > 0; i--)
		out[n++] = (uint8_t)(len >> (8 * (i - 1)));
	if (mask) {
		memcpy(out + n, mask, 4);
		n += 4;
	}
	return n;
}

void ws_mask(uint8_t *data, size_t len, const uint8_t mask[4])
{
	for (size_t i = 0; i < len; i++)
		data[i] ^= mask[i % 4];
}

/* ---- the handshake ---- */

static uint32_t rotl(uint32_t v, int n)
{
	return v << n | v >> (32 - n);
}

static void sha1_block(uint32_t h[5], const uint8_t *p)
{
	uint32_t w[80], a = h[0], b = h[1], c = h[2], d = h[3], e = h[4];

	for (int i = 0; i < 16; i++)
		w[i] = (uint32_t)p[4 * i] << 24 | (uint32_t)p[4 * i + 1] << 16 |
		       (uint32_t)p[4 * i + 2] << 8 | p[4 * i + 3];
	for (int i = 16; i < 80; i++)
		w[i] = rotl(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
	for (int i = 0; i < 80; i++) {
		uint32_t f = i < 20		 ? ((b & c) | (~b & d))
			     : i < 40 || i >= 60 ? b ^ c ^ d
						 : ((b & c) | (b & d) | (c & d));
		uint32_t k = i < 20   ? 0x5a827999
			     : i < 40 ? 0x6ed9eba1
			     : i < 60 ? 0x8f1bbcdc
				      : 0xca62c1d6;
		uint32_t t = rotl(a, 5) + f + e + k + w[i];

		e = d;
		d = c;
		c = rotl(b, 30);
		b = a;
		a = t;
	}
	h[0] += a;
	h[1] += b;
	h[2] += c;
	h[3] += d;
	h[4] += e;
}

/* FIPS 180-4 of a text that fits two blocks with its padding: at most 119 bytes */
static void sha1_short(const char *text, size_t len, uint8_t out[20])
{
	uint32_t h[5] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
	size_t total = len < 56 ? 64 : 128;
	uint8_t block[128] = {0};

	memcpy(block, text, len);
	block[len] = 0x80;
	block[total - 2] = (uint8_t)(len * 8 >> 8);
	block[total - 1] = (uint8_t)(len * 8);
	for (size_t i = 0; i < total; i += 64)
		sha1_block(h, block + i);
	for (int i = 0; i < 20; i++)
		out[i] = (uint8_t)(h[i / 4] >> (24 - 8 * (i % 4)));
}

const char *ws_accept(char out[WS_ACCEPT_MAX], const char *key)
{
	struct buf b = BUF_INIT(64);
	char text[WS_KEY_LEN + sizeof(WS_GUID)];
	uint8_t digest[20];
	size_t len;

	if (!key || strlen(key) != WS_KEY_LEN || base64_decode(&b, key) < 0 || b.len != 16) {
		buf_done(&b);
		return NULL;
	}
	memcpy(text, key, WS_KEY_LEN);
	memcpy(text + WS_KEY_LEN, WS_GUID, sizeof(WS_GUID));
	len = WS_KEY_LEN + sizeof(WS_GUID) - 1;
	sha1_short(text, len, digest);
	buf_clear(&b);
	base64_encode(&b, digest, sizeof(digest));
	str_copy(out, WS_ACCEPT_MAX, buf_str(&b));
	buf_done(&b);
	return out;
}

const char *ws_key(char out[WS_KEY_MAX])
{
	struct buf b = BUF_INIT(64);
	uint8_t random[16];

	/* It tells answers apart; it is no secret. */
	random_fill(random, sizeof(random));
	base64_encode(&b, random, sizeof(random));
	str_copy(out, WS_KEY_MAX, buf_str(&b));
	buf_done(&b);
	return out;
}

bool ws_has_token(const char *list, const char *word)
{
	size_t want = strlen(word);

	while (list && *list) {
		size_t len;

		list += strspn(list, " \t,");
		len = strcspn(list, " \t,");
		if (len == want && strncasecmp(list, word, len) == 0)
			return true;
		list += len;
	}
	return false;
}
