#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# prefilter.sh PREFILTER: fail2ban's own sample logs, as they are and mangled, with and without the
# prefilter, for all of its filters and for ours.
set -eu
prefilter=$1
src=$(cd "$(dirname "$0")/../.." && pwd)
logs=/usr/lib/python3/dist-packages/fail2ban/tests/files/logs
seed=${SEED:-1}
if ! [ -d "$logs" ] || ! [ -d /etc/fail2ban/filter.d ]; then
	echo "the package fail2ban is not here"
	exit 77
fi
files=$(find "$logs" -type f | sort)
# shellcheck disable=SC2086 # a list of words
"$prefilter" /etc/fail2ban "$seed" 6 $files
# shellcheck disable=SC2086
"$prefilter" "$src/etc/stockade" "$seed" 10 $files
