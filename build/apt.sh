# shellcheck shell=bash
# shellcheck disable=SC2154  # the caller sets cache, suite and types
# A private apt state per Debian suite, for source and binary packages of suites that need not be this machine's own
#
# Neither root nor any change to the system is needed: mirror, its options and its keys come from the system's own
# entries (apt-sources.awk), lists and downloads go to the cache, and what is installed here counts for nothing.
# The caller sets `cache`, the folder for all of it, `suite`, and `types` (deb-src, or deb; deb-COMPONENT for a component that
# the system's entries do not name); it keeps others out with a lock of its own, and defines `say`.

apt() { # APT-TOOL ARGS...
	local tool=$1 s=$cache/apt/$suite-$types
	shift
	"$tool" -q -o Dir::Etc::sourcelist=/dev/null -o "Dir::Etc::sourceparts=$s/parts" -o "Dir::State::Lists=$s/lists" \
		-o "Dir::Cache=$s/cache" -o Dir::State::status=/dev/null -o APT::Sandbox::User= -o Acquire::Retries=2 "$@"
}

# The system's entries of its own release, turned into deb822 stanzas for SUITE
apt_sources() {
	local parts main host f
	host=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
	eval "$(apt-config shell parts Dir::Etc::sourceparts/d main Dir::Etc::sourcelist/f)"
	{
		cat "$main" 2>/dev/null || :
		for f in "$parts"/*.list "$parts"/*.sources; do
			[ ! -f "$f" ] || { echo; cat "$f"; }
		done
	} | awk -v HOST="$host" -v SUITE="$suite" -v TYPES="${types/#deb-[^s]*/deb}" -f "$(dirname "${BASH_SOURCE[0]}")/apt-sources.awk" |
		case $types in
		deb-[!s]*) sed "s/^Components: .*/Components: ${types#deb-}/" ;;
		*) cat ;;
		esac
}

# Makes the state, or renews it once a day
apt_state() {
	local s=$cache/apt/$suite-$types
	command -v apt-get >/dev/null || { say "no apt-get here: no Debian mirror"; return 1; }
	mkdir -p "$s/parts" "$s/lists/partial" "$s/cache/archives/partial"
	apt_sources >"$s/parts/new"
	[ -s "$s/parts/new" ] || { say "no apt entry of this machine's own release found"; return 1; }
	if ! cmp -s "$s/parts/new" "$s/parts/hypermetal.sources"; then
		mv "$s/parts/new" "$s/parts/hypermetal.sources"
	elif [ -n "$(find "$s/updated" -mmin -1440 2>/dev/null)" ]; then
		return 0
	fi
	say "reading the list of $suite $types packages"
	apt apt-get update >"$s/log" 2>&1 || { tail -n 5 "$s/log" >&2; say "apt-get update was not complete"; }
	touch "$s/updated"
}
