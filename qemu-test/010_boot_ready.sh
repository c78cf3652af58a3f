#!/bin/bash
# A host boots over PXE, registers and becomes Ready; nothing secret is on its command line, no shell on its console.
# environment: shared
# deadline: 60

expect "number of nodes" "$HOSTS" "$(api GET /api/v1/nodes | jq '.items | length')"
node=$(api GET /api/v1/nodes/host-0)
expect "Ready" True "$(jq -r '.status.conditions[] | select(.type == "Ready").status' <<<"$node")"
expect "architecture" amd64 "$(jq -r .status.nodeInfo.architecture <<<"$node")"
expect "bootID is a UUID" 36 "$(jq -r '.status.nodeInfo.bootID | length' <<<"$node")"
[ "$(jq -r '.status.capacity.cpu | tonumber' <<<"$node")" = "$SMP" ] || fail "cpu capacity: $(jq -c .status.capacity <<<"$node")"
expect_match "hyper hosts" "host-0 .*Ready" "$(hyper hosts)"
expect "hyper hosts -o json" host-0 "$(hyper hosts -o json | jq -r '.items[0].metadata.name')"
api GET /apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/host-0 >/dev/null || fail "host-0 has no Lease"

console=$RUN/host-0/serial.log
for bad in 'Kernel panic' 'BUG:' 'Call Trace:' 'WARNING: CPU' 'Out of memory'; do
	if grep -aqF "$bad" "$console"; then fail "the console says '$bad'" "$(grep -aF -m 1 -A 10 "$bad" "$console")"; fi
done
# Bootstrap tokens look like abcdef.0123456789abcdef
if grep -aqE 'ommand line:.*[a-z0-9]{6}\.[a-z0-9]{16}' "$console"; then fail "a token is on the kernel's command line"; fi

before=$(stat -c %s "$console")
printf '\n\necho shell-is-%s\n' here | socat -t 3 - "UNIX-CONNECT:$RUN/host-0/serial.sock" >/dev/null
if tail -c "+$before" "$console" | grep -aqE '^shell-is-here'; then fail "the console has a shell without hyper.debug"; fi
