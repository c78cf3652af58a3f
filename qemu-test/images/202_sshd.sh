#!/bin/bash
# OpenSSH's server without systemd: login by key from a second pod; a command's output and exit code, a terminal, a file.
# environment: shared
# deadline: 600

ordinary_push sshd
pod_create sshd sshd '[]'
pod_create ssh sshd '["sh", "-c", "ssh-keygen -q -t ed25519 -N \"\" -f /root/.ssh/id_ed25519; exec sleep 10000"]'
await 300 "sshd runs" pod_running sshd
await 300 "the client runs" pod_running ssh
await 60 "the client has a key" hyper exec ssh -- test -s /root/.ssh/id_ed25519.pub
hyper exec sshd -- sh -c 'echo "$1" >/root/.ssh/authorized_keys' x "$(hyper exec ssh -- cat /root/.ssh/id_ed25519.pub)"
remote() { hyper exec ssh -- ssh -o StrictHostKeyChecking=accept-new "$@"; } # [OPTION...] HOST COMMAND
at=root@$(pod sshd .status.podIP)
await 90 "login" remote "$at" true
expect "a command" "sshd /root root" "$(remote "$at" 'echo $(hostname) $PWD $(id -un)' 2>/dev/null)"
status=0
remote "$at" 'exit 7' || status=$?
expect "its exit code" 7 $status
expect_match "a terminal" "/dev/pts/[0-9]" "$(remote -tt "$at" tty)"
expect "a file through it" "$(seq 20000 | sha256sum)" "$(seq 20000 | hyper exec -i ssh -- ssh "$at" 'cat >/tmp/f; sha256sum </tmp/f')"
expect_match "who has no key" 'Permission denied' "$(remote -o IdentitiesOnly=yes -o IdentityFile=/none "$at" true 2>&1 || :)"
pod_remove ssh
pod_remove sshd
