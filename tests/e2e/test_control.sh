#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck disable=SC1091,SC2034,SC2119,SC2129,SC2154,SC2317
#
# The daemon as its owner meets it: commands and their exit status, who may give them, signals, readiness,
# its own log, and the policies that a jail can have.

needs="setpriv timeout"
. "${0%/*}/lib.sh"

LOG=$T/var/auth.log
OWNLOG=$T/var/own

config() { # [MAXRETRY [LOGLEVEL]]
	make_conf <<-EOF
		[DEFAULT]
		source = file
		maxretry = ${1:-3}
		findtime = 1h
		bantime = 1h
		ignoreip = 10.30.9.0/24 2001:db8:30:9::/64
		ignoreself = yes

		[sshd]
		enabled = true
		port = 22
		logpath = $LOG

		[only-looks]
		enabled = true
		filter = sshd
		port = 22
		shadow = true
		logpath = $T/var/shadow.log

		[for-ever]
		enabled = true
		filter = sshd
		port = 22
		bantime = -1
		logpath = $T/var/ever.log
	EOF
	printf '[Definition]\nlogtarget = %s\nloglevel = %s\n' "$OWNLOG" "${2:-INFO}" \
		>>"$CONF/stockade.local"
}

exits_with() { # STATUS COMMAND...
	_want=$1
	shift
	"$@" >"$T/exit.log" 2>&1
	[ $? -eq "$_want" ]
}

# ---- commands ----

test_commands() {
	check "ping" ctl ping
	check_is "ping --json" true "$(ctl ping --json | "$HELPERS/e2e-json" pong)"
	check "version" ctl version
	check_is "version --json tells the process" "$STOCKADE_PID" \
		"$(ctl version --json | "$HELPERS/e2e-json" daemon pid)"
	check_is "status --json tells both processes" "$STOCKADE_PID $(guard_pid)" \
		"$(status_of pid) $(status_of guard_pid)"
	check_is "status --json: all jails" 3 "$(status_of jails '#')"
	check_is "status of one jail" sshd "$(ctl status sshd --json | "$HELPERS/e2e-json" jails 0 name)"
	ctl status >"$T/status.log"
	check "status for people names the jails and the file" has_words "$T/status.log" sshd \
		only-looks for-ever
	ctl status sshd >"$T/status.log"
	check "status of one jail names its file" grep -qF "$LOG" "$T/status.log"
	check "an unknown jail is an error" not ctl status no-such-jail
	check "a daemon that is not there: exit 3" exits_with 3 \
		"$STOCKADE" ping --socket "$T/run/nobody.sock"
	check "an unknown command: exit 2" exits_with 2 "$STOCKADE" pingg --socket "$SOCK"
	check "no configuration: exit 2" exits_with 2 ip netns exec "$NS" timeout 60 "$STOCKADE" run \
		-c "$T/nowhere" --state "$T/state3" --socket "$T/run/3.sock"
	check "and it names the folder" grep -qF "$T/nowhere" "$T/exit.log"
}

has_words() { # FILE WORD...
	_file=$1
	shift
	for _word; do
		grep -qF "$_word" "$_file" || return 1
	done
}

test_bans() {
	check "ban" ctl ban sshd 10.30.1.1 10.30.1.2 2001:db8:30::1
	check "the first is in the kernel" in_set 10.30.1.1
	check "so is the last" in_set 2001:db8:30::1
	check "v4-mapped IPv6 is IPv4" ctl ban sshd ::ffff:10.30.1.3
	check "and goes to its set" in_set 10.30.1.3
	check_is "banned --json: an object a line" 4 "$(ctl banned sshd --json | grep -c '"ip"')"
	check_is "origin" manual "$(ctl banned --json | grep -F '"10.30.1.1"' |
		"$HELPERS/e2e-json" origin)"
	ctl banned >"$T/banned.log"
	check "banned for people" has_words "$T/banned.log" 10.30.1.1 2001:db8:30::1
	check "unban" ctl unban 10.30.1.1
	check "it is out of the kernel" not in_set 10.30.1.1
	check "unban of who is not banned: exit 1" exits_with 1 ctl unban 10.30.1.1
	check "unban of what is no address: exit 2" exits_with 2 ctl unban somebody
	check "ban in a jail that is not there fails" not ctl ban no-such-jail 10.30.1.1
	check "ban of an allowed address: exit 1" exits_with 1 ctl ban sshd 10.30.9.9
	check "ban of a block around allowed addresses: exit 1" exits_with 1 ctl ban sshd 10.30.0.0/16
	check "ban of everybody: not 0" not ctl ban sshd 0.0.0.0/0
	ctl ban for-ever 10.30.1.5 >/dev/null
	check "unban --all --jail" ctl unban --all --jail sshd
	check "empties that jail" not in_set 10.30.1.2
	check "and no other" in_set 10.30.1.5 for_ever
	check "unban --all" ctl unban --all
	check_is "leaves nobody" "" "$(ctl banned --json)"
}

test_explain() {
	fail_times 2 10.30.2.1 "$LOG"
	check_eventually "explain --json: failures so far" explained 10.30.2.1 2 false
	fail_times 1 10.30.2.1 "$LOG"
	check_eventually "explain --json: banned, in the kernel" explained 10.30.2.1 any true
	ctl explain 10.30.2.1 >"$T/explain.log"
	check "explain for people has the evidence" grep -q 'Failed password' "$T/explain.log"
	check "explain of a stranger: exit 1" exits_with 1 ctl explain 10.30.2.99
	check_is "explain of an allowed address" true \
		"$(ctl explain 10.30.9.1 --json | "$HELPERS/e2e-json" allowed)"
}

explained() { # ADDRESS FAILURES|any BANNED
	_e=$(ctl explain "$1" --json)
	_n=$(echo "$_e" | "$HELPERS/e2e-json" jails sshd failures)
	[ "$2" = any ] || [ "$_n" = "$2" ] || return 1
	[ "$(echo "$_e" | "$HELPERS/e2e-json" jails sshd banned)" = "$3" ] || return 1
	[ "$3" = false ] || [ "$(echo "$_e" | "$HELPERS/e2e-json" jails sshd in_kernel)" = true ]
}

# ---- who may ----

test_access() {
	check_is "the socket is its owner's alone" "600 0" "$(stat -c '%a %u' "$SOCK")"
	cp -L "$STOCKADE" "$T/copy"
	chmod 755 "$T/copy" "$T/run"
	check "another user cannot connect" exits_with 3 \
		setpriv --reuid=65534 --clear-groups "$T/copy" ping --socket "$SOCK"
	chmod 666 "$SOCK"
	check "and is refused where he can" not \
		setpriv --reuid=65534 --clear-groups "$T/copy" ping --socket "$SOCK"
	check "root is not" ctl ping
	chmod 600 "$SOCK"
	ip netns exec "$NS" timeout 60 "$STOCKADE" run -c "$CONF" --state "$T/state3" \
		--socket "$SOCK" >"$T/second.log" 2>&1
	check_is "a second daemon on the same socket is refused" 2 $?
	check_is "and the first goes on" "$STOCKADE_PID" "$(status_of pid)"
}

test_garbage() {
	head -c 100000 /dev/urandom | "$HELPERS/e2e-unix" "$SOCK" >/dev/null
	check "random bytes" ctl ping
	head -c 3000000 /dev/zero | tr '\0' '[' | "$HELPERS/e2e-unix" "$SOCK" >/dev/null
	check "a line without end" ctl ping
	for _line in '{' '{}' '[]' 'null' '{"cmd":7}' '{"cmd":"status","jail":"x"}' '{"cmd":"ban"}' \
		'{"cmd":"unban","addrs":{"a":1}}' '{"cmd":"ban","jail":"sshd","addrs":["x",null]}'; do
		echo "$_line" | timeout 20 "$HELPERS/e2e-unix" "$SOCK" >"$T/garbage.log"
		check "answered with an error: $_line" grep -q '"error"' "$T/garbage.log"
	done
	check_is "who closes his side after the question is answered" 1 \
		"$(echo '{"cmd":"status"}' | "$HELPERS/e2e-unix" "$SOCK" 1 shut | grep -c '"end"')"
	mkfifo "$T/silence"
	"$HELPERS/e2e-unix" "$SOCK" 20 <>"$T/silence" >/dev/null 2>&1 &
	adopt $!
	check_eventually "clients that say nothing hold up nobody" ctl ping
	check_is "nobody was restarted" "$STOCKADE_PID $_guard_before" \
		"$(status_of pid) $(status_of guard_pid)"
}

# ---- signals, own log ----

test_signals() {
	config 5
	kill -HUP "$STOCKADE_PID"
	check_eventually "SIGHUP reloads" maxretry_is 5
	fail_times 2 10.30.3.1 "$LOG"
	check_eventually "two failures" explained 10.30.3.1 2 false
	config 3
	check "reload" ctl reload
	check "loads" maxretry_is 3
	fail_times 1 10.30.3.1 "$LOG"
	check_eventually "failures of before a reload count after it" in_set 10.30.3.1
	check "ten reloads in a row, each followed by a question, are all answered" reload_often
	mv "$OWNLOG" "$OWNLOG.1"
	kill -USR1 "$STOCKADE_PID"
	check_eventually "SIGUSR1 reopens the log" test -e "$OWNLOG"
	fail_times 3 10.30.3.2 "$LOG"
	check_eventually "which tells of bans" grep -qF 10.30.3.2 "$OWNLOG"
	check "the old one does not" not grep -qF 10.30.3.2 "$OWNLOG.1"
	config 3 ERROR
	ctl reload >/dev/null
	fail_times 3 10.30.3.3 "$LOG"
	check_eventually "banned" in_set 10.30.3.3
	check "loglevel ERROR does not tell of it" not grep -qF 10.30.3.3 "$OWNLOG"
	config 3
	ctl reload >/dev/null
	fail_times 2 10.30.3.4 "$LOG"
	sshd_fail 10.30.3.4 "$(printf 'invalid user \033[31mred')" >>"$LOG"
	check_eventually "escapes in a user's name" in_set 10.30.3.4
	check "do not reach the log" not grep -q "$(printf '\033')" "$OWNLOG"
}

reload_often() {
	for _n in 1 2 3 4 5 6 7 8 9 10; do
		ctl reload && ctl status || return 1
	done >"$T/reloads.log" 2>&1
}

maxretry_is() { # N
	[ "$(status_of jails sshd maxretry)" = "$1" ]
}

# ---- policies ----

test_policies() {
	fail_times 5 10.30.9.1 "$LOG"
	fail_times 5 10.99.7.1 "$LOG"
	fail_times 5 127.0.0.1 "$LOG"
	fail_times 3 10.30.4.1 "$LOG"
	check_eventually "a stranger is banned" in_set 10.30.4.1
	check "ignoreip is not" not is_banned 10.30.9.1
	check "ignoreself: nor is an address of this machine" not is_banned 10.99.7.1
	check "nor the loopback" not is_banned 127.0.0.1
	fail_times 3 10.30.4.2 "$T/var/shadow.log"
	check_eventually "shadow: decided" is_banned 10.30.4.2 only-looks
	check "shadow: not enforced" not nft_in get element inet stockade only_looks4 '{ 10.30.4.2 }'
	fail_times 3 10.30.4.3 "$T/var/ever.log"
	check_eventually "bantime -1: in the kernel" in_set 10.30.4.3 for_ever
	check "for ever" not has_expiry 10.30.4.3
	check_is "until: null" null "$(ctl banned for-ever --json | grep -F '"10.30.4.3"' |
		"$HELPERS/e2e-json" until)"
	_told=$(future_told)
	for _n in 1 2 3; do
		printf '%s host sshd[1]: Failed password for root from 10.30.4.4 port 1 ssh2\n' \
			"$(date -d "@$(($(date +%s) + 86400))" '+%Y-%m-%dT%H:%M:%S%:z')"
	done >>"$LOG"
	check_eventually "a date in the future is taken as now" in_set 10.30.4.4
	check_is "and reported once" $((_told + 1)) "$(future_told)"
	check "and counted" test "$(status_of losses future_lines)" -ge 3
}

has_expiry() { # ADDRESS
	nft_in get element inet stockade for_ever4 "{ $1 }" | grep -q expires
}

future_told() {
	grep -ci 'future\|ahead' "$OWNLOG"
}

# ---- its beginning and its end ----

test_readiness() {
	NOTIFY_SOCKET=$T/notify
	"$HELPERS/e2e-notify" "$NOTIFY_SOCKET" >"$T/notify.log" &
	adopt $!
	eventually grep -q listening "$T/notify.log"
	export NOTIFY_SOCKET
	check "started with NOTIFY_SOCKET" daemon_start
	unset NOTIFY_SOCKET
	check_eventually "READY=1" grep -q '^READY=1' "$T/notify.log"
	check_is "once" 1 "$(grep -c '^READY=1' "$T/notify.log")"
	ctl stop >/dev/null
	check_eventually "stop: keeper is gone" not alive "$STOCKADE_PID"
	wait "$STOCKADE_PID"
	check_is "stop: exit 0" 0 $?
	check_eventually "STOPPING=1" grep -q '^STOPPING=1' "$T/notify.log"
	check "the socket is gone" not test -e "$SOCK"
}

vouched() {
	grep -c '^WATCHDOG=1' "$T/notify.log"
}

vouched_more_than() { # N
	[ "$(vouched)" -gt "$1" ]
}

test_watchdog() {
	NOTIFY_SOCKET=$T/notify WATCHDOG_USEC=900000
	export NOTIFY_SOCKET WATCHDOG_USEC
	check "started with a watchdog" daemon_start
	unset NOTIFY_SOCKET WATCHDOG_USEC
	check_eventually "WATCHDOG=1 again and again" vouched_more_than 3
	_guard=$(guard_pid)
	kill -STOP "$_guard"
	sleep 1 # a question may have been answered already
	_n=$(vouched)
	sleep 2
	check_is "nobody vouches for a guard that hangs" "$_n" "$(vouched)"
	kill -CONT "$_guard"
	check_eventually "until it goes on" vouched_more_than "$_n"
	daemon_stop
}

test_syslog_target() {
	_own=$OWNLOG
	OWNLOG=SYSLOG
	config
	OWNLOG=$_own
	printf 'syslogsocket = %s\n' "$T/log.sock" >>"$CONF/stockade.local"
	"$HELPERS/e2e-notify" "$T/log.sock" >"$T/syslog.log" &
	adopt $!
	eventually grep -q listening "$T/syslog.log"
	check "started with logtarget = SYSLOG" daemon_start
	ctl ban for-ever 192.0.2.99 >/dev/null
	check_eventually "syslog hears of a ban" grep -q \
		'^<29>[A-Z][a-z][a-z] [ 0-9:]* stockade\[[0-9]*\]: NOTICE  \[for-ever\] Ban 192.0.2.99' \
		"$T/syslog.log"
	daemon_stop
}

if ! { ns_new OTHER other && ns_link "$NS" "$OTHER" 7; }; then
	skip_all "cannot link network namespaces"
fi
: >"$LOG"
: >"$T/var/shadow.log"
: >"$T/var/ever.log"
config
if ! daemon_start; then
	not_ok "the daemon starts"
	finish
fi
_guard_before=$(guard_pid)
test_commands
test_bans
test_explain
test_access
test_garbage
test_signals
test_policies
daemon_stop
check_is "SIGTERM: exit 0" 0 $?
test_readiness
test_watchdog
test_syslog_target
finish
