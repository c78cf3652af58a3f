// SPDX-License-Identifier: Apache-2.0
#include "oci/manifest.h"

#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "oci/ref.h"

/* What can be pulled as a layer; its compression is seen from its first bytes */
static const char *const layer_types[] = {
	"application/vnd.oci.image.layer.v1.tar",
	"application/vnd.oci.image.layer.v1.tar+gzip",
	"application/vnd.oci.image.layer.v1.tar+zstd",
	"application/vnd.docker.image.rootfs.diff.tar",
	"application/vnd.docker.image.rootfs.diff.tar.gzip",
	"application/vnd.docker.image.rootfs.diff.tar.zstd",
};

static int bad(struct err *e, const char *what)
{
	return err_set(e, -EBADMSG, "%s", what);
}

static int descriptor_parse(const struct json *v, uint64_t size_max, struct oci_descriptor *d,
			    struct err *e)
{
	const char *digest = json_str(json_get(v, "digest"), "");
	int64_t size = json_int(json_get(v, "size"), -1);

	if (!oci_digest_valid(digest))
		return bad(e, "a digest in it is not sha256: and 64 hex digits");
	if (size < 0 || (uint64_t)size > size_max)
		return err_set(e, -EBADMSG, "%.19s… says it is %lld bytes, %llu are allowed",
			       digest, (long long)size, (unsigned long long)size_max);
	str_copy(d->digest, sizeof(d->digest), digest);
	d->size_bytes = (uint64_t)size;
	return 0;
}

static int index_parse(const struct json *list, struct oci_manifest *m, struct err *e)
{
	struct json_iter it = json_iter(list);
	const struct json *found = NULL;
	bool plain = false;

	while (json_next(&it) && !plain) {
		const struct json *platform = json_get(it.value, "platform");
		const char *variant = json_str(json_get(platform, "variant"), "");

		if (!str_eq(json_str(json_get(platform, "os"), ""), "linux") ||
		    !str_eq(json_str(json_get(platform, "architecture"), ""), "amd64"))
			continue;
		/* v2 and above may need instructions that this machine has not. */
		plain = str_eq(variant, "") || str_eq(variant, "v1");
		if (!found || plain)
			found = it.value;
	}
	if (!found)
		return err_set(e, -ENOTSUP, "the image is not there for linux/amd64");
	m->is_index = true;
	return descriptor_parse(found, OCI_MANIFEST_SIZE_MAX, &m->config, e);
}

static bool layer_type_known(const char *type)
{
	for (size_t i = 0; i < ARRAY_SIZE(layer_types); i++)
		if (str_eq(type, layer_types[i]))
			return true;
	return false;
}

static int layers_parse(const struct json *list, struct oci_manifest *m, struct err *e)
{
	struct json_iter it = json_iter(list);

	if (json_count(list) > OCI_LAYERS_MAX)
		return err_set(e, -EBADMSG, "%zu layers, %d are allowed", json_count(list),
			       OCI_LAYERS_MAX);
	while (json_next(&it)) {
		const char *type = json_str(json_get(it.value, "mediaType"), "");
		char shown[100];
		int r;

		if (!layer_type_known(type))
			return err_set(e, -ENOTSUP, "layers of type \"%s\" cannot be used",
				       str_printable(shown, sizeof(shown), type));
		r = descriptor_parse(it.value, OCI_LAYER_SIZE_MAX, &m->layers[m->layer_count++], e);
		if (r < 0)
			return r;
	}
	return 0;
}

int oci_manifest_parse(const char *text, size_t len, struct oci_manifest *m, struct err *e)
{
	_cleanup_json_ struct json_doc *doc = NULL;
	const struct json *root;
	int r;

	*m = (struct oci_manifest){0};
	r = json_parse(text, len, &doc, e);
	if (r < 0)
		return err_wrap(e, -EBADMSG, "manifest");
	root = json_root(doc);
	if (json_int(json_get(root, "schemaVersion"), 0) == 1)
		return err_set(e, -ENOTSUP, "manifest of schema 1, which is no longer in use");
	if (json_int(json_get(root, "schemaVersion"), 0) != 2)
		return bad(e, "manifest without schemaVersion 2");
	/* One document must not be two things (OCI distribution spec, GHSA-mc8v-mgrf-8f4m). */
	if (json_get(root, "manifests") && (json_get(root, "layers") || json_get(root, "config")))
		return bad(e, "manifest that is an index, too");
	if (json_is_arr(json_get(root, "manifests")))
		r = index_parse(json_get(root, "manifests"), m, e);
	else if (!json_is_arr(json_get(root, "layers")))
		r = bad(e, "neither layers nor manifests are in it");
	else
		r = layers_parse(json_get(root, "layers"), m, e);
	if (r == 0 && !m->is_index)
		r = descriptor_parse(json_get(root, "config"), OCI_CONFIG_SIZE_MAX, &m->config, e);
	return r < 0 ? err_wrap(e, r, "manifest") : 0;
}

/* Copies a list of strings, or nothing when there is none */
static int list_copy(struct json_doc *to, const char *key, const struct json *list, struct err *e)
{
	struct json_iter it = json_iter(list);
	struct json *out = json_arr_of(to, json_root(to), key);

	if (json_type(list) != JSON_NONE && json_type(list) != JSON_NULL && !json_is_arr(list))
		return err_set(e, -EBADMSG, "\"%s\" is no list", key);
	while (json_next(&it)) {
		if (!json_is_str(it.value))
			return err_set(e, -EBADMSG, "\"%s\" has something else than strings", key);
		json_push(to, out, json_copy(to, it.value));
	}
	return 0;
}

static void keys_copy(struct json_doc *to, const char *key, const struct json *obj)
{
	struct json_iter it = json_iter(obj);
	struct json *out = json_arr_of(to, json_root(to), key);

	while (json_is_obj(obj) && json_next(&it))
		json_push(to, out, json_new_str(to, it.key));
}

static int diff_ids_copy(struct json_doc *to, const struct json *rootfs, size_t layer_count,
			 struct err *e)
{
	const struct json *list = json_get(rootfs, "diff_ids");
	struct json_iter it = json_iter(list);

	if (!str_eq(json_str(json_get(rootfs, "type"), ""), "layers"))
		return bad(e, "rootfs is not made of layers");
	if (json_count(list) != layer_count || (list && !json_is_arr(list)))
		return err_set(e, -EBADMSG, "%zu diffIDs for %zu layers", json_count(list),
			       layer_count);
	while (json_next(&it))
		if (!oci_digest_valid(json_str(it.value, "")))
			return bad(e, "a diffID is not sha256: and 64 hex digits");
	return list_copy(to, "layers", list, e);
}

static int config_copy(struct json_doc *to, const struct json *from, size_t layer_count,
		       struct err *e)
{
	const struct json *c = json_get(from, "config");
	struct json *root = json_root(to);
	int r;

	if (!str_eq(json_str(json_get(from, "os"), "linux"), "linux") ||
	    !str_eq(json_str(json_get(from, "architecture"), "amd64"), "amd64"))
		return err_set(e, -ENOTSUP, "the image is for another machine than linux/amd64");
	r = diff_ids_copy(to, json_get(from, "rootfs"), layer_count, e);
	if (r == 0)
		r = list_copy(to, "entrypoint", json_get(c, "Entrypoint"), e);
	if (r == 0)
		r = list_copy(to, "cmd", json_get(c, "Cmd"), e);
	if (r == 0)
		r = list_copy(to, "env", json_get(c, "Env"), e);
	keys_copy(to, "exposedPorts", json_get(c, "ExposedPorts"));
	json_put_str(to, root, "cwd", json_str(json_get(c, "WorkingDir"), ""));
	json_put_str(to, root, "user", json_str(json_get(c, "User"), ""));
	json_put_str(to, root, "stopSignal", json_str(json_get(c, "StopSignal"), ""));
	return r;
}

int oci_config_record(const char *text, size_t len, const char *digest, size_t layer_count,
		      struct buf *record, struct err *e)
{
	_cleanup_json_ struct json_doc *from = NULL, *to = json_doc_new();
	int r;

	json_set_root(to, json_new_obj(to));
	r = json_parse(text, len, &from, e);
	if (r == 0 && !json_is_obj(json_root(from)))
		r = bad(e, "no JSON object");
	if (r < 0)
		return err_wrap(e, -EBADMSG, "image configuration");
	json_put_str(to, json_root(to), "digest", digest);
	r = config_copy(to, json_root(from), layer_count, e);
	if (r < 0)
		return err_wrap(e, r, "image configuration");
	return json_write(json_root(to), record);
}

/* The strings stay the document's; the array is ours */
static int strings_read(const struct json *root, const char *key, struct oci_strings *strings,
			struct err *e)
{
	const struct json *list = json_get(root, key);
	struct json_iter it = json_iter(list);
	size_t count = json_count(list);
	const char **at = mem_array(count + 1, sizeof(*at));

	*strings = (struct oci_strings){.at = at, .count = count};
	if (!json_is_arr(list))
		return err_set(e, -EBADMSG, "record without %s", key);
	for (size_t i = 0; json_next(&it); i++) {
		at[i] = json_str(it.value, NULL);
		if (!at[i])
			return err_set(e, -EBADMSG, "%s of a record", key);
	}
	return 0;
}

static void strings_done(struct oci_strings *strings)
{
	free((void *)(uintptr_t)strings->at);
	*strings = (struct oci_strings){0};
}

void oci_record_done(struct oci_record *record)
{
	strings_done(&record->image.entrypoint);
	strings_done(&record->image.cmd);
	strings_done(&record->image.env);
	strings_done(&record->image.exposed_ports);
	free(record->image.layers);
	json_doc_free(record->doc_);
	*record = (struct oci_record){0};
}

static int record_read(struct oci_record *record, struct err *e)
{
	const struct json *root = json_root(record->doc_);
	const struct json *layers = json_get(root, "layers");
	const char *digest = json_str(json_get(root, "digest"), "");
	struct oci_image *image = &record->image;
	struct json_iter it = json_iter(layers);
	int r;

	if (!oci_digest_valid(digest) || !json_is_arr(layers) ||
	    json_count(layers) > OCI_LAYERS_MAX)
		return bad(e, "record without digest or layers");
	str_copy(image->digest, sizeof(image->digest), digest);
	image->layers = mem_array(json_count(layers) + 1, sizeof(*image->layers));
	while (json_next(&it)) {
		const char *diff_id = json_str(it.value, "");

		if (!oci_digest_valid(diff_id))
			return bad(e, "diffID of a record");
		image->layers[image->layer_count++].diff_id = diff_id;
	}
	image->cwd = json_str(json_get(root, "cwd"), "");
	image->user = json_str(json_get(root, "user"), "");
	image->stop_signal = json_str(json_get(root, "stopSignal"), "");
	r = strings_read(root, "entrypoint", &image->entrypoint, e);
	if (r == 0)
		r = strings_read(root, "cmd", &image->cmd, e);
	if (r == 0)
		r = strings_read(root, "env", &image->env, e);
	if (r == 0)
		r = strings_read(root, "exposedPorts", &image->exposed_ports, e);
	return r;
}

int oci_record_parse(const char *text, size_t len, struct oci_record *record, struct err *e)
{
	int r;

	*record = (struct oci_record){0};
	if (json_parse(text, len, &record->doc_, e) < 0)
		return err_wrap(e, -EBADMSG, "record");
	r = record_read(record, e);
	if (r < 0)
		oci_record_done(record);
	return r;
}
