#!/bin/bash
# An image that does not exist: the pod stays Pending with the registry's own words, and runs once the image is there.
# environment: shared
# deadline: 240

pod_create lost nosuch:latest '["sh", "-c", "echo found"]'
await 60 "lost waits with ErrImagePull or ImagePullBackOff" eval '[[ $(pod_waits_for lost) == @(ErrImagePull|ImagePullBackOff) ]]'
message=$(pod lost '.status.containerStatuses[0].state.waiting.message')
expect_match "message names the image" "nosuch" "$message"
expect_match "message has the registry's words" "manifest unknown|name unknown|MANIFEST_UNKNOWN|NAME_UNKNOWN|repository name not known" "$message"
expect "phase" Pending "$(pod lost .status.phase)"
await 60 "lost backs off" eval '[ "$(pod_waits_for lost)" = ImagePullBackOff ]'

registry_push "$OUT/oci/busybox" nosuch:latest
await 120 "lost has run after the image came" pod_is lost .status.phase Succeeded
expect "log" found "$(pod_logs lost)"
pod_remove lost
