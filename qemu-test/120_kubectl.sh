#!/bin/bash
# kubectl of Debian 12 (1.20) and of Debian 13 (1.32) does its daily work: get, -o wide, -w, describe, run, apply,
# logs, delete.
# environment: shared
# deadline: 420

check() { # SUITE
	local home=$RUN/kubectl-$1 name=k-$1 watch
	kubectl_as k "$1" 100
	kubectl_as watcher "$1" 200

	expect_match "get nodes" "host-0 +Ready" "$(k get nodes)"
	expect_match "get nodes -o wide" "INTERNAL-IP.*KERNEL-VERSION" "$(k get nodes -o wide | head -n 1)"
	expect_match "describe node" "Conditions:.*Ready" "$(k describe node host-0 | tr '\n' ' ')"
	expect_match "get pods, none" "No resources found" "$(k get pods 2>&1)"
	expect_match "get an unknown pod" '\(NotFound\): pods "nobody" not found' "$(k get pod nobody 2>&1 || :)"

	watcher get pods -w >"$home/watch" 2>"$home/watch.err" &
	watch=$!
	k run "$name" --image=busybox --restart=Never --command -- sh -c 'echo hello; exec sleep 1000'
	await 120 "$name runs" pod_running "$name"
	expect_match "get pods" "$name +1/1 +Running +0 +[0-9]+[sm]" "$(k get pods)"
	expect_match "get pods -o wide" "$name .*Running.*[0-9]+\.[0-9]+\.[0-9]+\.[0-9]+ +host-0" "$(k get pods -o wide)"
	expect_match "describe pod" "Image: +busybox.*State: +Running" "$(k describe pod "$name" | tr '\n' ' ')"
	await 20 "logs" eval "[ \"\$(k logs $name)\" = hello ]"
	k delete pod "$name" --grace-period=2
	expect "after delete" 404 "$(api_status GET "$PODS/$name")"
	kill $watch
	expect_match "watch saw it come" "$name +0/1 +Pending" "$(cat "$home/watch")"
	expect_match "watch saw it run" "$name +1/1 +Running" "$(cat "$home/watch")"

	cat >"$home/pod.yaml" <<-YAML
		apiVersion: v1
		kind: Pod
		metadata:
		  name: $name-applied
		  labels: {app: applied}
		spec:
		  restartPolicy: Never
		  containers:
		  - name: main
		    image: busybox
		    command: [sh, -c, exit 3]
	YAML
	expect_match "apply" created "$(k apply -f "$home/pod.yaml")"
	expect_match "apply again" unchanged "$(k apply -f "$home/pod.yaml")"
	await 90 "$name-applied has Failed" pod_is "$name-applied" .status.phase Failed
	expect "jsonpath" 3 "$(k get pod "$name-applied" -o 'jsonpath={.status.containerStatuses[0].state.terminated.exitCode}')"
	expect_match "by label" "$name-applied .*Error" "$(k get pods -l app=applied)"
	k delete -f "$home/pod.yaml"
	expect "after delete" 404 "$(api_status GET "$PODS/$name-applied")"
}
check bookworm
check trixie
