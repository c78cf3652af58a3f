#!/bin/bash
# memcached, unmodified, started as its user by the image: set and get by nc from a second pod.
# environment: shared
# deadline: 500

ordinary_push memcached
pod_create memcached memcached '[]'
await 300 "memcached runs" pod_running memcached
client memcached busybox 'printf "set k 0 60 5\r\nhello\r\nget k\r\nstats\r\nquit\r\n" | nc -w 20 $0 11211'
expect_match "STORED, VALUE" $'STORED\r\nVALUE k 0 5\r\nhello\r\nEND' "$(pod_logs memcached-client)"
expect "its user" memcache "$(hyper exec memcached -- id -un)"
pod_remove memcached-client
pod_remove memcached
