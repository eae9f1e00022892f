#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# prefilter.sh PREFILTER LOGGEN: fail2ban's own sample logs, lines that attackers would have written,
# and made-up logs, as they are and mangled, with and without the prefilter, for all of fail2ban's
# filters and for ours.
set -eu
prefilter=$1
loggen=$2
here=$(cd "$(dirname "$0")" && pwd)
logs=/usr/lib/python3/dist-packages/fail2ban/tests/files/logs
seed=${SEED:-1}
if ! [ -d "$logs" ] || ! [ -d /etc/fail2ban/filter.d ]; then
	echo "the package fail2ban is not here"
	exit 77
fi
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
"$loggen" auth -n 1500 -a 0.1 -s "$seed" -t 1795150000 >"$dir/auth"
"$loggen" auth -n 1000 -a 0.6 -s "$seed" -t 1795155000 -r 3 -i >"$dir/auth-iso"
"$loggen" access -n 1500 -a 0.2 -s "$seed" -t 1795150000 >"$dir/access"
(cd "$here" && PYTHONDONTWRITEBYTECODE=1 python3 - "$dir" "$seed" "$logs") <<'PYTHON'
import sys
import differ_lines
for name in "sshd", "postfix", "dovecot", "exim", "apache-auth", "slapd", "mongodb-auth":
    with open("%s/%s" % (sys.argv[1], name), "wb") as f:
        for line in differ_lines.Lines(name, sys.argv[2], 250, sys.argv[3]):
            f.write(line + b"\n")
PYTHON
files=$(find "$logs" -type f | sort)
# shellcheck disable=SC2086 # a list of words
"$prefilter" /etc/fail2ban "$seed" 4 $files
"$prefilter" /etc/fail2ban "$seed" 2 "$dir"/*
# shellcheck disable=SC2086
"$prefilter" "$here/../../etc/stockade" "$seed" 6 $files "$dir"/*
