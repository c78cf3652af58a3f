#!/bin/bash
# The demo: nginx runs in a HyperVM and is reached through a host port; list, logs, describe, rm.
# environment: shared
# deadline: 240

url=http://$(host_address 0 8080)/
hyper run --name web -p 8080:80 nginx
await 150 "web runs" pod_running web
await 30 "nginx answers at $url" in_net curl -sf --max-time 5 "$url"
expect_match "body" "<title>Welcome to nginx!</title>" "$(in_net curl -sf --max-time 10 "$url")"
expect "missing page" 404 "$(in_net curl -s --max-time 10 -o /dev/null -w '%{http_code}' "${url}nothing")"
expect_match "podIP" '^[0-9]+\.[0-9]+\.[0-9]+\.[0-9]+$' "$(pod web .status.podIP)"
expect_match "hyper list" "web .*Running" "$(hyper list)"
expect_match "hyper logs" 'GET / HTTP/1.1" 200 .*curl' "$(hyper logs web)"
expect_match "hyper describe" "nginx" "$(hyper describe web)"

# 200 requests, eight at a time: every one must be answered
answers=$(seq 200 | in_net xargs -P 8 -I{} curl -s --max-time 20 -o /dev/null -w '%{http_code}\n' "$url" | sort | uniq -c)
expect "answers to 200 requests" "200 200" "$(xargs <<<"$answers")"

hyper rm web
await 60 "web is gone" pod_gone web
if in_net curl -sf --max-time 3 "$url" >/dev/null; then fail "$url still answers after rm"; fi
