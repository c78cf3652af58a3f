// SPDX-License-Identifier: Apache-2.0
/*
 * Every field of a pod, and what becomes of it. docs/pod-support.md is this table in words; a test compares
 * the two, and this with all fields that the API takes.
 *
 * A field that is refused altogether is refused by this table. Where only some of its values are, the
 * field works, its note says which do, and the parser refuses the others.
 */
#include "pod/support.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "pod/spec_impl.h"

#define WORKS(path, note)                                 \
	{                                                 \
		path, SPEC_WORKS, SPEC_REFUSE_NEVER, note \
	}
#define IGNORED(path, note)                                 \
	{                                                   \
		path, SPEC_IGNORED, SPEC_REFUSE_NEVER, note \
	}
#define REFUSED(path, when, note)                            \
	{                                                    \
		path, SPEC_REFUSED, SPEC_REFUSE_##when, note \
	}

/* Without "spec."; what is said of containers holds for init containers, too. */
const struct spec_support spec_supports[] = {
	WORKS("activeDeadlineSeconds", "the pod fails with reason DeadlineExceeded"),
	WORKS("affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution",
	      "by the scheduler"),
	IGNORED("affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution",
		"the scheduler has no preferences"),
	IGNORED("affinity.podAffinity", "the scheduler does not look at other pods"),
	IGNORED("affinity.podAntiAffinity", "the scheduler does not look at other pods"),
	WORKS("automountServiceAccountToken",
	      "at admission; what it leads to is a projected volume"),
	WORKS("containers", "up to 16 with init containers"),
	WORKS("dnsConfig.nameservers", ""),
	WORKS("dnsConfig.options[].name", ""),
	WORKS("dnsConfig.options[].value", ""),
	WORKS("dnsConfig.searches", ""),
	WORKS("dnsPolicy", "None, and else the host's name servers: there is no cluster DNS"),
	IGNORED("enableServiceLinks", "there are no Services to link"),
	REFUSED("ephemeralContainers", IF_SET, "kubectl exec reaches the containers there are"),
	WORKS("hostAliases[].hostnames", ""),
	WORKS("hostAliases[].ip", ""),
	REFUSED("hostIPC", IF_TRUE, "the host has no IPC for pods"),
	REFUSED("hostNetwork", IF_TRUE, "a HyperVM has a network of its own"),
	REFUSED("hostPID", IF_TRUE, "the host's processes are not in the HyperVM"),
	IGNORED("hostUsers", "users of a HyperVM are never the host's"),
	WORKS("hostname", ""),
	REFUSED("hostnameOverride", IF_SET, "hostname says it"),
	WORKS("imagePullSecrets[].name", "of types dockerconfigjson and dockercfg"),
	WORKS("initContainers", "in order; with restartPolicy Always a sidecar"),
	WORKS("nodeName", ""),
	WORKS("nodeSelector", "by the scheduler"),
	WORKS("os.name", "linux; else refused"),
	WORKS("overhead", "set by the RuntimeClass"),
	IGNORED("preemptionPolicy", "the scheduler preempts nobody"),
	IGNORED("priority", "the scheduler preempts nobody"),
	IGNORED("priorityClassName", "the scheduler preempts nobody"),
	REFUSED("readinessGates", IF_SET, "nobody would set the conditions"),
	REFUSED("resourceClaims", IF_SET, "there are no devices to claim"),
	REFUSED("resources", IF_SET, "the containers' resources make the VM"),
	WORKS("restartPolicy", ""),
	WORKS("runtimeClassName", "hypervm and hypervm-full"),
	WORKS("schedulerName", "another name: the pod waits for that scheduler"),
	IGNORED("schedulingGates", "the scheduler knows none"),
	WORKS("serviceAccount", "as serviceAccountName"),
	WORKS("serviceAccountName", ""),
	WORKS("setHostnameAsFQDN", "with a subdomain; up to 64 characters"),
	WORKS("shareProcessNamespace", ""),
	WORKS("subdomain", "for the pod's own /etc/hosts: there is no cluster DNS"),
	WORKS("terminationGracePeriodSeconds", ""),
	WORKS("tolerations[].effect", "by the scheduler"),
	WORKS("tolerations[].key", "by the scheduler"),
	WORKS("tolerations[].operator", "by the scheduler"),
	IGNORED("tolerations[].tolerationSeconds", "no pod is evicted for a taint"),
	WORKS("tolerations[].value", "by the scheduler"),
	IGNORED("topologySpreadConstraints", "the scheduler knows no topology"),
	WORKS("volumes", ""),
	WORKS("securityContext.appArmorProfile.type",
	      "RuntimeDefault and Unconfined, without effect: a guest has no AppArmor. Localhost is refused"),
	REFUSED("securityContext.appArmorProfile.localhostProfile", IF_SET,
		"a guest has no AppArmor"),
	WORKS("securityContext.fsGroup", ""),
	IGNORED("securityContext.fsGroupChangePolicy",
		"volumes are new, or few files: they always get their group"),
	WORKS("securityContext.runAsGroup", ""),
	WORKS("securityContext.runAsNonRoot", ""),
	WORKS("securityContext.runAsUser", ""),
	IGNORED("securityContext.seLinuxChangePolicy", "a guest has no SELinux"),
	IGNORED("securityContext.seLinuxOptions", "a guest has no SELinux"),
	REFUSED("securityContext.seccompProfile.localhostProfile", IF_SET,
		"there are no profiles on the host"),
	WORKS("securityContext.seccompProfile.type",
	      "RuntimeDefault and Unconfined; Localhost is refused"),
	WORKS("securityContext.supplementalGroups", ""),
	IGNORED("securityContext.supplementalGroupsPolicy",
		"as Merge: groups of the image's /etc/group count, too"),
	REFUSED("securityContext.sysctls", IF_SET, "the kernel's settings are for reading"),
	REFUSED("securityContext.windowsOptions", IF_THERE, "containers are Linux"),
	WORKS("containers[].args", ""),
	WORKS("containers[].command", ""),
	WORKS("containers[].env[].name", ""),
	WORKS("containers[].env[].value", "with $(NAME)"),
	WORKS("containers[].env[].valueFrom.configMapKeyRef.key", ""),
	WORKS("containers[].env[].valueFrom.configMapKeyRef.name", ""),
	WORKS("containers[].env[].valueFrom.configMapKeyRef.optional", ""),
	WORKS("containers[].env[].valueFrom.fieldRef.apiVersion", "v1"),
	WORKS("containers[].env[].valueFrom.fieldRef.fieldPath", "those that a kubelet knows"),
	REFUSED("containers[].env[].valueFrom.fileKeyRef", IF_THERE,
		"an init container can leave what others need in a volume"),
	WORKS("containers[].env[].valueFrom.resourceFieldRef.containerName", ""),
	WORKS("containers[].env[].valueFrom.resourceFieldRef.divisor", ""),
	WORKS("containers[].env[].valueFrom.resourceFieldRef.resource", ""),
	WORKS("containers[].env[].valueFrom.secretKeyRef.key", ""),
	WORKS("containers[].env[].valueFrom.secretKeyRef.name", ""),
	WORKS("containers[].env[].valueFrom.secretKeyRef.optional", ""),
	WORKS("containers[].envFrom[].configMapRef.name", ""),
	WORKS("containers[].envFrom[].configMapRef.optional", ""),
	WORKS("containers[].envFrom[].prefix", ""),
	WORKS("containers[].envFrom[].secretRef.name", ""),
	WORKS("containers[].envFrom[].secretRef.optional", ""),
	WORKS("containers[].image", ""),
	WORKS("containers[].imagePullPolicy", ""),
	WORKS("containers[].lifecycle.postStart.exec.command", ""),
	WORKS("containers[].lifecycle.postStart.httpGet", "as in probes"),
	WORKS("containers[].lifecycle.postStart.sleep.seconds", ""),
	REFUSED("containers[].lifecycle.postStart.tcpSocket", IF_THERE,
		"a kubelet does not run it, either"),
	WORKS("containers[].lifecycle.preStop.exec.command", ""),
	WORKS("containers[].lifecycle.preStop.httpGet", "as in probes"),
	WORKS("containers[].lifecycle.preStop.sleep.seconds", ""),
	REFUSED("containers[].lifecycle.preStop.tcpSocket", IF_THERE,
		"a kubelet does not run it, either"),
	WORKS("containers[].lifecycle.stopSignal", ""),
	WORKS("containers[].livenessProbe.exec.command",
	      "with $(NAME) of variables that are not from elsewhere"),
	WORKS("containers[].livenessProbe.failureThreshold", ""),
	REFUSED("containers[].livenessProbe.grpc", IF_THERE, "hyperstart speaks no HTTP/2"),
	WORKS("containers[].livenessProbe.httpGet.host",
	      "an IPv4 address or localhost; names are refused"),
	WORKS("containers[].livenessProbe.httpGet.httpHeaders[].name", ""),
	WORKS("containers[].livenessProbe.httpGet.httpHeaders[].value", ""),
	WORKS("containers[].livenessProbe.httpGet.path", ""),
	WORKS("containers[].livenessProbe.httpGet.port", ""),
	WORKS("containers[].livenessProbe.httpGet.scheme", "HTTP; HTTPS is refused"),
	WORKS("containers[].livenessProbe.initialDelaySeconds", ""),
	WORKS("containers[].livenessProbe.periodSeconds", ""),
	WORKS("containers[].livenessProbe.successThreshold", ""),
	WORKS("containers[].livenessProbe.tcpSocket.host",
	      "an IPv4 address or localhost; names are refused"),
	WORKS("containers[].livenessProbe.tcpSocket.port", ""),
	WORKS("containers[].livenessProbe.terminationGracePeriodSeconds", ""),
	WORKS("containers[].livenessProbe.timeoutSeconds", ""),
	WORKS("containers[].readinessProbe.exec.command",
	      "with $(NAME) of variables that are not from elsewhere"),
	WORKS("containers[].readinessProbe.failureThreshold", ""),
	REFUSED("containers[].readinessProbe.grpc", IF_THERE, "hyperstart speaks no HTTP/2"),
	WORKS("containers[].readinessProbe.httpGet.host",
	      "an IPv4 address or localhost; names are refused"),
	WORKS("containers[].readinessProbe.httpGet.httpHeaders[].name", ""),
	WORKS("containers[].readinessProbe.httpGet.httpHeaders[].value", ""),
	WORKS("containers[].readinessProbe.httpGet.path", ""),
	WORKS("containers[].readinessProbe.httpGet.port", ""),
	WORKS("containers[].readinessProbe.httpGet.scheme", "HTTP; HTTPS is refused"),
	WORKS("containers[].readinessProbe.initialDelaySeconds", ""),
	WORKS("containers[].readinessProbe.periodSeconds", ""),
	WORKS("containers[].readinessProbe.successThreshold", ""),
	WORKS("containers[].readinessProbe.tcpSocket.host",
	      "an IPv4 address or localhost; names are refused"),
	WORKS("containers[].readinessProbe.tcpSocket.port", ""),
	WORKS("containers[].readinessProbe.terminationGracePeriodSeconds", ""),
	WORKS("containers[].readinessProbe.timeoutSeconds", ""),
	WORKS("containers[].startupProbe.exec.command",
	      "with $(NAME) of variables that are not from elsewhere"),
	WORKS("containers[].startupProbe.failureThreshold", ""),
	REFUSED("containers[].startupProbe.grpc", IF_THERE, "hyperstart speaks no HTTP/2"),
	WORKS("containers[].startupProbe.httpGet.host",
	      "an IPv4 address or localhost; names are refused"),
	WORKS("containers[].startupProbe.httpGet.httpHeaders[].name", ""),
	WORKS("containers[].startupProbe.httpGet.httpHeaders[].value", ""),
	WORKS("containers[].startupProbe.httpGet.path", ""),
	WORKS("containers[].startupProbe.httpGet.port", ""),
	WORKS("containers[].startupProbe.httpGet.scheme", "HTTP; HTTPS is refused"),
	WORKS("containers[].startupProbe.initialDelaySeconds", ""),
	WORKS("containers[].startupProbe.periodSeconds", ""),
	WORKS("containers[].startupProbe.successThreshold", ""),
	WORKS("containers[].startupProbe.tcpSocket.host",
	      "an IPv4 address or localhost; names are refused"),
	WORKS("containers[].startupProbe.tcpSocket.port", ""),
	WORKS("containers[].startupProbe.terminationGracePeriodSeconds", ""),
	WORKS("containers[].startupProbe.timeoutSeconds", ""),
	WORKS("containers[].name", ""),
	WORKS("containers[].ports[].containerPort", ""),
	WORKS("containers[].ports[].hostIP", "IPv4"),
	WORKS("containers[].ports[].hostPort", "up to 32 of a pod"),
	WORKS("containers[].ports[].name", "for probes"),
	WORKS("containers[].ports[].protocol", "with a hostPort TCP and UDP"),
	IGNORED("containers[].resizePolicy", "a VM keeps its size"),
	REFUSED("containers[].resources.claims", IF_SET, "there are no devices to claim"),
	WORKS("containers[].resources.limits",
	      "cpu, memory and ephemeral-storage; others are refused"),
	WORKS("containers[].resources.requests", "cpu, memory and ephemeral-storage"),
	WORKS("containers[].restartPolicy",
	      "Always of an init container: a sidecar; all else is refused"),
	REFUSED("containers[].restartPolicyRules", IF_SET, "the pod's restartPolicy counts"),
	WORKS("containers[].stdin", ""),
	WORKS("containers[].stdinOnce", ""),
	IGNORED("containers[].targetContainerName", "a member of ephemeral containers alone"),
	WORKS("containers[].terminationMessagePath", ""),
	WORKS("containers[].terminationMessagePolicy", ""),
	WORKS("containers[].tty", ""),
	REFUSED("containers[].volumeDevices", IF_SET, "there are no block volumes"),
	WORKS("containers[].volumeMounts[].mountPath", ""),
	WORKS("containers[].volumeMounts[].mountPropagation", "None; others are refused"),
	WORKS("containers[].volumeMounts[].name", ""),
	WORKS("containers[].volumeMounts[].readOnly", ""),
	WORKS("containers[].volumeMounts[].recursiveReadOnly",
	      "what is read-only is so with all below; what else it says is refused"),
	WORKS("containers[].volumeMounts[].subPath", ""),
	WORKS("containers[].volumeMounts[].subPathExpr", ""),
	WORKS("containers[].workingDir", ""),
	WORKS("containers[].securityContext.allowPrivilegeEscalation", ""),
	WORKS("containers[].securityContext.appArmorProfile.type", "as in the pod's"),
	REFUSED("containers[].securityContext.appArmorProfile.localhostProfile", IF_SET,
		"a guest has no AppArmor"),
	WORKS("containers[].securityContext.capabilities.add", ""),
	WORKS("containers[].securityContext.capabilities.drop", ""),
	WORKS("containers[].securityContext.privileged",
	      "with runtimeClassName hypervm-full; else refused"),
	WORKS("containers[].securityContext.procMount", "Default; Unmasked is refused"),
	WORKS("containers[].securityContext.readOnlyRootFilesystem", ""),
	WORKS("containers[].securityContext.runAsGroup", ""),
	WORKS("containers[].securityContext.runAsNonRoot", ""),
	WORKS("containers[].securityContext.runAsUser", ""),
	IGNORED("containers[].securityContext.seLinuxOptions", "a guest has no SELinux"),
	REFUSED("containers[].securityContext.seccompProfile.localhostProfile", IF_SET,
		"there are no profiles on the host"),
	WORKS("containers[].securityContext.seccompProfile.type", "as in the pod's"),
	REFUSED("containers[].securityContext.windowsOptions", IF_THERE, "containers are Linux"),
	REFUSED("volumes[].awsElasticBlockStore", IF_THERE, "there is no storage driver"),
	REFUSED("volumes[].azureDisk", IF_THERE, "there is no storage driver"),
	REFUSED("volumes[].azureFile", IF_THERE, "there is no storage driver"),
	REFUSED("volumes[].cephfs", IF_THERE, "there is no storage driver"),
	REFUSED("volumes[].cinder", IF_THERE, "there is no storage driver"),
	WORKS("volumes[].configMap.defaultMode", ""),
	WORKS("volumes[].configMap.items[].key", ""),
	WORKS("volumes[].configMap.items[].mode", ""),
	WORKS("volumes[].configMap.items[].path", ""),
	WORKS("volumes[].configMap.name", ""),
	WORKS("volumes[].configMap.optional", ""),
	REFUSED("volumes[].csi", IF_THERE, "there is no storage driver"),
	WORKS("volumes[].downwardAPI.defaultMode", ""),
	WORKS("volumes[].downwardAPI.items[].fieldRef", "as in env"),
	WORKS("volumes[].downwardAPI.items[].mode", ""),
	WORKS("volumes[].downwardAPI.items[].path", ""),
	WORKS("volumes[].downwardAPI.items[].resourceFieldRef", "as in env"),
	WORKS("volumes[].emptyDir.medium", "Memory, and \"\" for disk; HugePages is refused"),
	WORKS("volumes[].emptyDir.sizeLimit", ""),
	REFUSED("volumes[].ephemeral", IF_THERE, "there is no storage driver"),
	REFUSED("volumes[].fc", IF_THERE, "there is no storage driver"),
	REFUSED("volumes[].flexVolume", IF_THERE, "there is no storage driver"),
	REFUSED("volumes[].flocker", IF_THERE, "there is no storage driver"),
	REFUSED("volumes[].gcePersistentDisk", IF_THERE, "there is no storage driver"),
	REFUSED("volumes[].gitRepo", IF_THERE, "an init container can clone"),
	REFUSED("volumes[].glusterfs", IF_THERE, "there is no storage driver"),
	REFUSED("volumes[].hostPath", IF_THERE, "the host's files are not in the HyperVM"),
	REFUSED("volumes[].image", IF_THERE, "not yet"),
	REFUSED("volumes[].iscsi", IF_THERE, "there is no storage driver"),
	WORKS("volumes[].name", ""),
	REFUSED("volumes[].nfs", IF_THERE, "there is no storage driver"),
	REFUSED("volumes[].persistentVolumeClaim", IF_THERE, "there is no storage driver"),
	REFUSED("volumes[].photonPersistentDisk", IF_THERE, "there is no storage driver"),
	REFUSED("volumes[].portworxVolume", IF_THERE, "there is no storage driver"),
	WORKS("volumes[].projected.defaultMode", ""),
	REFUSED("volumes[].projected.sources[].clusterTrustBundle", IF_THERE, "there are none"),
	WORKS("volumes[].projected.sources[].configMap", "as a volume of its own"),
	WORKS("volumes[].projected.sources[].downwardAPI", "as a volume of its own"),
	REFUSED("volumes[].projected.sources[].podCertificate", IF_THERE, "nobody signs them"),
	WORKS("volumes[].projected.sources[].secret", "as a volume of its own"),
	WORKS("volumes[].projected.sources[].serviceAccountToken.audience", ""),
	WORKS("volumes[].projected.sources[].serviceAccountToken.expirationSeconds",
	      "renewed before"),
	WORKS("volumes[].projected.sources[].serviceAccountToken.path", ""),
	REFUSED("volumes[].quobyte", IF_THERE, "there is no storage driver"),
	REFUSED("volumes[].rbd", IF_THERE, "there is no storage driver"),
	REFUSED("volumes[].scaleIO", IF_THERE, "there is no storage driver"),
	WORKS("volumes[].secret.defaultMode", ""),
	WORKS("volumes[].secret.items[].key", ""),
	WORKS("volumes[].secret.items[].mode", ""),
	WORKS("volumes[].secret.items[].path", ""),
	WORKS("volumes[].secret.optional", ""),
	WORKS("volumes[].secret.secretName", ""),
	REFUSED("volumes[].storageos", IF_THERE, "there is no storage driver"),
	REFUSED("volumes[].vsphereVolume", IF_THERE, "there is no storage driver"),
};

const size_t spec_support_count = ARRAY_SIZE(spec_supports);

static bool support_is_set(const struct json *v, enum spec_refuse when)
{
	switch (json_type(v)) {
	case JSON_NONE:
	case JSON_NULL:
		return false;
	case JSON_BOOL:
		return when != SPEC_REFUSE_IF_TRUE || json_bool(v, false);
	case JSON_ARR:
		return json_count(v) > 0;
	case JSON_OBJ:
		return when == SPEC_REFUSE_IF_THERE || json_count(v) > 0;
	case JSON_STR:
		return *json_str(v, "") != '\0';
	case JSON_INT:
	case JSON_REAL:
		return true;
	}
	return true;
}

/* Looks for the rest of a field's path in an object whose own path is @path. */
static int support_look(const struct json *obj, const char *rest, const struct spec_support *f,
			const char *path, struct err *e)
{
	size_t len = strcspn(rest, ".[");
	char name[64], below[SPEC_PATH_MAX];
	const struct json *v;
	struct json_iter it;
	int r = 0;

	snprintf(name, sizeof(name), "%.*s", (int)len, rest);
	v = json_get(obj, name);
	snprintf(below, sizeof(below), "%s.%s", path, name);
	rest += len;
	if (!*rest)
		return support_is_set(v, f->when) ? spec_refuse(e, "%s", below) : 0;
	if (*rest == '.')
		return support_look(v, rest + 1, f, below, e);
	it = json_iter(v);
	for (unsigned int i = 0; r == 0 && json_is_arr(v) && json_next(&it); i++) {
		snprintf(below, sizeof(below), "%s.%s[%u]", path, name, i);
		r = support_look(it.value, rest + strlen("[]."), f, below, e);
	}
	return r;
}

int spec_support_check(const struct json *spec, struct err *e)
{
	static const char containers[] = "containers[].";
	char init[SPEC_PATH_MAX];
	int r = 0;

	for (size_t i = 0; i < spec_support_count && r == 0; i++) {
		const struct spec_support *f = &spec_supports[i];

		if (f->verdict != SPEC_REFUSED)
			continue;
		r = support_look(spec, f->path, f, "spec", e);
		if (r < 0 || strncmp(f->path, containers, strlen(containers)) != 0)
			continue;
		snprintf(init, sizeof(init), "initContainers[].%s", f->path + strlen(containers));
		r = support_look(spec, init, f, "spec", e);
	}
	return r;
}
