// SPDX-License-Identifier: Apache-2.0
/* The boot service over HTTP: what machines are answered, whatever they ask and whatever is missing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the four above first */
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"
#include "boot/boot.h"
#include "http/client.h"

#define MAC "mac=52-54-00-12-34-56"

static struct loop loop;
static struct boot *boot;
static struct http_client *client;

/* What the other side of the service does */
static struct {
	int mint, choose, open; /* -errno of each, or 0 */
	unsigned int limit_s;
	char opened[80];
} fake;

static struct {
	bool done;
	int status;
	char text[8192];
	bool token, fetch_ms; /* what is in it */
	size_t len;
} answer;

static int mint(const struct boot_host *host, char *token, struct err *e, void *arg)
{
	(void)host;
	(void)arg;
	(void)str_copy(token, BOOT_TOKEN_MAX, "abcdef.0123456789abcdef");
	return fake.mint ? err_set(e, fake.mint, "no") : 0;
}

static int choose(const struct boot_host *host, struct boot_image *image, struct err *e, void *arg)
{
	(void)arg;
	assert_string_equal(host->node_name, "host-525400123456");
	*image = (struct boot_image){.limit_s = fake.limit_s};
	(void)str_copy(image->version, sizeof(image->version), "v1.2");
	return fake.choose ? err_set(e, fake.choose, "no") : 0;
}

static int open_file(const char *version, const char *name, void *arg)
{
	int fd;

	(void)arg;
	snprintf(fake.opened, sizeof(fake.opened), "%s/%s", version, name);
	if (fake.open)
		return fake.open;
	fd = memfd_create("part", MFD_CLOEXEC);
	assert_int_equal(write(fd, "bytes", 5), 5);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	return fd;
}

static int setup(void **state)
{
	static const struct boot_ops ops = {.mint = mint, .choose = choose, .open = open_file};
	const struct boot_config config = {.address = "127.0.0.1",
					   .boot_url = "http://192.0.2.1:6480",
					   .api_url = "https://192.0.2.1:6443",
					   .ca_pem = "the CA\n",
					   .boot_args = "quiet"};
	const struct http_client_config http = {.user_agent = "iPXE", .ca_pem = NULL};

	(void)state;
	memset(&fake, 0, sizeof(fake));
	assert_int_equal(loop_init(&loop), 0);
	assert_int_equal(boot_new(&loop, &config, &ops, NULL, &boot, NULL), 0);
	assert_int_equal(http_client_new(&loop, &http, &client, NULL), 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	http_client_free(client);
	boot_free(boot);
	loop_done(&loop);
	return 0;
}

static void on_done(struct http_call *call, const struct http_reply *reply, const struct err *e,
		    void *arg)
{
	(void)call;
	(void)arg;
	assert_null(e);
	answer.done = true;
	answer.status = reply->status;
	(void)str_copy(answer.text, sizeof(answer.text), buf_str(&reply->body));
	answer.fetch_ms = memmem(buf_str(&reply->body), reply->body.len, "\0fetch_ms=", 10);
	answer.token = memmem(buf_str(&reply->body), reply->body.len, "hyper/token", 11);
	answer.len = reply->body.len;
}

static const char *get(const char *path, int status)
{
	static const struct http_call_ops ops = {.on_done = on_done};
	_cleanup_free_ char *url =
		mem_printf("http://127.0.0.1:%u%s", (unsigned int)boot_port(boot), path);
	const struct http_call_spec spec = {.method = "GET", .url = url};

	answer.done = false;
	assert_non_null(http_call_start(client, &spec, &ops, NULL, NULL));
	for (int i = 0; i < 200 && !answer.done; i++)
		loop_once(&loop, 20);
	assert_true(answer.done);
	if (answer.status != status)
		fail_msg("%s: %d %s", path, answer.status, answer.text);
	return answer.text;
}

static void assert_has(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("no \"%s\" in: %s", part, text);
}

/* A script, and one that goes on */
static const char *script(const char *path)
{
	const char *text = get(path, 200);

	assert_non_null(str_starts(text, "#!ipxe\n"));
	/* Its last line asks again, for ever, and nothing is waited for without end */
	assert_true(str_ends(text,
			     "chain --timeout 30000 --replace http://192.0.2.1:6480/boot/ipxe "
			     "|| goto again\n"));
	assert_has(text, "\n:again\n");
	return text;
}

static void test_script(void **state)
{
	const char *text;

	(void)state;
	assert_has(script("/boot/ipxe"), "${netX/mac:hexhyp}");
	text = script("/boot/ipxe?" MAC);
	assert_has(
		text,
		"kernel --timeout 30000 http://192.0.2.1:6480/boot/image/v1.2/kernel initrd=initramfs "
		"initrd=host.cpio BOOTIF=01-52-54-00-12-34-56 quiet ||");
	assert_has(
		text,
		"initrd --timeout 30000 --name initramfs http://192.0.2.1:6480/boot/image/v1.2/initramfs ||");
	assert_has(text, "chain --timeout 30000 http://192.0.2.1:6480/boot/image/v1.2/uki ||");
	assert_null(strstr(text, "ready_within"));
	fake.limit_s = 600;
	assert_has(script("/boot/ipxe?" MAC),
		   "BOOTIF=01-52-54-00-12-34-56 hyper.ready_within=600 quiet ||");
}

/* Whatever fails, the machine is sent round again. */
static void test_script_failures(void **state)
{
	(void)state;
	script("/boot/ipxe?mac=nonsense");
	script("/boot/ipxe?mac=");
	fake.choose = -ENOENT;
	assert_has(script("/boot/ipxe?" MAC), "sleep 10");
	fake.choose = 0;
	fake.mint = -EIO;
	assert_has(script("/boot/ipxe?" MAC), "sleep 10");
}

/* The host's own piece, and how long it took from the script to it; again: it may have been lost on its way */
static void test_piece(void **state)
{
	char path[128];
	const char *at;

	(void)state;
	at = strstr(script("/boot/ipxe?" MAC), "http://192.0.2.1:6480/boot/host/");
	assert_non_null(at);
	at += strlen("http://192.0.2.1:6480");
	snprintf(path, sizeof(path), "%.*s", (int)strcspn(at, " "), at);
	for (int i = 0; i < 2; i++) {
		get(path, 200);
		assert_true(answer.token && answer.fetch_ms);
		assert_int_equal(answer.len % 4, 0);
	}
	get("/boot/host/0123.cpio", 404);
}

static void test_parts(void **state)
{
	(void)state;
	assert_string_equal(get("/boot/image/v1.2/kernel", 200), "bytes");
	assert_string_equal(fake.opened, "v1.2/bzImage");
	assert_string_equal(get("/boot/image/v1.2/initramfs", 200), "bytes");
	assert_string_equal(fake.opened, "v1.2/initramfs");
	assert_string_equal(get("/boot/image/v1.2/uki", 200), "bytes");
	assert_string_equal(fake.opened, "v1.2/hypermetal-uki.efi");
	get("/boot/hypermetal-uki.efi", 200);
	assert_string_equal(fake.opened, "/hypermetal-uki.efi");
	assert_string_equal(get("/boot/kernel", 200), "bytes");
	assert_string_equal(fake.opened, "/bzImage");
	get("/boot/initramfs", 200);
	assert_string_equal(fake.opened, "/initramfs");
	get("/boot/snponly.efi", 200);
	assert_string_equal(fake.opened, "/snponly.efi");
	get("/boot/undionly.kpxe", 200);
	assert_has(get("/boot/autoexec.ipxe", 200),
		   "chain --timeout 30000 --autofree http://192.0.2.1:6480/boot/ipxe");
	fake.open = -EIO;
	get("/boot/image/v1.2/kernel", 503);
	get("/boot/kernel", 503);
	fake.opened[0] = '\0';
	get("/boot/image/v1.2", 404);
	get("/boot/image//kernel", 404);
	get("/boot/image/v1.2/x", 404);
	get("/boot/image/a/b/kernel", 404);
	get("/boot/image/0123456789012345678901234567890123456789012345678901234567890123/kernel",
	    404);
	assert_string_equal(fake.opened, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_script, setup, teardown),
		cmocka_unit_test_setup_teardown(test_script_failures, setup, teardown),
		cmocka_unit_test_setup_teardown(test_piece, setup, teardown),
		cmocka_unit_test_setup_teardown(test_parts, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
