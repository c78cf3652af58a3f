#!/bin/bash
# keys.sh - makes a fleet's own keys for Secure Boot, and the files by which they get into firmware
#
# usage: keys.sh DIR [CERTIFICATE.der]...
#
# Three pairs, RSA 2048 (what every UEFI firmware must know), each certificate signed by itself and valid for 30 years:
#   PK    the machine's owner: says who may change KEK
#   KEK   says what firmware may start: who may change db and dbx
#   db    signs EFI programs: the only key that the build needs (make images KEYS=DIR)
# NAME.key are secrets; NAME.crt (PEM) and NAME.der are for menus of firmware, NAME.esl and NAME.auth for tools and for
# the enrolment medium. remove-PK.auth takes the keys out again: firmware is in setup mode then. CERTIFICATEs go into db
# beside ours, such as Microsoft's where a card's ROM that is needed at boot is signed by it.
#
# Nothing is ever overwritten. docs/secure-boot.md says what to do with it all.
set -euo pipefail
umask 077
case ${1:-} in -h | --help | '') sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0"; exit 0 ;; esac
die() { echo "keys.sh: $*" >&2; exit 1; }
dir=$1
shift
for file in PK.key KEK.key db.key PK.crt KEK.crt db.crt; do
	[ ! -e "$dir/$file" ] || die "there are keys in $dir already; they are not touched"
done
for file; do openssl x509 -inform DER -in "$file" -noout 2>/dev/null || die "$file is no certificate in DER"; done

mkdir -p "$dir"
work=$(mktemp -d "$dir/.new.XXXXXX")
trap 'rm -rf "$work"' EXIT
owner=$(cat /proc/sys/kernel/random/uuid)
echo "$owner" >"$work/owner"
fleet=${owner%%-*}
for name in PK KEK db; do
	openssl req -x509 -newkey rsa:2048 -nodes -sha256 -days 10957 -subj "/CN=HyperMetal fleet $fleet, $name" \
		-addext basicConstraints=critical,CA:false -addext keyUsage=critical,digitalSignature \
		-keyout "$work/$name.key" -out "$work/$name.crt" 2>/dev/null
	openssl x509 -in "$work/$name.crt" -outform DER -out "$work/$name.der"
	sbsiglist --owner "$owner" --type x509 --output "$work/$name.esl" "$work/$name.der"
done
for file; do
	sbsiglist --owner "$owner" --type x509 --output "$work/more.esl" "$file"
	cat "$work/more.esl" >>"$work/db.esl"
	rm "$work/more.esl"
done

attributes=NON_VOLATILE,BOOTSERVICE_ACCESS,RUNTIME_ACCESS,TIME_BASED_AUTHENTICATED_WRITE_ACCESS
auth() { sbvarsign --attr $attributes --key "$work/$1.key" --cert "$work/$1.crt" --output "$work/$4" "$2" "$work/$3"; } # SIGNER VARIABLE ESL OUTPUT
: >"$work/nothing"
auth PK PK PK.esl PK.auth
auth PK KEK KEK.esl KEK.auth
auth KEK db db.esl db.auth
sleep 1.1 # a change of a variable must be later than what it changes, in seconds
auth PK PK nothing remove-PK.auth
rm "$work/nothing"
mv -n "$work"/* "$dir/"
echo "keys of fleet $fleet: $dir (keep PK.key and KEK.key off the build machine; whoever has db.key starts what he likes)"
