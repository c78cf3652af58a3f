#!/bin/bash
# HAProxy as its user in front of two nginx pods: requests are spread, a dead server is left out.
# environment: own
# deadline: 600

# HAProxy takes CMPXCHG16B for granted, which emulated hosts are usually denied (lib/host.sh)
env_prepare
[ "$ACCEL" = kvm ] || HOST_CPU=max,+svm,+npt
env_controller
host_start 0
await "$(host_deadline)" "host-0 is Ready" node_ready host-0
ordinary_push haproxy
for n in 1 2; do
	pod_create "web-$n" nginx "$(jq -cn --arg n "$n" '["sh", "-c", "echo web-\($n) >/usr/share/nginx/html/who; exec nginx -g \"daemon off;\""]')"
done
for n in 1 2; do await 300 "web-$n runs" pod_running "web-$n"; done
cfg="defaults
  mode http
  timeout connect 5s
  timeout client 20s
  timeout server 20s
frontend in
  bind :8080
  default_backend web
backend web
  server one $(pod web-1 .status.podIP):80 check inter 1s
  server two $(pod web-2 .status.podIP):80 check inter 1s
"
pod_create proxy haproxy "$(jq -cn --arg cfg "$cfg" '["sh", "-c", "echo \"$0\" >/tmp/haproxy.cfg && exec haproxy -W -db -f /tmp/haproxy.cfg", $cfg]')" \
	'{}' '{"ports": [{"containerPort": 8080, "hostPort": 8082}]}'
await 300 "the proxy runs" pod_running proxy
url=http://$(host_address 0 8082)/who
await 60 "it answers" in_net curl -sf --max-time 5 "$url"
who=$(for _ in $(seq 10); do in_net curl -sf --max-time 20 "$url"; done | sort -u | xargs)
expect "who answered" "web-1 web-2" "$who"
expect "its user" haproxy "$(hyper exec proxy -- id -un)"
pod_remove web-1
await 60 "the proxy knows that one is gone" eval 'pod_logs proxy | grep -q "web/one is DOWN"'
who=$(for _ in $(seq 6); do in_net curl -sf --max-time 20 "$url"; done | sort -u | xargs)
expect "who answers without web-1" "web-2" "$who"
pod_remove web-2
pod_delete proxy
await 60 "the proxy ends by its stop signal" pod_gone proxy
