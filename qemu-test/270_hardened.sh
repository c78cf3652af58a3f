#!/bin/bash
# The kernel of a running host has the settings that kernel/host/hardening.list asks for, and nothing can be written where
# programs come from. The production image has no shell, not even for hyper.debug, and says so.
# environment: own
# deadline: 360

HOST_KERNEL_ARGS=hyper.debug
env_up
host_shell 0 'sysctl -a 2>/dev/null; true' 60 | sed 's/ = /=/' >"$RUN/sysctls"
[ "$(wc -l <"$RUN/sysctls")" -gt 200 ] || fail "sysctl -a says little" "$(head "$RUN/sysctls")"

# What is set at boot, and what the list wants but for its waivers; a setting that this kernel does not have is settled
settings=0
while read -r name value; do
	settings=$((settings + 1))
	got=$(sed -n "s/^${name//./\\.}=//p" "$RUN/sysctls" | tr '\t' ' ')
	[ "${got:-$value}" = "$value" ] || fail "$name is $got, not $value"
done < <(sed -nE 's/^([a-z][^ ]*) *= */\1 /p' "$ROOT/rootfs/skeleton/etc/sysctl.conf"
	while read -r _ name value; do
		grep -qF "\`$name\`" "$ROOT/kernel/host/waivers.md" || echo "$name $value"
	done < <(grep '^sysctl ' "$ROOT/kernel/host/hardening.list"))
echo "settings that were compared: $settings"
for name in kernel.kptr_restrict kernel.yama.ptrace_scope vm.mmap_min_addr fs.protected_fifos; do
	grep -q "^$name=" "$RUN/sysctls" || fail "$name is not there"
done
expect "settings that the kernel refused" "" "$(grep -aoE 'hypermetal: /proc/sys.*' "$RUN/host-0/serial.log" | grep -v ': No such file' || :)"

expect_match "lockdown" '\[integrity\]' "$(host_shell 0 'cat /sys/kernel/security/lockdown')"
expect_match "order of security modules" '^[a-z,]*lockdown' "$(host_shell 0 'cat /sys/kernel/security/lsm')"
expect_match "the root" '^[^ ]+ / erofs ro,nosuid,nodev' "$(host_shell 0 'grep " / erofs" /proc/mounts')"
expect_match "writing to the root" 'Read-only file system' "$(host_shell 0 '(: >/usr/bin/x) 2>&1; (: >/etc/x) 2>&1; true')"
expect "mounts that could bring rights along" "" "$(host_shell 0 'grep -v nosuid /proc/mounts; true')"
host_shell 0 'cd /sys/devices/system/cpu/vulnerabilities; for f in *; do echo "$f: $(cat $f)"; done'
env_down

# The image that everybody boots
images_dir() { echo "$OUT/images"; }
env_up
console=$RUN/host-0/serial.log
await 20 "the console says why there is no shell" grep -aq 'hyper.debug: this image has no shell' "$console"
if host_shell 0 'echo here' 5; then fail "the production image has a shell"; fi
