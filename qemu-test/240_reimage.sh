#!/bin/bash
# A host is booted into another image under a pod that serves, by one command: the pod gets its grace and serves again
# when the host is back, Ready, on the image that it was told. Broken images do not cost the host: from one whose early
# stage fails it comes back after three boots, from one whose hostd never comes up when its time is over, both times on
# the last good one, and `hyper hosts` says which failed and why. What is half, wrong or in use is refused.
# environment: own
# deadline: 1800

env_up
first=$(cat "$OUT/images/version")

# What `make images` leaves, of a build that calls itself VERSION; SED changes the list of files in its root image
build() { # VERSION [SED]
	local to=$RUN/builds/$1 work=$RUN/builds/work
	mkdir -p "$to" "$work"
	cp "$ROOT/rootfs/pack.sh" "$work/"
	sed "s/$first/$1/" "$OUT/rootfs/os-release" >"$work/os-release"
	sed "s|out/rootfs/os-release|$work/os-release|;${2:-}" "$ROOT/rootfs/files.list" >"$work/files.list"
	(cd "$ROOT" && O=$OUT SOURCE_DATE_EPOCH=$(now) MKFS_EROFS=$OUT/pkg/native/erofs-utils/bin/mkfs.erofs \
		"$work/pack.sh" "$work/rootfs.erofs")
	sed "s|@O@|$OUT|;s|@ROOTFS@|$work/rootfs.erofs|" "$ROOT/initramfs/initramfs.list" >"$work/list"
	build_sealed "$1"
}

# The rest of it: initramfs out of the list, kernel, version, checksums
build_sealed() { # VERSION
	local to=$RUN/builds/$1 file
	mkdir -p "$to"
	"$OUT/pkg/native/gen-init-cpio/bin/gen_init_cpio" "$RUN/builds/work/list" >"$to/initramfs"
	cp "$OUT/images/bzImage" "$to/"
	echo "$1" >"$to/version"
	for file in bzImage initramfs version; do (cd "$to" && sha256sum $file >$file.sha256); done
}

os_image() { api GET /api/v1/nodes/host-0 | jq -r .status.nodeInfo.osImage; }
boot_id() { api GET /api/v1/nodes/host-0 | jq -r .status.nodeInfo.bootID; }
cordoned() { api GET /api/v1/nodes/host-0 | jq -r '.spec.unschedulable // false'; }
boots() { grep -c "ev=boot_script .*image=$1 " "$RUN/log/controller.log" || :; } # VERSION
took() { echo "$1: $(($(now) - start)) s"; }

build second
build third '/ \/usr\/bin\/hostd out/d'
sed -i '/rootfs.erofs/d' "$RUN/builds/work/list"
build_sealed broken
expect "the image of host-0" "HyperMetal $first" "$(os_image)"

# What cannot be added, and what can
cp -r "$RUN/builds/second" "$RUN/builds/rotten"
echo >>"$RUN/builds/rotten/initramfs"
if hyper image add "$RUN/builds/rotten" 2>"$RUN/said"; then fail "an image with a wrong checksum was added"; fi
expect_match "what hyper said" "initramfs: the checksum is [0-9a-f]+, not" "$(cat "$RUN/said")"
hyper image add "$RUN/builds/second"
expect "added again" "second is there already" "$(hyper image add "$RUN/builds/second")"
hyper image add "$RUN/builds/third"
hyper image add "$RUN/builds/broken"
expect_match "images" "$first .* default .*second .*third " "$(hyper image list | tr '\n' ' ')"
if hyper reimage host-0 --image missing 2>"$RUN/said"; then fail "a host was given an image that is not there"; fi
expect_match "what hyper said" "no image missing" "$(cat "$RUN/said")"

# Another image, under a pod that serves; its end comes within its grace, and it keeps its name, uid and host
web_start
pod_create polite busybox '["sh", "-c", "trap \"exit 0\" TERM; while :; do sleep 1; done"]' '{"spec": {"restartPolicy": "Always"}}'
await 120 "polite runs" pod_running polite
uid=$(pod web .metadata.uid) booted=$(boot_id) start=$(now)
expect "hyper reimage" host-0 "$(hyper reimage host-0 --image second)"
took "reimage"
expect "the image of host-0" "HyperMetal second" "$(os_image)"
[ "$(boot_id)" != "$booted" ] || fail "bootID is that of before: $booted"
expect "boots of second" 1 "$(boots second)"
expect "cordoned" false "$(cordoned)"
expect_match "end of polite" "ev=pod_stopping .*grace_s=30" "$(tr -d '\r' <"$RUN/host-0/serial.log")"
! grep -aq 'ev=pod_killed' "$RUN/host-0/serial.log" || fail "a pod was killed though it had a grace"
await 150 "web serves again" web_answers
expect "uid of web" "$uid" "$(pod web .metadata.uid)"
took "until web served again"
expect "hyper reimage to what it runs" host-0 "$(hyper reimage -l kubernetes.io/hostname=host-0 --image second)"
if hyper reimage -l kubernetes.io/hostname=none --image second 2>"$RUN/said"; then fail "hosts that are not there were reimaged"; fi
expect_match "what hyper said" "no host has these labels" "$(cat "$RUN/said")"
expect "boots of second" 1 "$(boots second)"
for image in second "$first"; do
	if hyper image rm "$image" 2>"$RUN/said"; then fail "$image was removed though it is in use"; fi
	cat "$RUN/said"
done

# One that never boots: three times, then the last good one
start=$(now)
if hyper reimage host-0 --image broken 2>"$RUN/said"; then fail "hyper did not tell that the image is broken"; fi
took "reimage to a broken image"
expect_match "what hyper said" "came back with HyperMetal second: broken: not Ready after 3 boots; the last good one is second" "$(cat "$RUN/said")"
expect "boots of broken" 3 "$(boots broken)"
expect "the image of host-0" "HyperMetal second" "$(os_image)"
expect "cordoned" false "$(cordoned)"
expect_match "hyper hosts" "host-0 +Ready .*HyperMetal second \(broken: not Ready after 3 boots" "$(hyper hosts | tr '\n' ' ')"
expect_match "hyper describe" "Trouble: +broken: not Ready after 3 boots" "$(hyper describe host host-0 | tr '\n' ' ')"
await 150 "web serves again" web_answers

# It is not tried again by itself, not by another controller either
proc_stop controller
CONTROLLER_ARGS=(--ready-within 100)
env_controller
await 60 "host-0 is there" node_ready host-0
expect "hyper reboot" host-0 "$(hyper reboot host-0)"
expect "the image of host-0" "HyperMetal second" "$(os_image)"
expect "boots of broken" 3 "$(boots broken)"

# One whose hostd never comes up: nobody restarts the host, its early stage ends it
start=$(now)
if hyper reimage host-0 --image third 2>"$RUN/said"; then fail "hyper did not tell that the image is broken"; fi
took "reimage to an image without hostd"
expect_match "what hyper said" "came back with HyperMetal second: third: not Ready within 100 seconds" "$(cat "$RUN/said")"
expect "boots of third" 1 "$(boots third)"
await 150 "web serves again" web_answers

# With the usual ten minutes again: this machine may have more to do than to boot hosts
proc_stop controller
CONTROLLER_ARGS=()
env_controller
await 60 "host-0 is there" node_ready host-0

# Back to where it began, with all the folders of images gone: what the controller has read it can serve. And by an
# operator who gives up in the middle, and says it again.
mv "$RUN/controller/images" "$RUN/controller/gone"
if in_net timeout 8 "$OUT/bin/hyper" reimage host-0 --image "$first"; then fail "reimage within 8 s"; fi
expect "cordoned" true "$(cordoned)"
expect "hyper reimage" host-0 "$(hyper reimage host-0 --image "$first")"
expect "the image of host-0" "HyperMetal $first" "$(os_image)"
mv "$RUN/controller/gone" "$RUN/controller/images"
expect "cordoned" false "$(cordoned)"
expect_match "hyper hosts" "host-0 +Ready .*HyperMetal $first *$" "$(hyper hosts | tr '\n' ' ')"
expect "hyper image rm" "$(printf '%s\n' broken second third)" "$(hyper image rm broken second third)"

# A drain removes no pod that nothing would make again, unless it is told to
if hyper drain host-0 2>"$RUN/said"; then fail "the drained host has pods, and hyper did not tell"; fi
expect_match "what hyper said" "pod default/web stays.*2 pods are left" "$(tr '\n' ' ' <"$RUN/said")"
expect "hyper drain" host-0 "$(hyper drain host-0 --delete)"
await 5 "web is gone" pod_gone web
expect "cordoned" true "$(cordoned)"
