// SPDX-License-Identifier: Apache-2.0
#include "fake_registry.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/mem.h"
#include "base/str.h"
#include "oci/digest.h"

static void must(bool ok)
{
	if (!ok)
		abort();
}

struct fake_file *fake_find(struct fake_registry *f, const char *path)
{
	for (size_t i = 0; i < f->count; i++)
		if (str_eq(f->files[i].path, path))
			return &f->files[i];
	return NULL;
}

static void ask_for_token(struct fake_registry *f, struct http_request *r)
{
	char header[256];

	snprintf(header, sizeof(header),
		 "WWW-Authenticate: Bearer realm=\"%s/token\",service=\"fake\"\r\n",
		 strchr(f->mirror, '=') + 1);
	http_reply(r, 401, NULL, NULL, 0, header);
}

static void ask_for_login(struct http_request *r)
{
	http_reply(r, 401, NULL, NULL, 0, "WWW-Authenticate: Basic realm=\"fake\"\r\n");
}

static void give_token(struct fake_registry *f, struct http_request *r, const char *login)
{
	const char *scope = http_request_query(r, "scope");

	if (f->login && (!login || !str_eq(login, f->login))) {
		ask_for_login(r);
		return;
	}
	must(str_eq(http_request_query(r, "service"), "fake"));
	must(scope && str_starts(scope, "repository:") && str_ends(scope, ":pull"));
	f->tokens++;
	http_reply(r, 200, "application/json", "{\"token\":\"good\"}", 16, NULL);
}

static void on_request(struct http_request *r, void *arg)
{
	struct fake_registry *f = arg;
	const char *token = http_request_header(r, "authorization");
	struct fake_file *file = fake_find(f, http_request_path(r));

	f->asked++;
	if (f->silent)
		return;
	if (str_eq(http_request_path(r), "/token")) {
		give_token(f, r, token);
	} else if (f->wants_token && (!token || !str_eq(token, "Bearer good"))) {
		ask_for_token(f, r);
	} else if (f->login && !f->wants_token && (!token || !str_eq(token, f->login))) {
		ask_for_login(r);
	} else if (file) {
		file->asked++;
		http_reply(r, file->status, "application/octet-stream", buf_str(&file->body),
			   file->body.len, NULL);
	} else {
		static const char words[] =
			"{\"errors\":[{\"code\":\"MANIFEST_UNKNOWN\",\"message\":\"manifest unknown\"}]}";

		http_reply(r, 404, "application/json", words, sizeof(words) - 1, NULL);
	}
}

void fake_start(struct fake_registry *f, struct loop *loop)
{
	static const struct http_server_ops ops = {.on_request = on_request};
	const struct http_server_config config = {.address = "127.0.0.1", .listen_fd = -1};

	*f = (struct fake_registry){0};
	must(http_server_new(loop, &config, &ops, f, &f->server, NULL) == 0);
	snprintf(f->mirror, sizeof(f->mirror), "127.0.0.1:1=http://127.0.0.1:%u",
		 http_server_port(f->server));
}

void fake_stop(struct fake_registry *f)
{
	http_server_free(f->server);
	for (size_t i = 0; i < f->count; i++) {
		free(f->files[i].path);
		buf_done(&f->files[i].body);
	}
}

struct fake_file *fake_put(struct fake_registry *f, int status, const void *body, size_t len,
			   const char *path, ...)
{
	struct fake_file *file;
	char text[1024];
	va_list ap;

	va_start(ap, path);
	vsnprintf(text, sizeof(text), path, ap);
	va_end(ap);
	file = fake_find(f, text);
	if (!file) {
		must(f->count < FAKE_FILES_MAX);
		file = &f->files[f->count++];
		file->path = mem_strdup(text);
	}
	file->status = status;
	buf_done(&file->body);
	buf_init(&file->body, 0);
	must(buf_append(&file->body, body, len) == 0);
	return file;
}

void tar_add(struct buf *tar, const char *name, const void *data, size_t len)
{
	char head[512] = "";
	unsigned int sum = 0;

	snprintf(head, 100, "%s", name);
	memcpy(head + 100, "0000644\0000000000\0000000000", 23);
	snprintf(head + 124, 12, "%011zo", len);
	memcpy(head + 136, "00000000001", 11);
	memset(head + 148, ' ', 8);
	head[156] = '0';
	memcpy(head + 257, "ustar\00000", 8);
	for (size_t i = 0; i < sizeof(head); i++)
		sum += (unsigned char)head[i];
	snprintf(head + 148, 7, "%06o", sum);
	must(buf_append(tar, head, sizeof(head)) == 0);
	must(buf_append(tar, data, len) == 0);
	memset(head, 0, sizeof(head));
	must(buf_append(tar, head, (512 - len % 512) % 512) == 0);
}

void tar_end(struct buf *tar)
{
	static const char zeros[10240];

	must(buf_append(tar, zeros, 1024) == 0);
	must(buf_append(tar, zeros, (10240 - tar->len % 10240) % 10240) == 0);
}

void gzip_of(struct buf *out, const void *in, size_t len)
{
	z_stream z = {0};

	must(deflateInit2(&z, 1, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK);
	must(buf_reserve(out, deflateBound(&z, len)) == 0);
	z.next_in = (unsigned char *)(uintptr_t)in;
	z.avail_in = (uInt)len;
	z.next_out = (unsigned char *)out->data + out->len;
	z.avail_out = (uInt)deflateBound(&z, len);
	must(deflate(&z, Z_FINISH) == Z_STREAM_END);
	out->len += z.total_out;
	deflateEnd(&z);
}

void fake_layer_make(struct fake_layer *l, const char *name, char fill, size_t len)
{
	_cleanup_free_ char *data = mem_alloc(len + 1);

	*l = (struct fake_layer){0};
	memset(data, fill, len);
	tar_add(&l->tar, name, data, len);
	tar_end(&l->tar);
	gzip_of(&l->blob, l->tar.data, l->tar.len);
	oci_digest_of(l->tar.data, l->tar.len, l->diff_id);
	oci_digest_of(l->blob.data, l->blob.len, l->digest);
	l->size = l->blob.len;
}

void fake_layer_done(struct fake_layer *l)
{
	buf_done(&l->tar);
	buf_done(&l->blob);
}

void fake_image(struct fake_registry *f, const char *repository, const char *tag,
		const struct fake_layer *layers, size_t count, char *digest)
{
	_cleanup_(buf_done) struct buf config = BUF_INIT(0), manifest = BUF_INIT(0);
	char config_digest[OCI_DIGEST_MAX];

	buf_printf(&config,
		   "{\"architecture\":\"amd64\",\"os\":\"linux\",\"config\":{\"Cmd\":[\"%s\"]},"
		   "\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[",
		   tag);
	for (size_t i = 0; i < count; i++)
		buf_printf(&config, "%s\"%s\"", i ? "," : "", layers[i].diff_id);
	buf_puts(&config, "]}}");
	oci_digest_of(config.data, config.len, config_digest);
	buf_printf(&manifest,
		   "{\"schemaVersion\":2,\"config\":{\"digest\":\"%s\",\"size\":%zu},\"layers\":[",
		   config_digest, config.len);
	for (size_t i = 0; i < count; i++)
		buf_printf(
			&manifest,
			"%s{\"mediaType\":\"application/vnd.oci.image.layer.v1.tar+gzip\",\"digest\":\"%s\","
			"\"size\":%zu}",
			i ? "," : "", layers[i].digest, layers[i].size);
	buf_puts(&manifest, "]}");
	oci_digest_of(manifest.data, manifest.len, digest);
	for (size_t i = 0; i < count; i++)
		fake_put(f, 200, layers[i].blob.data, layers[i].blob.len, "/v2/%s/blobs/%s",
			 repository, layers[i].digest);
	fake_put(f, 200, config.data, config.len, "/v2/%s/blobs/%s", repository, config_digest);
	fake_put(f, 200, manifest.data, manifest.len, "/v2/%s/manifests/%s", repository, tag);
	fake_put(f, 200, manifest.data, manifest.len, "/v2/%s/manifests/%s", repository, digest);
}
