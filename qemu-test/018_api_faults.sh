#!/bin/bash
# The API does wrong while a host wants to join: bytes that are no TLS, connections that end, 503, a web page, `{}` and
# nothing at all with status 200, an answer that takes 20 seconds. It joins when the API behaves, and says on its console
# what was wrong each time. A second host has the first one's UUID and serial number, both blanks of a careless maker: two
# Nodes.
# environment: own
# deadline: 400

PLAN=${PLAN:-'* garbage 1
* close 1
* error 1
* wrong 1
* object 1
* empty 1
* late 1'}
NET=user HOSTS=2 BOOT=bios-pxe

host_uuid() { echo 00000000-0000-0000-0000-000000000000; }
QEMU_EXTRA="-smbios type=1,serial=0123456789,uuid=$(host_uuid)"

env_prepare
printf '%s\n' "$PLAN" >"$RUN/plan"
port_pick FAULT_PORT 6580
CONTROLLER_ARGS+=(--advertise-api "https://$(gateway):$FAULT_PORT")
env_controller
pki=$RUN/controller
openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout "$RUN/fault.key" -subj /CN=fault -out "$RUN/fault.csr" 2>/dev/null
openssl x509 -req -in "$RUN/fault.csr" -CA "$pki/ca.crt" -CAkey "$pki/ca.key" -CAcreateserial -CAserial "$RUN/fault.serial" -days 1 \
	-extfile <(echo "subjectAltName=IP:$(gateway)") -out "$RUN/fault.crt" 2>/dev/null
proc_start faults "$ROOT/qemu-test/lib/fault_proxy.py" --tls "$RUN/fault.crt" "$RUN/fault.key" "$FAULT_PORT" "$API_PORT" "$RUN/plan"
start=$(now)
host_start 0
await 300 "host-0 is Ready" node_ready host-0
echo "Ready after $(($(now) - start)) s"
grep = "$RUN/log/faults.log"
expect "faults that were met" "$(awk '{ n += $3 } END { print n }' <<<"$PLAN")" "$(grep -c ^fault= "$RUN/log/faults.log")"
tr -d '\r' <"$RUN/host-0/serial.log" | grep -a 'level=warn' | grep -a 'mod=node' | tee "$RUN/said" || :
[ "$(wc -l <"$RUN/said")" -ge 4 ] || fail "the console does not say what was wrong" "$(tail "$RUN/host-0/serial.log")"

host_start 1
await 240 "host-1 is Ready" node_ready host-1
await 10 "host-0 still is" node_ready host-0
expect "what the two say of themselves" "$(host_uuid) 0123456789" "$(grep -o 'ev=boot_script.*' "$RUN/log/controller.log" |
	sed -nE 's/.*uuid=([^ ]*) serial=([^ ]*).*/\1 \2/p' | sort -u)"
expect "Nodes" "host-0 host-1" "$(api GET /api/v1/nodes | jq -r '.items[].metadata.name' | xargs)"
