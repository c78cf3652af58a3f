# shellcheck shell=bash
# HAProxy, in the manner of the official image: as its user, in master-worker mode, settings from
# /usr/local/etc/haproxy/haproxy.cfg.
# shellcheck disable=SC2034
packages=(haproxy)
users=(haproxy:99:/var/lib/haproxy)
config=(--config.entrypoint=docker-entrypoint.sh --config.cmd=haproxy --config.cmd=-f
	--config.cmd=/usr/local/etc/haproxy/haproxy.cfg --config.user=haproxy --config.workingdir=/var/lib/haproxy
	--config.stopsignal=SIGUSR1)

prune() { rm -rf packages/etc/haproxy/errors; }

settings() {
	script settings/usr/local/bin/docker-entrypoint.sh <<-'SH'
		#!/bin/sh
		set -e
		case $1 in -*) set -- haproxy "$@" ;; esac
		if [ "$1" = haproxy ]; then
			shift
			set -- haproxy -W -db "$@"
		fi
		exec "$@"
	SH
}
