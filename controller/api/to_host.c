// SPDX-License-Identifier: Apache-2.0
/* What logs and execs share: which container, on which host, and what the host says when it refuses. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "stream.h"

const char *host_container(struct api_call *c, const struct json *pod)
{
	static const char *const lists[] = {"containers", "initContainers"};
	const char *want = query_get(&c->query, "container");
	const struct json *spec = json_get(pod, "spec"), *main = json_get(spec, "containers");
	struct buf names = BUF_INIT(0);

	if (!want || !*want) {
		if (json_count(main) == 1)
			return json_str(json_get(json_item(main, 0), "name"), "");
		for (size_t i = 0; i < json_count(main); i++)
			buf_printf(&names, "%s%s", i ? " " : "",
				   json_str(json_get(json_item(main, i), "name"), ""));
		reply_fail(c, 400, "BadRequest",
			   "a container name must be specified for pod %s, choose one of: [%s]",
			   c->name, buf_str(&names));
		buf_done(&names);
		return NULL;
	}
	for (size_t l = 0; l < ARRAY_SIZE(lists); l++) {
		struct json_iter it = json_iter(json_get(spec, lists[l]));

		while (json_next(&it)) {
			if (str_eq(json_str(json_get(it.value, "name"), ""), want))
				return json_str(json_get(it.value, "name"), "");
		}
	}
	reply_fail(c, 400, "BadRequest", "container %.100s is not valid for pod %s", want, c->name);
	return NULL;
}

int host_address(struct store *s, const char *node, struct buf *url)
{
	static const char *const types[] = {"InternalIP", "ExternalIP", "Hostname"};
	struct store_object *o = store_get(s, "nodes", "", node);
	const struct json *status = o ? json_get(json_root(o->doc), "status") : NULL;
	int64_t port = json_int(json_at(status, "daemonEndpoints", "kubeletEndpoint", "Port", NULL),
				10250);

	for (size_t t = 0; t < ARRAY_SIZE(types); t++) {
		struct json_iter it = json_iter(json_get(status, "addresses"));

		while (json_next(&it)) {
			const char *address = json_str(json_get(it.value, "address"), "");
			bool v6 = strchr(address, ':') != NULL;

			if (!str_eq(json_str(json_get(it.value, "type"), ""), types[t]) ||
			    !*address || strpbrk(address, "/?#@ %"))
				continue;
			buf_printf(url, "https://%s%s%s:%lld", v6 ? "[" : "", address,
				   v6 ? "]" : "", (long long)port);
			return 0;
		}
	}
	return -ENOENT;
}

bool host_url(struct api_call *c, const char *node, struct buf *url)
{
	if (host_address(c->store, node, url) == 0)
		return true;
	reply_fail(c, 500, "InternalError", "node \"%s\" of the pod has no address", node);
	return false;
}

void host_words(char *out, size_t size, const char *text)
{
	str_copy(out, size, text);
	for (char *p = out; *p; p++) {
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			*p = ' ';
	}
	text = str_trim(out);
	memmove(out, text, strlen(text) + 1);
}

static const char *reason_of(int status)
{
	return status == 400   ? "BadRequest"
	       : status == 404 ? "NotFound"
	       : status == 403 ? "Forbidden"
	       : status == 429 ? "TooManyRequests"
			       : "InternalError";
}

void host_refusal(struct http_request *r, int status, const char *message)
{
	_cleanup_json_ struct json_doc *doc = json_doc_new();
	struct buf text = BUF_INIT(0);

	if (json_write(status_json(doc, status, reason_of(status), message), &text) == 0)
		http_reply(r, status, "application/json", text.data, text.len, NULL);
	buf_done(&text);
}
