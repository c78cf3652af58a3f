// SPDX-License-Identifier: Apache-2.0
/*
 * One GET per lease or retry. The answer comes over plain HTTP, as all that iPXE loads: it is foreign input, and is
 * taken only when hostd could start with it.
 */
#include "piece.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/retry.h"
#include "base/str.h"
#include "http/client.h"

#define PIECE_SIZE_MAX	   (256 << 10)
#define PIECE_RETRY_MS	   1000
#define PIECE_RETRY_MAX_MS 15000
#define PIECE_TIMEOUT_MS   20000
#define PIECE_MAC_SIZE	   18

static struct {
	struct hostd *h;
	struct http_client *client;
	struct http_call *call;
	struct retry retry;
	char service[HOST_URL_MAX]; /* "": no lease has told it yet */
	bool told; /* by the command line */
	char mac[PIECE_MAC_SIZE]; /* of the interface that got a lease last */
} piece;

static void piece_failed(const char *why)
{
	uint32_t delay_ms = retry_arm(&piece.retry, -1);

	log_warn("main", "ev=piece_failed url=%s error=\"%s\" again_ms=%u", piece.service, why,
		 delay_ms);
}

static void piece_done(struct http_call *call, const struct http_reply *reply, const struct err *e,
		       void *arg)
{
	_cleanup_free_ char *dir = mem_printf("%s/boot", piece.h->paths.run);
	struct err why = ERR_INIT;
	char said[ERR_MSG_MAX];

	(void)call;
	(void)arg;
	piece.call = NULL;
	if (e) {
		piece_failed(err_msg(e));
	} else if (reply->status != 200) {
		snprintf(said, sizeof(said), "status %d", reply->status);
		piece_failed(said);
	} else if (piece_write(dir, buf_str(&reply->body), reply->body.len, &why) < 0) {
		piece_failed(str_printable(said, sizeof(said), err_msg(&why)));
	} else {
		log_info("main", "ev=piece_written url=%s", piece.service);
		loop_stop(&piece.h->loop, 0);
	}
}

static void piece_ask(void)
{
	static const struct http_call_ops ops = {.on_done = piece_done};
	const struct host_inventory *inventory = &piece.h->inventory;
	_cleanup_free_ char *uuid = str_percent_encode(inventory->system_uuid);
	_cleanup_free_ char *serial = str_percent_encode(inventory->serial);
	_cleanup_free_ char *url = mem_printf("%s/boot/host?mac=%s&uuid=%s&serial=%s",
					      piece.service, piece.mac, uuid, serial);
	const struct http_call_spec spec = {.method = "GET",
					    .url = url,
					    .reply_cap = PIECE_SIZE_MAX,
					    .timeout_ms = PIECE_TIMEOUT_MS,
					    .secret = true};
	struct err e = ERR_INIT;

	piece.call = http_call_start(piece.client, &spec, &ops, NULL, &e);
	if (!piece.call)
		piece_failed(err_msg(&e));
}

static void piece_again(struct timer *t)
{
	(void)t;
	if (!piece.call && *piece.service)
		piece_ask();
}

/* Where the command line names no boot service, the lease may */
static void piece_look_for_service(const char *interface)
{
	_cleanup_free_ char *path = mem_printf("%s/net/%s.lease", piece.h->paths.run, interface);
	struct buf b = BUF_INIT(HOST_SETTINGS_SIZE_MAX);
	char url[HOST_URL_MAX];

	if (file_read(AT_FDCWD, path, &b, NULL) == 0 && piece_lease_url(buf_str(&b), url) == 0) {
		(void)str_copy(piece.service, sizeof(piece.service), url);
		log_info("main", "ev=piece_wanted url=%s from=dhcp", url);
	} else if (!*piece.service) {
		log_warn(
			"main",
			"ev=piece_failed error=\"neither does the kernel's command line have "
			"hyper.boot=http://ADDR:PORT, nor does DHCP name that as boot file\" iface=%s",
			interface);
	}
	buf_done(&b);
}

static void piece_on_address(const char *iface, const char *address, void *arg)
{
	_cleanup_free_ char *path = mem_printf("/sys/class/net/%s/address", iface);
	struct buf b = BUF_INIT(64);

	(void)arg;
	wire_screen(piece.h);
	if (*address && !piece.told)
		piece_look_for_service(iface);
	if (!*address || !*piece.service)
		return;
	if (file_read(AT_FDCWD, path, &b, NULL) == 0 && b.len)
		(void)str_copy(piece.mac, sizeof(piece.mac), str_trim(b.data));
	buf_done(&b);
	timer_cancel(&piece.retry.timer);
	if (!piece.call)
		piece_ask();
}

int piece_start(struct hostd *h, struct err *e)
{
	const struct http_client_config client = {.user_agent = "hostd/" HOSTD_VERSION};
	struct uplink_config network = network_config(h, "hypermetal");
	struct buf cmdline = BUF_INIT(8192);
	int r = file_read(AT_FDCWD, "/proc/cmdline", &cmdline, e);

	if (r == 0) {
		r = piece_url(buf_str(&cmdline), piece.service);
		piece.told = r == 0;
		if (r == -ENOENT)
			r = 0;
		else if (r < 0)
			err_set(e, r, "hyper.boot= on the kernel's command line is no address");
	}
	buf_done(&cmdline);
	if (r < 0)
		return r;
	piece.h = h;
	retry_init(&h->loop, &piece.retry, PIECE_RETRY_MS, PIECE_RETRY_MAX_MS, piece_again);
	host_inventory_read(&h->inventory);
	network.on_address = piece_on_address;
	r = http_client_new(&h->loop, &client, &piece.client, e);
	if (r == 0)
		r = uplink_start(&network, e);
	if (r == 0 && piece.told)
		log_info("main", "ev=piece_wanted url=%s from=cmdline", piece.service);
	return r;
}
