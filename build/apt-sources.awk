# From the system's apt entries (deb822 and one-line form) on stdin to entries of suite SUITE, of type TYPES
#
# Only entries of the system's own release HOST (HOST, HOST-updates, HOST-security) are taken, with HOST replaced by
# SUITE: so the mirror, its options and its keys are the ones this machine already trusts.
# usage: awk -v HOST=bookworm -v SUITE=trixie -v TYPES=deb-src -f apt-sources.awk

function emit(uris, suites, comps, key,    i, n, s, out) {
	n = split(suites, s, /[ \t]+/)
	out = ""
	for (i = 1; i <= n; i++) {
		if (s[i] !~ "^" HOST "(-updates|-security)?/?$")
			continue
		sub("^" HOST, SUITE, s[i])
		out = out " " s[i]
		if (s[i] ~ /-security/)
			secure = 1
	}
	if (out == "" || seen[uris out]++)
		return
	print "Types: " TYPES "\nURIs: " uris "\nSuites:" out "\nComponents: " comps (key ? "\nSigned-By: " key : "") "\n"
	if (uris ~ /\/debian\/?$/) {
		base = uris
		basekey = key
	}
}

function stanza() {
	if (f["types"] ~ /deb/ && f["enabled"] !~ /no|false/)
		emit(f["uris"], f["suites"], f["components"], f["signed-by"])
	split("", f)
}

/^[ \t]*#/ { next }
/^deb(-src)?[ \t]/ {
	key = ""
	if (match($0, /\[[^]]*\]/)) {
		opts = substr($0, RSTART + 1, RLENGTH - 2)
		if (match(opts, /signed-by=[^ ]+/))
			key = substr(opts, RSTART + 10, RLENGTH - 10)
		sub(/\[[^]]*\][ \t]*/, "")
	}
	c = ""
	for (i = 4; i <= NF; i++)
		c = c (i > 4 ? " " : "") $i
	emit($2, $3, c, key)
	next
}
/^[ \t]*$/ { stanza(); next }
/^[A-Za-z-]+:/ {
	k = tolower(substr($1, 1, length($1) - 1))
	sub(/^[^:]*:[ \t]*/, "")
	f[k] = $0
	next
}
/^[ \t]/ { f[k] = f[k] "\n" $0 }

END {
	stanza()
	# A release list without security entry (a fresh debootstrap): its archive lies beside the main one
	if (!secure && base != "") {
		sub(/\/$/, "", base)
		print "Types: " TYPES "\nURIs: " base "-security\nSuites: " SUITE "-security\nComponents: main" \
			(basekey ? "\nSigned-By: " basekey : "") "\n"
	}
}
