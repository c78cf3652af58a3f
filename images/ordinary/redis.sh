# shellcheck shell=bash
# Redis, in the manner of the official image: the entry point gives /data to the user redis and becomes it.
# shellcheck disable=SC2034
packages=(redis-server)
users=(redis:999:/data)
config=(--config.entrypoint=docker-entrypoint.sh --config.cmd=redis-server --config.cmd=--protected-mode --config.cmd=no
	--config.exposedports=6379/tcp --config.volume=/data --config.workingdir=/data)

settings() {
	mkdir settings/data
	script settings/usr/local/bin/docker-entrypoint.sh <<-'SH'
		#!/bin/sh
		set -e
		case $1 in -* | *.conf) set -- redis-server "$@" ;; esac
		if [ "$1" = redis-server ] && [ "$(id -u)" = 0 ]; then
			find . ! -user redis -exec chown redis {} +
			exec setpriv --reuid=redis --regid=redis --clear-groups "$0" "$@"
		fi
		exec "$@"
	SH
}
