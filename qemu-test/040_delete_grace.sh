#!/bin/bash
# Deletion gives a pod its grace: one that ends on TERM is gone as soon as it has ended and may write until then, one
# that does not listen is killed when the grace is over.
# environment: shared
# deadline: 240

pod_create polite busybox '["sh", "-c", "trap \"echo got TERM; sleep 2; echo bye; exit 0\" TERM; echo ready; while :; do sleep 1; done"]'
pod_create stubborn busybox '["sh", "-c", "trap \"\" TERM; echo ready; while :; do sleep 1; done"]'
for name in polite stubborn; do
	await 120 "$name is ready" eval "[ \"\$(pod_logs $name)\" = ready ]"
done

follow=$RUN/polite.log
api_keys
in_net curl -sN --max-time 90 "${API_KEYS[@]}" "$(api_url "$PODS/polite/log?follow=true")" >"$follow" &
sleep 2

start=$(now_ms)
pod_delete polite 25
expect_match "marked with its grace" '^25 20' "$(pod polite '"\(.metadata.deletionGracePeriodSeconds) \(.metadata.deletionTimestamp)"')"
await 40 "polite is gone" pod_gone polite
took=$(($(now_ms) - start))
[ $took -ge 2000 ] || fail "polite was gone after $took ms, before it could say goodbye"
[ $took -lt 20000 ] || fail "polite, which ends 2 s after TERM, was gone only after $took ms"
wait $! || :
expect "what polite said" "ready got TERM bye" "$(xargs <"$follow")"

start=$(now_ms)
pod_delete stubborn 6
await 60 "stubborn is gone" pod_gone stubborn
took=$(($(now_ms) - start))
[ $took -ge 6000 ] || fail "stubborn was gone after $took ms, within its grace of 6 s"
[ $took -lt 20000 ] || fail "stubborn with a grace of 6 s was gone only after $took ms"

# Without grace
pod_create now busybox '["sleep", "1000"]'
await 60 "now runs" pod_running now
start=$(now_ms)
pod_delete now 0
await 30 "now is gone" pod_gone now
