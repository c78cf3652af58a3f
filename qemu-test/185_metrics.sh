#!/bin/bash
# What one can see of a pod's use: the host's own endpoint (metrics-server's and Prometheus' text, the Summary, the pods),
# and the API's metrics by hyper and kubectl; who may not look.
# environment: shared
# deadline: 300

kubectl_as k trixie
api_keys
endpoint() { # PATH [CURL-ARGUMENT...]: of the host, with the keys of an administrator
	local path=$1
	shift
	in_net curl -sSk --max-time 20 --cert "$RUN/keys/cert.pem" --key "$RUN/keys/key.pem" "$@" "https://$(host_address 0 10250)$path"
}
# The value of a series of the text in $RUN/metrics, by its name and what its labels must have
series() { awk -v name="$1" -v label="${2:-}" '$1 ~ "^" name "({|$)" && index($0, label) { print $2; exit }' "$RUN/metrics"; }
at_least() { # WHAT LEAST GOT
	awk -v a="$3" -v b="$2" 'BEGIN { exit !(a != "" && a + 0 >= b + 0) }' || fail "$1: expected $2 or more, got '$3'"
}

pod_create busy busybox '["sh", "-c", "head -c 8000000 /dev/zero >/tmp/file; echo written; i=0; while :; do i=$((i+1)); done"]' '{}' \
	'{"resources": {"limits": {"memory": "64Mi"}}}'
pod_create pair busybox '["sleep", "1000"]' '{"spec": {"containers": [{"name": "main", "image": "busybox", "command": ["sleep", "1000"]},
	{"name": "other", "image": "busybox", "command": ["sh", "-c", "head -c 3000000 /dev/zero >/mem/file; echo written; wget -q -O /dev/null http://10.88.0.1:1; sleep 1000"],
	"volumeMounts": [{"name": "mem", "mountPath": "/mem"}]}], "volumes": [{"name": "mem", "emptyDir": {"medium": "Memory", "sizeLimit": "8Mi"}}]}}'
await 150 "busy runs" pod_running busy
await 150 "pair runs" pod_running pair
await 60 "busy has its file" eval '[ "$(pod_logs busy)" = written ]'
await 60 "pair has its file" eval '[ "$(pod_logs pair other | head -n 1)" = written ]'

# A guest that does not answer within two seconds is left out: on a busy machine it takes more than one try
whole() { # PATH FILE: fetched with all three containers in it
	endpoint "$1" >"$2" && [ "$(grep -oE 'container_memory_working_set_bytes\{|"throttledPeriods"' "$2" | wc -l)" = 3 ]
}
# What metrics-server reads
await 60 "all guests have told" whole /metrics/resource "$RUN/metrics"
for name in busy pair; do
	at_least "cpu of pod $name" 0.01 "$(series pod_cpu_usage_seconds_total "pod=\"$name\"")"
	at_least "memory of pod $name" 4000000 "$(series pod_memory_working_set_bytes "pod=\"$name\"")"
done
for name in '"main",namespace="default",pod="busy"' '"main",namespace="default",pod="pair"' '"other",namespace="default",pod="pair"'; do
	at_least "memory of container $name" 50000 "$(series container_memory_working_set_bytes "container=$name")"
	at_least "start of container $name" 1700000000 "$(series container_start_time_seconds "container=$name")"
done
at_least "cpu of container busy" 0.1 "$(series container_cpu_usage_seconds_total 'container="main",namespace="default",pod="busy"')"
at_least "cpu of the host" 1 "$(series node_cpu_usage_seconds_total)"
at_least "memory of the host" 50000000 "$(series node_memory_working_set_bytes)"
expect "errors" 0 "$(series resource_scrape_error)"

# What Prometheus reads: each sample's form, and what is only there
await 60 "all guests have told" whole /metrics "$RUN/metrics"
expect "malformed lines" "" "$(grep -vE '^(# (HELP|TYPE) hypermetal_[a-z_]+ .+|hypermetal_[a-z_]+(\{[a-z_]+="[^"]*"(,[a-z_]+="[^"]*")*\})? [0-9.e+-]+)$' "$RUN/metrics" || :)"
expect "pods that run" 2 "$(series hypermetal_pods '"run"')"
at_least "exits" 100 "$(series hypermetal_vm_exits_total 'pod="busy",cause="mmio"')"
at_least "read" 100000 "$(series hypermetal_vm_disk_read_bytes_total 'pod="busy"')"
at_least "written" 1000 "$(series hypermetal_vm_disk_written_bytes_total 'pod="busy"')"
at_least "uptime" 0.1 "$(series hypermetal_vm_uptime_seconds 'pod="busy"')"

# The Summary: with rates, though nobody asked before
await 60 "all guests have told" whole /stats/summary "$RUN/summary"
s() { jq -r "$1" "$RUN/summary"; }
expect "node" host-0 "$(s .node.nodeName)"
expect "pods of the summary" "busy pair" "$(s '[.pods[].podRef.name] | sort | join(" ")')"
at_least "rate of busy" 100000000 "$(s '.pods[] | select(.podRef.name == "busy").containers[0].cpu.usageNanoCores')"
at_least "rate of the host" 100000000 "$(s .node.cpu.usageNanoCores)"
at_least "file of busy" 8000000 "$(s '.pods[] | select(.podRef.name == "busy")."ephemeral-storage".usedBytes')"
expect "containers of pair" "main other" "$(s '[.pods[] | select(.podRef.name == "pair").containers[].name] | sort | join(" ")')"
expect "volumes of pair" '[["mem",8388608,true]]' "$(s '[.pods[] | select(.podRef.name == "pair").volume[] | [.name, .capacityBytes, .usedBytes >= 3000000]]' | jq -c .)"
at_least "room of busy" 1 "$(s '.pods[] | select(.podRef.name == "busy").containers[0].memory.availableBytes')"

# The pods, as the API has them; health
expect "its pods" "busy Running pair Running" "$(endpoint /pods | jq -r '[.items[] | .metadata.name + " " + .status.phase] | sort | join(" ")')"
expect "healthz" ok "$(endpoint /healthz)"
expect "nothing there" 404 "$(endpoint /nothing -o /dev/null -w '%{http_code}')"

# Who has no certificate, or another's, sees nothing; one of the cluster's CA without rights is told so
expect "no certificate" 000 "$(in_net curl -sk -o /dev/null -w '%{http_code}' --max-time 10 "https://$(host_address 0 10250)/metrics" || :)"
stranger_made_by() { # CA: makes the certificate of somebody whom that CA calls watcher, of the group people
	certificate_of "$RUN/watcher" /O=people/CN=watcher "$1"
	sleep 2 # the host's clock may be behind this machine's, and a certificate must not be of the future
}
stranger() { # PATH [CURL-ARGUMENT...]
	in_net curl -sk --max-time 20 --cert "$RUN/watcher.crt" --key "$RUN/watcher.key" "${@:2}" "https://$(host_address 0 10250)$1" || :
}
openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=another -days 1 -keyout "$RUN/other.key" -out "$RUN/other.crt" 2>/dev/null
stranger_made_by "$RUN/other"
expect "another CA's" 000 "$(stranger /metrics -o /dev/null -w '%{http_code}')"
stranger_made_by "$RUN/controller/ca"
for what in "/metrics get metrics" "/stats/summary get stats" "/exec/default/busy/main?command=id create proxy"; do
	read -r path verb sub <<<"$what"
	expect "$path without rights" "Forbidden (user=watcher, verb=$verb, resource=nodes, subresource=$sub)" "$(stranger "$path")"
done

# The API: what it makes of that, for kubectl and hyper
top_containers() { [ "$(k top pods --containers --no-headers | awk '{ print $1, $2 }' | sort | xargs)" = "busy main pair main pair other" ]; }
await 60 "kubectl top --containers" top_containers
top_nodes() { [[ $(k top nodes --no-headers) =~ ^host-0\ +[0-9]{3,4}m\ +[0-9]+%\ +[0-9]{2,3}Mi\ +[0-9]+% ]]; }
await 60 "kubectl top nodes" top_nodes
top_pods() { k top pods --no-headers >"$RUN/top" && grep -qE '^busy +[0-9]{2,4}m +[0-9]+Mi' "$RUN/top" && grep -qE '^pair +[0-9]+m +[0-9]+Mi' "$RUN/top"; }
await 60 "kubectl top pods" top_pods
await 60 "kubectl top one" eval '[[ $(k top pod busy --no-headers) == busy\ * ]]'
expect_match "kubectl top none" 'pods "nobody" not found|pods.metrics.k8s.io "nobody" not found' "$(k top pod nobody 2>&1 || :)"
busiest_first() { [ "$(hyper top | awk 'NR > 1 { print $1 }' | xargs)" = "busy pair" ]; }
await 60 "hyper top: the busiest first" busiest_first
expect_match "hyper top hosts" "^NAME +CPU +CPU% +MEMORY +MEMORY%.host-0 +[0-9]{3,4}m +[0-9]+% +[0-9]+Mi +[0-9]+%" "$(hyper top hosts | tr '\n' ' ')"
await 60 "hyper top --containers" eval '[[ $(hyper top -A --containers) =~ pair\ +other\ +[0-9]+m\ +[0-9]+Mi ]]'
expect "hyper top -o json" PodMetricsList "$(hyper top -o json | jq -r .kind)"
expect "a node's proxy" ok "$(k get --raw /api/v1/nodes/host-0/proxy/healthz)"
expect "a node's proxy" host-0 "$(k get --raw /api/v1/nodes/host-0/proxy/stats/summary | jq -r .node.nodeName)"
expect_match "a node's proxy" "node_cpu_usage_seconds_total [0-9.]+ [0-9]+" "$(k get --raw /api/v1/nodes/host-0/proxy/metrics/resource)"
expect "not everything" 404 "$(api_status GET /api/v1/nodes/host-0/proxy/run/default/busy/main)"

pod_remove busy
pod_remove pair
