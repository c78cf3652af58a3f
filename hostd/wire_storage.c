// SPDX-License-Identifier: Apache-2.0
/*
 * Disks: storage finds one for images and scratch while the host joins the API; pods are held until that is settled. What
 * all disks hold goes to the Node. And the sizes that follow from where images and scratch lie.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/buf.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "hostd.h"
#include "oci/digest.h"

#define WIRE_DISKS_KEY	       "hypermetal.io/disks"
#define WIRE_WIPE_KEY	       "hypermetal.io/wipe" /* an operator's request */
#define WIRE_WIPED_KEY	       "hypermetal.io/wiped"
#define WIRE_CA_MAX	       65536
#define WIRE_RESERVE_BYTES     ((uint64_t)96 << 20) /* the host itself */
#define WIRE_IMAGES_MIN_BYTES  ((uint64_t)128 << 20)
#define WIRE_SCRATCH_MIN_BYTES ((uint64_t)64 << 20)

/* ---- sizes ---- */

uint64_t wire_image_cap(const struct hostd *h)
{
	uint64_t all = h->data_bytes ? h->data_bytes : h->inventory.memory_bytes;

	if (h->settings.image_cap_mib)
		return (uint64_t)h->settings.image_cap_mib << 20;
	return MAX(all / 4, WIRE_IMAGES_MIN_BYTES);
}

uint64_t wire_scratch_bytes(const struct hostd *h)
{
	uint64_t images = wire_image_cap(h), left = h->inventory.memory_bytes / 4;

	if (h->data_bytes)
		left = h->data_bytes > images ? h->data_bytes - images : 0;
	return MAX(left, WIRE_SCRATCH_MIN_BYTES);
}

uint64_t wire_pod_memory(const struct hostd *h)
{
	uint64_t taken = WIRE_RESERVE_BYTES + (h->data_bytes ? 0 : wire_image_cap(h));

	return h->inventory.memory_bytes > taken ? h->inventory.memory_bytes - taken : 0;
}

/* ---- storage -> oci, pod, node ---- */

static void wire_on_report(const char *text, void *arg)
{
	struct hostd *h = arg;

	free(h->disks);
	h->disks = mem_strdup(text);
	if (h->node)
		node_set_facts(h->node, NULL, WIRE_DISKS_KEY, h->disks);
}

static void wire_on_settled(uint64_t bytes, void *arg)
{
	struct hostd *h = arg;
	struct err e = ERR_INIT;

	h->data_bytes = bytes;
	if (bytes && oci_moved(h->oci, wire_image_cap(h), &e) < 0)
		log_error("main", "ev=store_not_moved error=\"%s\"", err_msg(&e));
	if (bytes) {
		pods_set_room(h->pods, wire_pod_memory(h), wire_scratch_bytes(h));
		if (h->node)
			node_set_room(h->node, wire_pod_memory(h), wire_scratch_bytes(h));
	}
	pods_hold(h->pods, false);
}

static void wire_on_disk_event(const char *type, const char *reason, const char *message, void *arg)
{
	struct hostd *h = arg;

	if (h->node)
		node_event(h->node, NULL, type, reason, message);
}

static void wire_on_disk_failed(const char *why, void *arg)
{
	struct hostd *h = arg;
	_cleanup_free_ char *message =
		mem_printf("the disk with images and scratch has failed: %s", why);

	if (!h->node)
		return;
	node_event(h->node, NULL, "Warning", "DataDiskFailed", message);
	node_set_ready(h->node, "DataDiskFailed", message);
}

static void wire_on_wiped(const char *text, void *arg)
{
	struct hostd *h = arg;

	free(h->wiped);
	h->wiped = mem_strdup(text);
	if (h->node)
		node_set_facts(h->node, NULL, WIRE_WIPED_KEY, h->wiped);
}

static bool wire_may_release(void *arg)
{
	const struct hostd *h = arg;

	return h->cordoned && pods_left(h->pods);
}

static void wire_on_release(bool over, void *arg)
{
	struct hostd *h = arg;
	struct err e = ERR_INIT;

	pods_hold(h->pods, true);
	if (!over)
		return;
	h->data_bytes = storage_mounted(h->paths.store);
	if (!h->data_bytes && oci_moved(h->oci, wire_image_cap(h), &e) < 0)
		log_error("main", "ev=store_not_moved error=\"%s\"", err_msg(&e));
	pods_set_room(h->pods, wire_pod_memory(h), wire_scratch_bytes(h));
	if (h->node)
		node_set_room(h->node, wire_pod_memory(h), wire_scratch_bytes(h));
	pods_hold(h->pods, false);
}

/* {"id", "boot", "method", "disks"}: for one boot, as `hyper reboot` */
static void wire_heed_wipe(struct hostd *h, const struct json *node)
{
	const char *text =
		json_str(json_at(node, "metadata", "annotations", WIRE_WIPE_KEY, NULL), NULL);
	_cleanup_json_ struct json_doc *doc = NULL;

	h->cordoned = json_bool(json_at(node, "spec", "unschedulable", NULL), false);
	if (!text || json_parse(text, strlen(text), &doc, NULL) < 0 ||
	    !str_eq(json_str(json_get(json_root(doc), "boot"), ""), h->inventory.boot_id))
		return;
	storage_wipe(h->storage, json_root(doc));
}

/* The fleet's name on its disks: SHA-256 of its CA certificate, as `openssl x509 -fingerprint -sha256` has it */
static int wire_fleet(const char *pem, char fleet[STORAGE_FLEET_MAX])
{
	static const char begin[] = "-----BEGIN CERTIFICATE-----", end[] = "-----END";
	const char *from = pem ? strstr(pem, begin) : NULL;
	const char *to = from ? strstr(from + 1, end) : NULL;
	_cleanup_free_ char *text = NULL;
	struct buf der = BUF_INIT(WIRE_CA_MAX);
	char digest[OCI_DIGEST_MAX];
	int r = -EBADMSG;

	if (to) {
		from += sizeof(begin) - 1;
		text = mem_strndup(from, (size_t)(to - from));
		r = base64_decode(&der, text);
	}
	if (r == 0) {
		oci_digest_of(der.data, der.len, digest);
		r = str_copy(fleet, STORAGE_FLEET_MAX, strchr(digest, ':') + 1);
	}
	buf_done(&der);
	return r;
}

static void wire_on_disk_device(void *arg)
{
	struct hostd *h = arg;

	storage_changed(h->storage);
}

void wire_storage(struct hostd *h)
{
	static const char *const cipher[] = {"dm_crypt", "xts", "aes_generic", "aesni_intel"};
	static char fleet[STORAGE_FLEET_MAX];
	const struct storage_config config = {
		.loop = &h->loop,
		.program = h->disk_worker,
		.lock_dir = h->disk_lock_dir,
		.store = h->paths.store,
		.data = *h->settings.data ? h->settings.data : "none",
		.encrypt = h->settings.encrypt,
		.fleet = fleet,
		.on_report = wire_on_report,
		.on_settled = wire_on_settled,
		.on_event = wire_on_disk_event,
		.on_failed = wire_on_disk_failed,
		.on_wiped = wire_on_wiped,
		.may_release = wire_may_release,
		.on_release = wire_on_release,
		.arg = h,
	};

	if (wire_fleet(h->ca_pem, fleet) < 0) {
		log_error("main", "ev=no_storage error=\"ca.crt is no certificate\"");
		return;
	}
	for (size_t i = 0; h->settings.encrypt && h->coldplug && i < ARRAY_SIZE(cipher); i++)
		(void)host_module_load(cipher[i],
				       NULL); /* that one is missing is seen when it is needed */
	h->storage = storage_new(&config);
	pods_hold(h->pods, storage_waits(h->storage));
	if (storage_waits(h->storage))
		host_hotplug_tell(wire_on_disk_device,
				  h); /* until wire_inventory() listens for all */
}

void wire_storage_node(struct hostd *h, const struct json *node)
{
	static bool told;

	if (!told && h->disks)
		node_set_facts(h->node, NULL, WIRE_DISKS_KEY, h->disks);
	else if (!told)
		storage_changed(h->storage);
	if (!told && h->wiped)
		node_set_facts(h->node, NULL, WIRE_WIPED_KEY, h->wiped);
	told = true;
	wire_heed_wipe(h, node);
}
