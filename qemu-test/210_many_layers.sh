#!/bin/bash
# An image of 127 layers, as many as a container may have: every one is there, a file that all of them write is the last
# one's. One layer more is refused with a reason.
# environment: shared
# deadline: 400

work=$RUN/many
rm -rf "$work"
mkdir -p "$work/root/layers"
cp -r "$OUT/oci/busybox" "$work/layout"
for i in $(seq 127); do
	echo "$i" | tee "$work/root/layers/$i" >"$work/root/last"
	tar -C "$work/root" --owner=0 --group=0 --mtime=@0 -cf "$work/$i.tar" "layers/$i" last
	[ "$i" -lt 127 ] || registry_push "$work/layout" many:latest
	umoci raw add-layer --image "$work/layout:latest" "$work/$i.tar"
done
registry_push "$work/layout" many:toomany

start=$(now)
pod_create many many '["sh", "-c", "ls /layers | wc -l; cat /last /layers/126; cat /layers/* | sort -n | uniq | wc -l"]'
await 300 "many has run" pod_ended many
echo "pulled and run in $(($(now) - start)) s"
expect "what many saw" "126 126 126 126" "$(pod_logs many | xargs)"
pod_remove many

pod_create toomany many:toomany '["true"]'
await 60 "toomany is refused" eval '[[ $(pod toomany .status.containerStatuses[0].state.waiting.message) == *"128 layers, 127 are allowed"* ]]'
pod_remove toomany
