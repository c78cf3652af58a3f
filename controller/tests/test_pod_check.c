// SPDX-License-Identifier: Apache-2.0
/* Defaults and checks of pods, with the places and words of the real server. */
#include <stdio.h>
#include <stdlib.h>

#include "api_world.h"
#include "base/mem.h"

/* A pod's spec from what its container and it itself have besides. Return: the status */
static int create(struct world *w, const char *name, const char *container, const char *spec)
{
	_cleanup_free_ char *body = mem_printf(
		"{\"metadata\":{\"name\":\"%s\"},\"spec\":{\"containers\":[{\"name\":\"c\","
		"\"image\":\"i\"%s%s}]%s%s}}",
		name, *container ? "," : "", container, *spec ? "," : "", spec);

	return ask(w, "POST", PODS, "fieldValidation=Strict", body);
}

#define VOLUME(v) "\"volumes\":[{\"name\":\"v\"," v "}]"

static const struct wrong {
	const char *container, *spec, *words;
} wrongs[] = {
	/* environments */
	{"\"env\":[{\"name\":\"A\",\"valueFrom\":{}}]", "",
	 "spec.containers[0].env[0].valueFrom: Invalid value: \"\": must specify one of: "
	 "`fieldRef`, `resourceFieldRef`, `configMapKeyRef` or `secretKeyRef`"},
	{"\"env\":[{\"name\":\"A\",\"value\":\"b\",\"valueFrom\":{\"fieldRef\":{\"fieldPath\":"
	 "\"metadata.name\"}}}]",
	 "",
	 "env[0].valueFrom: Invalid value: \"\": may not be specified when `value` is not empty"},
	{"\"env\":[{\"name\":\"A\",\"valueFrom\":{\"fieldRef\":{\"fieldPath\":\"metadata.labels\"}}}]",
	 "",
	 "env[0].valueFrom.fieldRef.fieldPath: Unsupported value: \"metadata.labels\": supported "
	 "values: \"metadata.name\","},
	{"\"env\":[{\"name\":\"A\",\"valueFrom\":{\"fieldRef\":{\"fieldPath\":\"metadata.name['a']\"}}}]",
	 "", "fieldRef: Invalid value: \"metadata.name['a']\": does not support subscript"},
	{"\"env\":[{\"name\":\"A\",\"valueFrom\":{\"fieldRef\":{\"fieldPath\":\"metadata.labels['/']\"}}}]",
	 "", "fieldRef: Invalid value: \"/\": name part must"},
	{"\"env\":[{\"name\":\"A\",\"valueFrom\":{\"resourceFieldRef\":{\"resource\":\"limits.gpu\"}}}]",
	 "", "resourceFieldRef.resource: Unsupported value: \"limits.gpu\""},
	{"\"env\":[{\"name\":\"A\",\"valueFrom\":{\"resourceFieldRef\":{\"resource\":\"limits.cpu\","
	 "\"divisor\":\"2\"}}}]",
	 "", "divisor: Invalid value: cpu: only divisor's values 1m and 1 are supported"},
	{"\"env\":[{\"name\":\"A\",\"valueFrom\":{\"secretKeyRef\":{\"key\":\"k\"}}}]", "",
	 "spec.containers[0].env[0].valueFrom.secretKeyRef.name: Required value"},
	{"\"env\":[{\"name\":\"A\",\"valueFrom\":{\"configMapKeyRef\":{\"name\":\"m\",\"key\":"
	 "\"a/b\"}}}]",
	 "", "configMapKeyRef.key: Invalid value: \"a/b\": a valid config key must"},
	{"\"envFrom\":[{\"configMapRef\":{\"name\":\"a\"},\"secretRef\":{\"name\":\"b\"}}]", "",
	 "spec.containers[0].envFrom: Invalid value: \"\": may not have more than one field"},
	{"\"envFrom\":[{\"prefix\":\"A=\",\"secretRef\":{}}]", "",
	 "spec.containers[0].envFrom[0].secretRef.name: Required value"},
	/* volumes and mounts */
	{"", VOLUME("\"emptyDir\":{},\"secret\":{\"secretName\":\"s\"}"),
	 "spec.volumes[0].secret: Forbidden: may not specify more than 1 volume type"},
	{"", VOLUME("\"emptyDir\":{\"sizeLimit\":\"-1\"}"),
	 "spec.volumes[0].emptyDir.sizeLimit: Forbidden: SizeLimit field must be"},
	{"", VOLUME("\"secret\":{}"), "spec.volumes[0].secret.secretName: Required value"},
	{"", VOLUME("\"configMap\":{}"), "spec.volumes[0].configMap.name: Required value"},
	{"", VOLUME("\"configMap\":{\"name\":\"m\",\"defaultMode\":512}"),
	 "spec.volumes[0].configMap.defaultMode: Invalid value: 512: must be a number between 0 and "
	 "0777 (octal), both inclusive"},
	{"",
	 VOLUME("\"secret\":{\"secretName\":\"s\",\"items\":[{\"key\":\"k\",\"path\":\"/a\"}]}"),
	 "spec.volumes[0].secret.items[0].path: Invalid value: \"/a\": must be a relative path"},
	{"",
	 VOLUME("\"secret\":{\"secretName\":\"s\",\"items\":[{\"key\":\"k\",\"path\":\"a/../b\"}]}"),
	 "items[0].path: Invalid value: \"a/../b\": must not contain '..'"},
	{"",
	 VOLUME("\"secret\":{\"secretName\":\"s\",\"items\":[{\"key\":\"k\",\"path\":\"..a\"}]}"),
	 "items[0].path: Invalid value: \"..a\": must not start with '..'"},
	{"", VOLUME("\"downwardAPI\":{\"items\":[{\"path\":\"a\"}]}"),
	 "spec.volumes[0].downwardAPI.items[0]: Required value: one of fieldRef and "
	 "resourceFieldRef is required"},
	{"",
	 VOLUME("\"downwardAPI\":{\"items\":[{\"path\":\"a\",\"fieldRef\":{\"fieldPath\":"
		"\"status.podIP\"}}]}"),
	 "items[0].fieldRef.fieldPath: Unsupported value: \"status.podIP\""},
	{"",
	 VOLUME("\"downwardAPI\":{\"items\":[{\"path\":\"a\",\"resourceFieldRef\":{\"resource\":"
		"\"limits.cpu\"}}]}"),
	 "items[0].resourceFieldRef.containerName: Required value"},
	{"",
	 VOLUME("\"projected\":{\"sources\":[{\"serviceAccountToken\":{\"path\":\"t\","
		"\"expirationSeconds\":1}}]}"),
	 "spec.volumes[0].projected.sources[0].serviceAccountToken.expirationSeconds: Invalid "
	 "value: 1: may not specify a duration less than 10 minutes"},
	{"", VOLUME("\"projected\":{\"sources\":[{\"secret\":{}}]}"),
	 "spec.volumes[0].projected.sources[0].secret.name: Required value"},
	{"\"volumeMounts\":[{\"name\":\"w\",\"mountPath\":\"/a\"}]", VOLUME("\"emptyDir\":{}"),
	 "spec.containers[0].volumeMounts[0].name: Not found: \"w\""},
	{"\"volumeMounts\":[{\"name\":\"v\",\"mountPath\":\"/a\"},{\"name\":\"v\",\"mountPath\":\"/a\"}]",
	 VOLUME("\"emptyDir\":{}"),
	 "volumeMounts[1].mountPath: Invalid value: \"/a\": must be unique"},
	{"\"volumeMounts\":[{\"name\":\"v\",\"mountPath\":\"/a\",\"subPath\":\"../etc\"}]",
	 VOLUME("\"emptyDir\":{}"), "subPath: Invalid value: \"../etc\": must not contain '..'"},
	{"\"volumeMounts\":[{\"name\":\"v\",\"mountPath\":\"/a\",\"mountPropagation\":\"Bidirectional\"}]",
	 VOLUME("\"emptyDir\":{}"), "mountPropagation: Forbidden: Bidirectional mount propagation"},
	/* probes and hooks */
	{"\"livenessProbe\":{}", "",
	 "spec.containers[0].livenessProbe: Required value: must specify a handler type"},
	{"\"livenessProbe\":{\"exec\":{\"command\":[\"a\"]},\"tcpSocket\":{\"port\":1}}", "",
	 "spec.containers[0].livenessProbe.tcpSocket: Forbidden: may not specify more than 1 handler "
	 "type"},
	{"\"livenessProbe\":{\"exec\":{}}", "",
	 "spec.containers[0].livenessProbe.exec.command: Required value"},
	{"\"readinessProbe\":{\"httpGet\":{\"port\":70000}}", "",
	 "spec.containers[0].readinessProbe.httpGet.port: Invalid value: 70000: must be between 1 "
	 "and 65535, inclusive"},
	{"\"readinessProbe\":{\"httpGet\":{\"port\":\"a-very-long-port-name\"}}", "",
	 "port: Invalid value: \"a-very-long-port-name\": must be no more than 15 characters"},
	{"\"readinessProbe\":{\"httpGet\":{\"port\":1,\"scheme\":\"FTP\"}}", "",
	 "httpGet.scheme: Unsupported value: \"FTP\": supported values: \"HTTP\", \"HTTPS\""},
	{"\"livenessProbe\":{\"tcpSocket\":{\"port\":1},\"successThreshold\":2}", "",
	 "livenessProbe.successThreshold: Invalid value: 2: must be 1"},
	{"\"startupProbe\":{\"tcpSocket\":{\"port\":1},\"periodSeconds\":-1}", "",
	 "startupProbe.periodSeconds: Invalid value: -1: must be greater than or equal to 0"},
	{"\"readinessProbe\":{\"tcpSocket\":{\"port\":1},\"terminationGracePeriodSeconds\":5}", "",
	 "readinessProbe.terminationGracePeriodSeconds: Invalid value: 5: must not be set for "
	 "readinessProbes"},
	{"\"lifecycle\":{\"preStop\":{}}", "",
	 "spec.containers[0].lifecycle.preStop: Required value: must specify a handler type"},
	{"\"lifecycle\":{\"preStop\":{\"sleep\":{\"seconds\":99}}}", "",
	 "lifecycle.preStop.sleep: Invalid value: 99: must be non-negative and less than "
	 "terminationGracePeriodSeconds (30)"},
	{"\"restartPolicy\":\"Always\"", "",
	 "spec.containers[0].restartPolicy: Forbidden: may not be set for non-init containers"},
	{"",
	 "\"initContainers\":[{\"name\":\"i\",\"image\":\"i\",\"livenessProbe\":{\"tcpSocket\":"
	 "{\"port\":1}}}]",
	 "spec.initContainers[0].livenessProbe: Forbidden: may not be set for init containers without "
	 "restartPolicy=Always"},
	{"", "\"initContainers\":[{\"name\":\"i\",\"image\":\"i\",\"restartPolicy\":\"Never\"}]",
	 "spec.initContainers[0].restartPolicy: Unsupported value: \"Never\": supported values: "
	 "\"Always\""},
	/* users and profiles */
	{"\"securityContext\":{\"runAsUser\":-1}", "",
	 "spec.containers[0].securityContext.runAsUser: Invalid value: -1: must be between 0 and "
	 "2147483647, inclusive"},
	{"\"securityContext\":{\"seccompProfile\":{\"type\":\"Localhost\"}}", "",
	 "seccompProfile.localhostProfile: Required value: must be set when seccomp type is "
	 "Localhost"},
	{"\"securityContext\":{\"seccompProfile\":{\"type\":\"Magic\"}}", "",
	 "seccompProfile.type: Unsupported value: \"Magic\": supported values: \"Localhost\", "
	 "\"RuntimeDefault\", \"Unconfined\""},
	{"\"securityContext\":{\"privileged\":true,\"allowPrivilegeEscalation\":false}", "",
	 "cannot set `allowPrivilegeEscalation` to false and `privileged` to true"},
	{"", "\"securityContext\":{\"fsGroup\":-5}", "spec.securityContext.fsGroup: Invalid value"},
	{"", "\"securityContext\":{\"supplementalGroups\":[1,-2]}",
	 "spec.securityContext.supplementalGroups[1]: Invalid value: -2"},
	{"", "\"shareProcessNamespace\":true,\"hostPID\":true",
	 "ShareProcessNamespace and HostPID cannot both be enabled"},
	/* names and addresses */
	{"", "\"dnsPolicy\":\"None\"",
	 "spec.dnsConfig: Required value: must provide `dnsConfig` when `dnsPolicy` is None"},
	{"", "\"dnsConfig\":{\"nameservers\":[\"ns1\"]}",
	 "spec.dnsConfig.nameservers[0]: Invalid value: \"ns1\": must be a valid IP address"},
	{"", "\"hostAliases\":[{\"ip\":\"x\",\"hostnames\":[\"a\"]}]",
	 "spec.hostAliases[0].ip: Invalid value: \"x\": must be a valid IP address"},
	{"", "\"hostAliases\":[{\"ip\":\"1.2.3.4\",\"hostnames\":[\"a_b\"]}]",
	 "spec.hostAliases[0].hostnames: Invalid value: \"a_b\""},
	{"", "\"subdomain\":\"A\"", "spec.subdomain: Invalid value: \"A\""},
	{"", "\"nodeSelector\":{\"a\":\"b c\"}", "spec.nodeSelector: Invalid value: \"b c\""},
	{"\"ports\":[{\"name\":\"a--b\",\"containerPort\":1}]", "",
	 "spec.containers[0].ports[0].name: Invalid value: \"a--b\": must not contain consecutive "
	 "hyphens"},
	{"\"resources\":{\"limits\":{\"foo\":\"1\"}}", "",
	 "spec.containers[0].resources.limits[foo]: Invalid value: \"foo\": must be a standard "
	 "resource for containers"},
};

static void test_wrong(void **state)
{
	struct world *w = *state;

	for (size_t i = 0; i < ARRAY_SIZE(wrongs); i++) {
		int status = create(w, "p", wrongs[i].container, wrongs[i].spec);

		if (status != 422 || !strstr(TEXT(w, "message"), wrongs[i].words))
			fail_msg("%d %s\nnot %s", status, TEXT(w, "message"), wrongs[i].words);
	}
}

/* All at once, as it should be: nothing is refused, everything has its default. */
static void test_right(void **state)
{
	static const char container[] =
		"\"env\":[{\"name\":\"a.b\",\"valueFrom\":{\"fieldRef\":{\"fieldPath\":"
		"\"metadata.labels['a.io/b']\"}}},{\"name\":\"C\",\"valueFrom\":{\"resourceFieldRef\":"
		"{\"resource\":\"limits.cpu\"}}}],\"envFrom\":[{\"prefix\":\"P_\",\"secretRef\":"
		"{\"name\":\"s\"}}],\"livenessProbe\":{\"httpGet\":{\"port\":\"web\"}},"
		"\"readinessProbe\":{\"grpc\":{\"port\":5}},\"lifecycle\":{\"postStart\":{\"httpGet\":"
		"{\"port\":80}},\"preStop\":{\"sleep\":{\"seconds\":5}}},\"command\":null,"
		"\"ports\":[{\"name\":\"web\",\"containerPort\":80}],\"volumeMounts\":[{\"name\":\"v\","
		"\"mountPath\":\"/v\",\"subPath\":\"a/b\"}],\"securityContext\":{\"seccompProfile\":"
		"{\"type\":\"RuntimeDefault\"}},\"resources\":{\"limits\":{\"cpu\":\"1\","
		"\"a.io/gpu\":1}}";
	static const char spec[] =
		"\"terminationGracePeriodSeconds\":-3,\"affinity\":null,\"dnsPolicy\":\"None\","
		"\"dnsConfig\":{\"nameservers\":[\"1.1.1.1\",\"fe80::1\"],\"searches\":[\"a.b.\",\".\"]},"
		"\"initContainers\":[{\"name\":\"i\",\"image\":\"i\",\"restartPolicy\":\"Always\","
		"\"startupProbe\":{\"tcpSocket\":{\"port\":1}}}],"
		"\"volumes\":[{\"name\":\"v\"},{\"name\":\"p\",\"projected\":{\"sources\":["
		"{\"serviceAccountToken\":{\"path\":\"t\"}},{\"downwardAPI\":{\"items\":[{\"path\":"
		"\"n\",\"fieldRef\":{\"fieldPath\":\"metadata.namespace\"}}]}},{\"configMap\":"
		"{\"name\":\"m\",\"items\":[{\"key\":\"k\",\"path\":\"a/b\",\"mode\":256}]}}]}}]";
	struct world *w = *state;
	const struct json *c, *sources;
	int status = create(w, "p", container, spec);

	if (status != 422 || !strstr(TEXT(w, "message"), "preStop.sleep"))
		fail_msg("%d %s", status, TEXT(w, "message")); /* one second of grace is left */
	{
		_cleanup_free_ char *text = mem_strdup(spec);

		memcpy(strstr(text, "-3"), "30", 2);
		status = create(w, "p", container, text);
	}
	if (status != 201)
		fail_msg("%d %s", status, TEXT(w, "message"));
	c = json_item(AT(w, "spec", "containers"), 0);
	assert_null(json_get(c, "command"));
	assert_null(AT(w, "spec", "affinity"));
	assert_string_equal(json_str(json_at(c, "livenessProbe", "httpGet", "path", NULL), ""),
			    "/");
	assert_int_equal(json_int(json_at(c, "livenessProbe", "failureThreshold", NULL), 0), 3);
	assert_non_null(json_at(c, "readinessProbe", "grpc", "service", NULL));
	assert_string_equal(
		json_str(json_at(c, "lifecycle", "postStart", "httpGet", "scheme", NULL), ""),
		"HTTP");
	assert_string_equal(json_str(json_at(json_item(json_get(c, "env"), 0), "valueFrom",
					     "fieldRef", "apiVersion", NULL),
				     ""),
			    "v1");
	assert_string_equal(json_str(json_at(json_item(json_get(c, "env"), 1), "valueFrom",
					     "resourceFieldRef", "divisor", NULL),
				     ""),
			    "0");
	assert_string_equal(json_str(json_get(c, "terminationMessagePath"), ""),
			    "/dev/termination-log");
	assert_non_null(json_get(json_item(AT(w, "spec", "volumes"), 0), "emptyDir"));
	sources = json_at(json_item(AT(w, "spec", "volumes"), 1), "projected", "sources", NULL);
	assert_int_equal(json_int(json_at(json_item(sources, 0), "serviceAccountToken",
					  "expirationSeconds", NULL),
				  0),
			 3600);
	assert_int_equal(json_int(json_at(json_item(AT(w, "spec", "volumes"), 1), "projected",
					  "defaultMode", NULL),
				  0),
			 420);
	/* a pod that was taken can be written back as it is */
	{
		struct buf b = BUF_INIT(0);

		json_write(json_root(w->answer), &b);
		assert_int_equal(ask(w, "PUT", PODS "/p", "", buf_str(&b)), 200);
		buf_done(&b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(test_wrong),
		WORLD_TEST(test_right),
	};

	return cmocka_run_group_tests_name("pod", tests, NULL, NULL);
}
