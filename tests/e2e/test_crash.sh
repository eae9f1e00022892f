#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck disable=SC1091,SC2034,SC2119,SC2129,SC2154,SC2317
#
# kill -9 of guard and of keeper by turns, at random moments under a flood of lines. Afterwards the count of
# failures is exact (none skipped, none judged twice), everyone who reached maxretry is in the kernel,
# and nobody else is. ROUNDS and RATE (lines a second) may be set from outside.

. "${0%/*}/lib.sh"

ROUNDS=${ROUNDS:-50}
RATE=${RATE:-4000}
RETRY=3
LOG=$T/var/auth.log

# What a supervisor does: starts keeper again, at once.
revive() {
	wait "$STOCKADE_PID" 2>/dev/null
	daemon_start
}

field() { # NAME: of what the writer says it wrote
	tr ' ' '\n' <"$T/written" | sed -n "s/^$1=//p"
}

kill_keeper() {
	kill -KILL "$STOCKADE_PID" && revive
}

kill_guard() {
	_old=$(guard_pid)
	[ -n "$_old" ] && kill -KILL "$_old"
}

guard_is_new() { # OLD_PID
	_now=$(guard_pid)
	[ -n "$_now" ] && [ "$_now" != "$1" ] && daemon_answers
}

round() { # N
	sleep "0.$(printf '%03d' "$(random_below 400)")"
	if [ $(($1 % 2)) -eq 0 ]; then
		kill_keeper || return 1
		keepers=$((keepers + 1))
	else
		kill_guard || return 1
		guards=$((guards + 1))
		# most times it is left to settle, sometimes the next kill hits it while it starts
		[ "$(random_below 4)" -eq 0 ] || eventually guard_is_new "$_old" || return 1
	fi
}

make_conf <<-EOF
	[DEFAULT]
	source = file
	maxretry = $RETRY
	findtime = 6h
	bantime = 6h

	[sshd]
	enabled = true
	port = ssh
	logpath = $LOG
EOF
: >"$LOG"
if ! daemon_start; then
	not_ok "the daemon starts"
	finish
fi
"$HELPERS/e2e-logwriter" "$LOG" $RETRY "$RATE" >"$T/written" 2>"$T/writer.log" &
writer=$!
adopt $writer
n=0 keepers=0 guards=0 done_rounds=0
while [ $n -lt "$ROUNDS" ]; do
	n=$((n + 1))
	if round $n; then
		done_rounds=$((done_rounds + 1))
	else
		diag "round $n: nothing to kill, or it did not come back"
		daemon_answers || revive
	fi
done
check_is "$ROUNDS rounds of kill -9" "$ROUNDS" $done_rounds
kill -TERM $writer
wait $writer
diag "written under $guards kills of guard, $keepers of keeper: $(cat "$T/written")"

PATIENCE=120
check_eventually "all failures are counted" failures_are "$(field failures)"
fail_times 1 192.168.7.7 "$LOG"
check_eventually "not one twice" failures_are $(($(field failures) + 1))
diag "failures: written $(($(field failures) + 1)), counted $(failures)"
set_members sshd4 | sort >"$T/members"
check_is "as many in the kernel as reached maxretry" "$(field attackers)" "$(wc -l <"$T/members")"
check_is "and nobody else" 0 "$(grep -c '^172\.' "$T/members")"
ctl banned --json sshd | "$HELPERS/e2e-json" ip | sort >"$T/banned"
check "the daemon's list is the kernel's" cmp -s "$T/members" "$T/banned"
check_is "each counted as one ban" "$(field attackers)" "$(status_of jails sshd bans)"
daemon_stop
check_is "stops well after all that" 0 $?
finish
