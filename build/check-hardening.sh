#!/bin/bash
# check-hardening.sh - a kernel's hardening against a list, with waivers
#
# usage: check-hardening.sh LIST WAIVERS CONFIG [SYSCTL_CONF]
#
# LIST says what is wanted (kernel/host/hardening.list has the grammar), CONFIG is the built kernel's configuration,
# WAIVERS a Markdown page whose tables name in `backquotes` in their first column what is not met, and why in the second. An
# unmet line without a waiver is an error, and so is a waiver without an unmet line.
set -euo pipefail
case ${1:-} in -h | --help | '') sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0"; exit 0 ;; esac
list=$1 waivers=$2 config=$3 sysctl=${4:-/dev/null}

awk -v list="$list" -v waivers="$waivers" '
	# Whose default, settled by the configuration, needs no line in sysctl.conf: a symbol with the value that settles it
	function settled(name, value) {
		if (name == "dev.tty.ldisc_autoload") return value == 0 && !("LDISC_AUTOLOAD" in have)
		if (name == "dev.tty.legacy_tiocsti") return value == 0 && !("LEGACY_TIOCSTI" in have)
		if (name == "kernel.dmesg_restrict") return value == 1 && ("SECURITY_DMESG_RESTRICT" in have)
		if (name == "kernel.panic_on_oops") return value == 1 && ("PANIC_ON_OOPS" in have)
		if (name == "vm.unprivileged_userfaultfd") return !("USERFAULTFD" in have)
		if (name == "kernel.io_uring_disabled") return !("IO_URING" in have)
		if (name == "kernel.kexec_load_disabled") return !("KEXEC_CORE" in have)
		if (name == "kernel.unprivileged_bpf_disabled") return !("BPF_SYSCALL" in have)
		if (name == "vm.mmap_min_addr") return have["DEFAULT_MMAP_MIN_ADDR"] == value
		if (name == "vm.mmap_rnd_bits") return have["ARCH_MMAP_RND_BITS"] == value
		return 0
	}
	function miss(name, got, wanted) {
		missed[name] = 1
		if (name in waived) return
		printf "%s: %s is %s, wanted is %s; give it, or its reason to %s\n", list, name, got, wanted, waivers
		bad++
	}
	FILENAME == ARGV[1] && match($0, /^CONFIG_[A-Za-z0-9_]+=/) {
		value = substr($0, RLENGTH + 1)
		gsub(/^"|"$/, "", value)
		have[substr($0, 8, RLENGTH - 8)] = value
	}
	FILENAME == ARGV[2] && /^[a-z]/ { split($0, w, / *= */); set[w[1]] = w[2] }
	FILENAME == waivers && /^\| *`/ {
		split($0, column, "|")
		if (column[3] !~ /[a-z]/) { printf "%s: no reason: %s\n", waivers, $0; bad++ }
		n = split(column[2], w, "`")
		for (i = 2; i <= n; i += 2) waived[w[i]] = 1
	}
	FILENAME == list && $1 == "config" {
		asked++
		got = $2 in have ? have[$2] : "n"
		if (got != $3) miss($2, got, $3)
	}
	FILENAME == list && $1 == "cmdline" {
		asked++
		word = $2
		there = index(" " have["CMDLINE"] " ", " " (sub(/^-/, "", word) ? word : $2) " ") > 0
		if (there == (word != $2)) miss($2, there ? "there" : "missing", "the opposite")
	}
	FILENAME == list && $1 == "sysctl" {
		asked++
		if ($2 in set ? set[$2] != $3 : !settled($2, $3)) miss($2, $2 in set ? set[$2] : "not set", $3)
	}
	END {
		for (name in waived) if (!(name in missed)) {
			printf "%s: %s is met, or nobody asks for it: its waiver can go\n", waivers, name
			bad++
		}
		for (name in missed) n_missed++
		printf "%s: %d asked for, %d waived\n", list, asked, n_missed
		exit bad > 0
	}' "$config" "$sysctl" "$waivers" "$list"
