// SPDX-License-Identifier: Apache-2.0
#include "rollout.h"

#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"
#include "enrol/enrol.h"
#include "image/image.h"
#include "trial/trial.h"

#define OS_PREFIX "HyperMetal " /* as rootfs/build.mk writes os-release */
#define WHY_MAX	  160

struct rollout {
	struct images *images;
	struct trial *trial;
	struct api_images api;
};

/* ---- trial -> image ---- */

static const char *standard(void *arg)
{
	const struct rollout *r = arg;

	return images_default(r->images);
}

static bool usable(const char *version, void *arg)
{
	const struct rollout *r = arg;

	return images_usable(r->images, version);
}

static const char *any(void *arg)
{
	const struct rollout *r = arg;

	return images_any(r->images);
}

/* ---- api -> image, trial ---- */

static void put_files(struct json_doc *doc, struct json *spec, const struct image_info *info)
{
	struct json *files = json_arr_of(doc, spec, "files");
	uint64_t bytes = 0;

	for (size_t i = 0; i < info->file_count; i++) {
		struct json *f = json_new_obj(doc);

		json_put_str(doc, f, "name", info->files[i].name);
		json_put_str(doc, f, "sha256", info->files[i].sha256);
		json_put_int(doc, f, "sizeBytes", (int64_t)info->files[i].size_bytes);
		json_push(doc, files, f);
		bytes += info->files[i].size_bytes;
	}
	json_put_int(doc, spec, "sizeBytes", (int64_t)bytes);
}

static void list(struct json_doc *doc, struct json *items, void *arg)
{
	const struct rollout *r = arg;
	const struct image_info *info = NULL;

	while ((info = images_next(r->images, info ? info->version : NULL))) {
		struct json *item = json_new_obj(doc), *meta, *status;
		char time[CLOCK_RFC3339_MAX];

		json_put_str(doc, item, "kind", "Image");
		json_put_str(doc, item, "apiVersion", "hypermetal.io/v1");
		meta = json_obj_of(doc, item, "metadata");
		json_put_str(doc, meta, "name", info->version);
		json_put_str(doc, meta, "creationTimestamp",
			     clock_rfc3339(time, (int64_t)info->added_s));
		put_files(doc, json_obj_of(doc, item, "spec"), info);
		status = json_obj_of(doc, item, "status");
		json_put_bool(doc, status, "default",
			      str_eq(info->version, images_default(r->images)));
		json_put_bool(doc, status, "readable", images_usable(r->images, info->version));
		trial_hosts(r->trial, info->version, doc, json_arr_of(doc, status, "hosts"));
		json_push(doc, items, item);
	}
}

static int begin(const char *version, const struct json *manifest, struct err *e, void *arg)
{
	struct rollout *r = arg;
	struct image_info info;
	int rc = image_manifest_read(version, manifest, &info, e);

	return rc < 0 ? rc : images_begin(r->images, &info, e);
}

static int write_piece(const char *version, const char *name, uint64_t offset, const void *data,
		       size_t len, bool *done, struct err *e, void *arg)
{
	struct rollout *r = arg;

	return images_write(r->images, version, name, offset, data, len, done, e);
}

static int remove_image(const char *version, struct err *e, void *arg)
{
	struct rollout *r = arg;
	char why[WHY_MAX];

	if (trial_uses(r->trial, version, why))
		return err_set(e, -EBUSY, "%s", why);
	return images_remove(r->images, version, e);
}

const struct api_images *rollout_api(struct rollout *r)
{
	return &r->api;
}

/* ---- boot -> trial, image ---- */

int rollout_choose(struct rollout *r, const struct boot_host *host, struct boot_image *image,
		   struct err *e)
{
	struct trial_choice choice;
	int rc = trial_choose(r->trial, host->node_name, &choice, e);

	if (rc < 0)
		return rc;
	image->limit_s = choice.limit_s;
	return str_copy(image->version, sizeof(image->version), choice.version);
}

int rollout_open(struct rollout *r, const char *version, const char *name)
{
	return images_open_file(r->images, version, name);
}

int rollout_new(struct loop *loop, struct store *store, const struct rollout_config *config,
		struct rollout **out, struct err *e)
{
	struct rollout *r = mem_alloc(sizeof(*r));
	_cleanup_free_ char *dir = mem_printf("%s/images", config->data);
	const struct trial_config trial = {
		.limit_s = config->ready_within_s,
		.hosts = ENROL_HOSTS,
		.os_prefix = OS_PREFIX,
		.nameless = IMAGE_NAMELESS,
		.standard = standard,
		.usable = usable,
		.any = any,
		.annotate = config->annotate,
		.annotate_arg = config->arg,
		.arg = r,
	};
	int rc = images_new(loop, dir, config->images, &r->images, e);

	r->api = (struct api_images){list, begin, write_piece, remove_image, r};
	if (rc == 0)
		rc = trial_new(loop, store, &trial, &r->trial, e);
	if (rc < 0) {
		rollout_free(r);
		return rc;
	}
	*out = r;
	return 0;
}

struct rollout *rollout_free(struct rollout *r)
{
	if (!r)
		return NULL;
	trial_free(r->trial);
	images_free(r->images);
	free(r);
	return NULL;
}

void rollout_reload(struct rollout *r)
{
	images_reload(r->images);
}
