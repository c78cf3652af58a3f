// SPDX-License-Identifier: Apache-2.0
/* The machine's parts out of a sysfs made by hand. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"
#include "inventory/gather.h"
#include "inventory/lldp.h"

#define NIC  "devices/pci0000:00/0000:00:1c.0/0000:01:00.0/net/eth0"
#define NVME "devices/pci0000:00/0000:00:1d.0/10000:02:00.0/nvme/nvme0"
#define SATA "devices/pci0000:00/0000:00:1f.2/ata1/host0/target0:0:0/0:0:0:0"
#define CPU  "devices/system/cpu/cpu"

static char dir[64];
static struct gather g;

static void parents(const char *path)
{
	char folder[512];
	char *slash;

	snprintf(folder, sizeof(folder), "%s/%s", dir, path);
	slash = strrchr(folder, '/');
	*slash = '\0';
	assert_int_equal(file_mkdirs(folder, 0755), 0);
}

static void put_bytes(const char *path, const void *data, size_t len)
{
	char whole[512];
	int fd;

	parents(path);
	snprintf(whole, sizeof(whole), "%s/%s", dir, path);
	fd = open(whole, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	assert_true(fd >= 0);
	assert_int_equal(fd_write_full(fd, data, len), 0);
	close(fd);
}

static void put(const char *path, const char *text)
{
	put_bytes(path, text, strlen(text));
}

static void put_link(const char *path, const char *to)
{
	char whole[512], target[512];

	parents(path);
	snprintf(whole, sizeof(whole), "%s/%s", dir, path);
	snprintf(target, sizeof(target), "%s/%s", dir, to);
	assert_int_equal(symlink(target, whole), 0);
}

static int set_up(void **state)
{
	(void)state;
	snprintf(dir, sizeof(dir), "/tmp/test-gather-XXXXXX");
	assert_non_null(mkdtemp(dir));
	g = (struct gather){.doc = json_doc_new(), .boot_mac = ""};
	g.root = json_new_obj(g.doc);
	g.sys = g.proc = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	g.lldp = -1;
	return g.sys < 0;
}

static int tear_down(void **state)
{
	(void)state;
	close(g.sys);
	g.doc = json_doc_free(g.doc);
	return file_remove_tree(AT_FDCWD, dir);
}

static void is(const char *key, const char *want)
{
	struct buf b = BUF_INIT(0);

	if (json_get(g.root, key))
		assert_int_equal(json_write(json_get(g.root, key), &b), 0);
	assert_string_equal(buf_str(&b), want);
	buf_done(&b);
}

static void test_nothing(void **state)
{
	(void)state;
	gather_cpu(&g);
	gather_memory(&g);
	gather_nics(&g);
	gather_pci(&g);
	gather_bmc(&g);
	gather_tpm(&g);
	gather_boot(&g);
	gather_disks(&g, NULL);
	is("cpu", "{\"virtualization\":\"none\"}");
	is("nics", "[]");
	is("disks", "[]");
	is("bmc", "{\"present\":false}");
	is("tpm", "{\"present\":false}");
	is("boot", "{\"firmware\":\"BIOS\"}");
}

static void cpu(int n, const char *core, const char *package)
{
	char path[128];

	snprintf(path, sizeof(path), CPU "%d/topology/core_cpus_list", n);
	put(path, core);
	snprintf(path, sizeof(path), CPU "%d/topology/package_cpus_list", n);
	put(path, package);
}

/* Two sockets with two cores each, of two threads; one thread is switched off */
static void test_cpu(void **state)
{
	(void)state;
	put("cpuinfo", "processor\t: 0\nvendor_id\t: GenuineIntel\nmodel name\t: Xeon (R)  9\n"
		       "microcode\t: 0x2b\nflags\t\t: fpu svmx vmx hypervisorx\n\n"
		       "processor\t: 1\nflags\t\t: svm\n\n");
	cpu(0, "0,4\n", "0-1,4-5\n");
	cpu(1, "1,5\n", "0-1,4-5\n");
	cpu(2, "2,6\n", "2-3,6\n");
	cpu(3, "3\n", "2-3,6\n");
	cpu(4, "0,4\n", "0-1,4-5\n");
	cpu(5, "1,5\n", "0-1,4-5\n");
	cpu(6, "2,6\n", "2-3,6\n");
	put(CPU "7/online", "0\n");
	put("devices/system/cpu/cpufreq/x", "");
	put(CPU "0/cpufreq/cpuinfo_max_freq", "3500000\n");
	gather_cpu(&g);
	is("cpu",
	   "{\"model\":\"Xeon (R)  9\",\"vendor\":\"GenuineIntel\",\"microcode\":\"0x2b\","
	   "\"sockets\":2,\"cores\":4,\"threads\":7,\"maxMHz\":3500,\"virtualization\":\"vmx\"}");
}

static void test_memory(void **state)
{
	(void)state;
	put("meminfo", "MemTotal:       16384 kB\nMemFree: 1 kB\n");
	put("devices/system/node/node0/cpulist", "0-1\n");
	put("devices/system/node/node0/meminfo", "Node 0 MemTotal:  8192 kB\n");
	put("devices/system/node/node0/distance", "10 21\n");
	put("devices/system/node/node1/cpulist", "\n");
	put("devices/system/node/possible", "0-1\n");
	gather_memory(&g);
	is("memory", "{\"totalBytes\":16777216}");
	is("numa", "[{\"node\":0,\"cpus\":\"0-1\",\"memoryBytes\":8388608,\"distances\":[10,21]},"
		   "{\"node\":1,\"distances\":[]}]");
}

static void test_nic(void **state)
{
	(void)state;
	put(NIC "/address", "52:54:00:AA:bb:01\n");
	put(NIC "/carrier", "1\n");
	put(NIC "/speed", "25000\n");
	put(NIC "/duplex", "full\n");
	put("devices/pci0000:00/0000:00:1c.0/0000:01:00.0/numa_node", "1\n");
	put_link(NIC "/device", "devices/pci0000:00/0000:00:1c.0/0000:01:00.0");
	put("bus/pci/drivers/i40e/bind", "");
	put_link("devices/pci0000:00/0000:00:1c.0/0000:01:00.0/driver", "bus/pci/drivers/i40e");
	put_link("class/net/eth0x", NIC);
	put("devices/virtual/net/tap0/address", "02:00:00:00:00:01\n");
	put_link("class/net/tap0", "devices/virtual/net/tap0");
	g.boot_mac = "52:54:00:aa:bb:01";
	gather_nics(&g);
	gather_boot(&g);
	is("nics", "[{\"name\":\"eth0x\",\"mac\":\"52:54:00:AA:bb:01\",\"pci\":\"0000:01:00.0\","
		   "\"driver\":\"i40e\",\"link\":true,\"speedMbps\":25000,\"duplex\":\"full\","
		   "\"numa\":1,\"boot\":true}]");
	is("boot", "{\"firmware\":\"BIOS\",\"mac\":\"52:54:00:aa:bb:01\",\"nic\":\"eth0x\"}");
}

static void sata(void)
{
	put(SATA "/vendor", "ATA     \n");
	put(SATA "/model", "Disk\x01 9    \n");
	put(SATA "/rev", "F1\n");
	put_bytes(SATA "/vpd_pg80", "\0\x80\0\x06  SN-1TOO MUCH", 18);
	put(SATA "/block/sda/size", "2048\n");
	put(SATA "/block/sda/queue/rotational", "1\n");
	put(SATA "/block/sda/queue/logical_block_size", "512\n");
	put(SATA "/block/sda/queue/physical_block_size", "4096\n");
	put_link(SATA "/block/sda/device", SATA);
	put_link("block/sda", SATA "/block/sda");
}

static void test_disks(void **state)
{
	(void)state;
	sata();
	put(NVME "/model", "Fast\n");
	put(NVME "/serial", " N-1 \n");
	put(NVME "/firmware_rev", "1.0\n");
	put(NVME "/nvme0n1/size", "junk\n");
	put(NVME "/nvme0n1/wwid", "eui.00\n");
	put_link(NVME "/nvme0n1/device", NVME);
	put_link("block/nvme0n1", NVME "/nvme0n1");
	put(NVME "/nvme0c0n1/hidden", "1\n");
	put_link(NVME "/nvme0c0n1/device", NVME);
	put_link("block/nvme0c0n1", NVME "/nvme0c0n1");
	put("devices/virtual/block/loop0/size", "99\n");
	put_link("block/loop0", "devices/virtual/block/loop0");
	gather_disks(&g, NULL);
	is("disks",
	   "[{\"name\":\"nvme0n1\",\"model\":\"Fast\",\"serial\":\"N-1\",\"firmware\":\"1.0\","
	   "\"wwid\":\"eui.00\",\"rotational\":false,\"transport\":\"nvme\","
	   "\"pci\":\"10000:02:00.0\"},"
	   "{\"name\":\"sda\",\"model\":\"Disk? 9\",\"serial\":\"SN-1\",\"firmware\":\"F1\","
	   "\"sizeBytes\":1048576,\"sectorBytes\":512,\"physicalSectorBytes\":4096,"
	   "\"rotational\":true,\"transport\":\"sata\",\"pci\":\"0000:00:1f.2\"}]");
}

static void pci(const char *address, const char *class, const char *driver)
{
	char path[256], to[256];

	snprintf(path, sizeof(path), "bus/pci/devices/%s/class", address);
	put(path, class);
	snprintf(path, sizeof(path), "bus/pci/devices/%s/vendor", address);
	put(path, "0x8086\n");
	snprintf(path, sizeof(path), "bus/pci/devices/%s/device", address);
	put(path, "0x10d3\n");
	if (!driver)
		return;
	snprintf(path, sizeof(path), "bus/pci/devices/%s/driver", address);
	snprintf(to, sizeof(to), "bus/pci/drivers/%s", driver);
	put_link(path, to);
}

static void test_pci(void **state)
{
	(void)state;
	pci("0000:00:1f.0", "0x060100\n", NULL);
	pci("0000:00:10.0", "0x020000\n", NULL);
	pci("0000:00:02.0", "0x010802\n", "nvme");
	gather_pci(&g);
	is("noDriver", "[\"0000:00:10.0\"]");
	is("pci",
	   "[{\"address\":\"0000:00:02.0\",\"class\":\"010802\",\"id\":\"8086:10d3\",\"driver\":\"nvme\"},"
	   "{\"address\":\"0000:00:10.0\",\"class\":\"020000\",\"id\":\"8086:10d3\",\"driver\":null},"
	   "{\"address\":\"0000:00:1f.0\",\"class\":\"060100\",\"id\":\"8086:10d3\",\"driver\":null}]");
}

static void test_platform(void **state)
{
	char page[0x1ed] = {0};

	(void)state;
	page[0x1ec] = 3;
	put_bytes("kernel/boot_params/data", page, sizeof(page));
	put("firmware/efi/x", "");
	put("class/tpm/tpm0/tpm_version_major", "2\n");
	put("bus/platform/devices/ipmi_bmc.0/ipmi_version", "2.0\n");
	put("bus/platform/devices/ipmi_bmc.0/firmware_revision", "1.74\n");
	gather_boot(&g);
	gather_tpm(&g);
	gather_bmc(&g);
	is("boot", "{\"firmware\":\"UEFI\",\"secureBoot\":\"enabled\"}");
	is("tpm", "{\"present\":true,\"version\":\"2.0\"}");
	is("bmc", "{\"present\":true,\"answers\":true,\"firmware\":\"1.74\",\"ipmi\":\"2.0\"}");
}

static void test_tpm_without_driver(void **state)
{
	(void)state;
	put("bus/acpi/devices/MSFT0101:00/hid", "MSFT0101\n");
	json_put_bool(g.doc, json_obj_of(g.doc, g.root, "bmc"), "present", true);
	gather_tpm(&g);
	gather_bmc(&g);
	is("tpm", "{\"present\":true}");
	is("bmc", "{\"present\":true,\"answers\":false}");
}

/* ---- LLDP ---- */

#define HEAD	"\x01\x80\xc2\x00\x00\x0e\x52\x54\x00\x00\x00\x01\x88\xcc"
#define CHASSIS "\x02\x07\x04\x52\x54\x00\x00\x00\x01"
#define PORT           \
	"\x04\x04\x05" \
	"1/7"
#define TTL "\x06\x02\x00\x78"
#define NAMES      \
	"\x08\x03" \
	"up1"      \
	"\x0a\x06" \
	"leaf-7"   \
	"\x0c\x05" \
	"a\nb\xff "
#define ADDRESS "\x10\x0c\x05\x01\xc0\x00\x02\x01\x02\x00\x00\x00\x01\x00"
#define VLAN	"\xfe\x06\x00\x80\xc2\x01\x00\x64"
#define REST	NAMES "\x0e\x04\x00\x14\x00\x04" ADDRESS VLAN

static const char whole[] = HEAD CHASSIS PORT TTL REST "\x00\x00";

static int parse(const char *text, size_t size, struct lldp *l)
{
	return lldp_parse((const uint8_t *)text, size - 1, l);
}

#define PARSE(text, l) parse(text, sizeof(text), l)

static void test_lldp(void **state)
{
	struct lldp l;

	(void)state;
	assert_int_equal(PARSE(whole, &l), 0);
	assert_string_equal(l.chassis, "52:54:00:00:00:01");
	assert_string_equal(l.port, "1/7");
	assert_string_equal(l.port_description, "up1");
	assert_string_equal(l.system, "leaf-7");
	assert_string_equal(l.description, "a?b?");
	assert_string_equal(l.address, "192.0.2.1");
	assert_int_equal(l.ttl_s, 120);
	assert_int_equal(l.vlan, 100);
	assert_int_equal(PARSE(HEAD CHASSIS PORT TTL, &l), 0);
	assert_int_equal(l.vlan, -1);
	assert_int_equal(PARSE(HEAD CHASSIS TTL PORT, &l), -EBADMSG);
	assert_int_equal(PARSE(HEAD CHASSIS PORT, &l), -EBADMSG);
	assert_int_equal(PARSE(HEAD CHASSIS PORT "\x00\x00", &l), -EBADMSG);
	assert_int_equal(PARSE(HEAD CHASSIS PORT TTL "\x0b\xff", &l), -EBADMSG);
	assert_int_equal(PARSE("", &l), -EBADMSG);
	for (size_t len = 0; len < sizeof(whole); len++) {
		char *copy = malloc(len + 1);

		assert_non_null(copy);
		memcpy(copy, whole, len);
		(void)parse(copy, len + 1, &l);
		free(copy);
	}
}

static void test_neighbour(void **state)
{
	const struct timespec long_ago[2] = {{.tv_sec = 1000000000}, {.tv_sec = 1000000000}};

	(void)state;
	put(NIC "/carrier", "1\n");
	put_link(NIC "/device", "devices/pci0000:00/0000:00:1c.0/0000:01:00.0");
	put_link("class/net/eth0x", NIC);
	put_bytes("lldp/eth0x", whole, sizeof(whole) - 1);
	g.lldp = openat(g.sys, "lldp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	gather_nics(&g);
	is("nics", "[{\"name\":\"eth0x\",\"pci\":\"0000:01:00.0\",\"link\":true,\"lldp\":{"
		   "\"system\":\"leaf-7\",\"port\":\"1/7\",\"portDescription\":\"up1\","
		   "\"chassis\":\"52:54:00:00:00:01\",\"address\":\"192.0.2.1\","
		   "\"description\":\"a?b?\",\"vlan\":100}}]");
	json_remove(g.root, "nics");
	assert_int_equal(utimensat(g.lldp, "eth0x", long_ago, 0), 0);
	gather_nics(&g);
	is("nics", "[{\"name\":\"eth0x\",\"pci\":\"0000:01:00.0\",\"link\":true}]");
	close(g.lldp);
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_nothing), T(test_cpu),	    T(test_memory),   T(test_nic),
		T(test_disks),	 T(test_pci),	    T(test_platform), T(test_tpm_without_driver),
		T(test_lldp),	 T(test_neighbour),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
