#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck disable=SC1091,SC2034,SC2119,SC2154
#
# What comes once counts once for each jail that wants it, by whichever listener, and what comes in
# several ways (a real journald keeps it, a real rsyslogd writes it to a file and sends a copy) no more
# often.

needs="logger bash rsyslogd unshare"
. "${0%/*}/lib.sh"
. "${0%/*}/senders.sh"
JOURNALD=/lib/systemd/systemd-journald
[ -x $JOURNALD ] || skip_all "needs $JOURNALD"

say() { # TO HOST TAG TEXT [FACILITY.SEVERITY]
	echo "<$(priority "${5:-auth.info}")>$(date '+%b %e %H:%M:%S') $2 $3[4711]: $4" >"$T/message"
	case $1 in
	udp) ip netns exec "$NS" bash -c "cat '$T/message' >/dev/udp/127.0.0.1/$PORT" ;;
	tcp) ip netns exec "$NS" bash -c "cat '$T/message' >/dev/tcp/127.0.0.1/$PORT" ;;
	esac
}

priority() {
	case $1 in
	auth.info) echo 38 ;;
	local0.info) echo 134 ;;
	esac
}

counts_are() { # ALL PROGRAM FACILITY HOST PLAIN
	[ "$(failures all) $(failures program) $(failures facility) $(failures host) $(failures plain)" = "$*" ]
}

# ---- several jails and listeners ----

conditions() {
	say udp web1 sshd "$(failed_login 10.78.0.1 1)"
	check_eventually "all conditions are met" counts_are 1 1 1 1 0
	say tcp web2 sshd "$(failed_login 10.78.0.2 2)"
	check_eventually "by another listener, of another host" counts_are 2 2 2 1 0
	say tcp web1.example.net sshd "$(failed_login 10.78.0.3 3)" local0.info
	check_eventually "of another facility" counts_are 3 3 2 2 0
	say udp web2 sshd-session "$(failed_login 10.78.0.4 4)" local0.info
	check_eventually "of another program" counts_are 4 3 2 2 0
	say tcp web2 probe "10.78.0.5 was refused"
	check_eventually "a text" counts_are 4 3 2 2 1
	check_is "each came once" 2,3 "$(messages "$UDP"),$(messages "$TCP")"
}

# ---- three ways ----

machine_start() {
	mkdir "$JOURNAL" "$T/kept"
	cat >"$T/journald.conf" <<-END
		[Journal]
		Storage=volatile
		ForwardToSyslog=yes
		ReadKMsg=no
		Audit=no
		SyncIntervalSec=0
	END
	cat >"$T/machine.sh" <<-END
		mount -t tmpfs run /run || exit 1
		mkdir -p /run/systemd/journal /run/systemd/journald.conf.d /run/log/journal
		mount -t cgroup2 cgroup /sys/fs/cgroup
		cp $T/journald.conf /run/systemd/journald.conf.d/test.conf
		mount --bind $JOURNAL /run/systemd/journal
		mount --bind $T/kept /run/log/journal
		exec $JOURNALD
	END
	cat >"$T/rsyslog.conf" <<-END
		module(load="imuxsock" SysSock.Use="off")
		input(type="imuxsock" Socket="$JOURNAL/syslog" RateLimit.Interval="0")
		*.* action(type="omfile" file="$T/var/auth.log" template="RSYSLOG_FileFormat")
		*.* @127.0.0.1:$PORT
	END
	ip netns exec "$NS" rsyslogd -n -f "$T/rsyslog.conf" -i "$T/rsyslogd.pid" >"$T/rsyslogd.log" 2>&1 &
	adopt $!
	eventually test -S "$JOURNAL/syslog" || return 1
	ip netns exec "$NS" unshare -m --propagation private sh "$T/machine.sh" >"$T/machine.log" 2>&1 &
	adopt $!
	eventually test -S "$JOURNAL/dev-log"
}

three_ways() {
	_ip=0
	while [ $_ip -lt 20 ]; do
		_ip=$((_ip + 1))
		logger -u "$JOURNAL/dev-log" -t sshd --id=4711 -p auth.info "$(failed_login 10.79.0.1 $_ip)"
	done
	# as when the port is the same: a failure is one, however often the same is said
	for _n in 1 2 3; do
		logger -u "$JOURNAL/dev-log" -t sshd --id=4711 -p auth.info "$(failed_login 10.79.0.1)"
	done
	for _way in one_file one_journal one_syslog; do
		check_eventually "$_way: all of it" failures_are 23 $_way
	done
	check_eventually "each is heard three times" heard_are 46
	check_is "in all ways: no more" 23 "$(failures ways)"
}

there_is_a_journal() {
	find "$T/kept" -name '*.journal' | grep -q .
}

heard_are() { # N
	[ "$(status_of jails ways echoes)" = "$1" ]
}

# ---- the test ----

JOURNAL=$T/journal
make_conf <<-END
	[DEFAULT]
	source = syslog
	maxretry = 1000
	filter = sshd
	[all]
	enabled = true
	[program]
	enabled = true
	program = sshd
	[facility]
	enabled = true
	facility = auth authpriv
	[host]
	enabled = true
	host = web1 web1.*
	[plain]
	enabled = true
	filter =
	failregex = ^<HOST> was refused$
	syslogtext = message
END
listen_everywhere
if ! daemon_start; then
	not_ok "the daemon starts"
	finish
fi
conditions
check_is "no line lacks its date, nor a text that has none" 0 "$(status_of losses undated_lines)"
daemon_stop

make_conf <<-END
	[DEFAULT]
	maxretry = 1000
	filter = sshd
	logpath = $T/var/auth.log
	backend = systemd[journalpath=$T/kept]
	journalmatch = SYSLOG_IDENTIFIER=sshd
	[ways]
	enabled = true
	source = file, journal, syslog
	[one_file]
	enabled = true
	source = file
	[one_journal]
	enabled = true
	source = journal
	[one_syslog]
	enabled = true
	source = syslog
END
listen_everywhere
check "journald and rsyslogd start" machine_start
logger -u "$JOURNAL/dev-log" -t test "the first entry makes the journal"
check_eventually "there is a journal" there_is_a_journal
check "the daemon starts again" daemon_start
three_ways
finish
