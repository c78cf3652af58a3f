# shellcheck shell=bash
# PostgreSQL, in the manner of the official image: the entry point gives PGDATA to the user postgres, becomes it, and makes
# the cluster if there is none. Without the JIT compiler, which brings a hundred megabytes of LLVM.
# shellcheck disable=SC2034
packages=(postgresql)
users=(postgres:999:/var/lib/postgresql)
config=(--config.entrypoint=docker-entrypoint.sh --config.cmd=postgres --config.exposedports=5432/tcp
	--config.volume=/var/lib/postgresql/data --config.stopsignal=SIGINT --config.env=PGDATA=/var/lib/postgresql/data
	--config.env=LANG=C.UTF-8)

prune() {
	(cd packages && rm -rf usr/lib/*/{libLLVM*,libz3*} usr/lib/llvm* usr/lib/postgresql/*/lib/{bitcode,llvmjit*} \
		usr/share/{postgresql-common,postgresql/*/extension/*--*--*})
}

settings() {
	mkdir -p settings/var/lib/postgresql/data settings/usr/local/bin settings/run/postgresql
	chmod 1777 settings/run/postgresql
	for program in packages/usr/lib/postgresql/*/bin/*; do
		ln -s "${program#packages}" settings/usr/local/bin/
	done
	script settings/usr/local/bin/docker-entrypoint.sh <<-'SH'
		#!/bin/bash
		set -euo pipefail
		case ${1:-} in '' | -*) set -- postgres "$@" ;; esac
		if [ "$1" = postgres ] && [ "$(id -u)" = 0 ]; then
			mkdir -p "$PGDATA"
			find "$PGDATA" ! -user postgres -exec chown postgres:postgres {} +
			exec setpriv --reuid=postgres --regid=postgres --init-groups "$0" "$@"
		fi
		if [ "$1" = postgres ]; then
			chmod 700 "$PGDATA"
			if [ ! -s "$PGDATA/PG_VERSION" ]; then
				: "${POSTGRES_PASSWORD:?is the superuser\'s password and must be set}"
				initdb --username=postgres --pwfile=<(printf '%s\n' "$POSTGRES_PASSWORD") --auth-host=scram-sha-256
				printf '\nhost all all all scram-sha-256\n' >>"$PGDATA/pg_hba.conf"
				sed -i "s/^#listen_addresses = .*/listen_addresses = '*'/" "$PGDATA/postgresql.conf"
			fi
		fi
		exec "$@"
	SH
}
