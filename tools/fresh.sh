#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck disable=SC2317 # leave is called by a trap
# fresh.sh [RELEASE [TEST-OPTION...]]: makes a minimal new Debian in a scratch folder, puts this
# checkout in, and builds and tests there, as a newcomer would. Everything is gone afterwards.
set -eu

die() {
	echo "fresh: $*" >&2
	exit 2
}

# Where this machine gets its Debian from: the first source that has more than updates.
mirror() {
	# shellcheck disable=SC2016 # the $() are apt's
	apt-get indextargets --format '$(REPO_URI) $(RELEASE)' 'Created-By: Packages' 2>/dev/null |
		awk '$2 !~ /[-\/]/ && $1 ~ /^https?:/ { print $1; exit }'
}

# As the first process of its own process and mount namespaces: whatever it starts or mounts ends
# with it.
inside() {
	release=$1 root=$2
	shift 2
	echo "fresh: making a minimal Debian $release" >&2
	# shellcheck disable=SC2046 # one word or none
	debootstrap --variant=minbase "$release" "$root" $(mirror) >"$root.log" 2>&1 ||
		{ tail -n 20 "$root.log" >&2; die "debootstrap failed"; }
	apt-config dump | grep '^Acquire::' >"$root/etc/apt/apt.conf.d/90host" || :
	cp /etc/resolv.conf /etc/hosts "$root/etc/"

	mount --bind "$root" "$root"
	mount -t proc proc "$root/proc"
	mount -t sysfs -o ro sysfs "$root/sys"
	# A folder of its own, lest something in there talks to this machine's /dev/log.
	mount -t tmpfs -o mode=0755,size=1m tmpfs "$root/dev"
	mkdir "$root/dev/pts" "$root/dev/shm"
	mount -t devpts -o newinstance,ptmxmode=0666 devpts "$root/dev/pts"
	mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm"
	for node in null zero full random urandom tty; do
		: >"$root/dev/$node"
		mount --bind "/dev/$node" "$root/dev/$node"
	done
	ln -s pts/ptmx "$root/dev/ptmx"
	ln -s /proc/self/fd "$root/dev/fd"
	mount -t tmpfs -o mode=0755 tmpfs "$root/run"

	mkdir "$root/stockade"
	# What git has, as it stands now, and no build folder.
	git ls-files --cached --others --exclude-standard | while read -r f; do
		[ ! -e "$f" ] || echo "$f"
	done | tar -cf - -T - | tar -xf - -C "$root/stockade" --no-same-owner

	# More than a chroot: nothing in there can tell that there is something outside.
	cd "$root"
	pivot_root . mnt
	umount -l /mnt
	in_root() {
		env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root \
			TERM="${TERM:-dumb}" CI="${CI:-}" "$@" </dev/null
	}
	in_root /stockade/dev build
	in_root /stockade/dev test "$@"
}

if [ "${1:-}" = --inside ]; then
	shift
	inside "$@"
	exit
fi

release=${1:-$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)}
case $release in
*[!a-z]* | '') die "not a release: '$release'" ;;
esac
[ "$(id -u)" = 0 ] || die "needs root: it makes a chroot"
command -v debootstrap >/dev/null || die "needs debootstrap: apt-get install debootstrap"
command -v git >/dev/null || die "needs git, to know which files to take"

scratch=$(mktemp -d "${TMPDIR:-/var/tmp}/stockade-fresh.XXXXXX")
[ $# -eq 0 ] || shift
pid=
# What is to end when this is told to: all of its processes, then the folder.
leave() {
	trap - EXIT HUP INT TERM
	[ -z "$pid" ] || kill -s KILL "$pid" 2>/dev/null || :
	wait
	rm -rf --one-file-system "$scratch"
}
trap leave EXIT
trap 'exit 130' HUP INT TERM
rc=0
mkdir "$scratch/root"
unshare --mount --pid --fork --kill-child "$0" --inside "$release" "$scratch/root" "$@" </dev/null &
pid=$!
wait $pid || rc=$?
pid=
exit $rc
