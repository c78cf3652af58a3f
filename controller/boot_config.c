// SPDX-License-Identifier: Apache-2.0
/*
 * A machine is led in at most two steps: its firmware asks DHCP and is given iPXE, iPXE asks DHCP again and is given the
 * boot service's address. What must not be is iPXE being given iPXE, which goes on for ever: every line that hands out
 * iPXE excludes the tag `ipxe`. The tags of all such lines exclude each other, so that their order decides nothing.
 *
 * Options of the requests: 60 vendor class, 77 user class, 93 the client's architecture (RFC 4578, RFC 5970 and IANA's
 * list), 175 iPXE's own. As a proxy dnsmasq answers PXE only when there are pxe-service lines, and then puts the
 * client's 97 and 60 into its answers; as a DHCP server it answers as to anybody, which firmware takes, too, and only HTTP
 * boot has to be told its 60.
 */
#include "boot_config.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "options.h"

#define TFTP_ROOT    "/srv/tftp"
#define IFNAME_MAX   15
#define PATH_LEN_MAX 200
#define FILE_MAX     127 /* a DHCP message's field for the boot file's name, without its NUL */
#define DNS_MAX	     4

static const char usage[] =
	"usage: controller boot-config --boot-url URL --interface NAME\n"
	"                 (--range FIRST,LAST | --proxy NETWORK) [OPTION...]\n"
	"\n"
	"Prints a configuration for dnsmasq 2.86 or later, which leads machines that boot over the network to the boot\n"
	"service: BIOS and UEFI machines by PXE (iPXE over TFTP), UEFI machines by HTTP boot, and iPXE wherever it comes\n"
	"from. Nothing is changed by this command; docs/install.md says what to do with what it prints.\n"
	"\n"
	"  --boot-url URL       the boot service, as --advertise-boot: http://192.0.2.10:6480\n"
	"  --interface NAME     the network card, of the machine with dnsmasq, that the hosts are on\n"
	"  --range FIRST,LAST   dnsmasq gives out addresses, these: it is the network's only DHCP server\n"
	"  --proxy NETWORK      it does not: another DHCP server does, dnsmasq only adds what to boot (proxyDHCP);\n"
	"                       NETWORK is the hosts', 192.0.2.0\n"
	"  --netmask MASK       the hosts' (default: that of the network card)\n"
	"  --tftp-root DIR      where the files to be sent by TFTP are (default " TFTP_ROOT ")\n"
	"with --range:\n"
	"  --router ADDR        the hosts' default gateway (default: none)\n"
	"  --dns ADDR[,ADDR]... their name servers, up to four (default: none)\n"
	"  --lease TIME         how long an address is theirs: 90m, 12h, 7d (default 12h)\n"
	"  --help\n";

struct boot_config {
	const char *url, *interface, *tftp_root;
	char first[INET_ADDRSTRLEN], last[INET_ADDRSTRLEN]; /* "": no --range */
	char server[INET_ADDRSTRLEN]; /* of the URL, with --proxy */
	const char *proxy, *netmask, *router, *dns, *lease;
};

enum {
	OPT_URL = 1,
	OPT_INTERFACE,
	OPT_RANGE,
	OPT_PROXY,
	OPT_NETMASK,
	OPT_TFTP_ROOT,
	OPT_ROUTER,
	OPT_DNS,
	OPT_LEASE,
	OPT_HELP,
	OPT_COUNT,
};

static const struct option longs[] = {
	{"boot-url", required_argument, NULL, OPT_URL},
	{"interface", required_argument, NULL, OPT_INTERFACE},
	{"range", required_argument, NULL, OPT_RANGE},
	{"proxy", required_argument, NULL, OPT_PROXY},
	{"netmask", required_argument, NULL, OPT_NETMASK},
	{"tftp-root", required_argument, NULL, OPT_TFTP_ROOT},
	{"router", required_argument, NULL, OPT_ROUTER},
	{"dns", required_argument, NULL, OPT_DNS},
	{"lease", required_argument, NULL, OPT_LEASE},
	{"help", no_argument, NULL, OPT_HELP},
	{NULL, 0, NULL, 0},
};

/* ---- arguments ---- */

/* Return: the address in the host's byte order, 0 for what is none that a machine could have */
static uint32_t address(const char *text)
{
	struct in_addr a;

	return inet_pton(AF_INET, text, &a) == 1 ? ntohl(a.s_addr) : 0;
}

static int take_address(const char *name, const char *value, const char **out, struct err *e)
{
	if (!address(value))
		return err_set(e, -EINVAL, "--%s: %s is not an IPv4 address", name, value);
	*out = value;
	return 0;
}

static int take_range(struct boot_config *c, const char *value, struct err *e)
{
	const char *comma = strchr(value, ',');
	size_t len = comma ? (size_t)(comma - value) : sizeof(c->first);

	if (len >= sizeof(c->first))
		return err_set(e, -EINVAL, "--range: %s is not FIRST,LAST", value);
	memcpy(c->first, value, len);
	c->first[len] = '\0';
	if (!address(c->first) || !address(comma + 1))
		return err_set(e, -EINVAL, "--range: %s is not FIRST,LAST, two IPv4 addresses",
			       value);
	if (address(c->first) > address(comma + 1))
		return err_set(e, -EINVAL, "--range: %s ends before it begins", value);
	return str_copy(c->last, sizeof(c->last), comma + 1);
}

static int take_dns(struct boot_config *c, const char *value, struct err *e)
{
	_cleanup_free_ char *copy = mem_strdup(value);
	char *at = copy, *one;
	int n = 0;

	while ((one = strsep(&at, ",")))
		if (!address(one) || ++n > DNS_MAX)
			return err_set(e, -EINVAL, "--dns: %s is not one to %d IPv4 addresses",
				       value, DNS_MAX);
	c->dns = value;
	return 0;
}

/* dnsmasq takes more forms than these, and makes two minutes of what is less */
static int take_lease(struct boot_config *c, const char *value, struct err *e)
{
	size_t digits = strspn(value, "0123456789");
	char number[8];
	uint64_t n;

	if (!digits || digits >= sizeof(number) || digits + 1 != strlen(value) ||
	    !strchr("mhd", value[digits]))
		return err_set(e, -EINVAL, "--lease: %s is not a number and m, h or d", value);
	memcpy(number, value, digits);
	number[digits] = '\0';
	if (str_u64(number, 10000, &n) < 0 || n < (value[digits] == 'm' ? 2 : 1))
		return err_set(e, -EINVAL, "--lease: %s is not two minutes to 10000 days", value);
	c->lease = value;
	return 0;
}

/* What would end a value, or a line, in dnsmasq's configuration stays out of names. */
static bool is_name(const char *s, const char *more, size_t max)
{
	size_t len = strlen(s);

	for (size_t i = 0; i < len; i++)
		if (!isalnum((unsigned char)s[i]) && !strchr(more, s[i]))
			return false;
	return len && len <= max;
}

static int take(struct boot_config *c, int opt, const char *value, struct err *e)
{
	switch (opt) {
	case OPT_URL:
		c->url = value;
		return 0;
	case OPT_INTERFACE:
		c->interface = value;
		return is_name(value, "._-@", IFNAME_MAX)
			       ? 0
			       : err_set(e, -EINVAL, "--interface: %s is no network card's name",
					 value);
	case OPT_RANGE:
		return take_range(c, value, e);
	case OPT_PROXY:
		return take_address("proxy", value, &c->proxy, e);
	case OPT_NETMASK:
		return take_address("netmask", value, &c->netmask, e);
	case OPT_TFTP_ROOT:
		c->tftp_root = value;
		return value[0] == '/' && is_name(value, "/._-+", PATH_LEN_MAX)
			       ? 0
			       : err_set(e, -EINVAL,
					 "--tftp-root: %s is not an absolute path of letters, digits and ._-+",
					 value);
	case OPT_ROUTER:
		return take_address("router", value, &c->router, e);
	case OPT_DNS:
		return take_dns(c, value, e);
	case OPT_LEASE:
		return take_lease(c, value, e);
	default:
		return err_set(e, -EINVAL, "try boot-config --help");
	}
}

static int check_netmask(const struct boot_config *c, struct err *e)
{
	uint32_t mask = address(c->netmask), first = address(*c->first ? c->first : c->proxy);

	if (~mask & (~mask + 1)) /* ones, then zeros */
		return err_set(e, -EINVAL, "--netmask: %s is no netmask", c->netmask);
	if (*c->first && (first & mask) != (address(c->last) & mask))
		return err_set(e, -EINVAL, "--range: with netmask %s that is not one network",
			       c->netmask);
	if (c->router && (first & mask) != (address(c->router) & mask))
		return err_set(e, -EINVAL, "--router: %s is not in the network of the range",
			       c->router);
	return 0;
}

static int check(struct boot_config *c, struct err *e)
{
	int r;

	if (!c->url)
		return err_set(e, -EINVAL, "--boot-url URL is missing");
	if (!c->interface)
		return err_set(e, -EINVAL, "--interface NAME is missing");
	if (!*c->first == !c->proxy)
		return err_set(e, -EINVAL, "one of --range and --proxy is needed");
	if (c->proxy && (c->router || c->dns || c->lease))
		return err_set(
			e, -EINVAL,
			"--router, --dns and --lease are for --range: with --proxy another DHCP server says these");
	r = url_check("--boot-url", c->url, "http://", e);
	if (r < 0)
		return r;
	if (strpbrk(strstr(c->url, "://") + 3, "/?#,"))
		return err_set(e, -EINVAL, "--boot-url: %s: not http://ADDR:PORT alone", c->url);
	if (c->proxy && (url_host(c->url, c->server, sizeof(c->server)) < 0 || !address(c->server)))
		return err_set(e, -EINVAL,
			       "--boot-url: %s: with --proxy its host must be an IPv4 address",
			       c->url);
	if (strlen(c->url) + strlen("/boot/snponly.efi") > FILE_MAX)
		return err_set(e, -EINVAL, "--boot-url: longer than what DHCP has room for");
	if (!c->lease)
		c->lease = "12h";
	return c->netmask ? check_netmask(c, e) : 0;
}

/* ---- the configuration ---- */

static void print_head(const struct boot_config *c, struct buf *out)
{
	static const char *const files[] = {"undionly.kpxe", "snponly.efi", "autoexec.ipxe"};

	buf_puts(
		out,
		"# dnsmasq for HyperMetal hosts, made by `controller boot-config`.\n"
		"#\n"
		"# Check it with dnsmasq --test --conf-file=FILE, or put it into /etc/dnsmasq.d/ and\n"
		"# restart dnsmasq. What it says of each machine goes to its log.\n"
		"#\n"
		"# Files that must lie in the TFTP folder, readable for dnsmasq's user. The boot service\n"
		"# has them; fetch them again after an update of the controller's default image:\n");
	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		buf_printf(out, "#   curl -f -o %s/%s %s/boot/%s\n", c->tftp_root, files[i], c->url,
			   files[i]);
}

static void print_service(const struct boot_config *c, struct buf *out)
{
	buf_printf(out,
		   "\n# Where requests are heard, and nowhere else.\n"
		   "interface=%s\n"
		   "except-interface=lo\n"
		   "bind-interfaces\n"
		   "\n# No DNS. Take this line away where this dnsmasq is a name server, too.\n"
		   "port=0\n"
		   "\n# A line in the log for each step of each machine.\n"
		   "log-dhcp\n"
		   "\n# iPXE, for firmware that boots by PXE. All that follows comes by HTTP.\n"
		   "enable-tftp\n"
		   "tftp-root=%s\n",
		   c->interface, c->tftp_root);
}

static void print_addresses(const struct boot_config *c, struct buf *out)
{
	const char *comma = c->netmask ? "," : "", *mask = c->netmask ? c->netmask : "";

	if (c->proxy) {
		buf_printf(
			out,
			"\n# No addresses: another DHCP server gives these, dnsmasq adds what to boot.\n"
			"dhcp-range=%s,proxy%s%s\n",
			c->proxy, comma, mask);
		return;
	}
	buf_printf(
		out,
		"\n# Addresses. This is the network's only DHCP server, so it may refuse what it does\n"
		"# not know; a host that moved here then gets its address at once.\n"
		"dhcp-range=%s,%s%s%s,%s\n"
		"dhcp-authoritative\n",
		c->first, c->last, comma, mask, c->lease);
	buf_printf(out, "\n# %s\ndhcp-option=option:router%s%s\n",
		   c->router ? "The default gateway." : "No default gateway.", c->router ? "," : "",
		   c->router ? c->router : "");
	buf_printf(out, "\n# %s\ndhcp-option=option:dns-server%s%s\n",
		   c->dns ? "Name servers." : "No name servers.", c->dns ? "," : "",
		   c->dns ? c->dns : "");
}

static void print_ipxe(const struct boot_config *c, struct buf *out)
{
	buf_puts(
		out,
		"\n# iPXE, from a card's ROM or loaded by us, says so: user class (option 77), or options of\n"
		"# its own (175). It gets the boot service's address, and the chain ends. Each line below\n"
		"# that hands out iPXE excludes this tag, or iPXE would be given iPXE for ever.\n"
		"dhcp-userclass=set:ipxe,iPXE\n"
		"dhcp-match=set:ipxe,175\n");
	if (c->proxy)
		buf_printf(out,
			   "# It heeds a proxy's file name only beside a server's address.\n"
			   "dhcp-boot=tag:ipxe,%s/boot/ipxe,,%s\n",
			   c->url, c->server);
	else
		buf_printf(
			out,
			"# So does a host that was booted from a medium: it asks where the service is.\n"
			"dhcp-vendorclass=set:ipxe,hypermetal\n"
			"dhcp-boot=tag:ipxe,%s/boot/ipxe\n",
			c->url);
}

/* The tags of the lines that hand out something exclude each other; the unit test goes through all combinations. */
static void print_firmware(const struct boot_config *c, struct buf *out)
{
	buf_printf(
		out,
		"\n# Firmware of a BIOS machine: architecture (option 93) 0. Some say it in their vendor class\n"
		"# (option 60) only.\n"
		"dhcp-match=set:bios,option:client-arch,0\n"
		"dhcp-vendorclass=set:bios,PXEClient:Arch:00000\n"
		"dhcp-boot=tag:!ipxe,tag:!http,tag:!uefi,tag:bios,undionly.kpxe\n"
		"\n# Firmware of a UEFI machine, x86-64: 7 is what most send, 9 what the standard's text once\n"
		"# said.\n"
		"dhcp-match=set:uefi,option:client-arch,7\n"
		"dhcp-match=set:uefi,option:client-arch,9\n"
		"dhcp-boot=tag:!ipxe,tag:!http,tag:uefi,snponly.efi\n"
		"\n# The same, by HTTP boot, which takes only an answer that says HTTPClient in turn.\n"
		"dhcp-match=set:http,option:client-arch,16\n"
		"dhcp-option-force=tag:http,60,HTTPClient\n"
		"dhcp-boot=tag:!ipxe,tag:http,%s/boot/snponly.efi\n",
		c->url);
}

static void print_firmware_by_proxy(const struct boot_config *c, struct buf *out)
{
	buf_printf(
		out,
		"\n# Firmware, by its architecture (option 93): a BIOS machine's is 0. It\n"
		"# takes the menu's only item by itself, and asks a second time, at port 4011 of this machine.\n"
		"pxe-service=tag:!ipxe,0,\"HyperMetal\",undionly.kpxe\n"
		"\n# A UEFI machine's, x86-64: 7 is what most send, 9 what the standard's text once said. It\n"
		"# asks a second time, too.\n"
		"pxe-service=tag:!ipxe,7,\"HyperMetal\",snponly.efi\n"
		"pxe-service=tag:!ipxe,9,\"HyperMetal\",snponly.efi\n"
		"\n# The same, by HTTP boot, which takes only an answer that says HTTPClient in turn, and asks once.\n"
		"dhcp-pxe-vendor=PXEClient,HTTPClient\n"
		"dhcp-match=set:http,option:client-arch,16\n"
		"dhcp-boot=tag:!ipxe,tag:http,%s/boot/snponly.efi,,%s\n",
		c->url, c->server);
}

int boot_config_print(int argc, char **argv, struct buf *out, struct err *e)
{
	struct boot_config c = {.tftp_root = TFTP_ROOT};
	unsigned int seen = 0;
	int opt, r = 0;

	optind = 0; /* begins anew: tests come here often */
	while (r == 0 && (opt = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		if (opt == OPT_HELP)
			return buf_puts(out, usage);
		if (opt < OPT_COUNT && (seen & 1U << opt))
			return err_set(e, -EINVAL, "--%s is given twice", longs[opt - 1].name);
		seen |= opt < OPT_COUNT ? 1U << opt : 0;
		r = take(&c, opt, optarg, e);
	}
	if (r == 0 && optind < argc)
		r = err_set(e, -EINVAL, "what is %s? try boot-config --help", argv[optind]);
	if (r == 0)
		r = check(&c, e);
	if (r < 0)
		return r;
	print_head(&c, out);
	print_service(&c, out);
	print_addresses(&c, out);
	print_ipxe(&c, out);
	if (c.proxy)
		print_firmware_by_proxy(&c, out);
	else
		print_firmware(&c, out);
	buf_puts(
		out,
		"\n# Other kinds (32-bit UEFI, ARM) get nothing to boot: there is no image for them.\n");
	return 0;
}
