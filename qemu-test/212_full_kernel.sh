#!/bin/bash
# The kernel of class hypervm-full: what a container engine sets up works in a privileged container; a pod of the other
# class beside it has the small kernel and none of that.
# environment: shared
# deadline: 240

# shellcheck disable=SC2016  # for the guest's shell
setup='set -e
	uname -r
	ip link add br0 type bridge && ip link set br0 up
	ip link add v0 type veth peer name v1 && ip link set v0 master br0 && ip link set v0 up
	mkdir /mnt && mount -t tmpfs x /mnt && mkdir /mnt/l /mnt/u /mnt/w /mnt/m && echo below >/mnt/l/file
	mount -t overlay -o lowerdir=/mnt/l,upperdir=/mnt/u,workdir=/mnt/w x /mnt/m && cat /mnt/m/file
	echo 1 >/proc/sys/net/ipv4/ip_forward
	for f in /proc/net/ip_tables_names /proc/net/ip_vs /proc/sys/net/bridge/bridge-nf-call-iptables /proc/sys/net/netfilter/nf_conntrack_max \
		/dev/fuse /dev/net/tun /dev/mapper/control /dev/loop-control; do test -e $f || echo $f is missing; done
	mkdir /sys/fs/cgroup/inner && echo grouped'
pod_create full busybox "$(jq -cn --arg s "$setup" '["sh", "-c", $s]')" '{"spec": {"runtimeClassName": "hypervm-full"}}' \
	'{"securityContext": {"privileged": true}}'
pod_create fast busybox '["sh", "-c", "uname -r; ip link add br0 type bridge"]' '{"spec": {"runtimeClassName": "hypervm"}}' \
	'{"securityContext": {"capabilities": {"add": ["NET_ADMIN"]}}}'
await 120 "full has ended" pod_ended full
expect_match "what full set up" $'^[0-9.]+-full\nbelow\ngrouped$' "$(pod_logs full)"
await 120 "fast has ended" pod_is fast .status.phase Failed
expect_match "what fast has" $'^[0-9.]+\nip: .*Not supported' "$(pod_logs fast)"
pod_remove full
pod_remove fast
