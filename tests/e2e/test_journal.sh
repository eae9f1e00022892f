#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck disable=SC1091,SC2034,SC2119,SC2154,SC2317
#
# The journal, end to end: files as systemd writes them stand in for this machine's journal, in a mount
# namespace of its own.

needs="unshare"
. "${0%/*}/lib.sh"

WRITER=/lib/systemd/systemd-journal-remote
[ -x $WRITER ] || skip_all "needs systemd-journal-remote"

ID=0123456789abcdef0123456789abcdef
J=$T/journal/$ID
started_us=$(($(date +%s%N) / 1000 - 1000000))

entry() { # ADDRESS: what sshd says of a wrong password, in journald's export format
	_us=$(($(date +%s%N) / 1000))
	printf '__REALTIME_TIMESTAMP=%s\n__MONOTONIC_TIMESTAMP=%s\n_BOOT_ID=%s\n' \
		$_us $((_us - started_us)) $ID
	printf '_MACHINE_ID=%s\n_HOSTNAME=host\n_UID=0\n_PID=4711\n_COMM=sshd\n' $ID
	printf '_SYSTEMD_UNIT=ssh.service\nSYSLOG_IDENTIFIER=sshd\n'
	printf 'MESSAGE=Failed password for root from %s port 50022 ssh2\n\n' "$1"
}

write_journal() { # NAME ADDRESS...
	_name=$1
	shift
	for _addr; do
		entry "$_addr"
	done | $WRITER -o "$J/$_name.journal" - >"$T/writer.log" 2>&1
	chmod 644 "$J/$_name.journal"
}

journal_launch() {
	ip netns exec "$NS" unshare --mount --propagation private sh -c "
		mkdir -p /var/log/journal && mount --bind '$T/journal' /var/log/journal &&
		mount -t tmpfs none /run/log 2>/dev/null
		exec '$STOCKADE' run -c '$CONF' --state '$STATE' --socket '$SOCK'" \
		>>"$T/stockade.log" 2>&1 &
	STOCKADE_PID=$!
	adopt $STOCKADE_PID
	eventually daemon_answers
}

mkdir -p "$J"
chmod 755 "$T/journal" "$J"
make_conf <<-EOF
	[DEFAULT]
	source = journal
	maxretry = 3
	findtime = 1h
	bantime = 1h
EOF
write_journal system 10.9.0.1 10.9.0.1
check "the daemon starts" journal_launch
check_eventually "entries that stand there count" failures_are 2
write_journal system@1 10.9.0.1 10.9.0.2
check_eventually "those that come too, and the third bans" in_set 10.9.0.1
check "nobody else" not in_set 10.9.0.2
check_is "four failures" 4 "$(failures)"
daemon_stop
write_journal system@2 10.9.0.2 10.9.0.2
check "the daemon starts again" journal_launch
check_eventually "what came meanwhile is judged" in_set 10.9.0.2
check_is "and nothing twice" 6 "$(failures)"
_guard=$(guard_pid)
kill -KILL "$_guard"
eventually daemon_answers
write_journal system@3 10.9.0.3 10.9.0.3 10.9.0.3
check_eventually "it goes on after guard was killed" in_set 10.9.0.3
check_is "exactly" 9 "$(failures)"
finish
