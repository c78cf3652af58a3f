// SPDX-License-Identifier: Apache-2.0
/* The host's resolv.conf(5), of which a pod gets what it can use. */
#include <arpa/inet.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/str.h"
#include "pod/impl.h"

static void resolv_server(struct resolv *r, const char *word)
{
	unsigned char raw[16];

	if (r->server_count == RESOLV_MAX || strlen(word) >= sizeof(r->servers[0]))
		return;
	/* The guest has IPv4 only, and its own loopback. */
	if (inet_pton(AF_INET, word, raw) != 1 || raw[0] == 127)
		return;
	(void)str_copy(r->servers[r->server_count++], sizeof(r->servers[0]), word);
}

static void resolv_search(struct resolv *r, const char *word)
{
	if (r->search_count < RESOLV_SEARCH_MAX &&
	    str_copy(r->search[r->search_count], sizeof(r->search[0]), word) == 0)
		r->search_count++;
}

void resolv_parse(const char *text, struct resolv *r)
{
	struct buf b = BUF_INIT(65536);
	char *line, *word, *lines = NULL, *words = NULL;

	*r = (struct resolv){0};
	if (buf_puts(&b, text) < 0) {
		buf_done(&b);
		return;
	}
	for (line = b.data ? strtok_r(b.data, "\n", &lines) : NULL; line;
	     line = strtok_r(NULL, "\n", &lines)) {
		const char *key = strtok_r(line, " \t", &words);

		if (!key)
			continue;
		if (str_eq(key, "search"))
			r->search_count = 0; /* the last one counts */
		while ((word = strtok_r(NULL, " \t", &words))) {
			if (str_eq(key, "nameserver"))
				resolv_server(r, word);
			else if (str_eq(key, "search"))
				resolv_search(r, word);
		}
	}
	buf_done(&b);
}
