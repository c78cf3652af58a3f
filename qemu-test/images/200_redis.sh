#!/bin/bash
# Redis, unmodified: runs as its user, keeps what a second pod sets.
# environment: shared
# deadline: 500

ordinary_push redis
pod_create redis redis '[]'
await 300 "redis runs" pod_running redis
client redis redis 'until redis-cli -h $0 ping; do sleep 1; done; redis-cli -h $0 set greeting "good day"; redis-cli -h $0 get greeting;
	redis-cli -h $0 config get save; redis-cli -h $0 bgsave; sleep 3; redis-cli -h $0 lastsave'
expect_match "PING, SET, GET" $'PONG\nOK\ngood day\n' "$(pod_logs redis-client)"
expect "its user" "redis redis" "$(hyper exec redis -- stat -c '%U %G' /proc/1)"
expect_match "its data, written by a fork" 'dump.rdb' "$(hyper exec redis -- ls /data)"
expect_match "its log" 'Ready to accept connections' "$(pod_logs redis)"
pod_remove redis-client
pod_delete redis
await 60 "redis ends by its stop signal" pod_gone redis
