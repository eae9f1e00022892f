#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# install-packages.sh PACKAGE...: installs them for building and testing, which must change nothing
# in what this machine does: no service is started now, none at the next boot.
set -eu
export DEBIAN_FRONTEND=noninteractive
policy=/usr/sbin/policy-rc.d

log=$(mktemp)
changed=

cleanup() {
	rm -f "$log"
	[ -n "$changed" ] || return 0
	rm -f $policy
	[ ! -e $policy.before-dev ] || mv $policy.before-dev $policy
}
trap cleanup EXIT
trap 'exit 1' HUP INT TERM

# Whoever asks before it starts a service is told 101: not allowed. Often that is so already.
denies() {
	rc=0
	[ -x $policy ] && { $policy stockade start >/dev/null 2>&1 || rc=$?; }
	[ $rc = 101 ]
}

# Services of packages that are new here: they are not to come up at the next boot either.
units=
for p; do
	case $p in
	openssh-server) units="$units ssh.service" ;;
	rsyslog) units="$units rsyslog.service" ;;
	systemd-journal-remote) units="$units systemd-journal-remote.socket" ;;
	logrotate) units="$units logrotate.timer" ;;
	fail2ban | sshguard | nginx) units="$units $p.service" ;;
	esac
done

if ! denies; then
	[ ! -e $policy ] || mv $policy $policy.before-dev
	changed=1
	printf '#!/bin/sh\nexit 101\n' >$policy
	chmod 0755 $policy
fi

# apt has no waiting for the lock of its lists.
for try in 1 2 3; do
	apt-get -qq update && break
	sleep $((try * 2))
done
apt-get -qq -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 install -y --no-install-recommends "$@" \
	</dev/null >"$log" 2>&1 || { cat "$log" >&2; exit 1; }
if [ -n "$units" ] && command -v systemctl >/dev/null; then
	# shellcheck disable=SC2086 # a list of words
	systemctl --quiet disable $units 2>/dev/null || :
fi
