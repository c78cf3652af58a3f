// SPDX-License-Identifier: Apache-2.0
/*
 * A boot's own piece is packed when its script is asked for and kept in memory under a random name
 * for as long as its token lives: iPXE may ask again after a lost connection. The token in it works
 * once; whoever fetches the piece second learns a token that is used up or about to be refused.
 * Settings files are read at each boot, so an edit counts from the next one on.
 */
#include "boot/boot.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/list.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/random.h"
#include "base/str.h"
#include "boot/cpio.h"
#include "boot/host.h"
#include "boot/settings.h"
#include "http/server.h"
#include "json/json.h"

#define BOOT_PIECE_MAX	     (256 << 10)
#define BOOT_PIECES_MAX	     4096
#define BOOT_PIECE_LIFE_MS   (10 * 60 * 1000)
#define BOOT_ID_BYTES	     16
#define BOOT_CONNECTIONS_MAX 2048
#define BOOT_UKI	     "hypermetal-uki.efi"
#define BOOT_IDLE_MS	     "30000" /* iPXE gives up a transfer in which nothing came for so long */
#define BOOT_TEXT	     "text/plain; charset=utf-8"
#define BOOT_BINARY	     "application/octet-stream"

struct boot_piece {
	char id[BOOT_ID_BYTES * 2 + 1];
	uint64_t expires_ms;
	uint64_t asked_ms; /* clock_mono_ms(), when its script was asked for */
	struct cpio cpio;
	struct list node; /* in boot->pieces, oldest first */
};

struct boot {
	const struct boot_ops *ops;
	void *arg;
	struct http_server *server;
	char *boot_url, *api_url, *ca_pem, *settings_file, *settings_dir, *boot_args;
	struct list pieces;
	size_t piece_count;
};

static void piece_free(struct boot *b, struct boot_piece *p)
{
	list_del(&p->node);
	b->piece_count--;
	if (p->cpio.data.data)
		mem_wipe(p->cpio.data.data, p->cpio.data.len);
	cpio_done(&p->cpio);
	free(p);
}

/* All live equally long: the oldest are at the front. */
static void pieces_expire(struct boot *b)
{
	uint64_t now_ms = clock_mono_ms();
	struct boot_piece *p, *tmp;

	list_for_each_safe(p, tmp, &b->pieces, node) {
		if (p->expires_ms > now_ms && b->piece_count < BOOT_PIECES_MAX)
			return;
		piece_free(b, p);
	}
}

static int read_settings(const char *path, bool optional, struct buf *out, struct err *e)
{
	int r = file_read(AT_FDCWD, path, out, e);

	if (r == -ENOENT && optional) {
		err_clear(e);
		return 0;
	}
	return r;
}

/* All settings of this host, as they go into its piece */
static int host_settings(const struct boot *b, struct boot_host *h, struct buf *out, struct err *e)
{
	struct buf common = BUF_INIT(SETTINGS_MAX), own = BUF_INIT(SETTINGS_MAX);
	_cleanup_free_ char *name = NULL, *advertise = NULL, *console = NULL;
	char mac[18];
	int r = 0;

	if (b->settings_file)
		r = read_settings(b->settings_file, false, &common, e);
	if (r == 0 && b->settings_dir) {
		_cleanup_free_ char *path =
			mem_printf("%s/%s", b->settings_dir, host_mac_dashes(h, mac));

		r = read_settings(path, true, &own, e);
	}
	if (r == 0)
		r = settings_merge(buf_str(&common), buf_str(&own), out, e);
	buf_done(&common);
	buf_done(&own);
	if (r < 0)
		return r;
	name = settings_get(buf_str(out), "node_name");
	if (host_set_name(h, name) < 0)
		return err_set(e, -EINVAL, "node_name=%.60s is not a DNS label", name);
	advertise = settings_get(buf_str(out), "advertise");
	if (advertise && str_copy(h->advertise, sizeof(h->advertise), advertise) < 0)
		return err_set(e, -EINVAL, "advertise=%.60s… is too long", advertise);
	console = settings_get(buf_str(out), "console");
	if (console && (strpbrk(console, " \t\"'\\$|&") ||
			str_copy(h->console, sizeof(h->console), console) < 0))
		return err_set(e, -EINVAL, "console=%.40s is no console", console);
	r = buf_printf(out, "api=%s\n", b->api_url);
	if (r == 0 && !name)
		r = buf_printf(out, "node_name=%s\n", h->node_name);
	/* Certificates are of no use to a machine whose clock is years off */
	if (r == 0)
		r = buf_printf(out, "time=%llu\n",
			       (unsigned long long)(clock_real_ns() / 1000000000ULL));
	return r < 0 ? err_sys(e, r, "host settings") : 0;
}

/* What is a host's own, besides the CA's certificate. Return: 0 or -errno; @settings is the caller's either way */
static int host_own(const struct boot *b, struct boot_host *h, struct buf *settings,
		    char token[BOOT_TOKEN_MAX], struct err *e)
{
	int r = host_settings(b, h, settings, e);

	return r < 0 ? r : b->ops->mint(h, token, e, b->arg);
}

static int piece_pack(const struct boot *b, struct boot_host *h, struct cpio *c, struct err *e)
{
	struct buf settings = BUF_INIT(SETTINGS_MAX);
	char token[BOOT_TOKEN_MAX] = "";
	int r = host_own(b, h, &settings, token, e);

	if (r == 0) {
		cpio_init(c, BOOT_PIECE_MAX);
		cpio_dir(c, "hyper", 0700);
		cpio_file(c, "hyper/ca.crt", 0600, b->ca_pem, strlen(b->ca_pem));
		cpio_file(c, "hyper/token", 0600, token, strlen(token));
		cpio_file(c, "hyper/settings", 0600, buf_str(&settings), settings.len);
		r = cpio_end(c);
		if (r < 0)
			err_sys(e, r, "pack the host's piece");
	}
	mem_wipe(token, sizeof(token));
	buf_done(&settings);
	return r;
}

static int piece_new(struct boot *b, struct boot_host *h, const char **id, struct err *e)
{
	unsigned char random[BOOT_ID_BYTES];
	struct boot_piece *p;
	struct cpio cpio = {0};
	int r;

	pieces_expire(b);
	r = piece_pack(b, h, &cpio, e);
	if (r < 0) {
		cpio_done(&cpio);
		return r;
	}
	random_fill(random, sizeof(random));
	p = mem_alloc(sizeof(*p));
	str_hex(p->id, random, sizeof(random));
	p->asked_ms = clock_mono_ms();
	p->expires_ms = p->asked_ms + BOOT_PIECE_LIFE_MS;
	p->cpio = cpio;
	list_add(&b->pieces, &p->node);
	b->piece_count++;
	*id = p->id;
	return 0;
}

static void reply_script(struct http_request *r, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static void reply_script(struct http_request *r, const char *fmt, ...)
{
	struct buf text = BUF_INIT(65536);
	va_list ap;

	va_start(ap, fmt);
	buf_puts(&text, "#!ipxe\n");
	buf_vprintf(&text, fmt, ap);
	va_end(ap);
	http_reply(r, 200, BOOT_TEXT, buf_str(&text), text.len, "Cache-Control: no-store\r\n");
	buf_done(&text);
}

/*
 * How scripts end: whatever happens, iPXE asks again, also when this very question fails. A script that comes to its end is
 * the firmware's turn, and firmware may stop. What a failed step left in memory would go before the initramfs.
 */
#define AGAIN(seconds)                               \
	"imgfree\n"                                  \
	"echo Trying again in " seconds " seconds\n" \
	"sleep " seconds "\n"                        \
	"chain --timeout " BOOT_IDLE_MS " --replace %s/boot/ipxe || goto again\n"

/* What iPXE knows is put in by iPXE itself: ${…} are its variables. */
static void reply_ask(const struct boot *b, struct http_request *r)
{
	reply_script(
		r,
		"chain --timeout " BOOT_IDLE_MS
		" --replace %s/boot/ipxe?mac=${netX/mac:hexhyp}&uuid=${uuid}&serial=${serial:uristring} ||\n"
		":again\n"
		"echo The controller does not answer\n" AGAIN("5"),
		b->boot_url, b->boot_url);
}

/* What iPXE looks for where it was loaded from: by HTTP here, by TFTP in a copy that the operator placed there */
static void reply_autoexec(const struct boot *b, struct http_request *r)
{
	reply_script(r,
		     ":again\n"
		     "imgfree\n"
		     "dhcp || goto failed\n"
		     "chain --timeout " BOOT_IDLE_MS " --autofree %s/boot/ipxe ||\n"
		     ":failed\n"
		     "echo No network or no controller, trying again in 5 seconds\n"
		     "sleep 5\n"
		     "goto again\n",
		     b->boot_url);
}

static void reply_wait(const struct boot *b, struct http_request *r, const char *why)
{
	char safe[ERR_MSG_MAX];

	reply_script(r, ":again\necho %s\n" AGAIN("10"), str_printable(safe, sizeof(safe), why),
		     b->boot_url);
}

/*
 * Under Secure Boot firmware starts what is signed: the kernel with its initramfs and command line as one EFI program.
 * Nothing else can be handed to that; its host asks DHCP and /boot/host for what is its own.
 */
static void reply_boot(const struct boot *b, struct http_request *r, const struct boot_host *h,
		       const struct boot_image *image, const char *id)
{
	char mac[18], limit[40] = "", console[sizeof(h->console) + 16] = "";

	if (*h->console)
		snprintf(console, sizeof(console), "console=%s ", h->console);
	if (image->limit_s)
		snprintf(limit, sizeof(limit), "hyper.ready_within=%u ", image->limit_s);
	reply_script(
		r,
		"iseq x${efi/SecureBoot} x01 && goto secure ||\n"
		"imgfree\n"
		"kernel --timeout " BOOT_IDLE_MS
		" %s/boot/image/%s/kernel initrd=initramfs initrd=host.cpio BOOTIF=01-%s %s%s%s || goto again\n"
		"initrd --timeout " BOOT_IDLE_MS
		" --name initramfs %s/boot/image/%s/initramfs || goto again\n"
		"initrd --timeout " BOOT_IDLE_MS
		" --name host.cpio %s/boot/host/%s.cpio || goto again\n"
		"boot || goto again\n"
		":secure\n"
		"imgfree\n"
		"chain --timeout " BOOT_IDLE_MS " %s/boot/image/%s/uki || goto again\n"
		":again\n"
		"echo Loading failed\n" AGAIN("10"),
		b->boot_url, image->version, host_mac_dashes(h, mac), limit, console, b->boot_args,
		b->boot_url, image->version, b->boot_url, id, b->boot_url, image->version,
		b->boot_url);
}

static void serve_ipxe(struct boot *b, struct http_request *r)
{
	const char *mac = http_request_query(r, "mac"), *id;
	struct err e = ERR_INIT;
	struct boot_image image;
	struct boot_host h;

	if (!mac) {
		reply_ask(b, r);
		return;
	}
	if (host_parse(mac, http_request_query(r, "uuid"), http_request_query(r, "serial"), &h) <
	    0) {
		reply_wait(b, r, "This network card has no usable MAC address");
		return;
	}
	if (piece_new(b, &h, &id, &e) < 0 || b->ops->choose(&h, &image, &e, b->arg) < 0) {
		log_warn("boot", "ev=boot_refused mac=%s msg=\"%s\"", h.mac, err_msg(&e));
		reply_wait(b, r, "The controller cannot boot this machine now; its log says why");
		return;
	}
	log_info("boot", "ev=boot_script mac=%s node=%s image=%s uuid=%s serial=%s from=%s", h.mac,
		 h.node_name, image.version, h.uuid, h.serial, http_request_address(r));
	reply_boot(b, r, &h, &image, id);
}

/* What fails here fails in iPXE, which asks for another script; that may name another image. */
static void serve_file(const struct boot *b, struct http_request *r, const char *version,
		       const char *name)
{
	int fd = b->ops->open(version, name, b->arg);

	if (fd >= 0 && http_reply_file(r, fd, BOOT_BINARY) == 0)
		return;
	log_error("boot", "ev=image_unreadable version=%s file=%s errno=%d",
		  *version ? version : "default", name, fd < 0 ? -fd : EIO);
	fd_close(fd);
	http_reply_text(r, 503, "this image cannot be read, ask for another script\n");
}

/* @rest: "VERSION/kernel", "VERSION/initramfs" or "VERSION/uki" */
static void serve_image(const struct boot *b, struct http_request *r, const char *rest)
{
	static const char *const files[][2] = {
		{"/kernel", "bzImage"}, {"/initramfs", "initramfs"}, {"/uki", BOOT_UKI}};
	const char *slash = strchr(rest, '/'), *name = NULL;
	char version[BOOT_VERSION_MAX];
	size_t len = slash ? (size_t)(slash - rest) : 0;

	for (size_t i = 0; len && i < ARRAY_SIZE(files); i++)
		if (str_eq(slash, files[i][0]))
			name = files[i][1];
	if (!name || len >= sizeof(version)) {
		http_reply_text(r, 404, "404 page not found\n");
		return;
	}
	memcpy(version, rest, len);
	version[len] = '\0';
	serve_file(b, r, version, name);
}

/*
 * The piece is the last file that the script has fetched: how long that took goes along, in an archive of its own
 * behind it, which the kernel unpacks as it does the first one (docs/what-happened.md).
 */
static void reply_piece(struct http_request *r, const struct boot_piece *p)
{
	struct buf whole = BUF_INIT(2 * BOOT_PIECE_MAX);
	char text[48];
	struct cpio times;
	int n = snprintf(text, sizeof(text), "fetch_ms=%llu\n",
			 (unsigned long long)(clock_mono_ms() - p->asked_ms));

	whole.secret = true;
	cpio_init(&times, BOOT_PIECE_MAX);
	cpio_file(&times, "hyper/loader", 0600, text, (size_t)n);
	(void)buf_append(&whole, p->cpio.data.data, p->cpio.data.len);
	if (cpio_end(&times) == 0)
		(void)buf_append(&whole, times.data.data, times.data.len);
	http_reply(r, 200, BOOT_BINARY, whole.data, whole.len, "Cache-Control: no-store\r\n");
	buf_done(&whole);
	cpio_done(&times);
}

static void serve_piece(struct boot *b, struct http_request *r, const char *name)
{
	struct boot_piece *p;

	pieces_expire(b);
	/* The analyser does not see that expired pieces have left the list */
	list_for_each(p, &b->pieces, node) { /* NOLINT(clang-analyzer-unix.Malloc) */
		const char *rest = str_starts(name, p->id);

		if (rest && str_eq(rest, ".cpio")) {
			/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc) */
			reply_piece(r, p);
			return;
		}
	}
	http_reply_text(r, 404, "no such boot\n");
}

/* What a host gets that was booted by something other than iPXE: the files of its piece, as JSON */
static void serve_files(struct boot *b, struct http_request *r)
{
	struct buf settings = BUF_INIT(SETTINGS_MAX), text = BUF_INIT(BOOT_PIECE_MAX);
	_cleanup_json_ struct json_doc *doc = json_doc_new();
	char token[BOOT_TOKEN_MAX] = "";
	struct err e = ERR_INIT;
	struct boot_host h;

	if (host_parse(http_request_query(r, "mac"), http_request_query(r, "uuid"),
		       http_request_query(r, "serial"), &h) < 0) {
		http_reply_text(r, 400, "mac= is no MAC address\n");
		return;
	}
	if (host_own(b, &h, &settings, token, &e) < 0) {
		log_warn("boot", "ev=boot_refused mac=%s msg=\"%s\"", h.mac, err_msg(&e));
		http_reply_text(r, 503, "not now; the controller's log says why\n");
	} else {
		json_set_root(doc, json_new_obj(doc));
		json_put_str(doc, json_root(doc), "ca.crt", b->ca_pem);
		json_put_str(doc, json_root(doc), "token", token);
		json_put_str(doc, json_root(doc), "settings", buf_str(&settings));
		json_write(json_root(doc), &text);
		log_info("boot", "ev=boot_files mac=%s node=%s uuid=%s serial=%s from=%s", h.mac,
			 h.node_name, h.uuid, h.serial, http_request_address(r));
		http_reply(r, 200, "application/json", buf_str(&text), text.len,
			   "Cache-Control: no-store\r\n");
		if (text.data)
			mem_wipe(text.data, text.len);
	}
	mem_wipe(token, sizeof(token));
	buf_done(&text);
	buf_done(&settings);
}

static void boot_request(struct http_request *r, void *arg)
{
	const char *path = http_request_path(r), *method = http_request_method(r), *rest;
	struct boot *b = arg;

	if (!str_eq(method, "GET") && !str_eq(method, "HEAD"))
		http_reply_text(r, 405, "Method Not Allowed\n");
	else if (str_eq(path, "/boot/ipxe"))
		serve_ipxe(b, r);
	else if (str_eq(path, "/boot/kernel"))
		serve_file(b, r, "", "bzImage");
	else if (str_eq(path, "/boot/initramfs"))
		serve_file(b, r, "", "initramfs");
	else if (str_eq(path, "/boot/undionly.kpxe") || str_eq(path, "/boot/snponly.efi") ||
		 str_eq(path, "/boot/" BOOT_UKI))
		serve_file(b, r, "", path + strlen("/boot/"));
	else if (str_eq(path, "/boot/autoexec.ipxe"))
		reply_autoexec(b, r);
	else if (str_eq(path, "/boot/host"))
		serve_files(b, r);
	else if ((rest = str_starts(path, "/boot/image/")))
		serve_image(b, r, rest);
	else if ((rest = str_starts(path, "/boot/host/")))
		serve_piece(b, r, rest);
	else
		http_reply_text(r, 404, "404 page not found\n");
}

static char *copy(const char *s)
{
	return s ? mem_strdup(s) : NULL;
}

int boot_new(struct loop *loop, const struct boot_config *config, const struct boot_ops *ops,
	     void *arg, struct boot **boot, struct err *e)
{
	static const struct http_server_ops server_ops = {.on_request = boot_request};
	const struct http_server_config server = {.address = config->address,
						  .port = config->port,
						  .listen_fd = -1,
						  .connections_max = BOOT_CONNECTIONS_MAX};
	struct boot *b = mem_alloc(sizeof(*b));
	int r;

	list_init(&b->pieces);
	b->ops = ops;
	b->arg = arg;
	b->boot_url = copy(config->boot_url);
	b->api_url = copy(config->api_url);
	b->ca_pem = copy(config->ca_pem);
	b->settings_file = copy(config->settings_file);
	b->settings_dir = copy(config->settings_dir);
	b->boot_args = copy(config->boot_args ? config->boot_args : "");
	r = http_server_new(loop, &server, &server_ops, b, &b->server, e);
	if (r < 0) {
		boot_free(b);
		return err_wrap(e, r, "boot service");
	}
	*boot = b;
	return 0;
}

struct boot *boot_free(struct boot *b)
{
	struct boot_piece *p, *tmp;

	if (!b)
		return NULL;
	http_server_free(b->server);
	list_for_each_safe(p, tmp, &b->pieces, node)
		piece_free(b, p);
	free(b->boot_url);
	free(b->api_url);
	free(b->ca_pem);
	free(b->settings_file);
	free(b->settings_dir);
	free(b->boot_args);
	free(b);
	return NULL;
}

uint16_t boot_port(const struct boot *b)
{
	return http_server_port(b->server);
}
