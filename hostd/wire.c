// SPDX-License-Identifier: Apache-2.0
/*
 * Who tells whom. The modules know nothing of each other; every arrow between them is a function in
 * this file:
 *
 *	node: a pod changed, a list came      ->  pod
 *	pod: a status, a deletion, an event   ->  node
 *	pod: what is in this ConfigMap?       ->  node, and back
 *	node: a serving certificate           ->  api
 *	api: where is this log? run this, measure, list  ->  pod
 *	pod: what is used was measured        ->  api
 *	node: a Date header                   ->  host
 *	host: a device changed                ->  inventory (wire_inventory.c)
 *	host, node: traces of the boot before ->  fate, and back to node (wire_fate.c)
 *	inventory: what the machine is        ->  node
 *	main, node, pod: how we are           ->  journal (wire_screen.c)
 *	storage: there is a disk, what all hold  ->  oci, pod, node (wire_storage.c)
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "hostd.h"
#include "proto/guest_msg.h"

#define WIRE_PORT	10250
#define WIRE_PODS_MAX	110
#define WIRE_IMAGES_MAX 50 /* in the Node's status, as a kubelet */
#define WIRE_IMAGE_UID	900 /* as in the image's passwd */
#define WIRE_API_BYTES	((uint64_t)192 << 20) /* a slow reader may hold a MiB, and many may read */
#define WIRE_API_UID	901
#define WIRE_WORK_BYTES ((uint64_t)256 << 20) /* of a layer worker beside what it makes */

/* ---- node -> pod, api, host ---- */

static void wire_on_pod(enum node_pod_event event, const struct json *pod, void *arg)
{
	struct hostd *h = arg;

	if (event == NODE_POD_DELETED)
		pod_remove(h->pods, pod);
	else
		pod_apply(h->pods, pod);
}

static void wire_on_list(const struct json *pods, void *arg)
{
	struct hostd *h = arg;

	pods_sync(h->pods, pods);
}

static void wire_on_serving(const char *cert_pem, const char *key_pem, void *arg)
{
	struct hostd *h = arg;
	struct err e = ERR_INIT;

	if (h->api && api_set_certificate(h->api, cert_pem, key_pem, h->ca_pem, &e) < 0)
		log_error("main", "ev=no_api error=\"%s\"", err_msg(&e));
}

static void wire_on_node(const struct json *node, void *arg)
{
	struct hostd *h = arg;
	const char *cidr = json_str(json_at(node, "spec", "podCIDR", NULL), "");

	if (*cidr && !str_eq(cidr, h->settings.pod_cidr))
		log_debug("main", "ev=pod_cidr_ignored cidr=%s", cidr);
	wire_inventory(h);
	wire_screen_node(h, node);
	wire_storage_node(h, node);
	reboot_ready(h, node);
	wire_fate_node(h, node);
	reboot_heed(h, node);
}

static void wire_on_identity(void *arg)
{
	wire_fate_mark(arg, FATE_ENROL);
}

static void wire_on_before(const struct json *node, void *arg)
{
	wire_fate_before(arg, node);
}

static void wire_on_date(const char *date, void *arg)
{
	(void)arg;
	(void)host_clock_floor(host_clock_http_date(date), "api");
}

/* ---- pod -> node ---- */

static struct node_pod_ref wire_ref(const struct pod_ref *pod)
{
	return (struct node_pod_ref){pod->ns, pod->name, pod->uid, pod->api_ip};
}

/* Before the node is there, nothing is lost: the first list makes every pod report again. */
static void wire_on_status(const struct pod_ref *pod, const struct json *status, void *arg)
{
	struct hostd *h = arg;
	const struct node_pod_ref ref = wire_ref(pod);

	if (h->node)
		node_put_status(h->node, &ref, status);
	wire_screen_later(h);
}

static void wire_on_deleted(const struct pod_ref *pod, void *arg)
{
	struct hostd *h = arg;
	const struct node_pod_ref ref = wire_ref(pod);

	if (h->node)
		node_delete_pod(h->node, &ref);
	wire_screen_later(h);
}

static void wire_on_event(const struct pod_ref *pod, const char *type, const char *reason,
			  const char *message, void *arg)
{
	struct hostd *h = arg;
	const struct node_pod_ref ref = wire_ref(pod);

	if (h->node)
		node_event(h->node, &ref, type, reason, message);
}

static void wire_fetched(void *arg, const struct node_fetched *result)
{
	const struct pod_fetched answer = {
		.object = result->object,
		.absent = result->absent,
		.message = result->message,
		.retry_after_ms = result->retry_after_ms,
	};

	pods_fetched(arg, &answer);
}

static void wire_fetch(struct pod_want *want, void *arg)
{
	static const enum node_object kinds[] = {
		[POD_CONFIG_MAP] = NODE_CONFIG_MAP,
		[POD_SECRET] = NODE_SECRET,
		[POD_TOKEN] = NODE_TOKEN,
	};
	struct hostd *h = arg;
	const struct node_fetch_spec spec = {
		.kind = kinds[want->kind],
		.ns = want->ns,
		.name = want->name,
		.audience = want->audience,
		.expiration_s = want->expiration_s,
		.pod = want->pod,
		.uid = want->uid,
	};

	want->call = node_fetch(h->node, &spec, wire_fetched, want);
}

static void wire_cancel(struct pod_want *want, void *arg)
{
	struct hostd *h = arg;

	if (h->node) /* which ends what is under way when it goes */
		node_fetch_cancel(want->call);
}

/* ---- node -> oci ---- */

struct wire_images {
	struct json_doc *doc;
	struct json *list;
};

static void wire_image(const struct oci_image *image, const struct oci_strings *names, void *arg)
{
	const struct wire_images *w = arg;
	struct json *entry, *list;

	if (json_count(w->list) >= WIRE_IMAGES_MAX)
		return;
	entry = json_new_obj(w->doc);
	list = json_arr_of(w->doc, entry, "names");
	for (size_t i = 0; i < names->count; i++)
		json_push(w->doc, list, json_new_str(w->doc, names->at[i]));
	json_put_int(w->doc, entry, "sizeBytes", (int64_t)image->size_bytes);
	json_push(w->doc, w->list, entry);
}

static void wire_node_images(struct json_doc *doc, struct json *list, void *arg)
{
	struct hostd *h = arg;
	struct wire_images w = {doc, list};

	if (h->oci)
		oci_images(h->oci, wire_image, &w);
}

/* ---- api -> pod ---- */

static int wire_log_path(const struct api_log_query *q, char *path, struct err *e, void *arg)
{
	struct hostd *h = arg;

	return pods_log_path(h->pods, q->ns, q->pod, q->container, q->previous, path, e);
}

static int wire_exec(const struct api_exec_query *q, struct err *e, void *arg)
{
	struct hostd *h = arg;
	struct guest_exec m = {
		.attach = q->attach,
		.tty = q->tty,
		.with_stdin = q->with_stdin,
		.args = {q->args, q->arg_count},
	};

	return pods_exec(h->pods, q->ns, q->pod, q->container, &m, e);
}

struct wire_review {
	struct hostd *h;
	uint64_t id;
};

static void wire_reviewed(void *arg, const struct node_fetched *result)
{
	struct wire_review *r = arg;
	bool yes = json_bool(json_at(result->object, "status", "allowed", NULL), false);

	if (!result->object)
		log_warn("main", "ev=no_review error=\"%s\"", result->message);
	if (r->h->api)
		api_allowed(r->h->api, r->id, !result->object ? -EIO : yes ? 0 : -EACCES);
	free(r);
}

static void wire_allow(const struct api_allow_query *q, uint64_t id, void *arg)
{
	struct hostd *h = arg;
	const struct node_fetch_spec spec = {
		.kind = NODE_REVIEW,
		.user = q->user,
		.groups = q->groups,
		.group_count = q->group_count,
		.verb = q->verb,
		.subresource = q->subresource,
	};
	struct wire_review *r;

	if (!h->node) {
		api_allowed(h->api, id, -EIO);
		return;
	}
	r = mem_alloc(sizeof(*r));
	*r = (struct wire_review){h, id};
	node_fetch(h->node, &spec, wire_reviewed, r);
}

static void wire_measure(void *arg)
{
	struct hostd *h = arg;

	pods_measure(h->pods);
}

static int wire_list(struct buf *out, void *arg)
{
	struct hostd *h = arg;

	return pods_list(h->pods, out);
}

/* ---- start and stop ---- */

static void wire_images_changed(void *arg)
{
	struct hostd *h = arg;

	if (h->node)
		node_images_changed(h->node);
}

static int wire_oci(struct hostd *h, struct err *e)
{
	bool root = geteuid() == 0;
	_cleanup_fd_ int group =
		*h->cgroup_dir ? host_cgroup_worker("image", wire_image_cap(h) + WIRE_WORK_BYTES)
			       : -1;
	struct oci_config config = {
		.loop = &h->loop,
		.root = h->image_dir,
		.cap_bytes = wire_image_cap(h),
		.mirrors = h->mirrors,
		.mirror_count = h->settings.mirror_count,
		.worker = h->image_worker,
		.mkfs = h->mkfs,
		.cgroup_fd = group,
		.uid = root ? WIRE_IMAGE_UID : 0,
		.gid = root ? WIRE_IMAGE_UID : 0,
		.on_changed = wire_images_changed,
		.arg = h,
	};
	int r;

	for (size_t i = 0; i < h->settings.mirror_count; i++)
		h->mirrors[i] = h->settings.mirrors[i];
	r = oci_new(&config, &h->oci, e);
	if (r == 0)
		take_fd(&group); /* pulls are born in it for as long as we run */
	return r;
}

static void wire_net(struct hostd *h)
{
	const struct net_config config = {
		.pod_cidr = *h->settings.pod_cidr ? h->settings.pod_cidr : NULL,
	};
	struct err e = ERR_INIT;

	if (net_new(&config, &h->net, &e) == 0)
		return;
	log_error("main", "ev=no_net error=\"%s\"", err_msg(&e));
	(void)str_copy(h->no_net, sizeof(h->no_net), err_msg(&e));
}

static void wire_api(struct hostd *h)
{
	static const struct api_ops ops = {
		.log_path = wire_log_path,
		.exec = wire_exec,
		.allow = wire_allow,
		.measure = wire_measure,
		.pods = wire_list,
	};
	_cleanup_fd_ int group = *h->cgroup_dir ? host_cgroup_worker("api", WIRE_API_BYTES) : -1;
	const struct api_config config = {
		.cgroup_fd = group,
		.program = h->api_worker,
		.run_dir = h->paths.run,
		.host_log = h->host_log,
		.port = WIRE_PORT,
		.uid = WIRE_API_UID,
		.gid = WIRE_API_UID,
	};
	struct err e = ERR_INIT;

	if (api_new(&h->loop, &config, &ops, h, &h->api, &e) == 0)
		take_fd(&group); /* each hostd-api is born in it */
	else
		log_error("main", "ev=no_api error=\"%s\"", err_msg(&e));
}

int wire_pods(struct hostd *h, struct err *e)
{
	static const struct pods_ops ops = {
		.on_status = wire_on_status,
		.on_deleted = wire_on_deleted,
		.on_event = wire_on_event,
		.on_measured = wire_on_measured,
		.fetch = wire_fetch,
		.cancel = wire_cancel,
	};
	struct pods_config config = {
		.loop = &h->loop,
		.dir = h->pods_dir,
		.scratch_dir = h->scratch_dir,
		.log_dir = h->log_dir,
		.cgroup_dir = h->cgroup_dir,
		.node_name = h->settings.node_name,
		.host_ip = h->address,
		.resolv_conf = h->resolv_conf,
		.hypervm = h->hypervm,
		.kernel = h->kernel,
		.kernel_full = h->kernel_full,
		.initrd = h->initrd,
		.cpus = h->inventory.cpus,
		.pods_max = WIRE_PODS_MAX,
		.memory_bytes = wire_pod_memory(h),
		.scratch_bytes = wire_scratch_bytes(h),
		.api_host = h->api_host,
		.api_port = h->api_port,
		.refresh_ms = h->settings.refresh_s * 1000,
	};
	int r = wire_oci(h, e);

	if (r < 0)
		return err_wrap(e, r, "images");
	host_settings_api(&h->settings, h->api_host, h->api_port);
	wire_net(h);
	wire_api(h);
	config.oci = h->oci;
	config.net = h->net;
	r = pods_new(&config, &ops, h, &h->pods, e);
	if (r == 0)
		pressure_start(h);
	return r < 0 ? err_wrap(e, r, "pods") : 0;
}

void wire_node(struct hostd *h)
{
	static const struct node_ops ops = {
		.on_pod = wire_on_pod,
		.on_list = wire_on_list,
		.on_serving = wire_on_serving,
		.on_identity = wire_on_identity,
		.on_before = wire_on_before,
		.on_node = wire_on_node,
		.on_trouble = wire_on_trouble,
		.on_date = wire_on_date,
		.images = wire_node_images,
	};
	const struct host_inventory *i = &h->inventory;
	const struct node_config config = {
		.loop = &h->loop,
		.api = h->settings.api,
		.name = h->settings.node_name,
		.ca_pem = h->ca_pem,
		.token = h->token,
		.state_dir = h->node_dir,
		.runtime_version = "hostd://" HOSTD_VERSION,
		.address = h->address,
		.port = h->settings.advertise_port ? h->settings.advertise_port : WIRE_PORT,
		.machine =
			{
				.cpus = i->cpus,
				.pods_max = WIRE_PODS_MAX,
				.memory_bytes = i->memory_bytes,
				.memory_alloc_bytes = wire_pod_memory(h),
				.storage_bytes = wire_scratch_bytes(h),
				.machine_id = i->machine_id,
				.system_uuid = i->system_uuid,
				.boot_id = i->boot_id,
				.kernel_version = i->kernel_version,
				.os_image = i->os_image,
				.product = i->product,
			},
		.not_ready_reason = *i->no_kvm	 ? "NoKVM"
				    : *h->no_net ? "NoNetwork"
						 : NULL,
		.not_ready_message = *i->no_kvm ? i->no_kvm : h->no_net,
	};
	struct err e = ERR_INIT;

	if (h->node || !*h->address)
		return;
	wire_fate_mark(h, FATE_NETWORK);
	if (node_new(&config, &ops, h, &h->node, &e) < 0)
		log_error("main", "ev=no_node error=\"%s\"", err_msg(&e));
	else
		wire_fate_before(h, NULL);
}

void wire_done(struct hostd *h)
{
	h->facts = inventory_free(h->facts);
	h->storage = storage_free(h->storage);
	h->node = node_free(h->node);
	h->api = api_free(h->api);
	h->pods = pods_free(h->pods);
	h->net = net_free(h->net);
	h->oci = oci_free(h->oci);
}
