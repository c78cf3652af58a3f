# shellcheck shell=bash
# memcached, in the manner of the official image: it is started as its user.
# shellcheck disable=SC2034
packages=(memcached)
users=(memcache:11211:/nonexistent)
config=(--config.entrypoint=docker-entrypoint.sh --config.cmd=memcached --config.user=memcache
	--config.exposedports=11211/tcp)

settings() {
	script settings/usr/local/bin/docker-entrypoint.sh <<-'SH'
		#!/bin/sh
		set -e
		case $1 in -*) set -- memcached "$@" ;; esac
		exec "$@"
	SH
}
