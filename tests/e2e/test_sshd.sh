#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck disable=SC1091,SC2034,SC2119,SC2129,SC2154,SC2317
#
# A real sshd logs through a real rsyslogd to a file that a real logrotate rotates; real ssh clients in
# two other namespaces: one guesses passwords, the other has the key.

needs="sshd ssh ssh-keygen rsyslogd logrotate unshare setsid timeout"
. "${0%/*}/lib.sh"
. "${0%/*}/sshd.sh"

AUTHLOG=$T/var/auth.log

# ---- the server: /dev/log, /run and /var/log are its own, so nothing of the machine's is written ----

server_files() {
	ssh-keygen -q -t ed25519 -N '' -f "$T/key" && cp "$T/key.pub" "$T/authorized_keys" &&
		sshd_files "Port 22" "AuthorizedKeysFile $T/authorized_keys" "StrictModes no" \
			"MaxStartups 100" "SyslogFacility AUTH" || return 1
	cat >"$T/rsyslog.conf" <<-EOF
		module(load="imuxsock" SysSock.Name="/dev/log" SysSock.RateLimit.Interval="0")
		auth,authpriv.* action(type="omfile" file="$AUTHLOG" template="RSYSLOG_TraditionalFileFormat")
	EOF
	cat >"$T/server.sh" <<-EOF
		set -e
		$(sshd_places)
		mount -t tmpfs log /var/log
		$(command -v rsyslogd) -n -f $T/rsyslog.conf -i $T/rsyslogd.pid &
		rsyslogd=\$!
		while [ ! -S /dev/log ]; do sleep 0.05; done
		$(command -v sshd) -D -f $T/sshd_config &
		trap "kill \$! \$rsyslogd" EXIT
		trap 'exit 0' TERM
		wait
	EOF
}

server_start() {
	server_files || return 1
	: >"$AUTHLOG"
	ip netns exec "$NS" unshare -m --propagation private sh "$T/server.sh" >"$T/server.log" 2>&1 &
	adopt $!
	eventually by_key "$FRIEND" 10.99.2.1
}

# ---- the clients ----

ssh_in() { # NAMESPACE ARGUMENT...
	_in=$1
	shift
	ip netns exec "$_in" ssh -F none -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null \
		-o LogLevel=ERROR -o ConnectTimeout="${CONNECT_TIMEOUT:-20}" -o GSSAPIAuthentication=no "$@"
}

by_key() { # NAMESPACE SERVER [COMMAND]
	ssh_in "$1" -i "$T/key" -o IdentitiesOnly=yes -o BatchMode=yes "root@$2" "${3:-true}" \
		</dev/null
}

guess_password() { # SERVER [USER]: always fails
	sshd_guess "$EVIL" "${2:-root}@$1"
}

shut_out() { # SERVER: a fresh connection gets nowhere
	CONNECT_TIMEOUT=2 by_key "$EVIL" "$1" >"$T/shut_out.log" 2>&1 && return 1
	grep -qi 'timed out' "$T/shut_out.log"
}

# A session that echoes: what is written to descriptor 7 comes back in $T/echo.
open_session() { # SERVER
	rm -f "$T/talk" "$T/echo"
	mkfifo "$T/talk"
	ssh_in "$EVIL" -i "$T/key" -o IdentitiesOnly=yes -o BatchMode=yes "root@$1" cat \
		<"$T/talk" >"$T/echo" 2>"$T/session.log" &
	session=$!
	adopt "$session"
	exec 7>"$T/talk"
	say before
}

say() { # WORD: and wait for the echo
	echo "$1" >&7
	eventually grep -qx "$1" "$T/echo"
}

close_session() {
	exec 7>&-
	end_process "$session"
}

# A word is sent; that the wall dropped the packets that carried it is what its counter tells.
session_is_dead() { # ATTACKER
	_before=$(dropped_from "$1")
	echo dead >&7
	eventually counts_more "$1" "$_before" && ! grep -qx dead "$T/echo"
}

dropped_from() { # ADDRESS
	nft_in get element inet stockade "$(set_of "$1")" "{ $1 }" |
		sed -n 's/.*counter packets \([0-9]*\).*/\1/p'
}

counts_more() { # ADDRESS N
	[ "$(dropped_from "$1")" -gt "$2" ]
}

set_of() { # ADDRESS
	case $1 in *:*) echo sshd6 ;; *) echo sshd4 ;; esac
}

config() { # BANTIME
	make_conf <<-EOF
		[DEFAULT]
		maxretry = 3
		findtime = 10m
		bantime = $1

		[sshd]
		enabled = true
		port = ssh
		source = file
		logpath = $AUTHLOG
	EOF
}

# ---- the story, for one family ----

attack() { # ATTACKER SERVER FRIENDS_SERVER NAME
	check "$4: the attacker's session is open" open_session "$2"
	guess_password "$2"
	guess_password "$2"
	check_eventually "$4: two failures are counted" tracked_failures 2 "$1"
	check "$4: two wrong passwords do not ban" not in_set "$1"
	guess_password "$2"
	check_eventually "$4: the third bans" in_set "$1"
	check "$4: a fresh connection times out" shut_out "$2"
	check "$4: the open session is dead too" session_is_dead "$1"
	check "$4: another client with the right key still gets in" by_key "$FRIEND" "$3"
	check "$4: banned tells of it" is_banned "$1" sshd
	check "$4: unban" ctl unban "$1"
	check "$4: lets it in at once" by_key "$EVIL" "$2"
	check_eventually "$4: the open session lives again" grep -qx dead "$T/echo"
	close_session
}

tracked_failures() { # N ADDRESS
	[ "$(ctl explain "$2" --json | "$HELPERS/e2e-json" jails sshd failures)" = "$1" ]
}

# Users that do not exist are guessed at most; sshd has two lines for each attempt.
strangers() { # ATTACKER SERVER NAME
	for _try in 1 2 3; do
		in_set "$1" || guess_password "$2" nobody-here
	done
	check_eventually "$3: guessing at a user that does not exist bans" in_set "$1"
	ctl unban "$1" >/dev/null
}

expiry() { # ATTACKER SERVER NAME: the daemon is dead and the ban ends all the same
	for _try in 1 2 3; do
		guess_password "$2"
	done
	check_eventually "$3: banned for a short time" in_set "$1"
	daemon_kill
	check "$3: the ban stands without the daemon" shut_out "$2"
	check_eventually "$3: and ends by the kernel's own clock" not in_set "$1"
	check_eventually "$3: which lets it in" by_key "$EVIL" "$2"
}

rotation() { # ATTACKER SERVER NAME DIRECTIVES
	{
		echo "$AUTHLOG {"
		echo "$4"
		echo 'rotate 3'
		echo '}'
	} >"$T/logrotate.conf"
	_counted=$(failures)
	guess_password "$2"
	guess_password "$2"
	check_eventually "$3: two failures are counted" failures_are $((_counted + 2))
	logrotate -f -s "$T/logrotate.state" "$T/logrotate.conf" >"$T/logrotate.log" 2>&1
	check "$3: the log was rotated" test -s "$AUTHLOG.1"
	check "$3: not banned yet" not in_set "$1"
	guess_password "$2"
	check_eventually "$3: the third, after the rotation, bans" in_set "$1"
	check "$3: three failures counted, not one more" failures_are $((_counted + 3))
	ctl unban "$1" >/dev/null
}

# ---- the test ----

if ! { ns_new EVIL evil && ns_new FRIEND friend && ns_link "$NS" "$EVIL" 1 &&
	ns_link "$NS" "$FRIEND" 2; }; then
	skip_all "cannot link network namespaces"
fi
server_start || {
	not_ok "sshd and rsyslogd serve"
	finish
}
check_eventually "sshd's lines reach the log" grep -q 'Accepted publickey for root' "$AUTHLOG"

config 30m
check "the daemon starts" daemon_start
attack 10.99.1.2 10.99.1.1 10.99.2.1 IPv4
attack fd00:99:1::2 fd00:99:1::1 fd00:99:2::1 IPv6

rotation 10.99.1.2 10.99.1.1 "renamed" "create
postrotate
	kill -HUP \$(cat $T/rsyslogd.pid)
endscript"
rotation 10.99.1.2 10.99.1.1 "copied and truncated" "copytruncate"

strangers 10.99.1.2 10.99.1.1 IPv4

config 20s
check "a shorter bantime is loaded" ctl reload
expiry 10.99.1.2 10.99.1.1 IPv4
check "the daemon starts again" daemon_start
expiry fd00:99:1::2 fd00:99:1::1 IPv6
finish
