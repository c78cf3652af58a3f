#!/bin/bash
# A layer that is not what its digest says: the error names the digest, nothing of it is kept, and the pod runs once
# the registry has the right one.
# environment: shared
# deadline: 300

# A layer of its own, so that damage to it concerns no other image
work=$RUN/wrong-digest
rm -rf "$work"
mkdir -p "$work/layer"
cp -r "$OUT/oci/busybox" "$work/layout"
head -c 300000 /dev/urandom >"$work/layer/payload"
tar -C "$work/layer" --owner=0 --group=0 -cf "$work/layer.tar" payload
umoci raw add-layer --image "$work/layout:latest" "$work/layer.tar" >/dev/null
registry_push "$work/layout" wrong:latest

blob=$(registry_blob wrong:latest 1)
digest=$(registry_layer wrong:latest 1)
cp "$blob" "$work/good"
printf 'not what was pushed' | dd of="$blob" bs=1 seek=4096 conv=notrunc status=none

pod_create wrong wrong:latest '["sh", "-c", "wc -c </payload"]'
await 90 "wrong waits with ErrImagePull or ImagePullBackOff" eval '[[ $(pod_waits_for wrong) == @(ErrImagePull|ImagePullBackOff) ]]'
expect_match "message names the digest" "${digest:0:19}" "$(pod wrong '.status.containerStatuses[0].state.waiting.message')"
expect "phase" Pending "$(pod wrong .status.phase)"

cp "$work/good" "$blob"
await 150 "wrong has run after the layer was put right" pod_is wrong .status.phase Succeeded
expect "log" 300000 "$(pod_logs wrong | xargs)"
pod_remove wrong
