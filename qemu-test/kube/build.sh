#!/bin/bash
# build.sh - builds a real Kubernetes control plane for qemu-test-kube and prints the folder of its programs
#
# usage: build.sh     a few minutes and 2 GB the first time; afterwards it comes from the cache
#
# Of the Debian suites only 12 (bookworm) has the servers' source: kubernetes 1.20.2, with everything vendored. It is
# compiled with that suite's own Go, which like etcd and kubectl is unpacked from its packages and never installed, so
# this works on any Debian release. JOBS=n bounds the compiler.
set -euo pipefail

case ${1:-} in -h | --help | help) sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0" && exit 0 ;; esac
say() { echo "kube: $*" >&2; }
die() { say "$*"; exit 1; }

here=$(cd "$(dirname "$0")" && pwd)
suite=bookworm cache=${HYPERMETAL_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/hypermetal}
types=deb-src
# shellcheck source=build/apt.sh
. "$here/../../build/apt.sh"

servers=(kube-apiserver kube-controller-manager kube-scheduler)
key=$(sha256sum <"$0" | cut -c1-16)
bin=$cache/kube/$key
mkdir -p "$cache/kube"
exec 9>"$cache/kube/lock"
flock 9
if [ -x "$bin/complete" ]; then echo "$bin" && exit 0; fi
for tool in rsync jq make dpkg-source; do
	command -v $tool >/dev/null || die "$tool is missing (make deps)"
done

work=$cache/kube/work
chmod -R u+w "$work" 2>/dev/null || :
rm -rf "$work"/{deb,root,gopath} "$bin" # what Go has compiled stays for another attempt
mkdir -p "$work/deb" "$work/root" "$work/gopath/src/k8s.io" "$bin"
cd "$work/deb"
say "fetching sources of $suite, Go, etcd and kubectl"
{
	types=deb-src && apt_state
	apt apt-get source --download-only --only-source kubernetes || [ -n "$(ls kubernetes_*.dsc)" ]
	types=deb && apt_state
	apt apt-get download golang-1.19-go golang-1.19-src golang-github-modern-go-reflect2-dev etcd-server kubernetes-client
} >"$cache/kube/fetch.log" 2>&1 || { tail -n 5 "$cache/kube/fetch.log" >&2 && die "not everything could be fetched"; }
for package in ./*.deb; do dpkg -x "$package" "$work/root"; done
source=$work/gopath/src/k8s.io/kubernetes
dpkg-source -x --no-check kubernetes_*.dsc "$source" >/dev/null 2>&1
[ -d "$source/cmd/kube-apiserver" ] || die "the source package has no servers"

# The vendored reflect2 1.0.1 walks maps wrongly when compiled by Go 1.18 or later and brings the apiserver down at
# the first pretty-printed answer to a PATCH; the suite's own 1.0.2 is right
reflect2=vendor/github.com/modern-go/reflect2
rm -f "$source/$reflect2"/*.go
cp "$work/root/usr/share/gocode/src/github.com/modern-go/reflect2"/*.{go,s} "$source/$reflect2/"
rm -f "$source/$reflect2"/*_test.go

# Module mode refuses this tree with Go 1.19, so it is built the old way, as Debian's package is
export GOROOT=$work/root/usr/lib/go-1.19 GOPATH=$work/gopath GO111MODULE=off CGO_ENABLED=0 GOFLAGS='' GOCACHE=$work/gocache
export PATH=$GOROOT/bin:$PATH
cd "$source"
say "generating code"
nice make generated_files >"$cache/kube/build.log" 2>&1 || { tail -n 20 "$cache/kube/build.log" >&2 && die "generating failed"; }
flags='-s -w'
for package in component-base/version client-go/pkg/version; do
	for value in gitVersion=v1.20.2 gitMajor=1 gitMinor=20 gitTreeState=clean; do
		flags+=" -X k8s.io/kubernetes/vendor/k8s.io/$package.$value"
	done
done
for server in "${servers[@]}"; do
	say "compiling $server"
	nice go build -p "${JOBS:-2}" -ldflags "$flags" -o "$bin/$server" "./cmd/$server" >>"$cache/kube/build.log" 2>&1 ||
		{ tail -n 20 "$cache/kube/build.log" >&2 && die "$server does not build"; }
done
cp "$work/root/usr/bin/etcd" "$work/root/usr/bin/kubectl" "$bin/"
ln -s kubectl "$bin/complete"
chmod -R u+w "$work"
rm -rf "$work"
echo "$bin"
