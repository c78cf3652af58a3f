#!/bin/bash
# qemu.sh - run hyperstart as init in a QEMU microvm and check what it tells the host
#
# usage: qemu.sh KERNEL INITRD DRIVE BUSYBOX MKFS_EROFS MKE2FS [CASE...]
#
# The protocol goes over the serial port (hyper_port=/dev/ttyS0), the other end is guest/tests/drive.c with hostd's own
# session code. One line per case, PASS or FAIL; the output of a failed one is shown.
# shellcheck disable=SC2016  # what is quoted is for the guest's shell
set -euo pipefail
case ${1:-} in -h | --help | "") sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0"; exit 0 ;; esac
kernel=$1 initrd=$2 drive=$3 busybox=$4 mkfs=$5 mke2fs=$6
shift 6
wanted=("$@")
scratch_end=$((64 << 20))
dir=$(mktemp -d)
qemu_pid=
cleanup() {
	if [ -n "$qemu_pid" ]; then kill "$qemu_pid" 2>/dev/null || true; fi
	rm -rf "$dir"
}
trap cleanup EXIT

# Two layers: the lower one has what the upper one replaces and removes.
make_layers() {
	local r=$dir/low
	mkdir -p "$r"/{bin,etc,tmp,data,gone}
	cp "$busybox" "$r/bin/busybox"
	cp "$(dirname "$drive")"/{serve,trycalls} "$r/bin"
	for a in sh cat cp ls id sleep mount mkdir wc dd kill ip grep chown ps \
		rm ln head printf test sed; do
		ln -s busybox "$r/bin/$a"
	done
	printf 'root:x:0:0:root:/root:/bin/sh\nweb:x:101:102:web:/data:/bin/sh\n' >"$r/etc/passwd"
	printf 'root:x:0:\nweb:x:102:\nlog:x:4:web\n' >"$r/etc/group"
	ln -s /proc/mounts "$r/etc/mtab"
	ln -s ../run/nowhere/resolv.conf "$r/etc/resolv.conf"
	ln -s /proc/self "$r/kernel"
	echo low >"$r/data/low"
	echo low >"$r/data/both"
	echo low >"$r/gone/file"
	chmod 1777 "$r/tmp"
	cp /dev/null "$r/bin/notexec"
	printf '\177ELFjunk' >"$r/bin/badelf"
	chmod 755 "$r/bin/badelf"
	"$mkfs" -T0 --all-root "$dir/low.erofs" "$r" >/dev/null 2>&1
	mkdir -p "$dir/top/data"
	echo top >"$dir/top/data/both"
	touch "$dir/top/.wh.gone"
	tar -C "$dir/top" --owner=0 --group=0 --numeric-owner -cf "$dir/top.tar" .
	"$mkfs" -T0 --tar=f --aufs "$dir/top.erofs" "$dir/top.tar" >/dev/null 2>&1
}

# run NAME DRIVE-ARGUMENTS...: boots a VM, leaves what drive printed in $dir/out
run() {
	local sock=$dir/sock drive_pid
	rm -f "$sock" "$dir/disk" "$dir/scratch"
	truncate -s 68M "$dir/scratch"
	"$mke2fs" -q -t ext4 -O ^has_journal "$dir/scratch" 64M
	"$mke2fs" -q -t ext4 -O ^has_journal -E offset=$scratch_end "$dir/scratch" 4M 2>/dev/null # of a volume
	: >"$dir/disk"
	timeout 280 "$drive" --socket "$sock" --disk "$dir/disk" --layer "$dir/low.erofs" --layer "$dir/top.erofs" \
		--hostname pod1 --dns 10.0.2.3 "$@" >"$dir/out" 2>&1 &
	drive_pid=$!
	until [ -s "$dir/disk" ]; do sleep 0.1; done
	sleep 0.5
	qemu-system-x86_64 -M microvm,acpi=off,rtc=off -accel "${ACCEL:-tcg}" -cpu max,-cx16 -m "${MEM:-128}" -nodefaults -no-user-config \
		-display none -no-reboot -kernel "$kernel" -initrd "$initrd" \
		-append "quiet loglevel=1 console=none0 panic=-1 reboot=t rdinit=/init hyper_port=/dev/ttyS0" \
		-chardev "socket,id=port,path=$sock,server=on,wait=on" -serial chardev:port \
		-drive "if=none,id=d0,file=$dir/disk,format=raw,readonly=on" -device virtio-blk-device,drive=d0 \
		-drive "if=none,id=d1,file=$dir/scratch,format=raw" -device virtio-blk-device,drive=d1 \
		-netdev user,id=n0 -device virtio-net-device,netdev=n0 >"$dir/qemu" 2>&1 &
	qemu_pid=$!
	wait "$drive_pid" || true
	kill "$qemu_pid" 2>/dev/null || true
	wait "$qemu_pid" 2>/dev/null || true
	qemu_pid=
}

has() { grep -qE -- "$1" "$dir/out" || { why="no line like: $1"; return 1; }; }
hasnt() { ! grep -qE -- "$1" "$dir/out" || { why="a line like: $1"; return 1; }; }

case_hello() {
	run --container a --env GREETING=hi --run sh -c "echo \$GREETING \$HOSTNAME \$HOME \$PATH; echo oops >&2; exit 3" ';'
	has '^out a: hi pod1 /root /usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin$' && has '^err a: oops$' &&
		has '^started a restart=0$' && has '^exit a code=3 signal=0 oom=0 .*backoff=never$' && has '^done$'
}

case_layers() {
	run --container a --run sh -c 'cat /data/low /data/both; ls /gone; echo x >/data/new; cat /data/new; cat /etc/mtab' ';'
	has '^out a: low$' && has '^out a: top$' && has '^out a: x$' && has '^err a: ls: /gone' && has 'overlay / overlay rw'
}

# As many layers as a container may have, and one that is in the list twice
case_many_layers() {
	local more=() i
	mkdir -p "$dir/many"
	for i in $(seq 125); do
		mkdir -p "$dir/many/$i/data"
		echo "$i" | tee "$dir/many/$i/data/layer$i" >"$dir/many/$i/data/last"
		"$mkfs" -T0 --all-root "$dir/many/$i.erofs" "$dir/many/$i" >/dev/null 2>&1
		more+=(--layer "$dir/many/$i.erofs")
	done
	run "${more[@]}" --container a --run sh -c 'ls /data | wc -l; cat /data/last' ';'
	has '^out a: 128$' && has '^out a: 125$' || return 1
	run --container a --again 0 --run sh -c 'cat /data/both; ls -d /gone' ';'
	has '^out a: low$' && has '^out a: /gone$'
}

case_world() {
	run --address 10.0.2.15 --prefix 24 --gateway 10.0.2.2 --container a --user web --run sh -c \
		'id; echo home=$HOME; cat /etc/hosts /etc/resolv.conf /etc/hostname; ls -l /dev; ls -d /proc/[0-9]*; echo out >/dev/stdout;
		echo err >/dev/stderr; echo x >/proc/sys/kernel/hostname; cat /proc/keys; wc -c </dev/null; ip route; ip addr' ';'
	has '^out a: uid=101\(web\) gid=102\(web\) groups=.*4\(log\)' && has '^out a: home=/data$' && has '10.0.2.15.pod1$' &&
		has '^out a: nameserver 10.0.2.3$' && has '^out a: pod1$' && has '^out a: out$' && has '^err a: err$' &&
		has '^out a: /proc/1$' && has 'urandom' && hasnt ' (vda|kmsg|console|mem)$' && has 'Read-only file system' &&
		has 'default via 10.0.2.2 dev eth0' && has 'inet 10.0.2.15/24'
}

case_confined() {
	run --container a --run sh -c 'grep -E "Cap(Eff|Bnd|Inh)|Seccomp:" /proc/self/status; cp -a /dev/null /tmp/d && cat /tmp/d;
		cp -a /dev/null /dev/d && cat /dev/d; mount -t tmpfs x /tmp; ls /layers /scratch /rootfs;
		ls /dev/pts /dev/shm; cat /sys/fs/cgroup/cgroup.procs; mkdir /sys/fs/cgroup/x' ';' \
		--container b --drop-all --run sh -c 'grep CapEff /proc/self/status; chown 1 /tmp' ';'
	has '^out a: CapEff:.00000000a80425fb$' && has '^out a: CapBnd:.00000000a80425fb$' && has '^out a: Seccomp:.2$' &&
		has "can't open '/tmp/d': Permission denied" && has "can't open '/dev/d': Permission denied" &&
		has 'mount: permission denied|mount: mounting x on /tmp failed' &&
		has 'ls: /layers: No such file' && has '^out b: CapEff:.0000000000000000$' && has 'chown: /tmp: Operation not permitted' &&
		has '^out a: 1$' && has "can't create directory '/sys/fs/cgroup/x'"
}

# All devices and settings of the VM, but still not the way to the host
case_privileged() {
	run --container a --privileged --run sh -c 'grep -E "Cap(Eff|Bnd)|Seccomp:" /proc/self/status; mkdir /m && mount -t tmpfs x /m && echo mounted;
		echo 17 >/proc/sys/vm/swappiness && cat /proc/sys/vm/swappiness; mkdir /sys/fs/cgroup/x && echo grouped;
		ls -l /dev; dd if=/dev/vda of=/dev/null bs=512 count=1 && echo read; cat /proc/keys && echo unmasked' ';' \
		--container b --run sh -c 'ls /dev/vda; echo 18 >/proc/sys/vm/swappiness' ';'
	has '^out a: CapEff:.000001ffffffffff$' && has '^out a: CapBnd:.000001ffffffffff$' && has '^out a: Seccomp:.2$' &&
		has '^out a: mounted$' && has '^out a: 17$' && has '^out a: grouped$' && has ' kmsg$' && has '^out a: read$' &&
		has '^out a: unmasked$' && has '^err b: ls: /dev/vda: No such file' && has '^err b: .*Read-only file system'
}

case_start_errors() {
	run --container a --run nosuch ';' --container b --run /bin/notexec ';' --container c --run /bin/badelf ';' \
		--container d --user ghost --run sh ';' --container e --not-root --run sh ';' --container f --cwd /made/here --run sh -c 'pwd' ';' \
		--container g --run /data/nosuch ';'
	has "^failed a code=128 reason=StartError message='exec: \"nosuch\": executable file not found in \\\$PATH'" &&
		has "^failed b code=128 reason=StartError message='exec: \"/bin/notexec\": Permission denied'" &&
		has "^failed c code=128 reason=StartError message='exec: \"/bin/badelf\": Exec format error'" &&
		has "^failed d .*unable to find user ghost" && has '^failed e .*CreateContainerConfigError .*runAsNonRoot' &&
		has '^out f: /made/here$' && has '^failed g .*/data/nosuch\": No such file' && has '^done$'
}

# What the host hears of the containers' use; a VM of one processor
case_stats() {
	run --address 10.0.2.15 --prefix 24 --gateway 10.0.2.2 --stats-after-ms 4000 --stop-after-ms 6000 --grace-ms 500 \
		--container idle --run sleep 100 ';' --container busy --cpu-millis 300 --run sh -c 'while :; do :; done' ';' \
		--container eater --run sh -c 'head -c 20000000 /dev/zero | tail -c 16000000 | { sleep 1; cat >/dev/null; }; sleep 100' ';' \
		--container writer --run sh -c 'dd if=/dev/zero of=/data/x bs=1M count=8 2>/dev/null; sleep 100' ';'
	has '^stats ask=4000 memory_kib=1[0-2][0-9]{4} available_kib=[0-9]{5,6} rx=[0-9]+ tx=[0-9]+ scratch_kib=[0-9]{5} free_kib=[0-9]{5}$' &&
		has '^stats idle cpu_ms=[0-9]{1,3} .* pids=1 oom=0 started=1$' && has '^stats busy cpu_ms=[0-9]{3,4} .*throttled=[1-9]' &&
		has '^stats writer .*memory_kib=[0-9]{4,5} ' && has '^exit busy'
}

case_stop() {
	run --stop-after-ms 3000 --grace-ms 2000 --container a --run sh -c 'trap "echo bye; exit 7" TERM; while :; do sleep 1; done' ';' \
		--container b --stop-signal SIGUSR1 --run sh -c 'trap "echo usr; exit 8" USR1; while :; do sleep 1; done' ';' \
		--container c --run sleep 1000 ';'
	has '^out a: bye$' && has '^exit a code=7' && has '^out b: usr$' && has '^exit b code=8' &&
		has '^exit c code=137 signal=9 oom=0' && has '^done$'
}

case_memory() {
	run --container a --memory 16777216 --run sh -c 'exec dd if=/dev/zero of=/dev/null bs=64M count=1' ';' \
		--container b --run sh -c 'sh -c "kill -9 \$\$"; exit $?' ';'
	has '^exit a code=137 signal=9 oom=1' && has '^exit b code=137 signal=0 oom=0' && has '^done$'
}

case_restart() {
	run --restart 0 --stop-after-ms 6000 --container a --run sh -c 'echo run; test -e /tmp/mark && echo dirty; echo >/tmp/mark; exit 1' ';'
	has '^exit a code=1 .*restart=0 .*backoff=0$' && has '^started a restart=1$' && has '^exit a code=1 .*restart=1 .*backoff=10000$' &&
		hasnt dirty && has '^exit a code=1 .*restart=1 .*backoff=never$' && has '^done$'
}

case_init() {
	run --container first --init --run sh -c 'echo one >/dev/shm/f; sleep 1' ';' --container second --init --run sh -c 'cat /dev/shm/f' ';' \
		--container main --run sh -c 'cat /dev/shm/f; echo main' ';'
	has '^out second: one$' && has '^out main: main$' && has '^done$' || return 1
	run --container first --init --run sh -c 'exit 1' ';' --container main --run sh -c 'echo never' ';'
	has '^exit first code=1' && hasnt '^started main' && has '^done$'
}

case_output() {
	run --discard --container a --run dd if=/dev/zero bs=1000 count=600 ';' --container b --run sh -c 'exec dd if=/dev/zero bs=777 count=300 >&2' ';'
	has '^bytes a 600000$' && has '^bytes b 23[34][0-9][0-9][0-9]$'
}

case_tty() {
	run --container a --tty --run sh -c 'test -t 0 && test -t 1 && echo terminal; echo $TERM; ls -l /dev/console' ';' \
		--container b --read-only --run sh -c 'echo >/x; echo >/dev/shm/x && echo shm' ';'
	has 'out a: terminal' && has 'out a: xterm' && has '/dev/console' && has "^err b: sh: can't create /x: Read-only file system" &&
		has '^out b: shm$' && has '^done$'
}

case_exec() {
	run --container a --env WORLD=here --user web --cwd /data --run sleep 20 ';' --exec sh -c \
		'id -u; pwd; echo $WORLD; cat low; cat /proc/self/cgroup; grep CapBnd /proc/self/status; ls /proc/self/fd; echo no >&2; exit 7' ';' --stop-after-ms 6000
	has '^exec out: 101$' && has '^exec out: /data$' && has '^exec out: here$' && has '^exec out: low$' &&
		has '^exec out: 0::/$' && has 'exec out: CapBnd:.00000000a80425fb$' && hasnt '^exec out: [4-9]$' &&
		has '^exec err: no$' && has '^exec_end code=7 lost=0 reason= '
}

case_exec_missing() {
	run --container a --run sleep 20 ';' --exec nosuch ';' --stop-after-ms 4000
	has "^exec_end code=127 lost=0 reason=StartError message='exec: \"nosuch\": executable file not found in" || return 1
	run --container a --run sleep 20 ';' --exec /bin/notexec ';' --stop-after-ms 4000
	has "^exec_end code=126 lost=0 reason=StartError .*Permission denied"
}

case_exec_input() {
	head -c 1000000 /dev/urandom | base64 >"$dir/input"
	run --container a --run sleep 250 ';' --exec-input "$dir/input" --exec sh -c 'cat; echo over >&2' ';' --stop-after-ms 60000
	has '^exec err: over$' && has "^exec_end code=0 .*bytes=$(wc -c <"$dir/input")/5 "
}

case_exec_tty() {
	run --container a --run sleep 20 ';' --exec-tty --exec sh -c 'test -t 0 && test -t 1 && echo terminal; ls -l /proc/self/fd/0; echo $TERM' ';' --stop-after-ms 5000
	has '^exec out: terminal' && has '/dev/pts/0' && has '^exec out: xterm' && has '^exec_end code=0'
}

# A terminal's input ends by a character, which nobody sent
case_exec_tty_input() {
	printf 'one\ntwo\n' >"$dir/input"
	run --container a --run sleep 20 ';' --exec-tty --exec-input "$dir/input" --exec sh -c 'cat; echo over; exit 5' ';' --stop-after-ms 10000
	has '^exec out: over' && has '^exec_end code=5 lost=0 reason= '
}

# The client goes away: what it ran ends; what ignores SIGHUP, too
case_exec_hang_up() {
	run --container a --run sh -c 'sleep 7; ps -o args' ';' --exec-hang-up 1500 --exec sh -c 'trap "" HUP; sleep 1234 & while :; do sleep 1235; done' ';'
	has '^exec_hang_up' && has '^out a: ps -o args' && hasnt 'sleep 123'
}

case_attach() {
	printf 'one\ntwo\n' >"$dir/input"
	run --container a --stdin --run sh -c 'while read -r x; do echo "got $x"; done; echo end; exit 3' ';' --attach --exec-input "$dir/input"
	has '^out a: got two$' && has '^exec out: got one$' && has '^exec out: end$' && has '^exec_end code=0 lost=0 reason= ' && has '^exit a code=3'
}

# One folder, made by an init container, for all others: shared, read-only, in part, and with links that lead out of it
case_volumes() {
	run --fs-group 2000 --volume disk --volume "disk@$scratch_end+$((4 << 20))" --volume memory+1048576 \
		--container fill --init --mount 0 /data "" rw --run sh -c 'echo one >/data/f; mkdir -p /data/sub/in; echo two >/data/sub/in/g;
			ln -s /etc /data/abs; ln -s ../../.. /data/up; ln -s sub/in /data/in' ';' \
		--container ro --mount 0 /data "" ro --run sh -c 'cat /data/f; echo x >/data/f; rm /data/f; mkdir /data/x; cat /data/abs/hostname' ';' \
		--container user --user 1000 --mount 0 /made/here "" rw --mount 1 /big "" rw --mount 2 /dev/shm "" rw --read-only --run sh -c 'echo x >/made/here/mine;
			ls -ln /made/here; ls -lnd /big; dd if=/dev/zero of=/big/f bs=4096 count=2000; dd if=/dev/zero of=/dev/shm/f bs=4096 count=2000; ls -ln /big/f;
			ls -ln /dev/shm/f; echo y >/made/here/after && echo others go on; cp /dev/null /x' ';' \
		--container sub --mount 0 /deep/er sub rw --mount 0 /deep/er/new fresh/one rw --mount 0 /etc/passwd in/g ro --run sh -c 'cat /deep/er/in/g /etc/passwd; echo x >/deep/er/new/h;
			cd /deep/er; ls ../../etc >/dev/null && echo root; echo x >/etc/passwd; sleep 2; cp /dev/zero /deep/er/z 2>/dev/null; ls -l /deep/er/new' ';' \
		--container abs --mount 0 /x abs rw --run sh -c 'echo reached' ';' --container up --mount 0 /x up/layers rw --run sh -c 'echo reached' ';' \
		--container upnew --mount 0 /x up/made rw --run sh -c 'echo reached' ';' --container file --mount 0 /etc f rw --run sh -c 'echo reached' ';' \
		--container proc --mount 0 /kernel/task "" rw --run sh -c 'echo reached' ';'
	has '^out ro: one$' && has "^err ro: sh: can't create /data/f: Read-only" && has "^err ro: rm: can't remove '/data/f': Read-only" &&
		has "^err ro: mkdir: can't create directory '/data/x': Read-only" && has '^out ro: pod1$' &&
		has '^out user: -rw-r--r--.* 1000 +2000 +2 .* mine$' && has '^out user: -rw-r--r--.* 0 +2000 +4 .* f$' &&
		has '^out user: drwxr-sr-x.* 0 +2000 .* sub$' && has '^out user: drwxrwsrwx.* 0 +2000 .*/big$' &&
		has '^err user: dd: error writing .*/big/f.: No space left' && has '^err user: dd: error writing .*/dev/shm/f.: No space left' &&
		has '^out user: .* 1048576 .*/dev/shm/f$' && has '^out user: others go on$' && has "can't create '/x': Read-only" &&
		has '^out sub: two$' && has '^out sub: root$' && has "^err sub: sh: can't create /etc/passwd: Read-only" && has '^out sub: .* h$' &&
		has "^failed abs .*mount at /x: subPath abs leads out of the volume" && has "^failed up .*subPath up/layers leads out of the volume" &&
		has "^failed upnew .*subPath up/made leads out" && has "^failed file .*mount at /etc: a file of the volume cannot be mounted on a folder" &&
		has "^failed proc .*mount at /kernel/task: nothing can be mounted in /proc" && hasnt reached
}

# Files of the host: read-only, of a group, exchanged at once; a subPath of them stays as it was
case_volume_files() {
	run --fs-group 2000 --volume files --volume files --file 0 app.conf=one --file 0 sub/key=k1 --file 0 old=o \
		--update-after-ms 4000 --file 0 app.conf=two --file 0 sub/key=k2 --file 0 new=n \
		--container a --user 1000 --mount 0 /etc/app "" rw --mount 0 /etc/app.conf app.conf ro --mount 1 /empty "" ro --run sh -c 'show() { for f; do echo $(cat $f); done; }
			cd /etc/app; show app.conf sub/key old; ls -ln /etc/app/ /etc/app/..data/;
			ls /empty; echo x >/etc/app.conf; id; while [ "$(cat app.conf)" = one ]; do sleep 1; done;
			show app.conf sub/key new /etc/app.conf; cat old; ls -a /etc/app; ls -lnL sub/' ';' \
		--container again --mount 0 /etc/app.conf app.conf ro --run sh -c 'sleep 7; echo $(cat /etc/app.conf)' ';'
	has '^out a: one$' && has '^out a: k1$' && has '^out a: o$' && has '^out a: lrwxrwxrwx.* app.conf -> ..data/app.conf$' &&
		has '^out a: -rw-r-----.* 0 +2000 +3 .* app.conf$' && has '^out a: drwxr-sr-x.* 0 +2000 .* sub$' &&
		has "^err a: sh: can't create /etc/app.conf: Read-only" && has '^out a: two$' && has '^out a: k2$' && has '^out a: n$' &&
		has "^err a: cat: can't open 'old': No such file" && has '^out a: ..0000000000000002$' &&
		has '^out again: one$' || return 1
	[ "$(grep -c '^out a: one$' "$dir/out")" = 2 ] || { why="the subPath changed"; return 1; }
	[ "$(grep -c '^out a: ..0000000000000001$' "$dir/out")" = 0 ] || { why="the old files are still there"; return 1; }
}

# What runtimes refuse by default is refused to those who ask for it, execs too; a capability brings its calls back
case_seccomp() {
	run --container a --seccomp --no-new-privs --run sh -c 'trycalls; grep -E "Seccomp_filters|NoNewPrivs" /proc/self/status; sleep 4' ';' --exec trycalls ';' \
		--container none --run trycalls ';' --container ptracer --seccomp --cap 19 --run trycalls ';' --container nochroot --seccomp --drop-all --run trycalls ';' \
		--container admin --seccomp --cap 21 --run trycalls ';'
	local c
	for c in unshare setns keyctl add_key userfaultfd bpf fsopen clone personality kcmp open_by_handle_at; do
		has "^out a: $c EPERM$" && has "^exec out: $c EPERM$" || return 1
	done
	has '^out a: clone3 ENOSYS$' && has '^out a: personality-daily ok$' && has '^out a: ptrace ok$' && has '^out a: socket ok$' &&
		has '^out a: vsock EAFNOSUPPORT$' && has '^out a: chroot ok$' && has '^out a: NoNewPrivs:.1$' && has '^out a: Seccomp_filters:.2$' &&
		has '^out none: unshare ok$' && has '^out none: keyctl EOPNOTSUPP$' && has '^out none: clone3 EINVAL$' &&
		has '^out none: personality ok$' && has '^out none: io_uring ENOSYS$' && has '^out ptracer: kcmp EINVAL$' &&
		has '^out ptracer: unshare EPERM$' && has '^out nochroot: chroot EPERM$' &&
		has '^out admin: unshare ok$' && has '^out admin: setns EBADF$' && has '^out admin: clone3 EINVAL$' && has '^out admin: keyctl EPERM$'
}

# Startup gates the others; readiness comes and goes; a liveness failure is a restart, whatever the code
case_probes() {
	run --restart 1 --stop-after-ms 11000 --container a --run sh -c 'trap "exit 0" TERM; echo >/tmp/up; while :; do sleep 1; done' ';' \
		--startup 'exec=test -e /tmp/ok || { echo not yet >&2; echo >/tmp/ok; exit 4; }' ';' \
		--readiness 'exec=test ! -e /tmp/busy' failure=1 ';' \
		--liveness 'exec=echo sick; echo >/tmp/busy; exit 1' delay=3 failure=2 ';'
	has "^probed a restart=0 started=0 ready=0 event=failed kind=startup message='not yet" && has '^probed a restart=0 started=1 ready=0 event=state' &&
		has '^probed a restart=0 started=1 ready=1 event=state' &&
		has "^probed a restart=0 started=1 ready=[01] event=failed kind=liveness message='sick" && has '^probed a restart=0 started=1 ready=0' &&
		has '^probed a restart=0 .*event=killing kind=liveness' && has '^exit a code=0 .*restart=0.*backoff=0$' && has '^started a restart=1$' &&
		has '^probed a restart=1 started=1 ready=1' && has '^exit a code=0 .*restart=1.*backoff=never$' && has '^done$'
}

case_probes_net() {
	run --address 10.0.2.15 --prefix 24 --gateway 10.0.2.2 --stop-after-ms 9000 --grace-ms 500 --container a --run serve 80 'HTTP/1.1 404 No||' \
		81 'HTTP/1.1 200 OK|Content-Length: 2||hi' 82 'HTTP/1.1 302 F|Location: http://10.0.2.15:80/x?y#z||' 83 'HTTP/1.0 301 M|Location: https://o/||' 85 'hello' ';' \
		--startup port=81 failure=9 ';' --readiness http=/ok port=81 header='Host: me' ';' --liveness http=/none port=80 delay=5 failure=1 grace-ms=100 ';' \
		--container b --run sleep 100 ';' --readiness port=84 ';' --container c --run sleep 100 ';' --readiness http=/dir port=82 period=2 delay=2 ';' \
		--container d --run sleep 100 ';' --readiness http=/x port=84 ';'  --liveness 'exec=sleep 9' failure=1 grace-ms=0 ';' \
		--container e --run sleep 100 ';' --readiness http=/y port=83 delay=1 period=9 ';' --container f --run sleep 100 ';' --readiness http=/y port=85 delay=1 ';'
	has '^probed a .*started=1 ready=1 event=state' && has "kind=liveness message='HTTP probe failed with statuscode: 404'" && has '^out a: 81 GET /ok HTTP/1.1' &&
		has '^probed a .*event=killing kind=liveness' && has '^exit a code=137' && has '^out a: 80 GET /x.y HTTP/1.1' &&
		has "^probed b .*message='dial tcp 10.0.2.15:84: connect: connection refused'" && hasnt '^probed b .*ready=1' &&
		has "^probed c .*kind=readiness message='HTTP probe failed with statuscode: 404'" &&
		has "^probed d .*message='Get \"http://10.0.2.15:84/x\": dial tcp 10.0.2.15:84: connect: connection refused'" &&
		has "^probed d .*kind=liveness message='command timed out after 1s'" && has '^exit d code=137 signal=9' &&
		has "^probed e .*event=warning kind=readiness message='Probe terminated redirects, status 301" && has '^probed e .*ready=1 event=state' &&
		has '^probed f .*message=.Get .*:85/y.: EOF|malformed' && has '^done$'
}

case_hooks() {
	local long=/tmp/a-folder-that-the-image-does-not-have/with-a-name-beyond-any-short-buffer/message
	run --stop-after-ms 5000 --grace-ms 4000 --container a --run sh -c 'trap "echo term; exit 0" TERM; while :; do sleep 1; done' ';' \
		--post-start 'exec=echo posted >/tmp/p; sleep 1' ';' --pre-stop 'exec=cat /tmp/p >/proc/1/fd/1; sleep 1' ';' \
		--container b --run sh -c 'trap "echo ended; exit 9" TERM; echo >/tmp/up; while :; do sleep 1; done' ';' \
		--post-start 'exec=until test -e /tmp/up; do sleep 1; done; echo broken; exit 3' ';' \
		--container c --run sh -c 'trap "echo late; exit 5" TERM; while :; do sleep 1; done' ';' --pre-stop sleep=60 ';' \
		--container d --run sh -c 'echo gone >/dev/last; exit 1' ';' --termination /dev/last --container e --user web --run sh -c "printf %09000d 1 >$long" ';' --termination "$long"
	has '^out a: posted$' && has '^out a: term$' && has "^probed b .*event=post_start_failed .*message='broken" && hasnt '^started b' &&
		has '^out b: ended$' && has '^exit b code=9' && has '^probed c .*event=pre_stop_failed' && has '^out c: late$' && has '^exit c code=5' &&
		has "^exit d code=1 .*termination='gone" && has "^exit e code=0 .*termination='0{2457}'" && has '^done$'
}

# Started in order, each when the one before has; restarted; ended after the others, the last first
case_sidecars() {
	run --grace-ms 3000 --container one --sidecar --run sh -c 'trap "echo >/dev/shm/one; exit 0" TERM; echo >/dev/shm/s1; while :; do sleep 1; done' ';' \
		--startup 'exec=test -e /dev/shm/s1' ';' --container init --init --run sh -c 'test -e /dev/shm/s1 && echo init' ';' \
		--container two --sidecar --run sh -c 'trap "test ! -e /dev/shm/one && echo two-first; exit 0" TERM; test -e /dev/shm/s2 || { echo >/dev/shm/s2; exit 0; }; while :; do sleep 1; done' ';' \
		--container main --run sh -c 'sleep 4; echo main' ';' --container past --over --run sh -c 'echo again' ';'
	hasnt '^started past|past' && has '^out init: init$' && has '^started two restart=1$' && has '^out main: main$' && has '^out two: two-first$' && has '^exit one code=0' && has '^done$'
}

# Several containers in one pid namespace; PID 1 is nobody's, and reaps what they leave
case_share_pids() {
	run --share-pids --container a --run sh -c 'exec sleep 5' ';' --container b --run sh -c \
		'sleep 1; ps -o pid,args; ls /proc/1/root 2>&1; (sleep 1 & ); sleep 1; ps -o stat,args; kill -9 1; kill $(ps -o pid,args | grep "[s]leep 5" | sed 's/sleep.*//'); exit 3' ';'
	has '^out b: +1 pause' && has '^out b: .*sleep 5$' && has '/proc/1/root: (cannot open|Permission denied)|root.*Permission denied' && hasnt '^out b: Z' &&
		has '^exit a code=143 signal=15' && has '^exit b code=3' && has '^done$'
}

make_layers
passed=0 failed=0
for c in hello layers many_layers world confined privileged stats start_errors stop memory restart init output tty \
	exec exec_missing exec_input exec_tty exec_tty_input exec_hang_up attach volumes volume_files \
	seccomp probes probes_net hooks sidecars share_pids; do
	[ ${#wanted[@]} = 0 ] || [[ " ${wanted[*]} " == *" $c "* ]] || continue
	start=$SECONDS why=
	if "case_$c"; then
		passed=$((passed + 1))
		echo "PASS guest/$c ($((SECONDS - start)) s)"
	else
		failed=$((failed + 1))
		echo "FAIL guest/$c: $why"
		sed 's/^/    /' "$dir/out" "$dir/qemu"
	fi
done
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
