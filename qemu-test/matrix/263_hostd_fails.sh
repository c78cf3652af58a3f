#!/bin/bash
# A hostd that ends again and again, here for a setting that it does not know, has the machine begin anew after five minutes:
# with the setting mended meanwhile the host comes back and tells why.
# environment: own
# deadline: 1500

QEMU_EXTRA="-object memory-backend-file,id=erst,mem-path=$RUN/erst,size=64K,share=on -device acpi-erst,memdev=erst"
env_up

reset() { api GET /api/v1/nodes/host-0 | jq -r --arg key "$1" '.status.conditions[] | select(.type == "UnexpectedReset") | .[$key]'; }
qmp() { printf '%s\n' '{"execute":"qmp_capabilities"}' "{\"execute\":\"$1\"}" | socat -t 2 - "UNIX-CONNECT:$RUN/host-0/qmp.sock" >/dev/null; }
fails() { grep -aq 'colour: no such key\|no such key' "$RUN/host-0/serial.log"; }

echo colour=red >>"$RUN/host-settings"
qmp system_reset
await 180 "hostd fails" fails
start=$(now)
sed -i /colour/d "$RUN/host-settings"
await 900 "host-0 is back" eval 'node_ready host-0 && [ "$(reset reason)" = HostdFailed ]'
echo "back after $(($(now) - start)) s"
expect "the condition" True "$(reset status)"
expect_match "its message" '^hostd ended [0-9]+ times within [0-9]+ s' "$(reset message)"
