// SPDX-License-Identifier: Apache-2.0
#include "oci/pull.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"
#include "oci/digest.h"
#include "oci/layer.h"
#include "oci/manifest.h"
#include "oci/registry.h"

struct pull {
	const struct oci_pull_spec *spec;
	struct oci_registry *registry;
	struct oci_manifest manifest;
	struct oci_pulled *pulled;
	struct buf text; /* the document at hand */
};

static bool store_has(const struct oci_pull_spec *spec, const char *kind, const char *digest,
		      const char *ending)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s/%s%s", spec->store, kind, oci_digest_hex(digest),
		 ending);
	return access(path, F_OK) == 0;
}

/* Gets the manifest of this machine, through an index if there is one */
static int pull_manifest(struct pull *p, const struct oci_ref *ref, struct err *e)
{
	const char *reference = *ref->digest ? ref->digest : ref->tag;
	char inner[OCI_DIGEST_MAX];
	int r = oci_registry_manifest(p->registry, reference, &p->text, p->pulled->digest, e);

	if (r == 0)
		r = oci_manifest_parse(p->text.data, p->text.len, &p->manifest, e);
	if (r < 0 || !p->manifest.is_index)
		return r;
	str_copy(inner, sizeof(inner), p->manifest.config.digest);
	r = oci_registry_manifest(p->registry, inner, &p->text, p->pulled->digest, e);
	if (r == 0)
		r = oci_manifest_parse(p->text.data, p->text.len, &p->manifest, e);
	if (r == 0 && p->manifest.is_index)
		r = err_set(e, -EBADMSG, "manifest: an index inside an index");
	return r;
}

static int text_sink(void *arg, const void *data, size_t len)
{
	return buf_append(arg, data, len);
}

/* Gets the configuration and makes the image's record of it */
static int pull_config(struct pull *p, struct oci_record *record, struct err *e)
{
	const struct oci_descriptor *config = &p->manifest.config;
	_cleanup_(buf_done) struct buf text = BUF_INIT(OCI_RECORD_SIZE_MAX);
	char digest[OCI_DIGEST_MAX], path[PATH_MAX];
	int r;

	buf_done(&p->text);
	buf_init(&p->text, OCI_CONFIG_SIZE_MAX);
	r = oci_registry_blob(p->registry, config->digest, text_sink, &p->text, e);
	if (r < 0)
		return err_wrap(e, r, "image configuration");
	oci_digest_of(buf_str(&p->text), p->text.len, digest);
	if (!str_eq(digest, config->digest) || p->text.len != config->size_bytes)
		return err_set(e, -EBADMSG,
			       "image configuration %s: the content's digest is %.19s…",
			       config->digest, digest);
	r = oci_config_record(p->text.data, p->text.len, p->pulled->digest, p->manifest.layer_count,
			      &text, e);
	if (r < 0)
		return r;
	snprintf(path, sizeof(path), "%s/image.json", p->spec->folder);
	r = file_write(AT_FDCWD, path, text.data, text.len, 0644, e);
	return r < 0 ? r : oci_record_parse(text.data, text.len, record, e);
}

static int pull_layers(struct pull *p, const struct oci_image *image, struct err *e)
{
	uint64_t room_bytes = p->spec->room_bytes;

	for (size_t i = 0; i < image->layer_count; i++) {
		const struct oci_descriptor *blob = &p->manifest.layers[i];
		const char *diff_id = image->layers[i].diff_id;
		char path[PATH_MAX];
		struct stat st;
		int r;

		snprintf(path, sizeof(path), "%s/%s.erofs", p->spec->folder,
			 oci_digest_hex(diff_id));
		if (store_has(p->spec, "layers", diff_id, ".erofs") || access(path, F_OK) == 0)
			continue;
		r = oci_layer_make(p->registry, blob, diff_id, path, p->spec->mkfs,
				   MIN(room_bytes, OCI_LAYER_SIZE_MAX), e);
		if (r < 0)
			return r;
		if (stat(path, &st) < 0 || chmod(path, 0444) < 0)
			return err_sys(e, -errno, "layer %s", diff_id);
		room_bytes -= MIN(room_bytes, (uint64_t)st.st_size);
		p->pulled->bytes += blob->size_bytes;
	}
	return 0;
}

static int pull_all(struct pull *p, const struct oci_ref *ref, struct err *e)
{
	struct oci_record record = {0};
	int r = pull_manifest(p, ref, e);

	if (r < 0 || store_has(p->spec, "images", p->pulled->digest, ".json"))
		return r;
	r = pull_config(p, &record, e);
	if (r == 0)
		r = pull_layers(p, &record.image, e);
	oci_record_done(&record);
	return r;
}

int oci_pull_run(const struct oci_pull_spec *spec, struct oci_pulled *pulled, struct err *e)
{
	struct pull *p = mem_alloc(sizeof(*p));
	struct oci_ref ref;
	int r = oci_ref_parse(spec->name, &ref, e);

	*pulled = (struct oci_pulled){0};
	p->spec = spec;
	p->pulled = pulled;
	buf_init(&p->text, 0);
	if (r == 0)
		r = oci_registry_new(&ref, spec->mirrors, spec->mirror_count, spec->logins,
				     spec->login_count, &p->registry, e);
	if (r == 0)
		r = pull_all(p, &ref, e);
	oci_registry_free(p->registry);
	buf_done(&p->text);
	free(p);
	return r;
}
