#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck disable=SC1091,SC2034,SC2119,SC2154
#
# A machine's own /dev/log, which a real sshd writes to: it belongs to a real systemd-journald that
# forwards to syslog, then to a real rsyslogd that sends a copy. Somebody guesses passwords by ssh.

needs="sshd ssh ssh-keygen rsyslogd logger unshare setsid timeout socat"
. "${0%/*}/lib.sh"
. "${0%/*}/senders.sh"
. "${0%/*}/sshd.sh"
JOURNALD=/lib/systemd/systemd-journald
[ -x $JOURNALD ] || skip_all "needs $JOURNALD"

# ---- the machine: /dev, /run and the journal are its own ----

machine_files() {
	sshd_files "SyslogFacility AUTH" || return 1
	cat >"$T/journald.conf" <<-END
		[Journal]
		Storage=none
		ForwardToSyslog=yes
		ReadKMsg=no
		Audit=no
	END
	cat >"$T/native.sh" <<-'END'
		printf 'SYSLOG_IDENTIFIER=sshd\nPRIORITY=6\nMESSAGE=%s\n' "$1" | logger --journald
	END
	cat >"$T/rsyslog.conf" <<-END
		module(load="imuxsock" SysSock.Name="/dev/log" SysSock.RateLimit.Interval="0")
		*.* @127.0.0.1:$PORT
	END
	cat >"$T/machine.sh" <<-END
		set -e
		$(sshd_places)
		mkdir -p -m 755 /run/systemd/journal /run/systemd/journald.conf.d
		case \$1 in
		journald)
			# who sends a message is looked up there
			mount -t cgroup2 cgroup /sys/fs/cgroup
			cp $T/journald.conf /run/systemd/journald.conf.d/test.conf
			mount --bind $JOURNAL /run/systemd/journal
			ln -s /run/systemd/journal/dev-log /dev/log
			$JOURNALD &
			;;
		rsyslogd)
			$(command -v rsyslogd) -n -f $T/rsyslog.conf -i $T/rsyslogd.pid &
			;;
		esac
		trap "kill \$! \\\$sshd" EXIT
		while [ ! -S /dev/log ]; do sleep 0.05; done
		$(command -v sshd) -D -p \$2 -f $T/sshd_config &
		sshd=\$!
		trap 'exit 0' TERM
		# What is to be said in there comes by a pipe, one command a line; it is open for
		# writing, too, as what is written while nobody has it open is lost.
		mkfifo $T/\$1
		while read -r command <&3; do sh -c "\$command" 3<&-; done 3<>$T/\$1 &
		wait \$sshd
	END
}

machine_start() { # DAEMON PORT
	ip netns exec "$NS" unshare -m --propagation private sh "$T/machine.sh" "$1" "$2" \
		>"$T/$1.log" 2>&1 &
	adopt $!
	eventually test -p "$T/$1"
}

inside() { # DAEMON COMMAND
	echo "$2" >"$T/$1"
}

# ---- the attacker ----

guess() { # PORT
	sshd_guess "$EVIL" root@10.99.1.1 -b "$_from" -p "$1"
}

listens() { # PORT
	ip netns exec "$NS" ss -Hltn "sport = :$1" | grep -q LISTEN
}

three_guesses() { # TEXT ADDRESS PORT
	_from=$2
	ip -n "$EVIL" address add "$_from/24" dev v1b
	check_eventually "$1: sshd listens" listens "$3"
	_had=$(failures)
	guess "$3"
	guess "$3"
	check_eventually "$1: two guesses are two failures" failures_are $((_had + 2))
	check "$1: which do not ban" not in_set "$_from"
	guess "$3"
	check_eventually "$1: the third does" in_set "$_from"
	check_is "$1: three failures" $((_had + 3)) "$(failures)"
}

# ---- the test ----

if ! { ns_new EVIL evil && ns_link "$NS" "$EVIL" 1; }; then
	skip_all "cannot link network namespaces"
fi
JOURNAL=$T/journal
mkdir "$JOURNAL"
sshd_jail
sed -i 's/^port = .*/port = 22,23/' "$CONF/jail.local"
listen_everywhere
echo "	unix://$JOURNAL/syslog" >>"$CONF/stockade.local"
if ! daemon_start; then
	not_ok "the daemon starts"
	finish
fi
machine_files
check "a machine with journald" machine_start journald 22
three_guesses "sshd, journald" 10.99.1.22 22
FORWARDED=unix://$JOURNAL/syslog

by_journald() { # TEXT ADDRESS COMMAND: three times, with "TEXT" for the message
	_had=$(failures)
	for _n in 1 2 3; do
		inside journald "$3 '$(failed_login "$2" $_n)'"
	done
	check_eventually "journald, $1" in_set "$2"
	check_is "journald, $1: three failures" $((_had + 3)) "$(failures)"
}

by_journald "by syslog(3)" 10.73.0.1 "logger -t sshd -p auth.info"
by_journald "by its own protocol" 10.73.0.2 \
	"sh $T/native.sh"
by_journald "by standard output" 10.73.0.3 "systemd-cat -t sshd echo"

ln -s "$JOURNAL/dev-log" "$IN/journald"
forges_nothing "journald" 10.73.0.4 journald

check "a machine with rsyslogd" machine_start rsyslogd 23
three_guesses "sshd, rsyslogd" 10.99.1.23 23
finish
