#!/bin/bash
# PostgreSQL makes its cluster on an emptyDir; psql in a second pod logs in with a password and changes data.
# environment: shared
# deadline: 900

ordinary_push postgres
pod_create postgres postgres '[]' '{"spec": {"volumes": [{"name": "data", "emptyDir": {}}]}}' \
	'{"env": [{"name": "POSTGRES_PASSWORD", "value": "s3cret"}], "resources": {"limits": {"memory": "384Mi"}},
	  "volumeMounts": [{"name": "data", "mountPath": "/var/lib/postgresql/data"}]}'
await 200 "postgres runs" pod_running postgres
await 500 "it has made its cluster" eval 'pod_logs postgres | grep -q "ready to accept connections"'
client postgres postgres 'export PGPASSWORD=s3cret
	psql -h $0 -U postgres -Atc "create table t (n int, s text)" -c "insert into t select n, repeat(md5(n::text), 20) from generate_series(1, 2000) n" \
		-c "select count(*), sum(n), max(length(s)) from t" -c "select now() > timestamp with time zone '"'2024-01-01 Europe/Berlin'"'"
	PGPASSWORD=wrong psql -h $0 -U postgres -c "select 1" 2>&1 | grep -c "authentication failed"' 300
expect_match "what psql said" $'CREATE TABLE\nINSERT 0 2000\n2000\|2001000\|640\nt\n1' "$(pod_logs postgres-client)"
expect "its user" postgres "$(hyper exec postgres -- stat -c %U /proc/1)"
expect_match "where its data lies" ' ext4 ' "$(hyper exec postgres -- grep /var/lib/postgresql/data /proc/mounts)"
pod_remove postgres-client
pod_delete postgres
await 60 "postgres ends by its stop signal" pod_gone postgres
