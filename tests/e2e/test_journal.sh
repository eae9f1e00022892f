#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck disable=SC1091,SC2034,SC2119,SC2154,SC2317
#
# The journal, end to end: files as systemd writes them stand in for this machine's journal, in a mount
# namespace of its own.

needs="unshare journalctl"
. "${0%/*}/lib.sh"

WRITER=/lib/systemd/systemd-journal-remote
[ -x $WRITER ] || skip_all "needs systemd-journal-remote"

ID=0123456789abcdef0123456789abcdef
J=$T/journal/$ID
started_us=$(($(date +%s%N) / 1000 - 1000000000))

entry() { # ADDRESS [MICROSECONDS]: what sshd says of a wrong password, in journald's export format
	_us=${2:-$(($(date +%s%N) / 1000))}
	printf '__REALTIME_TIMESTAMP=%s\n__MONOTONIC_TIMESTAMP=%s\n_BOOT_ID=%s\n' \
		"$_us" $((_us - started_us)) $ID
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
daemon_stop

# ---- journals of one's own: two hosts' that arrive here, rotated and vacuumed while they are read ----

R=$T/remote
mkdir -p "$R" && chmod 700 "$R" # as a root's own would be
n_written=0 n_rotated=0 no_landlock=

host_write() { # HOST N [MICROSECONDS]: N failures, each of an address of its own
	_left=$2
	while [ "$_left" -gt 0 ]; do
		n_written=$((n_written + 1))
		entry "10.8.$((n_written / 250)).$((n_written % 250 + 1))" ${3:+"$3"}
		_left=$((_left - 1))
	done >"$T/export"
	$WRITER -o "$R/remote-$1.journal" - <"$T/export" >"$T/writer.log" 2>&1
	[ -z "$no_landlock" ] || chmod 644 "$R/remote-$1.journal"
}

host_rotate() { # HOST: as journald names what it has rotated
	n_rotated=$((n_rotated + 1))
	mv "$R/remote-$1.journal" "$R/$(printf 'remote-%s@%s-%016x-%016x.journal' "$1" $ID $n_rotated \
		$(($(date +%s%N) / 1000)))"
}

vacuum() { # N: so many files remain
	journalctl --quiet --directory "$R" --vacuum-files="$1" >"$T/vacuum.log" 2>&1
}

archived() {
	find "$R" -name '*@*' | wc -l
}

readers() { # what each may
	children_of "$STOCKADE_PID" | while read -r _pid; do
		! grep -q stockade-journ "/proc/$_pid/comm" 2>/dev/null ||
			sed -n 's/^CapEff:[[:space:]]*0*//p' "/proc/$_pid/status"
	done | tr '\n' ' '
}

readers_settled() {
	case $(readers) in
	"4 4 " | "  ") ;;
	*) return 1 ;;
	esac
}

make_conf <<-EOF
	[DEFAULT]
	source = journal
	maxretry = 100000
	findtime = 1h
	bantime = 1h
	[sshd]
	enabled = false
	[remote]
	enabled = true
	filter = sshd
	backend = systemd[journalpath=$R]
	[also]
	enabled = true
	filter = sshd
	backend = systemd[journalpath="$R"]
	[named]
	enabled = true
	filter = sshd
	backend = systemd[journalfiles="$R/remote-b.journal, $R/none.journal"]
EOF
host_write a 3
check "the daemon starts with journals of its own" journal_launch
eventually readers_settled
if [ "$(readers)" = "  " ]; then # this kernel cannot confine them, so they may nothing
	no_landlock=1
	chmod 755 "$R" && chmod 644 "$R"/*
else
	check_is "one reader each, however many jails, that may read (CAP_DAC_READ_SEARCH)" "4 4 " "$(readers)"
fi
check_eventually "they are read" failures_are 3 remote
now_us=$(($(date +%s%N) / 1000))
host_write b 3
check_eventually "another host's" failures_are 6 remote
host_write a 2 $((now_us - 60000000))
check_eventually "what comes late is not overlooked" failures_are 8 remote
check_eventually "files by name" failures_are 3 named
for round in 1 2 3 4 5 6 7 8 9 10 11 12; do
	host_write a 5
	[ $((round % 2)) -ne 0 ] || host_rotate a
	host_write b 3
	[ $((round % 3)) -ne 0 ] || host_rotate b
	case $round in
	5)
		_guard=$(guard_pid)
		kill -KILL "$_guard"
		;;
	4 | 8)
		# what is open may go at any time, but what was never seen cannot be read, and what is
		# judged is on disk a moment later (a reload saves it)
		eventually failures_are $n_written remote
		ctl reload >"$T/reload.log" 2>&1
		vacuum 2
		;;
	esac
done
check_eventually "rotated, vacuumed, and guard killed: every entry" failures_are $n_written remote
check_eventually "for all jails" failures_are $n_written also
check "files were vacuumed" [ "$(archived)" -lt $n_rotated ]
sleep 1
check_is "none twice" "$n_written $n_written" "$(failures remote) $(failures also)"

# ---- all of it gone while nobody reads ----
daemon_stop
rm -f "$R"/remote-a*
host_write a 4
check "the daemon starts again" journal_launch
check_eventually "what was judged already may be gone" failures_are $n_written remote
check_eventually "which is told, with the place" \
	grep -q 'remote-a: where reading ended is not there any more' "$T/stockade.log"
sleep 1
check_is "and nothing is judged twice" $n_written "$(failures remote)"

# ---- one that comes later, and that only root may read ----
daemon_stop
R=$T/later
n_written=0
printf '[remote]\nbackend = systemd[journalpath=%s]\n' "$R" >"$CONF/jail.d/later.local"
check "the daemon starts without it" journal_launch
was=$(failures remote)
mkdir "$R" && chmod 700 "$R"
[ -z "$no_landlock" ] || chmod 755 "$R"
host_write c 3
check_eventually "it is read when it is there" failures_are $((was + 3)) remote
rm "$CONF/jail.d/later.local"

# ---- what cannot be ----
printf '[also]\nbackend = systemd[journalpat=%s]\n' "$R" >"$CONF/jail.d/x.local"
ctl reload >"$T/reload.log" 2>&1
check "an unknown option is told, and what was meant" \
	grep -q "x.local:2.*journalpat.*did you mean 'journalpath'" "$T/reload.log"
finish
