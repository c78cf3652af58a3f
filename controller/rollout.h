/* SPDX-License-Identifier: Apache-2.0 */
/* The images and who gets which: image/ and trial/ wired to each other, to the boot service and the API. */
#ifndef CONTROLLER_ROLLOUT_H
#define CONTROLLER_ROLLOUT_H

#include "api/api.h"
#include "base/loop.h"
#include "boot/boot.h"
#include "store/store.h"

struct rollout;

struct rollout_config {
	const char *data; /* folder; images are kept in DATA/images */
	const char *images; /* folder of the default image, or NULL */
	unsigned int ready_within_s; /* 0: the default */
	void (*annotate)(const char *node, const char *key, const char *value, void *arg);
	void *arg;
};

/** rollout_new() - Check the images that are there, follow the Nodes. Return: 0 or -errno */
int rollout_new(struct loop *loop, struct store *store, const struct rollout_config *config,
		struct rollout **out, struct err *e);
struct rollout *rollout_free(struct rollout *r);

/** rollout_reload() - Look again at the folders of images */
void rollout_reload(struct rollout *r);

/** rollout_api() - What the API offers of them; as long as @r */
const struct api_images *rollout_api(struct rollout *r);

/** rollout_choose(), rollout_open() - As boot_ops has them */
int rollout_choose(struct rollout *r, const struct boot_host *host, struct boot_image *image,
		   struct err *e);
int rollout_open(struct rollout *r, const char *version, const char *name);

#endif
