#!/bin/bash
# Enrolment, played by hand: the token in the per-host cpio buys one certificate, for the host that it was minted for,
# once. A wrong token, another host's name and a second use get nothing.
# environment: own
# deadline: 120

HOSTS=2
env_prepare
env_controller
keys=$RUN/enrol
mkdir -p "$keys"

# What a host is given when it boots; sets TOKEN and CA
boot() { # INDEX
	local script url dir=$keys/cpio-$1
	script=$(in_net curl -sSf "http://127.0.0.1:$BOOT_PORT/boot/ipxe?uuid=$(host_uuid "$1")&mac=$(host_mac "$1" | tr : -)&serial=HM-$1")
	expect_match "boot script" '^#!ipxe' "$script"
	if grep -qE '[a-z0-9]{6}\.[a-z0-9]{16}' <<<"$script"; then fail "a token is in the boot script:" "$script"; fi
	url=$(grep -E '^initrd ' <<<"$script" | tail -n 1 | grep -oE 'https?://[^ ]+')
	rm -rf "$dir"
	mkdir -p "$dir"
	in_net curl -sSf "${url/$(gateway)/127.0.0.1}" | (cd "$dir" && cpio -idm --quiet)
	TOKEN=$(grep -rhoE '\b[a-z0-9]{6}\.[a-z0-9]{16}\b' "$dir" | head -n 1)
	CA=$(grep -rl 'BEGIN CERTIFICATE' "$dir" | head -n 1)
	if [ -z "$TOKEN" ] || [ -z "$CA" ]; then fail "no token or no CA in the per-host cpio:" "$(find "$dir" -type f)"; fi
}

csrs=/apis/certificates.k8s.io/v1/certificatesigningrequests
with_token() { # TOKEN CURL_ARGUMENT...
	local token=$1
	shift
	in_net curl -sS --max-time 10 --cacert "$CA" -H "Authorization: Bearer $token" "$@"
}

# Asks for a certificate; the answer goes to $keys/answer, its status is printed
ask() { # TOKEN NODE_NAME
	openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout "$keys/$2.key" \
		-subj "/O=system:nodes/CN=system:node:$2" -out "$keys/$2.csr" 2>/dev/null
	jq -n --arg request "$(base64 -w 0 "$keys/$2.csr")" '{apiVersion: "certificates.k8s.io/v1",
		kind: "CertificateSigningRequest", metadata: {generateName: "csr-"}, spec: {request: $request,
		signerName: "kubernetes.io/kube-apiserver-client-kubelet", expirationSeconds: 86400,
		usages: ["digital signature", "key encipherment", "client auth"]}}' |
		with_token "$1" -o "$keys/answer" -w '%{http_code}' -H 'Content-Type: application/json' --data-binary @- "$(api_url $csrs)"
}

# What became of the request in $keys/answer: Issued, Denied or Pending; the certificate goes to FILE
outcome() { # FILE
	local name csr
	name=$(jq -r .metadata.name "$keys/answer")
	csr=$(api GET "$csrs/$name")
	if [ "$(jq -r '.status.certificate // ""' <<<"$csr")" != "" ]; then
		jq -r .status.certificate <<<"$csr" | base64 -d >"$1" && echo Issued
	elif jq -e '.status.conditions[]? | select(.type == "Denied" or .type == "Failed")' <<<"$csr" >/dev/null; then
		echo Denied
	else
		echo Pending
	fi
}

boot 0
first=$TOKEN
expect "a token nobody made" 401 "$(ask aaaaaa.0123456789abcdef host-0)"

expect "asking for host-0 with its token" 201 "$(ask "$first" host-0)"
await 15 "host-0's certificate" eval '[ "$(outcome $keys/host-0.crt)" = Issued ]'
expect "its subject" "system:node:host-0" "$(openssl x509 -in "$keys/host-0.crt" -noout -subject -nameopt multiline | sed -n 's/.*commonName *= //p')"
days=$((($(date -d "$(openssl x509 -in "$keys/host-0.crt" -noout -enddate | cut -d= -f2)" +%s) - $(now)) / 3600))
[ $days -le 24 ] || fail "the certificate is valid for $days hours"
as_host() { in_net curl -s -o /dev/null -w '%{http_code}' --cacert "$CA" --cert "$keys/host-0.crt" --key "$keys/host-0.key" "$@"; }
expect "host-0 lists its pods" 200 "$(as_host "$(api_url '/api/v1/pods?fieldSelector=spec.nodeName%3Dhost-0')")"
expect "host-0 lists every pod" 403 "$(as_host "$(api_url /api/v1/pods)")"
expect "host-0 makes host-1's Node" 403 "$(as_host -H 'Content-Type: application/json' -d '{"apiVersion":"v1","kind":"Node","metadata":{"name":"host-1"}}' "$(api_url /api/v1/nodes)")"

# The same token again, with a key of somebody else's
code=$(ask "$first" host-0)
case $code in
401 | 403) ;;
201)
	sleep 3
	[ "$(outcome "$keys/stolen.crt")" != Issued ] || fail "a token used twice bought a second certificate"
	;;
*) fail "second use of a token: status $code" "$(cat "$keys/answer")" ;;
esac

# Host 1's token for host 0's name
boot 1
code=$(ask "$TOKEN" host-0)
case $code in
401 | 403) ;;
201) await 15 "a request under another host's name is denied" eval '[ "$(outcome $keys/foreign.crt)" = Denied ]' ;;
*) fail "another host's name: status $code" "$(cat "$keys/answer")" ;;
esac

boot 0
[ "$TOKEN" != "$first" ] || fail "two boots were given the same token"
