#!/bin/bash
# cves.sh - what Debian's signed archive says was fixed in our sources since the versions that are pinned
#
# usage: cves.sh        (make cves; needs the network, or rather a Debian mirror)
#
# For each line of build/sources.lock and build/firmware.lock: the newest version of its source package in the suite that
# it is from, security updates included, and the CVE ids in that package's changelog which our bytes do not have the fix for:
#   behind   entries of newer upstream versions than ours; of newer Debian versions where we take a binary package
#   patch    entries of our upstream version, but the first: Debian fixed them by patches on the tarball that we take as
#            it is, while the first names what the tarball itself has fixed
# Those of build/cves.waived (CVE, name, reason) are not counted. Ends 1 when anything is behind or left.
#
# It sees what Debian's maintainers wrote into changelogs, under the archive's signature. It does not see what nobody has
# fixed yet, nor fixes whose entries name no CVE: the security tracker, which knows, is not part of the signed archive.
set -euo pipefail
case ${1:-} in -h | --help) sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0"; exit 0 ;; esac

here=$(cd "$(dirname "$0")" && pwd)
cache=${HYPERMETAL_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/hypermetal}
say() { echo "cves: $*" >&2; }
# shellcheck source=build/apt.sh
. "$here/apt.sh"

newest() { sort -u | while read -r v; do
	if [ -z "${best:-}" ] || dpkg --compare-versions "$v" gt "$best"; then best=$v; fi
	echo "$best"
done | tail -n 1; }
upstream() { sed -E 's/^[0-9]+://; s/-[^-]*$//' <<<"$1"; } # DEBIAN_VERSION

# Debian's changelog of SOURCE: out of its smallest binary packages, which every mirror has, else of the source package
changelog() { # SOURCE VERSION
	local dir=$cache/cves/${1}_${2//[:\/]/_} package types=deb
	if [ ! -s "$dir/changelog" ]; then
		mkdir -p "$dir"
		apt_state >/dev/null 2>&1
		while read -r _ package; do
			(cd "$dir" && apt apt-get download "$package") >"$dir/log" 2>&1 || continue
			dpkg-deb --fsys-tarfile "$dir"/*.deb | tar -xOf - --wildcards --no-anchored 'changelog*.gz' 2>/dev/null |
				zcat 2>/dev/null | grep -a . >"$dir/changelog" || :
			rm -f "$dir"/*.deb
			! grep -q "^$1 (" "$dir/changelog" || break
		done < <(apt apt-cache dumpavail 2>/dev/null | awk -v source="$1" '
			/^Package:/ { package = $2; from = $2; size = 0 }
			/^Source:/ { from = $2 }
			/^Size:/ { size = $2 }
			/^$/ { if (from == source) print size, package }' | sort -n -u | head -n 6)
	fi
	cat "$dir/changelog"
}

# "VERSION CVE..." of each entry that names any, and of the oldest entry of each upstream version nothing
fixes() {
	awk '
		function entry() { # the one before, now that the next, which is older, is known
			if (ids != "" && (up == next_up || binary)) print version ids
			ids = ""
		}
		/^[a-z0-9][a-z0-9.+-]* \(/ {
			next_version = $2
			gsub(/[()]/, "", next_version)
			next_up = next_version
			sub(/-[^-]*$/, "", next_up)
			entry()
			version = next_version
			up = next_up
		}
		{ while (match($0, /CVE-[0-9]+-[0-9]+/)) {
			id = substr($0, RSTART, RLENGTH); $0 = substr($0, RSTART + RLENGTH)
			if (!index(ids, id)) ids = ids " " id } }
		END { next_up = ""; entry() }' binary="$1" -
}

bad=0
printf '%-22s %-28s %-28s %s\n' source ours archive open
exec 7>"$cache/.apt.lock"
flock 7
while read -r name version file _ package suite _; do
	case $suite in */*) [[ $file == *.deb ]] && binary=deb-${suite#*/} && suite=${suite%%/*} ;; *) binary=deb ;; esac
	ours=$version source=$package
	if [[ $file == *.deb ]]; then
		types=$binary
		apt_state >/dev/null 2>&1
		ours=${file#*_} ours=${ours%_*}
		available=$(apt apt-cache show "$package" 2>/dev/null | sed -n 's/^Version: //p' | newest)
		source=$(apt apt-cache show "$package" 2>/dev/null | sed -n 's/^Source: //p;' | head -n 1 | cut -d' ' -f1)
		source=${source:-$package}
	fi
	types=deb-src
	apt_state >/dev/null 2>&1
	sources=$(apt apt-cache showsrc --only-source "$source" 2>/dev/null | sed -n 's/^Version: //p')
	if [[ $file != *.deb ]]; then
		available=$(newest <<<"$sources")
		ours=${file#*_} ours=${ours%.tar.*} ours=${ours%.orig}
	fi
	state=''
	if [ -z "$available" ]; then
		printf '%-22s %-28s %-28s %s\n' "$name" "$ours" '-' 'not in the archive any more: cannot tell'
		bad=1
		continue
	fi
	if [[ $file == *.deb ]]; then
		if dpkg --compare-versions "$available" gt "$ours"; then state=behind; fi
	elif dpkg --compare-versions "$(upstream "$available")" gt "$ours"; then
		state=behind
	fi
	log=''
	# A binary package that is the newest lacks nothing
	if [[ $file != *.deb || $state = behind ]]; then
		log=$(changelog "$source" "$(newest <<<"$sources")" || :)
		[ -n "$log" ] || state+=' no-changelog'
	fi
	open=$(fixes "$([[ $file != *.deb && $state != behind ]] || echo 1)" <<<"$log" | while read -r entry ids; do
		if [[ $file == *.deb ]]; then
			dpkg --compare-versions "$entry" gt "$ours" || continue
		else
			dpkg --compare-versions "$(upstream "$entry")" ge "$ours" || continue
		fi
		for id in $ids; do grep -q "^$id $name " "$here/cves.waived" || echo "$id"; done
	done | sort -u | paste -sd' ')
	[ -z "$state$open" ] || bad=1
	[ -z "$open" ] || state=${state:-patch}
	printf '%-22s %-28s %-28s %s\n' "$name" "$ours" "$available" "${state:--} $open"
done < <(grep -hv '^#' "$here/sources.lock" "$here/firmware.lock")
exit $bad
