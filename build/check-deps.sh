#!/bin/bash
# check-deps.sh - the include directions of the design
#
# usage: check-deps.sh      (in the repository's root)
#
# 1. hostd's modules: oci, disk, net, vm include none of each other, nor pod, node, host; pod includes those four only;
#    node, host and uplink include no other module; vmm and guest know lib/proto and lib/base only; only oci and node (and
#    the api process) use lib/http and lib/json, pod parses its spec by lib/json, inventory writes its document by it.
#    controller: api, enrol, sched, remote, boot, image and trial know the store at most, never each other.
# 2. lib/base includes nothing else of the project; the other modules of lib only base.
# 3. A third-party header appears in one .c file of a module, and in no header of ours. Exceptions, with their reason,
#    are in `also` below.
set -euo pipefail
case ${1:-} in -h | --help) sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0"; exit 0 ;; esac
# shellcheck disable=SC2016  # an awk program
git ls-files -co --exclude-standard '*.c' '*.h' | xargs -r ls -d 2>/dev/null | xargs -r awk '
BEGIN {
	# module -> what it may include besides itself
	may["lib/base"] = ""
	may["lib/proto"] = "base"
	may["lib/json"] = "base"
	may["lib/http"] = "base"
	may["lib/kube"] = "base"
	may["lib/nlink"] = "base"
	may["lib/x509"] = "base"
	may["lib/jwt"] = "json base"
	may["hostd/vmm"] = may["guest"] = "proto base"
	may["hostd/oci"] = "http json base"
	may["hostd/disk"] = may["hostd/host"] = "base"
	may["hostd/net"] = may["hostd/uplink"] = "nlink base"
	may["hostd/vm"] = "proto base"
	may["hostd/fate"] = "json base"
	may["hostd/journal"] = "base"
	may["hostd/inventory"] = "json base"
	may["hostd/storage"] = "inventory json base" # hostd-disk: which disks there are
	may["hostd/node"] = "http json x509 base"
	may["hostd/pod"] = "oci disk net vm proto json base"
	may["hostd/api"] = "http json kube proto base"
	may["controller/store"] = "json base"
	may["controller/api"] = "store http jwt json kube base"
	may["controller/remote"] = "store http json base"
	may["controller/enrol"] = "store json x509 base"
	may["controller/sched"] = "store json base"
	may["controller/boot"] = "http json base"
	may["controller/image"] = "json base"
	may["controller/trial"] = "store json base"
	# headers of third parties
	# links and addresses go through libnl-route, firewall and limits through libnl alone
	also["hostd/net/nft.c"] = also["hostd/net/shape.c"] = also["hostd/net/guard.c"] = "netlink"
	# one transfer by its easy interface, all together by its multi interface, and that on our loop
	also["lib/http/client_call.c"] = "curl"
	also["lib/http/client_multi.c"] = "curl"
	# calls and bare connections are two machines on the same library
	also["lib/http/tunnel.c"] = "curl"
	third = "^(yyjson|mbedtls/|psa/|curl/|sqlite3|zlib|zstd|netlink/|libkmod|ext2fs/|et/|blkid/|libwebsockets|civetweb)"
}
FNR == 1 {
	n = split(FILENAME, p, "/")
	test = FILENAME ~ /\/(tests|fuzz)\//
	mod = p[1]
	if ((p[1] == "lib" || p[1] == "hostd" || p[1] == "controller") && n > 2)
		mod = p[1] "/" p[2]
}
/^[ \t]*#[ \t]*include[ \t]*"/ {
	split($0, q, "\"")
	inc = q[2]
	if (test || !(mod in may) || inc !~ /\//)
		next
	to = inc
	sub(/\/.*/, "", to)
	own = mod
	sub(/.*\//, "", own)
	if (to == own || mod == "guest")
		if (mod != "guest" || to !~ /^(http|json|oci|disk|net|vm|pod|node|host|vmm)$/)
			next
	if (index(" " may[mod] " ", " " to " ") == 0) {
		print FILENAME ":" FNR ": " mod " must not include \"" inc "\""
		bad = 1
	}
}
/^[ \t]*#[ \t]*include[ \t]*[<"]/ {
	split($0, q, "[<>\"]")
	if (test || q[2] !~ third)
		next
	lib = q[2]
	sub(/[\/.].*/, "", lib)
	if (lib == "psa")
		lib = "mbedtls"
	if (FILENAME ~ /\.h$/) {
		print FILENAME ":" FNR ": third-party header <" q[2] "> in a header of ours"
		bad = 1
	} else if (also[FILENAME] == lib) {
		next
	} else if ((mod, lib) in where && where[mod, lib] != FILENAME) {
		print FILENAME ":" FNR ": <" q[2] "> is already used by " where[mod, lib] " of the same module"
		bad = 1
	}
	where[mod, lib] = FILENAME
}
END { exit bad }'
