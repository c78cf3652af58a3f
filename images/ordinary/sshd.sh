# shellcheck shell=bash
# OpenSSH's server without systemd and PAM: host keys are made at the start, PUBLIC_KEY may log in as root.
# shellcheck disable=SC2034
packages=(openssh-server openssh-client)
users=(sshd:105:/run/sshd)
config=(--config.entrypoint=docker-entrypoint.sh --config.cmd=/usr/sbin/sshd --config.cmd=-D --config.cmd=-e
	--config.exposedports=22/tcp)

settings() {
	mkdir -p settings/{etc/ssh,root,run/sshd}
	cp packages/usr/share/openssh/sshd_config settings/etc/ssh/ # as the package's own script does
	sed -i 's/^UsePAM yes/UsePAM no/' settings/etc/ssh/sshd_config
	script settings/usr/local/bin/docker-entrypoint.sh <<-'SH'
		#!/bin/sh
		set -e
		if [ "$1" = /usr/sbin/sshd ]; then
			ssh-keygen -q -t ed25519 -N '' -f /etc/ssh/ssh_host_ed25519_key </dev/null
			mkdir -p -m 700 /root/.ssh
			echo "$PUBLIC_KEY" >/root/.ssh/authorized_keys
		fi
		exec "$@"
	SH
}
