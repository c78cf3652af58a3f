// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/mem.h"
#include "pod/spec.h"

#define META		"\"metadata\":{\"namespace\":\"default\",\"name\":\"web\",\"uid\":\"u-1\"}"
#define POD(spec)	"{" META ",\"spec\":{" spec "}}"
#define CONTAINER(more) POD("\"containers\":[{\"name\":\"c\",\"image\":\"nginx\"" more "}]")

#define PROJECTED(source) \
	POD("\"volumes\":[{\"name\":\"v\",\"projected\":{\"sources\":[" source "]}}]")
#define FROM(from) CONTAINER(",\"env\":[{\"name\":\"A\",\"valueFrom\":{" from "}}]")

static int parse(const char *text, struct pod_spec **spec, struct err *e)
{
	struct json_doc *doc;
	int r;

	assert_int_equal(json_parse(text, strlen(text), &doc, e), 0);
	r = spec_parse(json_root(doc), spec, e);
	json_doc_free(doc); /* the spec must not depend on it */
	return r;
}

/* Names have up to 253 characters, host names in Linux 64. */
static void test_hostname(void **state)
{
	struct pod_spec *s = NULL;
	struct err e = ERR_INIT;
	char text[700], name[80];

	(void)state;
	memset(name, 'n', sizeof(name));
	memcpy(name + 61, "-.nnn", 6);
	snprintf(text, sizeof(text),
		 "{\"metadata\":{\"namespace\":\"default\",\"name\":\"%s\",\"uid\":\"u\"},"
		 "\"spec\":{\"containers\":[{\"name\":\"c\",\"image\":\"i\"}]}}",
		 name);
	assert_int_equal(parse(text, &s, &e), 0);
	name[61] = '\0';
	assert_string_equal(s->hostname, name);
	s = spec_free(s);
	assert_int_equal(parse("{" META ",\"spec\":{\"hostname\":\"a\\nb\","
			       "\"containers\":[{\"name\":\"c\",\"image\":\"i\"}]}}",
			       &s, &e),
			 -EINVAL);
}

static void test_whole(void **state)
{
	static const char text[] =
		"{" META ",\"spec\":{"
		"\"restartPolicy\":\"OnFailure\",\"terminationGracePeriodSeconds\":5,"
		"\"hostNetwork\":false,\"runtimeClassName\":\"hypervm-full\",\"overhead\":{\"memory\":\"32Mi\"},"
		"\"hostAliases\":[{\"ip\":\"10.1.2.3\",\"hostnames\":[\"db\",\"db.local\"]}],"
		"\"dnsPolicy\":\"None\",\"dnsConfig\":{\"nameservers\":[\"10.0.0.1\"],"
		"\"options\":[{\"name\":\"ndots\",\"value\":\"2\"},{\"name\":\"rotate\"}]},"
		"\"securityContext\":{\"runAsUser\":7,\"fsGroup\":9,\"supplementalGroups\":[8]},"
		"\"volumes\":[{\"name\":\"default-token-x\",\"secret\":{\"secretName\":\"s\"}}],"
		"\"initContainers\":[{\"name\":\"i\",\"image\":\"busybox:1\",\"resources\":{\"limits\":"
		"{\"memory\":\"1Gi\"}}}],"
		"\"containers\":[{\"name\":\"a\",\"image\":\"nginx\",\"command\":[\"/bin/$(X)\",\"$$(X)\"],"
		"\"args\":[\"$(NO)\"],\"env\":[{\"name\":\"X\",\"value\":\"sh\"},"
		"{\"name\":\"Y\",\"value\":\"$(X)-$(Z)\"}],\"workingDir\":\"/srv\",\"tty\":true,"
		"\"volumeMounts\":[{\"name\":\"default-token-x\",\"mountPath\":"
		"\"/var/run/secrets/kubernetes.io/serviceaccount\"}],"
		"\"ports\":[{\"containerPort\":80,\"hostPort\":8080},{\"containerPort\":9}],"
		"\"resources\":{\"limits\":{\"cpu\":\"1500m\",\"memory\":\"256Mi\"},"
		"\"requests\":{\"cpu\":1}},"
		"\"securityContext\":{\"runAsUser\":0,\"privileged\":false,\"capabilities\":"
		"{\"add\":[\"NET_ADMIN\"],\"drop\":[\"ALL\"]},\"allowPrivilegeEscalation\":false}},"
		"{\"name\":\"b\",\"image\":\"x@sha256:00\"}],\"someNewField\":{\"a\":1}}}";
	struct pod_spec *s = NULL;
	struct err e = ERR_INIT;
	struct spec_size size;
	const struct spec_container *a;

	(void)state;
	if (parse(text, &s, &e) < 0)
		fail_msg("%s", err_msg(&e));
	assert_string_equal(s->name, "web");
	assert_int_equal(s->class, SPEC_CLASS_FULL);
	assert_int_equal(s->restart, GUEST_RESTART_ON_FAILURE);
	assert_int_equal(s->grace_s, 5);
	assert_int_equal(s->container_count, 3);
	assert_int_equal(s->init_count, 1);
	assert_true(s->containers[0].init);
	a = &s->containers[1];
	assert_string_equal(a->command.at[0], "/bin/$(X)"); /* resolved with the variables, later */
	assert_string_equal(a->args.at[0], "$(NO)");
	assert_string_equal(a->env[1].value, "$(X)-$(Z)");
	assert_string_equal(s->service_account, "default");
	assert_int_equal(a->run_as_user, 0);
	assert_int_equal(a->run_as_group, -1);
	assert_true(a->no_new_privs);
	assert_int_equal(a->caps_add, 1 << 12);
	assert_true(a->caps_drop == UINT64_MAX);
	assert_int_equal(a->pull, SPEC_PULL_ALWAYS);
	assert_int_equal(s->containers[2].pull, SPEC_PULL_IF_NOT_PRESENT);
	assert_int_equal(s->containers[2].run_as_user, 7);
	assert_int_equal(s->port_count, 1);
	assert_int_equal(s->ports[0].host_port, 8080);
	assert_int_equal(s->group_count, 2);
	assert_string_equal(s->hosts.at[0], "10.1.2.3 db db.local");
	assert_string_equal(s->dns_options.at[0], "ndots:2");
	assert_int_equal(s->dns, SPEC_DNS_NONE);
	spec_size(s, 8, &size);
	/* the init container's 1 GiB beats 256 MiB and the default of the other */
	assert_int_equal(size.vm_memory_bytes, (1024 + 32) << 20);
	assert_int_equal(size.vcpus, 3);
	assert_int_equal(size.request_cpu_millis, 1000);
	assert_int_equal(size.request_memory_bytes, (1024 + 32) << 20);
	spec_free(s);
}

static void test_life(void **state)
{
	static const char text[] =
		"{" META
		",\"spec\":{\"shareProcessNamespace\":true,\"hostname\":\"h\",\"subdomain\":\"sub\","
		"\"setHostnameAsFQDN\":true,\"securityContext\":{\"seccompProfile\":{\"type\":\"RuntimeDefault\"}},"
		"\"initContainers\":[{\"name\":\"side\",\"image\":\"i\",\"restartPolicy\":\"Always\","
		"\"resources\":{\"limits\":{\"memory\":\"64Mi\"}},"
		"\"startupProbe\":{\"exec\":{\"command\":[\"test\",\"$(A)$(B)\"]},\"periodSeconds\":2}},"
		"{\"name\":\"once\",\"image\":\"i\",\"resources\":{\"limits\":{\"memory\":\"256Mi\"}}}],"
		"\"containers\":[{\"name\":\"c\",\"image\":\"i\",\"ports\":[{\"name\":\"web\",\"containerPort\":8080}],"
		"\"securityContext\":{\"seccompProfile\":{\"type\":\"Unconfined\"}},"
		"\"terminationMessagePolicy\":\"FallbackToLogsOnError\",\"terminationMessagePath\":\"/tmp/m\","
		"\"readinessProbe\":{\"httpGet\":{\"port\":\"web\",\"path\":\"/up?x\",\"host\":\"localhost\","
		"\"httpHeaders\":[{\"name\":\"X-A\",\"value\":\"b c\"}]},\"successThreshold\":2,\"timeoutSeconds\":0},"
		"\"livenessProbe\":{\"tcpSocket\":{\"port\":9},\"terminationGracePeriodSeconds\":3,"
		"\"initialDelaySeconds\":4,\"failureThreshold\":5},"
		"\"lifecycle\":{\"stopSignal\":\"SIGUSR1\",\"postStart\":{\"exec\":{\"command\":[\"x\"]}},"
		"\"preStop\":{\"sleep\":{\"seconds\":7}}}}]}}";
	const struct guest_probe *ready, *live;
	const struct guest_life *life;
	struct pod_spec *s = NULL;
	struct err e = ERR_INIT;
	struct spec_size size;

	(void)state;
	if (parse(text, &s, &e) < 0)
		fail_msg("%s", err_msg(&e));
	assert_true(s->share_pids);
	assert_string_equal(s->hostname, "h.sub.default.svc.cluster.local");
	assert_true(s->containers[0].sidecar && s->containers[0].default_seccomp);
	assert_true(s->containers[1].init && !s->containers[1].sidecar);
	life = &s->containers[0].life;
	assert_int_equal(life->probes[GUEST_PROBE_STARTUP].action.args.count, 2);
	assert_string_equal(life->probes[GUEST_PROBE_STARTUP].action.args.at[1], "$(A)$(B)");
	assert_int_equal(life->probes[GUEST_PROBE_STARTUP].period_s, 2);
	assert_string_equal(life->termination_path, "/dev/termination-log");
	assert_false(s->containers[2].default_seccomp);
	assert_true(s->containers[2].logs_on_error);
	assert_string_equal(s->containers[2].stop_signal, "SIGUSR1");
	life = &s->containers[2].life;
	ready = &life->probes[GUEST_PROBE_READINESS];
	live = &life->probes[GUEST_PROBE_LIVENESS];
	assert_string_equal(life->termination_path, "/tmp/m");
	assert_int_equal(ready->action.kind, GUEST_ACTION_HTTP);
	assert_int_equal(ready->action.port, 8080);
	assert_int_equal(ready->action.address, 0x7f000001);
	assert_string_equal(ready->action.path, "/up?x");
	assert_string_equal(ready->action.headers.at[0], "X-A: b c");
	assert_int_equal(ready->success_threshold, 2);
	assert_int_equal(ready->timeout_s, 1);
	assert_int_equal(ready->grace_ms, GUEST_GRACE_POD);
	assert_int_equal(live->action.kind, GUEST_ACTION_TCP);
	assert_int_equal(live->grace_ms, 3000);
	assert_int_equal(live->initial_delay_s, 4);
	assert_int_equal(live->failure_threshold, 5);
	assert_int_equal(live->period_s, 10);
	assert_int_equal(life->post_start.kind, GUEST_ACTION_EXEC);
	assert_int_equal(life->pre_stop.sleep_s, 7);
	/* the sidecar runs beside the init container behind it, and beside the main one: 64 + 256 > 64 + 128 */
	spec_size(s, 8, &size);
	assert_int_equal(size.vm_memory_bytes, (320 + 32 + 5) << 20);
	spec_free(s);
}

/* What a container may use is all its own: the guest's kernel takes more of a large VM */
static void test_guest_overhead(void **state)
{
	static const struct {
		const char *more;
		uint64_t vm_mib;
	} cases[] = {
		{"", 128 + 32 + 2},
		{"}],\"runtimeClassName\":\"hypervm-full\",\"x\":[{", 128 + 32 + 2 + 8},
		{",\"resources\":{\"limits\":{\"memory\":\"4Gi\"}}", 4096 + 32 + 64},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char text[512];
		struct pod_spec *s = NULL;
		struct err e = ERR_INIT;
		struct spec_size size;

		snprintf(text, sizeof(text), CONTAINER("%s"), cases[i].more);
		assert_int_equal(parse(text, &s, &e), 0);
		spec_size(s, 8, &size);
		assert_int_equal(size.vm_memory_bytes, cases[i].vm_mib << 20);
		spec_free(s);
	}
}

#define ANNOTATED(map)                                                                               \
	"{\"metadata\":{\"namespace\":\"default\",\"name\":\"n\",\"uid\":\"u\",\"annotations\":" map \
	"},"                                                                                         \
	"\"spec\":{\"containers\":[{\"name\":\"c\",\"image\":\"i\"}]}}"

static void test_limits(void **state)
{
	static const struct {
		const char *text, *why;
		struct spec_limits limits;
	} cases[] = {
		{ANNOTATED("{\"other/disk-iops\":\"x\"}"), NULL, {0}},
		{ANNOTATED(
			 "{\"hypermetal.io/disk-iops\":\"200\",\"hypermetal.io/disk-bandwidth\":\"1Mi\"}"),
		 NULL,
		 {.disk_ops = 200, .disk_bytes = 1 << 20}},
		{ANNOTATED(
			 "{\"kubernetes.io/ingress-bandwidth\":\"8M\",\"kubernetes.io/egress-bandwidth\":\"16k\"}"),
		 NULL,
		 {.net_ingress = 1000000, .net_egress = 2000}},
		{ANNOTATED(
			 "{\"hypermetal.io/net-egress\":\"80M\",\"kubernetes.io/egress-bandwidth\":\"16k\"}"),
		 NULL,
		 {.net_egress = 10000000}},
		{ANNOTATED("{\"hypermetal.io/disk-iops\":\"fast\"}"),
		 "metadata.annotations[hypermetal.io/disk-iops]: not a quantity",
		 {0}},
		{ANNOTATED("{\"hypermetal.io/disk-iops\":5}"),
		 "metadata.annotations[hypermetal.io/disk-iops]: not a quantity",
		 {0}},
		{ANNOTATED("{\"hypermetal.io/disk-iops\":\"0\"}"),
		 "metadata.annotations[hypermetal.io/disk-iops]: less than 1",
		 {0}},
		{ANNOTATED("{\"hypermetal.io/disk-bandwidth\":\"-1Mi\"}"),
		 "metadata.annotations[hypermetal.io/disk-bandwidth]: less than 4096",
		 {0}},
		{ANNOTATED("{\"kubernetes.io/ingress-bandwidth\":\"10\"}"),
		 "metadata.annotations[kubernetes.io/ingress-bandwidth]: less than 1000",
		 {0}},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct pod_spec *s = NULL;
		struct err e = ERR_INIT;
		int r = parse(cases[i].text, &s, &e);

		assert_int_equal(r, cases[i].why ? -ENOTSUP : 0);
		if (cases[i].why)
			assert_string_equal(err_msg(&e), cases[i].why);
		else
			assert_memory_equal(&s->limits, &cases[i].limits, sizeof(s->limits));
		spec_free(s);
	}
}

static void test_refused(void **state)
{
	static const struct {
		const char *text, *why;
		int code;
	} cases[] = {
#define NO ": not supported by HyperMetal"
		{POD("\"hostNetwork\":true"), "spec.hostNetwork" NO, -ENOTSUP},
		{POD("\"hostPID\":true"), "spec.hostPID" NO, -ENOTSUP},
		{POD("\"hostIPC\":true"), "spec.hostIPC" NO, -ENOTSUP},
		{POD("\"volumes\":[{\"name\":\"v\",\"hostPath\":{\"path\":\"/\"}}]"),
		 "spec.volumes[0].hostPath" NO, -ENOTSUP},
		{POD("\"volumes\":[{\"name\":\"v\",\"secret\":{}}],\"containers\":[{\"name\":\"c\","
		     "\"image\":\"i\",\"volumeMounts\":[{\"name\":\"v\",\"mountPath\":\"/etc/x\"}]}]"),
		 "spec.volumes[0].secret.secretName: not a name", -EINVAL},
		{PROJECTED("{\"clusterTrustBundle\":{}}"),
		 "spec.volumes[0].projected.sources[0].clusterTrustBundle" NO, -ENOTSUP},
		{PROJECTED("{\"podCertificate\":{}}"),
		 "spec.volumes[0].projected.sources[0].podCertificate" NO, -ENOTSUP},
		{PROJECTED("{}"), "spec.volumes[0].projected.sources[0]: says nothing", -EINVAL},
		{PROJECTED("{\"configMap\":{\"name\":\"m\"},\"secret\":{\"name\":\"s\"}}"),
		 "spec.volumes[0].projected.sources[0]: both configMap and secret", -EINVAL},
		{PROJECTED(
			 "{\"serviceAccountToken\":{\"path\":\"token\",\"expirationSeconds\":599}}"),
		 "spec.volumes[0].projected.sources[0].serviceAccountToken.expirationSeconds: "
		 "not between 600 and 4294967296",
		 -EINVAL},
		{PROJECTED("{\"serviceAccountToken\":{\"path\":\"../token\"}}"),
		 "spec.volumes[0].projected.sources[0].serviceAccountToken.path: "
		 "not a path inside of the volume",
		 -EINVAL},
		{PROJECTED(
			 "{\"secret\":{\"name\":\"s\",\"items\":[{\"key\":\"k\",\"path\":\"/k\"}]}}"),
		 "spec.volumes[0].projected.sources[0].secret.items[0].path: "
		 "not a path inside of the volume",
		 -EINVAL},
		{PROJECTED("{\"secret\":{\"name\":\"s\",\"items\":[{\"path\":\"k\"}]}}"),
		 "spec.volumes[0].projected.sources[0].secret.items[0].key: none", -EINVAL},
		{POD("\"volumes\":[{\"name\":\"v\",\"configMap\":{\"name\":\"m\",\"defaultMode\":512}}]"),
		 "spec.volumes[0].configMap.defaultMode: not a mode from 0 to 0777", -EINVAL},
		{POD("\"volumes\":[{\"name\":\"v\",\"configMap\":{\"name\":\"m/..\"}}]"),
		 "spec.volumes[0].configMap.name: not a name", -EINVAL},
		{POD("\"volumes\":[{\"name\":\"v\",\"downwardAPI\":{\"items\":[{\"path\":\"p\","
		     "\"resourceFieldRef\":{\"resource\":\"limits.cpu\"}}]}}]"),
		 "spec.volumes[0].downwardAPI.items[0].resourceFieldRef.containerName: none",
		 -EINVAL},
		{POD("\"runtimeClassName\":\"gvisor\""),
		 "spec.runtimeClassName: \"hypervm\" and \"hypervm-full\" run here", -ENOTSUP},
		{POD("\"securityContext\":{\"sysctls\":[{\"name\":\"a\"}]}"),
		 "spec.securityContext.sysctls" NO, -ENOTSUP},
		{POD("\"os\":{\"name\":\"windows\"}"), "spec.os.name" NO, -ENOTSUP},
		{POD("\"restartPolicy\":\"Sometimes\""), "spec.restartPolicy: not a policy",
		 -EINVAL},
		{POD(""), "spec.containers: none", -EINVAL},
		{POD("\"initContainers\":[{\"name\":\"c\",\"image\":\"i\"}]"),
		 "spec.containers: none", -EINVAL},
		{CONTAINER(",\"securityContext\":{\"privileged\":true}"),
		 "spec.containers[0].securityContext.privileged: only with runtimeClassName \"hypervm-full\"",
		 -ENOTSUP},
		{CONTAINER(",\"livenessProbe\":{\"httpGet\":{}}"),
		 "spec.containers[0].livenessProbe.httpGet.port: neither a port nor the name of one",
		 -EINVAL},
		{CONTAINER(",\"livenessProbe\":{\"httpGet\":{\"port\":1,\"scheme\":\"HTTPS\"}}"),
		 "spec.containers[0].livenessProbe.httpGet.scheme: only HTTP is spoken in a guest",
		 -ENOTSUP},
		{CONTAINER(
			 ",\"livenessProbe\":{\"httpGet\":{\"port\":1,\"path\":\"/ HTTP/1.1\\r\\nX:\"}}"),
		 "spec.containers[0].livenessProbe.httpGet.path: not a path", -EINVAL},
		{CONTAINER(",\"livenessProbe\":{\"httpGet\":{\"port\":1,\"httpHeaders\":"
			   "[{\"name\":\"a\",\"value\":\"b\\nc\"}]}}"),
		 "spec.containers[0].livenessProbe.httpGet.httpHeaders[0]: not a header", -EINVAL},
		{CONTAINER(",\"readinessProbe\":{\"tcpSocket\":{\"port\":1,\"host\":\"db\"}}"),
		 "spec.containers[0].readinessProbe.tcpSocket.host: neither an IPv4 address nor localhost",
		 -ENOTSUP},
		{CONTAINER(",\"startupProbe\":{\"grpc\":{\"port\":1}}"),
		 "spec.containers[0].startupProbe.grpc" NO, -ENOTSUP},
		{CONTAINER(
			 ",\"startupProbe\":{\"exec\":{\"command\":[\"a\"]},\"tcpSocket\":{\"port\":1}}"),
		 "spec.containers[0].startupProbe: not exactly one action", -EINVAL},
		{CONTAINER(",\"livenessProbe\":{\"tcpSocket\":{\"port\":1},\"successThreshold\":2}"),
		 "spec.containers[0].livenessProbe.successThreshold: must be 1", -EINVAL},
		{CONTAINER(",\"lifecycle\":{\"preStop\":{}}"),
		 "spec.containers[0].lifecycle.preStop: not exactly one action", -EINVAL},
		{CONTAINER(",\"lifecycle\":{\"preStop\":{\"tcpSocket\":{\"port\":1}}}"),
		 "spec.containers[0].lifecycle.preStop.tcpSocket" NO, -ENOTSUP},
		{CONTAINER(",\"restartPolicy\":\"Always\""), "spec.containers[0].restartPolicy" NO,
		 -ENOTSUP},
		{CONTAINER(",\"terminationMessagePath\":\"log\""),
		 "spec.containers[0].terminationMessagePath: not an absolute path", -EINVAL},
		{CONTAINER(",\"securityContext\":{\"seccompProfile\":{\"type\":\"Localhost\"}}"),
		 "spec.containers[0].securityContext.seccompProfile.localhostProfile" NO, -ENOTSUP},
		{POD("\"initContainers\":[{\"name\":\"c\",\"image\":\"i\",\"lifecycle\":{\"stopSignal\":\"SIGHUP\"}}]"),
		 "spec.initContainers[0].lifecycle" NO, -ENOTSUP},
		{CONTAINER(",\"env\":[{\"name\":\"A\"},{\"name\":\"B\",\"valueFrom\":{}}]"),
		 "spec.containers[0].env[1].valueFrom: none", -EINVAL},
		{FROM("\"fileKeyRef\":{\"key\":\"k\"}"),
		 "spec.containers[0].env[0].valueFrom.fileKeyRef" NO, -ENOTSUP},
		{FROM("\"fieldRef\":{\"fieldPath\":\"spec.volumes\"}"),
		 "spec.containers[0].env[0].valueFrom.fieldRef.fieldPath: no such field", -ENOTSUP},
		{FROM("\"fieldRef\":{\"fieldPath\":\"metadata.labels\"}"),
		 "spec.containers[0].env[0].valueFrom.fieldRef.fieldPath: no such field", -ENOTSUP},
		{FROM("\"fieldRef\":{\"fieldPath\":\"metadata.labels['']\"}"),
		 "spec.containers[0].env[0].valueFrom.fieldRef.fieldPath: no such field", -ENOTSUP},
		{FROM("\"resourceFieldRef\":{\"resource\":\"limits.gpu\"}"),
		 "spec.containers[0].env[0].valueFrom.resourceFieldRef.resource: no such resource",
		 -ENOTSUP},
		{FROM("\"resourceFieldRef\":{\"resource\":\"limits.cpu\",\"divisor\":\"x\"}"),
		 "spec.containers[0].env[0].valueFrom.resourceFieldRef.divisor: not a quantity",
		 -EINVAL},
		{FROM("\"secretKeyRef\":{\"name\":\"../x\",\"key\":\"k\"}"),
		 "spec.containers[0].env[0].valueFrom.secretKeyRef.name: not a name", -EINVAL},
		{FROM("\"configMapKeyRef\":{\"name\":\"x\"}"),
		 "spec.containers[0].env[0].valueFrom.configMapKeyRef.key: none", -EINVAL},
		{FROM("\"configMapKeyRef\":{\"name\":\"x\",\"key\":\"k\"},\"fieldRef\":{}"),
		 "spec.containers[0].env[0].valueFrom: both configMapKeyRef and fieldRef", -EINVAL},
		{CONTAINER(",\"envFrom\":[{\"prefix\":\"A\"}]"),
		 "spec.containers[0].envFrom[0]: needs either configMapRef or secretRef", -EINVAL},
		{CONTAINER(",\"envFrom\":[{\"secretRef\":{\"name\":\"a/b\"}}]"),
		 "spec.containers[0].envFrom[0].secretRef.name: not a name", -EINVAL},
		{POD("\"serviceAccountName\":\"a/../b\""), "spec.serviceAccountName: not a name",
		 -EINVAL},
		{CONTAINER(",\"resources\":{\"limits\":{\"nvidia.com/gpu\":1}}"),
		 "spec.containers[0].resources.limits.nvidia.com/gpu" NO, -ENOTSUP},
		{CONTAINER(",\"resources\":{\"limits\":{\"memory\":\"lots\"}}"),
		 "spec.containers[0].resources.limits.memory: not a quantity", -EINVAL},
		{CONTAINER(",\"resources\":{\"limits\":{\"memory\":\"-1\"}}"),
		 "spec.containers[0].resources.limits.memory: not a quantity", -EINVAL},
		{CONTAINER(",\"ports\":[{\"containerPort\":0}]"),
		 "spec.containers[0].ports[0]: not a port", -EINVAL},
		{CONTAINER(",\"command\":[1]"), "spec.containers[0].command[0]: not a string",
		 -EINVAL},
		{CONTAINER(",\"securityContext\":{\"capabilities\":{\"add\":[\"FLY\"]}}"),
		 "spec.containers[0].securityContext.capabilities.add: no such capability",
		 -EINVAL},
		{POD("\"containers\":[{\"name\":\"../x\",\"image\":\"i\"}]"),
		 "spec.containers[0].name: not a name", -EINVAL},
		{POD("\"containers\":[{\"name\":\"c\",\"image\":\"i\"},{\"name\":\"c\",\"image\":\"i\"}]"),
		 "spec.containers[1].name: used twice", -EINVAL},
		{"{\"metadata\":{\"namespace\":\"d\",\"name\":\"w\",\"uid\":\"../../etc\"}}",
		 "metadata.uid: not a uid", -EINVAL},
		{"{\"metadata\":{\"namespace\":\"d\",\"name\":\"w?x=1\",\"uid\":\"u\"}}",
		 "metadata.name: not a name", -EINVAL},
		{"[]", "metadata.namespace: not a name", -EINVAL},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct pod_spec *s = NULL;
		struct err e = ERR_INIT;

		assert_int_equal(parse(cases[i].text, &s, &e), cases[i].code);
		assert_string_equal(err_msg(&e), cases[i].why);
	}
}

static void test_too_many(void **state)
{
	struct buf b = BUF_INIT(0);
	struct pod_spec *s = NULL;
	struct err e = ERR_INIT;

	(void)state;
	buf_puts(&b, "{" META ",\"spec\":{\"containers\":[");
	for (int i = 0; i < 17; i++)
		buf_printf(&b, "%s{\"name\":\"c%d\",\"image\":\"i\"}", i ? "," : "", i);
	buf_puts(&b, "]}}");
	assert_int_equal(parse(b.data, &s, &e), -ENOTSUP);
	assert_non_null(strstr(err_msg(&e), "more than 16 containers"));
	buf_done(&b);
}

static void test_meta(void **state)
{
	static const char text[] =
		"{\"metadata\":{\"namespace\":\"d\",\"name\":\"w\",\"uid\":\"u\","
		"\"deletionTimestamp\":\"2026-01-02T03:04:05Z\","
		"\"deletionGracePeriodSeconds\":7},\"status\":{\"phase\":\"Failed\"}}";
	struct json_doc *doc;
	struct spec_meta m;
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(json_parse(text, strlen(text), &doc, &e), 0);
	assert_int_equal(spec_meta(json_root(doc), &m, &e), 0);
	assert_true(m.deleting && m.terminal);
	assert_int_equal(m.delete_grace_s, 7);
	assert_true(m.delete_by_ns == 1767323045ULL * 1000000000);
	json_doc_free(doc);
}

static void test_capabilities(void **state)
{
	(void)state;
	assert_int_equal(spec_capability("CHOWN"), 0);
	assert_int_equal(spec_capability("cap_net_admin"), 12);
	assert_int_equal(spec_capability("CHECKPOINT_RESTORE"), 40);
	assert_int_equal(spec_capability("ALL"), -2);
	assert_int_equal(spec_capability(""), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hostname),       cmocka_unit_test(test_whole),
		cmocka_unit_test(test_refused),	       cmocka_unit_test(test_too_many),
		cmocka_unit_test(test_meta),	       cmocka_unit_test(test_capabilities),
		cmocka_unit_test(test_guest_overhead), cmocka_unit_test(test_life),
		cmocka_unit_test(test_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
