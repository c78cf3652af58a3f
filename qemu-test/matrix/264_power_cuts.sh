#!/bin/bash
# A host under a serving pod loses its power again and again, at random moments of its boot and its life (CUTS times, 5 unless
# set; 50 is the full set). It always comes back Ready, by itself, with its name and its pod, and the controller has nothing
# left over of the boots that came to nothing.
# environment: own
# deadline: 7200

CUTS=${CUTS:-5}
env_up

node() { api GET /api/v1/nodes/host-0 | jq -r "$1"; }
boot_id() { node .status.nodeInfo.bootID; }
back() { [ "$(boot_id)" != "$1" ] && node_ready host-0; } # BOOT_ID
cut() { printf '%s\n' '{"execute":"qmp_capabilities"}' '{"execute":"system_reset"}' | socat -t 1 - "UNIX-CONNECT:$RUN/host-0/qmp.sock" >/dev/null; }

web_start
uid=$(pod web .metadata.uid) node_uid=$(node .metadata.uid)
RANDOM=${SEED:-$$}
echo "SEED=${SEED:-$$} repeats the moments"

for ((i = 1; i <= CUTS; i++)); do
	booted=$(boot_id)
	# Half of them in a boot that has just begun: 0 to 40 s behind the cut before
	cut
	if ((RANDOM % 2)); then
		sleep $((RANDOM % 40)).$((RANDOM % 10))
		cut
		echo "cut $i: twice"
	fi
	start=$(now)
	await 300 "host-0 is back behind cut $i" back "$booted"
	echo "cut $i: Ready after $(($(now) - start)) s, $(node '.status.conditions[] | select(.type == "UnexpectedReset") | .reason')"
	expect "cordoned behind cut $i" false "$(node '.spec.unschedulable // false')"
	expect "an image that is in trouble behind cut $i" null "$(node '.metadata.annotations["hypermetal.io/image-trouble"]')"
	sleep $((RANDOM % 20))
done

await 200 "web serves" web_answers
expect "uid of web" "$uid" "$(pod web .metadata.uid)"
expect "uid of the Node" "$node_uid" "$(node .metadata.uid)"
expect "hosts" host-0 "$(api GET /api/v1/nodes | jq -r '.items[].metadata.name')"
expect "pods" web "$(api GET /api/v1/pods | jq -r '.items[].metadata.name')"
expect "requests that nobody answered" 0 "$(api GET /apis/certificates.k8s.io/v1/certificatesigningrequests |
	jq '[.items[] | select(.status.certificate == null)] | length')"
expect_match "the reason" '^(PowerLoss|Unknown)$' "$(node '.status.conditions[] | select(.type == "UnexpectedReset") | .reason')"
