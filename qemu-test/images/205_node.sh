#!/bin/bash
# Node.js serves HTTP, with a worker thread and a child process.
# environment: shared
# deadline: 600

ordinary_push node
js='const http = require("http"), { Worker } = require("worker_threads"), { execFileSync } = require("child_process");
http.createServer((request, response) => {
	const worker = new Worker("require(\"worker_threads\").parentPort.postMessage(6 * 7)", { eval: true });
	worker.on("message", (m) => response.end(`${request.url} ${m} ${execFileSync("uname").toString()}`));
}).listen(3000, () => console.log("listening"));'
pod_create node node "$(jq -cn --arg js "$js" '["node", "-e", $js]')" '{}' \
	'{"ports": [{"containerPort": 3000, "hostPort": 8083}], "resources": {"limits": {"memory": "512Mi"}}}'
await 200 "node runs" pod_running node
url=http://$(host_address 0 8083)/path
await 120 "it answers" in_net curl -sf --max-time 20 "$url"
expect "the answer" "/path 42 Linux" "$(in_net curl -sf --max-time 30 "$url")"
pod_remove node
