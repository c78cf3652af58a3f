#!/bin/bash
# subset-modules.sh - copy some modules, and what they depend on, into a module tree of their own
#
# usage: subset-modules.sh FROM TO LIST        FROM and TO hold one folder each, named as the kernel's release
set -euo pipefail

[ $# = 3 ] || { sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0"; exit 2; }
from=$1 to=$2 list=$3
PATH=$PATH:/sbin:/usr/sbin
release=$(cd "$from" && echo *)

rm -rf "$to" "$to.base"
base=$to.base/lib/modules/$release
mkdir -p "$base"
cp "$from/$release"/modules.{builtin,builtin.modinfo,order} "$base/"
# modules.dep: PATH: PATH... ; in names, - and _ are one
grep -v '^#' "$list" | tr _ - | awk '
	NR == FNR { want[$1]; next }
	{ name = $1; sub(/:$/, "", name); sub(/.*\//, "", name); sub(/\.ko$/, "", name); gsub("_", "-", name) }
	name in want { delete want[name]; sub(/:/, ""); for (i = 1; i <= NF; i++) print $i }
	END { for (n in want) { print "no module " n >"/dev/stderr"; bad = 1 } exit bad }' - "$from/$release/modules.dep" |
	sort -u >"$to.base/files"
target=$(realpath "$base")
(cd "$from/$release" && xargs cp --parents -t "$target") <"$to.base/files"
depmod -b "$to.base" "$release"
mv "$to.base/lib/modules" "$to"
rm -rf "$to.base"
