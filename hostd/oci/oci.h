/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Images: from a name as a pod spells it to EROFS files and the image's configuration.
 *
 * The store is a folder (on tmpfs or on a disk):
 *
 *	layers/HEX.erofs   one file a layer, named by its diffID, made once and never changed
 *	images/HEX.json    one record an image, named by its manifest's digest
 *	names/HEX          which digest a name had when it was pulled last
 *	tmp/               what pulls are working on; emptied at start
 *
 * Nothing that comes from a registry is read in this process: each pull is a process of its own,
 * hostd-image, which gets a folder in tmp/ and the network and gives back one small record. What it
 * made is moved into the store only when it has ended well, so a file that is there is whole.
 */
#ifndef OCI_OCI_H
#define OCI_OCI_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/list.h"
#include "base/loop.h"

#define OCI_LAYERS_MAX 127
#define OCI_DIGEST_MAX 72 /* "sha256:" and 64 hex digits */
#define OCI_NAME_MAX   768

struct oci;

struct oci_config {
	struct loop *loop;
	const char *root; /* the store's folder; made if need be */
	uint64_t cap_bytes; /* images that no pod uses are dropped above it, least recently used first; 0: never */
	const char *const *
		mirrors; /* as in the settings: REGISTRY=URL, tried in this order before the registry */
	size_t mirror_count;
	const char *worker; /* path of hostd-image */
	const char *mkfs; /* path of mkfs.erofs */
	int cgroup_fd; /* cgroup v2 folder that pulls are born in; -1: none */
	uid_t uid; /* identity of pulls, which then also see the store and the network only; 0: none of this */
	gid_t gid;
	unsigned int slow_ms; /* a pull that takes longer keeps nobody waiting; 0: a minute */
	void (*on_changed)(void *arg); /* an image came or went; called from the loop; or NULL */
	void *arg;
};

/** oci_new() - Open or make the store; what unfinished pulls left is removed. Return: 0 or -errno */
int oci_new(const struct oci_config *config, struct oci **oci, struct err *e);

/** oci_free() - Kills pulls under way, whose waiters are forgotten; images must not be used any more. Return: NULL */
struct oci *oci_free(struct oci *oci);

/**
 * oci_moved() - Another file system lies at the store's folder now: begin with what is there
 * @cap_bytes: as in struct oci_config
 * Return: 0; -EBUSY while anybody holds an image or waits for one, and nothing is changed; -errno, then no image can be had.
 */
int oci_moved(struct oci *oci, uint64_t cap_bytes, struct err *e);

struct oci_strings {
	const char *const *at; /* also ends with NULL */
	size_t count;
};

struct oci_layer {
	const char *path; /* the EROFS file */
	const char *diff_id;
	uint64_t size_bytes; /* of the file */
};

/* One image in the store. Valid while a reference is held. */
struct oci_image {
	char digest[OCI_DIGEST_MAX]; /* of its manifest */
	struct oci_layer *layers; /* the lowest first; the same layer may come twice */
	size_t layer_count; /* 0..OCI_LAYERS_MAX */
	uint64_t size_bytes; /* of all layers */
	/* Its configuration (OCI image spec, config.md): "" and empty where it has none */
	struct oci_strings entrypoint, cmd, env, exposed_ports;
	const char *cwd, *user, *stop_signal;
};

enum oci_pull {
	OCI_PULL_IF_NOT_PRESENT,
	OCI_PULL_ALWAYS, /* asks the registry what the name means now; layers that are there are not pulled again */
	OCI_PULL_NEVER,
};

enum oci_failure {
	OCI_FAILURE_NONE,
	OCI_FAILURE_NAME, /* no valid image name: InvalidImageName */
	OCI_FAILURE_NEVER, /* not there and must not be pulled: ErrImageNeverPull */
	OCI_FAILURE_PULL, /* ErrImagePull; trying again later may help */
};

/* One who waits for an image; embedded in its owner. */
struct oci_wait {
	/**
	 * @image: on success a reference that the callee owns: oci_image_unref()
	 * @e:     else the reason: the image's name, and the registry's own words or the digest that was wrong
	 */
	void (*fn)(struct oci_wait *w, struct oci_image *image, enum oci_failure failure,
		   const struct err *e);
	struct list node; /* on its pull while it waits */
};

/* Who one is at a registry, as a pod's secrets say. */
struct oci_login {
	const char *at; /* HOST[:PORT][/PATH]: for all repositories there; docker.io as such */
	const char *basic; /* base64 of USER:PASSWORD */
};

/**
 * oci_ensure() - Have an image in the store
 * @w:    zeroed but for fn; borrowed until it is called or oci_cancel()
 * @name: as in a pod's spec: [REGISTRY/]REPOSITORY[:TAG][@DIGEST]; nothing more is docker.io's "latest"
 *
 * @logins: that may be used, @login_count of them; borrowed for the call. The one that fits best goes to the
 *          registry, and to a mirror what is for the mirror's own host; to hostd-image by a pipe
 *
 * An image that is there needs no login. Many may wait for one pull, if they have the same logins. w->fn is always called from the loop, never from inside.
 * Logs ev=pull_started and ev=pull_done or ev=pull_failed.
 */
void oci_ensure(struct oci *oci, struct oci_wait *w, const char *name, enum oci_pull pull,
		const struct oci_login *logins, size_t login_count);

/** oci_cancel() - Wait no longer; may be repeated. A pull that nobody waits for is ended */
void oci_cancel(struct oci *oci, struct oci_wait *w);

/**
 * oci_image_find() - An image of the store by its digest (adopting what runs already)
 * Return: a reference, or NULL.
 */
struct oci_image *oci_image_find(struct oci *oci, const char *digest);

/** oci_image_ref() - One more user; an image in use is never dropped. Return: @image */
struct oci_image *oci_image_ref(struct oci_image *image);

/** oci_image_unref() - One user less; NULL is fine. Return: NULL */
struct oci_image *oci_image_unref(struct oci_image *image);

/**
 * oci_gc() - Drop unused images, least recently used first, until @bytes are free below the cap
 * Called by itself before and after pulls.
 */
void oci_gc(struct oci *oci, uint64_t bytes);

/** oci_used_bytes() - What the store's layers take */
uint64_t oci_used_bytes(const struct oci *oci);

/**
 * oci_images() - Go through the store (node.status.images)
 * @names: its names, then REPOSITORY@DIGEST for each repository
 */
void oci_images(struct oci *oci,
		void (*fn)(const struct oci_image *image, const struct oci_strings *names,
			   void *arg),
		void *arg);

#endif
