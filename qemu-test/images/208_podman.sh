#!/bin/bash
# Podman in a privileged pod of class hypervm-full: it loads an image from a file and runs it, on the pod's network and on a
# bridge of its own with netavark's packet filter; its layers lie on an emptyDir.
# environment: shared
# deadline: 900

ordinary_push podman
# shellcheck disable=SC2016  # for the pod's shell
inner='set -ex
	uname -r
	podman load -q -i /images/busybox.tar
	podman run --rm --network=host busybox sh -c "echo inner \$(id -u) \$(hostname) on \$(uname -r)"
	podman run -d --name web -p 8000:80 busybox sh -c "echo served >/var/www/index.html; exec httpd -f -h /var/www"
	podman run --rm busybox sh -c "i=0; until wget -T 5 -q -O - http://$0:8000/; do i=\$((i + 1)); test \$i -lt 20; sleep 1; done"
	podman exec web ip -o -4 address show dev eth0
	podman run --rm --memory 64m --pids-limit 50 busybox sh -c "cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/pids.max"
	podman ps --format "{{.Names}} {{.Status}}"
	podman stop -t 2 web'
pod_create engine podman "$(jq -cn '["docker-entrypoint.sh", "sleep", "100000"]')" \
	'{"spec": {"runtimeClassName": "hypervm-full", "volumes": [{"name": "data", "emptyDir": {}}]}}' \
	'{"securityContext": {"privileged": true}, "resources": {"limits": {"memory": "512Mi"}},
	  "volumeMounts": [{"name": "data", "mountPath": "/var/lib/containers"}]}'
pod_create beside busybox '["sh", "-c", "uname -r"]'
await 200 "the engine's pod runs" pod_running engine
in_net timeout 600 "$OUT/bin/hyper" exec engine -- sh -c "$inner" "$(pod engine .status.podIP)" >"$RUN/podman.out" 2>"$RUN/podman.err" ||
	fail "podman: status $?" "$(tail -n 15 "$RUN/podman.err")" "$(tail -n 15 "$RUN/podman.out")"
expect_match "what podman ran" $'-full\n.*inner 0 engine on [0-9.]+-full\n.*\nserved\n.* inet 10\\.77\\..*\n67108864\n50\nweb Up ' "$(cat "$RUN/podman.out")"
await 60 "the pod beside it has run" pod_is beside .status.phase Succeeded
expect_match "the kernel beside it" '^[0-9.]+$' "$(pod_logs beside)"
pod_remove engine
pod_remove beside
