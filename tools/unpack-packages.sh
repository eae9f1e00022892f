#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# unpack-packages.sh FOLDER PACKAGE...: unpacks packages, and what they need that is not installed,
# into a folder. For programs that tests run and that cannot be installed beside others, such as a
# second syslog daemon. Nothing of this machine changes.
set -eu
umask 022
root=$1
shift

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
# Who downloads has no privileges.
chmod 755 "$work"
getent passwd _apt >/dev/null && chown _apt "$work"
cd "$work"

wanted() {
	apt-get -qq -s --no-install-recommends install "$@" | sed -n 's/^Inst \([^ ]*\).*/\1/p'
}

names=$(wanted "$@") || { apt-get -qq update && names=$(wanted "$@"); }
# shellcheck disable=SC2086 # a list of words
apt-get -qq download $names >"$work/log" 2>&1 || { cat "$work/log" >&2; exit 1; }
for deb in "$work"/*.deb; do
	dpkg-deb -x "$deb" "$work/root"
done
mkdir -p "${root%/*}"
cp -a "$work/root" "$root.new"
rm -rf "$root"
mv "$root.new" "$root"
