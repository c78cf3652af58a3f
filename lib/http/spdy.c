// SPDX-License-Identifier: Apache-2.0
/*
 * Headers are the only thing that is packed: zlib with a dictionary, one stream of it for all blocks of a
 * direction. Those of the client are unpacked here, in full even where they do not matter, or the next block could not be
 * read. Our own blocks have no headers at all; they are written as stored blocks, so nothing needs to be packed: each is
 * followed by an empty one, at which Go's reader hands out what it has.
 */
#include "http/spdy.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/mem.h"

#define VERSION	  3
#define FLAG_FIN  1
#define ID_MASK	  0x7fffffffU
#define DICT_SIZE 1423

enum frame_type {
	SYN_STREAM = 1,
	SYN_REPLY = 2,
	RST_STREAM = 3,
	PING = 6,
	GOAWAY = 7,
	HEADERS = 8,
};

struct spdy {
	z_stream z;
	bool said; /* our first block of headers, with zlib's own head, is out */
	uint32_t last; /* stream that the client opened */
	/* of the data frame that is being read */
	uint32_t stream;
	size_t left;
	bool in_data, fin;
	uint32_t end; /* a stream whose end is still to be told, or 0 */
	uint8_t block[SPDY_BLOCK_MAX];
	size_t block_len;
};

/* §2.6.10.1: words with their length before them, then text without. */
static const char dict_words[] =
	"options\nhead\npost\nput\ndelete\ntrace\naccept\naccept-charset\naccept-encodi"
	"ng\naccept-language\naccept-ranges\nage\nallow\nauthorization\ncache-control\n"
	"connection\ncontent-base\ncontent-encoding\ncontent-language\ncontent-length\n"
	"content-location\ncontent-md5\ncontent-range\ncontent-type\ndate\netag\nexpect"
	"\nexpires\nfrom\nhost\nif-match\nif-modified-since\nif-none-match\nif-range\ni"
	"f-unmodified-since\nlast-modified\nlocation\nmax-forwards\npragma\nproxy-authe"
	"nticate\nproxy-authorization\nrange\nreferer\nretry-after\nserver\nte\ntrailer"
	"\ntransfer-encoding\nupgrade\nuser-agent\nvary\nvia\nwarning\nwww-authenticate"
	"\nmethod\nget\nstatus\n200 OK\nversion\nHTTP/1.1\nurl\npublic\nset-cookie\nkee"
	"p-alive\norigin\n";
static const char dict_text[] =
	"100101201202205206300302303304305306307402405406407408409410411412413414415416"
	"417502504505203 Non-Authoritative Information204 No Content301 Moved Permanent"
	"ly400 Bad Request401 Unauthorized403 Forbidden404 Not Found500 Internal Server"
	" Error501 Not Implemented503 Service UnavailableJan Feb Mar Apr May Jun Jul Au"
	"g Sept Oct Nov Dec 00:00:00 Mon, Tue, Wed, Thu, Fri, Sat, Sun, GMTchunked,text"
	"/html,image/png,image/jpg,image/gif,application/xml,application/xhtml+xml,text"
	"/plain,text/javascript,publicprivatemax-age=gzip,deflate,sdchcharset=utf-8char"
	"set=iso-8859-1,utf-,*,enq=0.";

static void put32(uint8_t *out, uint32_t v)
{
	out[0] = (uint8_t)(v >> 24);
	out[1] = (uint8_t)(v >> 16);
	out[2] = (uint8_t)(v >> 8);
	out[3] = (uint8_t)v;
}

static uint32_t get32(const uint8_t *in)
{
	return (uint32_t)in[0] << 24 | (uint32_t)in[1] << 16 | (uint32_t)in[2] << 8 | in[3];
}

static void make_dict(uint8_t out[DICT_SIZE])
{
	size_t n = 0;

	for (const char *word = dict_words; *word;) {
		size_t len = strcspn(word, "\n");

		put32(out + n, (uint32_t)len);
		memcpy(out + n + 4, word, len);
		n += 4 + len;
		word += len + 1;
	}
	memcpy(out + n, dict_text, DICT_SIZE - n);
}

struct spdy *spdy_new(void)
{
	struct spdy *s = mem_alloc(sizeof(*s));

	if (inflateInit(&s->z) != Z_OK)
		abort(); /* out of memory only */
	return s;
}

struct spdy *spdy_free(struct spdy *s)
{
	if (s)
		inflateEnd(&s->z);
	free(s);
	return NULL;
}

/* Unpack a block of headers into s->block. */
static int unpack(struct spdy *s, const uint8_t *data, size_t len)
{
	uint8_t dict[DICT_SIZE];
	int r;

	s->z.next_in = (Bytef *)(uintptr_t)data;
	s->z.avail_in = (uInt)len;
	s->z.next_out = s->block;
	s->z.avail_out = sizeof(s->block);
	r = inflate(&s->z, Z_SYNC_FLUSH);
	if (r == Z_NEED_DICT) {
		make_dict(dict);
		if (inflateSetDictionary(&s->z, dict, sizeof(dict)) == Z_OK)
			r = inflate(&s->z, Z_SYNC_FLUSH);
	}
	s->block_len = sizeof(s->block) - s->z.avail_out;
	return (r == Z_OK || r == Z_BUF_ERROR) && !s->z.avail_in && s->z.avail_out ? 0 : -EPROTO;
}

/* One length and its bytes. Return: what is behind, NULL when they are not there */
static const uint8_t *take(const uint8_t *at, const uint8_t *end, const uint8_t **text, size_t *len)
{
	if (end - at < 4)
		return NULL;
	*len = get32(at);
	*text = at + 4;
	return *len <= (size_t)(end - at - 4) ? at + 4 + *len : NULL;
}

bool spdy_header(const struct spdy *s, const char *name, char *out, size_t size)
{
	const uint8_t *end = s->block + s->block_len, *at = s->block + 4, *key, *value;
	size_t key_len, value_len;
	uint32_t count = s->block_len < 4 ? 0 : get32(s->block);

	while (count--) {
		at = take(at, end, &key, &key_len);
		at = at ? take(at, end, &value, &value_len) : NULL;
		if (!at)
			return false;
		if (key_len != strlen(name) || memcmp(key, name, key_len) != 0)
			continue;
		if (value_len >= size || memchr(value, 0, value_len))
			return false;
		memcpy(out, value, value_len);
		out[value_len] = '\0';
		return true;
	}
	return false;
}

/* A whole control frame; @d is its body. */
static int take_control(struct spdy *s, unsigned int type, uint8_t flags, const uint8_t *d,
			size_t len, struct spdy_piece *p)
{
	static const size_t least[] = {[SYN_STREAM] = 10, [SYN_REPLY] = 4, [RST_STREAM] = 8,
				       [PING] = 4,	  [GOAWAY] = 8,	   [HEADERS] = 4};

	*p = (struct spdy_piece){.kind = SPDY_OTHER};
	if (type >= ARRAY_SIZE(least) || !least[type])
		return 1; /* settings, windows and what comes after us */
	if (len < least[type])
		return -EPROTO;
	p->stream = get32(d) & (type == PING ? UINT32_MAX : ID_MASK);
	switch ((enum frame_type)type) {
	case SYN_STREAM:
		if (!(p->stream & 1) || p->stream <= s->last)
			return -EPROTO;
		s->last = p->stream;
		s->end = flags & FLAG_FIN ? p->stream : 0;
		p->kind = SPDY_OPEN;
		return unpack(s, d + 10, len - 10) < 0 ? -EPROTO : 1;
	case SYN_REPLY:
	case HEADERS:
		return unpack(s, d + 4, len - 4) < 0 ? -EPROTO : 1;
	case RST_STREAM:
		p->kind = SPDY_RESET;
		break;
	case PING:
		p->kind = SPDY_PING;
		break;
	case GOAWAY:
		p->kind = SPDY_GOAWAY;
		break;
	}
	return 1;
}

static int take_data(struct spdy *s, const uint8_t *data, size_t len, size_t max, size_t *used,
		     struct spdy_piece *p)
{
	size_t n = MIN(MIN(len, s->left), max);

	if (!n && s->left)
		return 0;
	*p = (struct spdy_piece){
		.kind = n ? SPDY_DATA : SPDY_OTHER, .stream = s->stream, .data = data, .len = n};
	s->left -= n;
	*used += n;
	if (!s->left) {
		s->in_data = false;
		s->end = s->fin ? s->stream : 0;
	}
	return 1;
}

int spdy_read(struct spdy *s, const uint8_t *data, size_t len, size_t max, size_t *used,
	      struct spdy_piece *p)
{
	uint32_t first, size;
	int r;

	*used = 0;
	if (s->end) {
		*p = (struct spdy_piece){.kind = SPDY_END, .stream = s->end};
		s->end = 0;
		return 1;
	}
	if (s->in_data)
		return take_data(s, data, len, max, used, p);
	if (len < SPDY_HEAD)
		return 0;
	first = get32(data);
	size = get32(data + 4) & 0xffffff;
	if (!(first >> 31)) {
		s->in_data = true;
		s->stream = first;
		s->left = size;
		s->fin = data[4] & FLAG_FIN;
		*used = SPDY_HEAD;
		return take_data(s, data + SPDY_HEAD, len - SPDY_HEAD, max, used, p);
	}
	if ((first >> 16 & 0x7fff) != VERSION || size > SPDY_CONTROL_MAX)
		return -EPROTO;
	if (len - SPDY_HEAD < size)
		return 0;
	r = take_control(s, first & 0xffff, data[4], data + SPDY_HEAD, size, p);
	*used = SPDY_HEAD + size;
	return r;
}

static size_t control(uint8_t *out, enum frame_type type, size_t len)
{
	put32(out, 0x80000000U | VERSION << 16 | type);
	put32(out + 4, (uint32_t)len);
	return SPDY_HEAD;
}

size_t spdy_reply(struct spdy *s, uint8_t out[SPDY_REPLY_MAX], uint32_t stream)
{
	static const uint8_t head[] = {0x78, 0x20}; /* deflate, 32 KiB, with a dictionary */
	/* four bytes, the number 0; and none */
	static const uint8_t body[] = {0, 4, 0, 0xfb, 0xff, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
	uint8_t dict[DICT_SIZE];
	size_t n = SPDY_HEAD;

	put32(out + n, stream);
	n += 4;
	if (!s->said) {
		make_dict(dict);
		memcpy(out + n, head, sizeof(head));
		put32(out + n + 2, (uint32_t)adler32(1, dict, sizeof(dict)));
		n += 6;
		s->said = true;
	}
	memcpy(out + n, body, sizeof(body));
	n += sizeof(body);
	control(out, SYN_REPLY, n - SPDY_HEAD);
	return n;
}

size_t spdy_data(uint8_t out[SPDY_HEAD], uint32_t stream, size_t len, bool end)
{
	put32(out, stream & ID_MASK);
	put32(out + 4, (end ? (uint32_t)FLAG_FIN << 24 : 0) | (uint32_t)len);
	return SPDY_HEAD;
}

size_t spdy_ping(uint8_t out[SPDY_HEAD + 4], uint32_t number)
{
	size_t n = control(out, PING, 4);

	put32(out + n, number);
	return n + 4;
}

size_t spdy_goaway(uint8_t out[SPDY_HEAD + 8], uint32_t last_stream)
{
	size_t n = control(out, GOAWAY, 8);

	put32(out + n, last_stream);
	put32(out + n + 4, 0);
	return n + 8;
}
