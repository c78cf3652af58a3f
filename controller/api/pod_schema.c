// SPDX-License-Identifier: Apache-2.0
/* The table of Pod v1, inner types first. Sources and mounts that no node runs are in it, too: the
 * node refuses them with a reason, the API takes what is spelt right. */
#include "schema.h"

static const struct schema any_int[] = {INT("")};

static const struct schema key_ref[] = {STR("key"), STR("name"), BOOL("optional"), END};
static const struct schema field_ref[] = {STR("apiVersion"), STR("fieldPath"), END};
static const struct schema resource_ref[] = {STR("containerName"), QTY("divisor"), STR("resource"),
					     END};
static const struct schema expression[] = {STR("key"), STR("operator"), STRS("values"), END};
static const struct schema label_selector[] = {OBJS("matchExpressions", expression),
					       STRMAP("matchLabels"), END};

static const struct schema value_from[] = {OBJ("configMapKeyRef", key_ref),
					   OBJ("fieldRef", field_ref),
					   OBJ("resourceFieldRef", resource_ref),
					   OBJ("secretKeyRef", key_ref), END};
static const struct schema env[] = {STR("name"), STR("value"), OBJ("valueFrom", value_from), END};
static const struct schema from_ref[] = {STR("name"), BOOL("optional"), END};
static const struct schema env_from[] = {OBJ("configMapRef", from_ref), STR("prefix"),
					 OBJ("secretRef", from_ref), END};
static const struct schema port[] = {INT("containerPort"), STR("hostIP"),   INT("hostPort"),
				     STR("name"),	   STR("protocol"), END};

static const struct schema exec[] = {STRS("command"), END};
static const struct schema http_header[] = {STR("name"), STR("value"), END};
static const struct schema http_get[] = {STR("host"),	OBJS("httpHeaders", http_header),
					 STR("path"),	PORT("port"),
					 STR("scheme"), END};
static const struct schema tcp_socket[] = {STR("host"), PORT("port"), END};
static const struct schema grpc[] = {INT("port"), STR("service"), END};
static const struct schema sleep_for[] = {INT("seconds"), END};
static const struct schema probe[] = {
	OBJ("exec", exec),
	INT("failureThreshold"),
	OBJ("grpc", grpc),
	OBJ("httpGet", http_get),
	INT("initialDelaySeconds"),
	INT("periodSeconds"),
	INT("successThreshold"),
	OBJ("tcpSocket", tcp_socket),
	INT("terminationGracePeriodSeconds"),
	INT("timeoutSeconds"),
	END,
};
static const struct schema handler[] = {OBJ("exec", exec), OBJ("httpGet", http_get),
					OBJ("sleep", sleep_for), OBJ("tcpSocket", tcp_socket), END};
static const struct schema lifecycle[] = {OBJ("postStart", handler), OBJ("preStop", handler),
					  STR("stopSignal"), END};

static const struct schema claim[] = {STR("name"), STR("request"), END};
static const struct schema resources[] = {OBJS("claims", claim), MAP("limits", schema_quantity),
					  MAP("requests", schema_quantity), END};
static const struct schema resize_policy[] = {STR("resourceName"), STR("restartPolicy"), END};

static const struct schema capabilities[] = {STRS("add"), STRS("drop"), END};
static const struct schema se_linux[] = {STR("level"), STR("role"), STR("type"), STR("user"), END};
static const struct schema profile[] = {STR("localhostProfile"), STR("type"), END};
static const struct schema windows[] = {STR("gmsaCredentialSpec"), STR("gmsaCredentialSpecName"),
					BOOL("hostProcess"), STR("runAsUserName"), END};
static const struct schema security[] = {
	BOOL("allowPrivilegeEscalation"),
	OBJ("appArmorProfile", profile),
	OBJ("capabilities", capabilities),
	BOOL("privileged"),
	STR("procMount"),
	BOOL("readOnlyRootFilesystem"),
	INT("runAsGroup"),
	BOOL("runAsNonRoot"),
	INT("runAsUser"),
	OBJ("seLinuxOptions", se_linux),
	OBJ("seccompProfile", profile),
	OBJ("windowsOptions", windows),
	END,
};
static const struct schema sysctl[] = {STR("name"), STR("value"), END};
static const struct schema pod_security[] = {
	OBJ("appArmorProfile", profile),
	INT("fsGroup"),
	STR("fsGroupChangePolicy"),
	INT("runAsGroup"),
	BOOL("runAsNonRoot"),
	INT("runAsUser"),
	STR("seLinuxChangePolicy"),
	OBJ("seLinuxOptions", se_linux),
	OBJ("seccompProfile", profile),
	LIST("supplementalGroups", any_int),
	STR("supplementalGroupsPolicy"),
	OBJS("sysctls", sysctl),
	OBJ("windowsOptions", windows),
	END,
};

static const struct schema mount[] = {
	STR("mountPath"),	  STR("mountPropagation"), STR("name"),	       BOOL("readOnly"),
	STR("recursiveReadOnly"), STR("subPath"),	   STR("subPathExpr"), END};
static const struct schema device[] = {STR("devicePath"), STR("name"), END};

static const struct schema container[] = {
	STRS("args"),
	STRS("command"),
	OBJS("env", env),
	OBJS("envFrom", env_from),
	STR("image"),
	STR("imagePullPolicy"),
	OBJ("lifecycle", lifecycle),
	OBJ("livenessProbe", probe),
	STR("name"),
	OBJS("ports", port),
	OBJ("readinessProbe", probe),
	OBJS("resizePolicy", resize_policy),
	OBJ("resources", resources),
	STR("restartPolicy"),
	OBJ("securityContext", security),
	OBJ("startupProbe", probe),
	BOOL("stdin"),
	BOOL("stdinOnce"),
	STR("targetContainerName"),
	STR("terminationMessagePath"),
	STR("terminationMessagePolicy"),
	BOOL("tty"),
	OBJS("volumeDevices", device),
	OBJS("volumeMounts", mount),
	STR("workingDir"),
	END,
};

static const struct schema item[] = {STR("key"), INT("mode"), STR("path"), END};
static const struct schema config_map[] = {INT("defaultMode"), OBJS("items", item), STR("name"),
					   BOOL("optional"), END};
static const struct schema secret[] = {INT("defaultMode"), OBJS("items", item), BOOL("optional"),
				       STR("secretName"), END};
static const struct schema downward_item[] = {OBJ("fieldRef", field_ref), INT("mode"), STR("path"),
					      OBJ("resourceFieldRef", resource_ref), END};
static const struct schema downward[] = {INT("defaultMode"), OBJS("items", downward_item), END};
static const struct schema token[] = {STR("audience"), INT("expirationSeconds"), STR("path"), END};
static const struct schema trust[] = {OBJ("labelSelector", label_selector),
				      STR("name"),
				      BOOL("optional"),
				      STR("path"),
				      STR("signerName"),
				      END};
static const struct schema projection_ref[] = {OBJS("items", item), STR("name"), BOOL("optional"),
					       END};
static const struct schema projection[] = {
	OBJ("clusterTrustBundle", trust),  OBJ("configMap", projection_ref),
	OBJ("downwardAPI", downward),	   OBJ("secret", projection_ref),
	OBJ("serviceAccountToken", token), END};
static const struct schema projected[] = {INT("defaultMode"), OBJS("sources", projection), END};
static const struct schema empty_dir[] = {STR("medium"), QTY("sizeLimit"), END};
static const struct schema host_path[] = {STR("path"), STR("type"), END};
static const struct schema pvc[] = {STR("claimName"), BOOL("readOnly"), END};
static const struct schema image_volume[] = {STR("pullPolicy"), STR("reference"), END};
static const struct schema nfs[] = {STR("path"), BOOL("readOnly"), STR("server"), END};
static const struct schema volume[] = {
	ANY("awsElasticBlockStore"),
	ANY("azureDisk"),
	ANY("azureFile"),
	ANY("cephfs"),
	ANY("cinder"),
	OBJ("configMap", config_map),
	ANY("csi"),
	OBJ("downwardAPI", downward),
	OBJ("emptyDir", empty_dir),
	ANY("ephemeral"),
	ANY("fc"),
	ANY("flexVolume"),
	ANY("flocker"),
	ANY("gcePersistentDisk"),
	ANY("gitRepo"),
	ANY("glusterfs"),
	OBJ("hostPath", host_path),
	OBJ("image", image_volume),
	ANY("iscsi"),
	STR("name"),
	OBJ("nfs", nfs),
	OBJ("persistentVolumeClaim", pvc),
	ANY("photonPersistentDisk"),
	ANY("portworxVolume"),
	OBJ("projected", projected),
	ANY("quobyte"),
	ANY("rbd"),
	ANY("scaleIO"),
	OBJ("secret", secret),
	ANY("storageos"),
	ANY("vsphereVolume"),
	END,
};

static const struct schema node_term[] = {OBJS("matchExpressions", expression),
					  OBJS("matchFields", expression), END};
static const struct schema node_selector[] = {OBJS("nodeSelectorTerms", node_term), END};
static const struct schema preferred_node[] = {OBJ("preference", node_term), INT("weight"), END};
static const struct schema node_affinity[] = {
	OBJS("preferredDuringSchedulingIgnoredDuringExecution", preferred_node),
	OBJ("requiredDuringSchedulingIgnoredDuringExecution", node_selector), END};
static const struct schema pod_term[] = {OBJ("labelSelector", label_selector),
					 STRS("matchLabelKeys"),
					 STRS("mismatchLabelKeys"),
					 OBJ("namespaceSelector", label_selector),
					 STRS("namespaces"),
					 STR("topologyKey"),
					 END};
static const struct schema preferred_pod[] = {OBJ("podAffinityTerm", pod_term), INT("weight"), END};
static const struct schema pod_affinity[] = {
	OBJS("preferredDuringSchedulingIgnoredDuringExecution", preferred_pod),
	OBJS("requiredDuringSchedulingIgnoredDuringExecution", pod_term), END};
static const struct schema affinity[] = {OBJ("nodeAffinity", node_affinity),
					 OBJ("podAffinity", pod_affinity),
					 OBJ("podAntiAffinity", pod_affinity), END};
static const struct schema spread[] = {OBJ("labelSelector", label_selector),
				       STRS("matchLabelKeys"),
				       INT("maxSkew"),
				       INT("minDomains"),
				       STR("nodeAffinityPolicy"),
				       STR("nodeTaintsPolicy"),
				       STR("topologyKey"),
				       STR("whenUnsatisfiable"),
				       END};
static const struct schema dns_option[] = {STR("name"), STR("value"), END};
static const struct schema dns_config[] = {STRS("nameservers"), OBJS("options", dns_option),
					   STRS("searches"), END};
static const struct schema host_alias[] = {STRS("hostnames"), STR("ip"), END};
static const struct schema os[] = {STR("name"), END};
static const struct schema gate[] = {STR("conditionType"), END};
static const struct schema scheduling_gate[] = {STR("name"), END};

static const struct schema spec[] = {
	INT("activeDeadlineSeconds"),
	OBJ("affinity", affinity),
	BOOL("automountServiceAccountToken"),
	OBJS("containers", container),
	OBJ("dnsConfig", dns_config),
	STR("dnsPolicy"),
	BOOL("enableServiceLinks"),
	OBJS("ephemeralContainers", container),
	OBJS("hostAliases", host_alias),
	BOOL("hostIPC"),
	BOOL("hostNetwork"),
	BOOL("hostPID"),
	BOOL("hostUsers"),
	STR("hostname"),
	OBJS("imagePullSecrets", schema_local_ref),
	OBJS("initContainers", container),
	STR("nodeName"),
	STRMAP("nodeSelector"),
	OBJ("os", os),
	MAP("overhead", schema_quantity),
	STR("preemptionPolicy"),
	INT("priority"),
	STR("priorityClassName"),
	OBJS("readinessGates", gate),
	ANY("resourceClaims"),
	OBJ("resources", resources),
	STR("restartPolicy"),
	STR("runtimeClassName"),
	STR("schedulerName"),
	OBJS("schedulingGates", scheduling_gate),
	OBJ("securityContext", pod_security),
	STR("serviceAccount"),
	STR("serviceAccountName"),
	BOOL("setHostnameAsFQDN"),
	BOOL("shareProcessNamespace"),
	STR("subdomain"),
	INT("terminationGracePeriodSeconds"),
	OBJS("tolerations", schema_toleration),
	OBJS("topologySpreadConstraints", spread),
	OBJS("volumes", volume),
	END,
};

const struct schema schema_pod[] = {
	STR("apiVersion"), STR("kind"),	  OBJ("metadata", schema_metadata),
	OBJ("spec", spec), ANY("status"), END};
