# shellcheck shell=bash
# Hosts in QEMU.
#
# Without hardware virtualisation QEMU itself emulates AMD's SVM with nested paging, so a host has a working /dev/kvm
# either way. /dev/kvm here says nothing: it may exist on machines whose CPU does not offer vmx or svm and whose KVM
# then cannot run a stock kernel; the CPU's flags decide.

BOOT=${BOOT:-bios-pxe}
CARD=${CARD:-virtio}
DISK=${DISK:-none}
BOOTS='bios-pxe, uefi-pxe, uefi-http, uki, secureboot, secureboot-pxe, secureboot-http, iso-bios, iso-uefi, stick-bios, stick-uefi, disk, disk-bios'
MEM=${MEM:-1024}
SMP=${SMP:-}
ACCEL=${ACCEL:-auto}
QEMU=${QEMU:-qemu-system-x86_64}

# The emulated CPU. Without CMPXCHG16B, after which QEMU 7.2 leaves a pointer's bits in EFLAGS until the next instruction
# that sets them: an interrupt between the two returned into slab code with the trap flag set, once in some hundred pods.
TCG_CPU=max,+svm,+npt,-cx16

accel_pick() {
	[[ ", $BOOTS," = *", $BOOT,"* ]] || die "BOOT=$BOOT is not known ($BOOTS)"
	need "$QEMU" qemu-system-x86
	if [ "$ACCEL" = auto ]; then
		if grep -qwE 'vmx|svm' /proc/cpuinfo && [ -w /dev/kvm ]; then ACCEL=kvm; else ACCEL=tcg; fi
	fi
	case $ACCEL in
	kvm) [ -w /dev/kvm ] || die "ACCEL=kvm: /dev/kvm cannot be opened" ;;
	tcg | count) tcg_check ;;
	*) die "ACCEL=$ACCEL is not known (auto, kvm, tcg, count)" ;;
	esac
	# Several emulated processors go wrong now and then: docs/qemu-test.md
	if [ -z "$SMP" ]; then SMP=$([ "$ACCEL" = kvm ] && echo 2 || echo 1); fi
}

# Says which CPU flag this QEMU cannot emulate
tcg_check() {
	local missing
	missing=$("$QEMU" -nodefaults -display none -S -m 16 -accel tcg -cpu qemu64,+svm,+npt,enforce -monitor stdio \
		<<<quit 2>&1 >/dev/null | grep -oE '\b(svm|npt)\b' | sort -u | paste -sd' ') || :
	[ -z "$missing" ] || die "this machine's CPU offers neither vmx nor svm, and $("$QEMU" --version | head -n 1) cannot" \
		"emulate: $missing. Hosts could not run HyperVMs. QEMU 7.2 of Debian 12 can."
}

# The folder of what hosts boot: a shell is only in the debug image
images_dir() {
	case "$BOOT $HOST_KERNEL_ARGS " in
	secureboot*) secure_images "$RUN/images" && echo "$RUN/images" ;;
	*' hyper.debug '*) echo "$OUT/images-debug" ;;
	*) echo "$OUT/images" ;;
	esac
}

# Host INDEX as a QEMU process. HOST_CPU overrides the CPU model; QEMU_EXTRA is a list of further arguments.
host_start() { # INDEX
	local i=$1 dir=$RUN/host-$1 cpu accel
	mkdir -p "$dir"
	rm -f "$dir"/*.sock
	: >"$dir/serial.log"
	case $ACCEL in
	kvm) accel=kvm cpu=host ;;
	# "Fast rep" is slow where it is emulated, byte by byte: pages are cleared by words instead
	tcg) accel=tcg,thread=multi cpu=$TCG_CPU,-erms,-fsrm ;;
	count) accel=tcg,thread=single cpu=$TCG_CPU ;;
	esac
	# shellcheck disable=SC2054  # QEMU's commas
	local args=(-name "host-$i" -nodefaults -no-user-config -display none -machine q35,graphics=off
		-boot reboot-timeout=3000 -accel "$accel"
		-cpu "${HOST_CPU:-$cpu}" -smp "$SMP" -m "$MEM" -uuid "$(host_uuid "$i")" -smbios "type=1,serial=HM-$i"
		-netdev "$(net_qemu_arg "$i")"
		-device virtio-rng-pci
		-chardev "socket,id=serial0,path=$dir/serial.sock,server=on,wait=off,logfile=$dir/serial.log,logappend=on"
		-serial chardev:serial0 -qmp "unix:$dir/qmp.sock,server=on,wait=off")
	firmware_args "$dir"
	args+=("${FIRMWARE[@]}" -device "$(card_model),netdev=net0,mac=$(host_mac "$i")$NIC")
	disk_args "$dir"
	args+=("${DATA[@]}")
	# Counted: 1 ns of the host's clock is one instruction while it has something to do; idle time passes as it does here
	if [ "$ACCEL" = count ]; then args+=(-icount "shift=0,sleep=on"); fi
	# shellcheck disable=SC2206  # a list of words
	args+=(${QEMU_EXTRA:-})
	in_net_start "host-$i" "$QEMU" "${args[@]}"
}

# QEMU's name of the network card CARD
card_model() {
	case $CARD in
	virtio) echo virtio-net-pci ;;
	e1000e | igb | vmxnet3) echo "$CARD" ;;
	*) die "CARD=$CARD is not known (virtio, e1000e, igb, vmxnet3)" ;;
	esac
}

# Sets DATA, QEMU's arguments for a disk behind the controller DISK, empty and of 64 MiB
disk_args() { # FOLDER
	DATA=()
	[ "$DISK" != none ] || return 0
	truncate -s 64M "$1/data.raw"
	DATA=(-drive "if=none,id=data,format=raw,file=$1/data.raw")
	case $DISK in
	nvme) DATA+=(-device nvme,drive=data,serial=DATA-0) ;;
	ahci) DATA+=(-device ide-hd,drive=data,serial=DATA-0,bus=ide.4) ;;
	virtio-scsi) DATA+=(-device virtio-scsi-pci,id=hba -device scsi-hd,drive=data,serial=DATA-0,bus=hba.0) ;;
	megasas) DATA+=(-device megasas-gen2,id=hba -device scsi-hd,drive=data,serial=DATA-0,bus=hba.0) ;;
	*) die "DISK=$DISK is not known (none, nvme, ahci, virtio-scsi, megasas)" ;;
	esac
}

# Sets FIRMWARE, QEMU's arguments for firmware and boot medium, and NIC, additions to the network card. UEFI brings a PXE
# and an HTTP client of its own, so the card's ROM, which is iPXE, stays out; but for cards that OVMF has no driver for,
# which come with one in their ROM. It is kept from trying other ways than the one asked for. What is no loader of the
# network's is told the boot service by an SMBIOS string that its stub reads (uki, disk), or by DHCP.
firmware_args() { # FOLDER
	local dir=$1 off=(IPv6PXESupport)
	FIRMWARE=() NIC=
	case $BOOT in
	*-pxe | *-http) NIC=,bootindex=0 ;;
	*) off+=(IPv4PXESupport IPv4HTTPSupport) ;;
	esac
	case $BOOT in
	bios-pxe) return 0 ;;
	uefi-pxe | secureboot-pxe) off+=(IPv4HTTPSupport) && tftp_autoexec ;;&
	uefi-http | secureboot-http) off+=(IPv4PXESupport) ;;
	uki | disk | secureboot-pxe)
		FIRMWARE+=(-smbios "type=11,value=io.systemd.stub.kernel-cmdline-extra=hyper.boot=$BOOT_URL${HOST_KERNEL_ARGS:+ $HOST_KERNEL_ARGS}")
		;;
	iso-uefi | stick-uefi | secureboot)
		[ -z "$HOST_KERNEL_ARGS" ] ||
			FIRMWARE+=(-smbios "type=11,value=io.systemd.stub.kernel-cmdline-extra=$HOST_KERNEL_ARGS")
		;;
	esac
	medium_args "$dir"
	case $BOOT in
	*-bios) return 0 ;;
	secureboot*) secure_vars "$dir/vars.fd" ;;
	*) cp "$OVMF/OVMF_VARS_4M.fd" "$dir/vars.fd" ;;
	esac
	uefi_args "$dir/vars.fd" "${off[@]}"
}

# Adds to FIRMWARE the medium that is booted from, if any. A BIOS's loader knows no SMBIOS strings: where the kernel shall
# have further arguments, the medium is made again.
medium_args() { # FOLDER
	local dir=$1 images=$OUT/images
	local again=("$ROOT/images/${BOOT%%-*}.sh" "$images/hypermetal-uki.efi" "$OUT/pkg/native/grub" "$HOST_KERNEL_ARGS")
	case $BOOT in
	uki)
		medium_program "$dir/esp" "$images/hypermetal-uki.efi"
		;;
	disk | disk-bios)
		if [ "$BOOT" = disk-bios ] && [ -n "$HOST_KERNEL_ARGS" ]; then
			"${again[@]}" "$dir/boot.raw"
		else
			zstd -q -d -f "$images/hypermetal.raw.zst" -o "$dir/boot.raw"
		fi
		medium_attach virtio-blk-pci "$dir/boot.raw"
		;;
	iso-* | stick-*)
		cp "$images/hypermetal.iso" "$dir/boot.iso"
		again[0]=$ROOT/images/iso.sh
		if [[ $BOOT = *-bios ]] && [ -n "$HOST_KERNEL_ARGS" ]; then "${again[@]}" "$dir/boot.iso"; fi
		case $BOOT in
		iso-*) medium_attach ide-cd "$dir/boot.iso" ;;
		*) FIRMWARE+=(-device "qemu-xhci,id=usb") && medium_attach usb-storage "$dir/boot.iso" ;;
		esac
		;;
	secureboot) medium_program "$dir/esp" "$(images_dir)/hypermetal-uki.efi" ;;
	*-pxe | *-http) ;;
	esac
}

medium_attach() { # DEVICE FILE
	FIRMWARE+=(-drive "if=none,id=boot,format=raw,readonly=on,file=$2" -device "$1,drive=boot,bootindex=0")
}

# A FAT medium that QEMU makes of FOLDER, with one EFI program
medium_program() { # FOLDER PROGRAM
	mkdir -p "$1/EFI/BOOT"
	cp "$2" "$1/EFI/BOOT/BOOTX64.EFI"
	medium_attach virtio-blk-pci "fat:$1"
}

# Adds to FIRMWARE OVMF with VARIABLES and without what OFF names; the build that knows Secure Boot wants system
# management mode, in which alone it can write its variables
uefi_args() { # VARIABLES OFF...
	local vars=$1 name code=OVMF_CODE_4M
	shift
	if [[ $BOOT = secureboot* ]]; then
		code+=.secboot
		FIRMWARE+=(-machine "smm=on" -global "driver=cfi.pflash01,property=secure,value=on")
	fi
	[ -f "$OVMF/$code.fd" ] || die "$OVMF/$code.fd is missing: apt-get install ovmf (or make deps)"
	[ "$CARD" != virtio ] || NIC+=,romfile=
	FIRMWARE+=(-drive "if=pflash,format=raw,unit=0,readonly=on,file=$OVMF/$code.fd"
		-drive "if=pflash,format=raw,unit=1,file=$vars")
	for name; do FIRMWARE+=(-fw_cfg "name=opt/org.tianocore/$name,string=n"); done
}
OVMF=/usr/share/OVMF

# --- Secure Boot: the keys in folder KEYS, or else such as are made for tests

secure_keys() {
	KEYS=${KEYS:-$OUT/test-keys}
	# Another environment may be about to do the same
	[ -e "$KEYS/db.key" ] || flock "$OUT" sh -c '[ -e "$2/db.key" ] || "$1" "$2"' - "$ROOT/images/keys.sh" "$KEYS" >/dev/null
}

# What is booted, with signatures where they belong
secure_images() { # FOLDER
	local name
	[ ! -d "$1" ] || return 0
	secure_keys
	mkdir -p "$1"
	cp "$OUT"/images/{bzImage,initramfs,version,undionly.kpxe}{,.sha256} "$1/"
	for name in snponly.efi hypermetal-uki.efi; do
		"$ROOT/images/sign.sh" "$KEYS" "$OUT/unsigned/$name" "$1/$name"
		(cd "$1" && sha256sum "$name" >"$name.sha256")
	done
}

# Firmware's variables with the keys, put there as an operator does: by the enrolment medium; once for each set of keys
secure_vars() { # OUTPUT
	local kept work
	secure_keys
	kept=$OUT/secure-vars/$(cat "$KEYS"/{PK,KEK,db}.auth | sha256sum | cut -c1-16).fd
	if [ ! -e "$kept" ]; then
		mkdir -p "${kept%/*}"
		work=$(mktemp -d "$kept.XXXXXX")
		"$ROOT/images/enrol.sh" "$OUT/pkg/native/systemd-boot-efi/systemd-bootx64.efi" "$KEYS" "$work/enrol.iso"
		cp "$OVMF/OVMF_VARS_4M.fd" "$work/vars.fd"
		secure_qemu "$work" -no-reboot -drive "if=none,id=boot,format=raw,readonly=on,file=$work/enrol.iso" -device ide-cd,drive=boot
		wait_until 120 not proc_running firmware || proc_stop firmware
		grep -aq 'successfully enrolled' "$work/serial.log" || { log_tail "$work/serial.log" && die "the keys were not enrolled"; }
		mv "$work/vars.fd" "$kept"
		rm -r "$work"
	fi
	cp "$kept" "$1"
}

# OVMF alone as the process "firmware", with the variables in FOLDER/vars.fd; its console goes to FOLDER/serial.log
secure_qemu() { # FOLDER QEMU_ARGUMENT...
	local folder=$1 BOOT=secureboot NIC='' FIRMWARE=()
	shift
	uefi_args "$folder/vars.fd"
	proc_start firmware "$QEMU" -nodefaults -no-user-config -display none -machine q35 -accel "${ACCEL/count/tcg}" -m 256 \
		-device virtio-rng-pci -serial "file:$folder/serial.log" "${FIRMWARE[@]}" "$@"
}

host_uuid() { # INDEX: the same for every start of this host in this environment
	printf '%s %s' "$RUN" "$1" | sha256sum | sed -E 's/^(.{8})(.{4}).(.{3}).(.{3})(.{12}).*/\1-\2-4\3-8\4-\5/'
}

host_stop() { proc_stop "host-$1" 5; }

# What a host is doing, in a few words, from its console
host_stage() { # INDEX
	local log=$RUN/host-$1/serial.log event
	if ! proc_running "host-$1"; then echo "QEMU has ended" && return; fi
	event=$(tr -d '\r' <"$log" | grep -aoE '\bev=[^ ]+( err="[^"]*")?' | tail -n 1) || :
	if [ -n "$event" ]; then
		echo "hostd: ${event#ev=}"
	elif grep -aq 'Linux version' "$log"; then
		echo "kernel"
	else
		echo "firmware, PXE"
	fi
}

# Seconds that a host may take from power-on to Ready
host_deadline() { if [ "$ACCEL" = kvm ]; then echo 60; else echo $((120 + 60 * HOSTS)); fi; }

# Types LINE at the console of a host that was booted with hyper.debug, prints what it wrote, returns its status
host_shell() { # INDEX LINE [SECONDS]
	local dir=$RUN/host-$1 mark=hm$RANDOM$RANDOM input status=0
	# The connection stays until the answer is there: QEMU throws away what a closed one still had to say. The answer is
	# taken from it, since QEMU's log file gets characters twice when the other side is slow to read.
	exec {input}> >(socat - "UNIX-CONNECT:$dir/serial.sock" >"$dir/shell")
	# What is typed is echoed, too, in lines as the terminal cuts them
	printf '%s\n' "echo $mark-; $2; echo $mark \$?" >&"$input"
	wait_until "${3:-20}" grep -aqE "$mark [0-9]+" "$dir/shell" || status=124
	exec {input}>&-
	[ $status = 0 ] || return $status
	tr -d '\r' <"$dir/shell" | sed "0,/^$mark-\$/d;/^$mark /,\$d"
	status=$(grep -aoE "$mark [0-9]+" "$dir/shell" | tail -n 1)
	return "${status#* }"
}

# What a host holds for its pods, a line each: processes, links, control groups, mounts, files, hostd's descriptors. Two
# lists differ when something was left behind. The host must have been booted with hyper.debug.
host_leftovers() { # INDEX
	local program
	read -r -d '' program <<-'LINE' || :
		for p in /proc/[0-9]*; do
		 read -r c <$p/comm && case $c in hypervm|hostd*|mkfs*|vhost-*|kvm-*|udhcpc) echo process ${c%-[0-9]*};; esac; done 2>/dev/null;
		for l in /sys/class/net/*; do echo link ${l##*/}; done;
		find /sys/fs/cgroup -name cgroup.procs | sed "s/^/group /";
		sed "s/^/mount /" /proc/mounts;
		find /run/hyper/pods /run/hyper/crash /run/hyper/node /var/lib/hypermetal | sed "s/^/file /";
		for f in /proc/$(pidof hostd)/fd/*; do readlink $f; done | sed "s/[0-9][0-9]*/N/g;s/^/descriptor /"
	LINE
	# The console takes one line, and tabs complete
	host_shell "$1" "${program//$'\n'/}" 40 | sort | uniq -c
}
