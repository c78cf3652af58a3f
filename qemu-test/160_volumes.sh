#!/bin/bash
# Volumes of a pod: shared by its containers, in memory, with limits that hold, in part, read-only, owned by fsGroup;
# they outlive their containers' restarts; a subPath that a link leads out of its volume starts nothing.
# environment: shared
# deadline: 300

# shellcheck disable=SC2016  # what is quoted is for the pods' shells
containers='{"spec": {
	"securityContext": {"fsGroup": 2000},
	"volumes": [{"name": "shared", "emptyDir": {}}, {"name": "small", "emptyDir": {"sizeLimit": "4Mi"}},
		{"name": "fast", "emptyDir": {"medium": "Memory", "sizeLimit": "1Mi"}}],
	"initContainers": [{"name": "fill", "image": "busybox", "volumeMounts": [{"name": "shared", "mountPath": "/data"}],
		"command": ["sh", "-c", "echo conf >/data/app.conf; mkdir -p /data/sub/in; echo two >/data/sub/in/g"]}],
	"containers": [
		{"name": "main", "image": "busybox", "env": [{"name": "WHO", "value": "main"}],
		 "securityContext": {"runAsUser": 1000, "runAsGroup": 1000, "readOnlyRootFilesystem": true},
		 "volumeMounts": [{"name": "shared", "mountPath": "/made/here"}, {"name": "small", "mountPath": "/small"},
			{"name": "fast", "mountPath": "/dev/shm"}, {"name": "shared", "mountPath": "/logs", "subPathExpr": "logs/$(WHO)"}],
		 "command": ["sh", "-c", "id -G; stat -c %u:%g:%a /made/here /small /dev/shm /made/here/app.conf;
			echo x >/made/here/mine; stat -c %u:%g:%a /made/here/mine; echo mine >/logs/l;
			dd if=/dev/zero of=/small/f bs=4096 count=2000 2>&1 | grep -o \"No space.*\"; stat -c small=%s /small/f;
			dd if=/dev/zero of=/dev/shm/f bs=4096 count=2000 2>&1 | grep -o \"No space.*\"; stat -c fast=%s /dev/shm/f;
			mkdir -m 700 /made/here/pgdata && echo 15 >/made/here/pgdata/PG_VERSION && sync && stat -c pg=%u:%a /made/here/pgdata;
			echo x >/x; df /small | tail -n 1; echo done >/made/here/done"]},
		{"name": "reader", "image": "busybox",
		 "volumeMounts": [{"name": "shared", "mountPath": "/data", "readOnly": true}, {"name": "shared", "mountPath": "/etc/app.conf", "subPath": "app.conf"},
			{"name": "shared", "mountPath": "/opt/in", "subPath": "sub/in", "readOnly": true}],
		 "command": ["sh", "-c", "until [ -e /data/done ]; do sleep 1; done; cat /data/logs/main/l /etc/app.conf /opt/in/g;
			echo new >/etc/app.conf; cat /data/app.conf; echo x >/data/x; echo x >/opt/in/x; rm /data/app.conf; ls /data/pgdata"]}]}}'
pod_create vol busybox '[]' "$(tr '\n\t' '  ' <<<"$containers")"
await 150 "vol has ended" pod_ended vol

main=$(pod_logs vol main)
expect_match "groups" '(^| )2000' "$(head -n 1 <<<"$main")"
expect "owners of volumes" "0:2000:2777 0:2000:2777 0:2000:2777 0:2000:644 1000:2000:644" "$(sed -n 2,6p <<<"$main" | xargs)"
expect "writes that found no space" 2 "$(grep -c 'No space left' <<<"$main")"
# or a block less, if ext4 put the file into so many pieces that the list of them needs one
expect_match "what fits a volume of 4 MiB" '^small=(4194304|4190208)$' "$(grep small= <<<"$main")"
expect "what fits one of 1 MiB in memory" fast=1048576 "$(grep fast= <<<"$main")"
expect "a data folder as a database has it" pg=1000:700 "$(grep pg= <<<"$main")"
expect_match "read-only root" "can't create /x: Read-only" "$main"
reader=$(pod_logs vol reader)
expect "what the other container sees" "mine conf two new" "$(grep -xE 'mine|conf|two|new' <<<"$reader" | xargs)"
expect "writes that were refused" 3 "$(grep -c 'Read-only file system' <<<"$reader")"
expect_match "another's folder" "PG_VERSION" "$reader"
pod_remove vol

# A volume outlives its container; a link in it leads nowhere
# shellcheck disable=SC2016
pod_create again busybox '["sh", "-c", "cat /data/mark || { echo first >/data/mark; echo lost >/lost; exit 1; }; cat /lost"]' '{"spec": {
	"restartPolicy": "OnFailure", "volumes": [{"name": "v", "emptyDir": {}}]}}' '{"volumeMounts": [{"name": "v", "mountPath": "/data"}]}'
await 60 "again was restarted" eval '[ "$(pod again ".status.containerStatuses[0].restartCount")" -ge 1 ]'
await 30 "it finds its mark" eval 'pod_logs again | grep -qx first'
expect "what was beside the volume" 1 "$(pod_logs again | grep -c "open '/lost'")"
pod_remove again

for path in abs up/etc; do
	pod_create attack busybox '["sh", "-c", "echo reached; ls /x"]' '{"spec": {"volumes": [{"name": "v", "emptyDir": {}}],
		"initContainers": [{"name": "link", "image": "busybox", "volumeMounts": [{"name": "v", "mountPath": "/v"}],
			"command": ["sh", "-c", "ln -s / /v/abs; ln -s ../../../.. /v/up"]}]}}' \
		'{"volumeMounts": [{"name": "v", "mountPath": "/x", "subPath": "'$path'"}]}'
	await 60 "attack by $path has ended" pod_ended attack
	expect "reason of $path" StartError "$(pod attack '.status.containerStatuses[0].state.terminated.reason')"
	expect_match "message of $path" "subPath $path leads out of the volume" "$(pod attack '.status.containerStatuses[0].state.terminated.message')"
	pod_remove attack
done

# ephemeral-storage is the size of what the pod can write
pod_create tiny busybox '["sh", "-c", "dd if=/dev/zero of=/f bs=65536 count=2000 2>&1 | grep -o \"No space.*\"; stat -c size=%s /f"]' '{}' \
	'{"resources": {"limits": {"ephemeral-storage": "32Mi"}}}'
await 60 "tiny has ended" pod_ended tiny
expect_match "a full disk" "No space left" "$(pod_logs tiny)"
size=$(pod_logs tiny | sed -n 's/^size=//p')
if [ "$size" -lt $((24 << 20)) ] || [ "$size" -gt $((32 << 20)) ]; then fail "32 MiB of ephemeral-storage took $size bytes"; fi
pod_remove tiny
