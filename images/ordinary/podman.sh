# shellcheck shell=bash
# Podman with crun, netavark and nftables for the kernel "full", and BusyBox as an image in a file.
# shellcheck disable=SC2034
packages=(podman crun netavark aardvark-dns iptables ca-certificates)
config=(--config.entrypoint=docker-entrypoint.sh --config.cmd=podman --config.cmd=info
	--config.volume=/var/lib/containers)

prune() {
	(cd packages && rm -rf usr/share/{fish,zsh} usr/libexec/podman/quadlet)
}

settings() { # BUSYBOX_LAYOUT
	mkdir -p settings/etc/containers settings/images settings/var/lib/containers settings/usr/sbin
	skopeo copy --quiet --insecure-policy "oci:$1:latest" oci-archive:settings/images/busybox.tar:busybox:latest
	echo '{"default": [{"type": "insecureAcceptAnything"}]}' >settings/etc/containers/policy.json
	printf '%s\n' '[storage]' 'driver = "overlay"' 'graphroot = "/var/lib/containers/storage"' \
		'runroot = "/run/containers/storage"' >settings/etc/containers/storage.conf
	printf '%s\n' '[engine]' 'cgroup_manager = "cgroupfs"' 'events_logger = "file"' 'runtime = "crun"' '[network]' \
		'network_backend = "netavark"' 'default_subnet = "10.77.0.0/16"' '[containers]' 'log_driver = "k8s-file"' >settings/etc/containers/containers.conf
	ln -s iptables-nft settings/usr/sbin/iptables
	ln -s ip6tables-nft settings/usr/sbin/ip6tables
	# As engines in containers do: control groups are given on by a group that has no process of its own
	script settings/usr/local/bin/docker-entrypoint.sh <<-'SH'
		#!/bin/sh
		set -e
		mkdir -p /sys/fs/cgroup/init
		for pid in $(cat /sys/fs/cgroup/cgroup.procs); do echo "$pid" >/sys/fs/cgroup/init/cgroup.procs || :; done
		sed -e 's/ / +/g' -e 's/^/+/' /sys/fs/cgroup/cgroup.controllers >/sys/fs/cgroup/cgroup.subtree_control
		exec "$@"
	SH
}
