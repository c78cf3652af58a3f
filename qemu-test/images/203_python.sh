#!/bin/bash
# Python's http.server: folders are listed, files served, from a second pod and through a host port.
# environment: shared
# deadline: 500

ordinary_push python
pod_create python python '["python3", "-m", "http.server", "--directory", "/etc", "8000"]' '{}' \
	'{"ports": [{"containerPort": 8000, "hostPort": 8081}]}'
await 300 "python runs" pod_running python
url=http://$(host_address 0 8081)
await 60 "it answers" in_net curl -sf --max-time 5 "$url/hostname"
expect "a file" python "$(in_net curl -sf --max-time 10 "$url/hostname")"
expect_match "a folder" 'Directory listing for /' "$(in_net curl -sf --max-time 10 "$url/")"
client python busybox 'wget -q -O - http://$0:8000/hostname'
expect "from a second pod" python "$(pod_logs python-client)"
expect_match "its modules" '^3\.[0-9]+ .*sqlite 3' \
	"$(hyper exec python -- python3 -c 'import sys, ssl, sqlite3, threading, multiprocessing, asyncio, locale, tempfile
with multiprocessing.Pool(2) as p: assert p.map(abs, [-1, 2]) == [1, 2]
tempfile.TemporaryFile().write(b"x")
print("%d.%d" % sys.version_info[:2], locale.setlocale(locale.LC_ALL, ""), "sqlite", sqlite3.sqlite_version)' || :)"
pod_remove python-client
pod_remove python
