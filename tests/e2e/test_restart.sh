#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck disable=SC1091,SC2034,SC2119,SC2154,SC2317
#
# Stops, crashes and reloads at awkward moments: rotated names that a glob matches too, a log that was empty,
# a glob's file that is gone, reloads close upon each other, a dry run before a real one.

. "${0%/*}/lib.sh"

V=$T/var

config() { # [MAXRETRY]
	make_conf <<-EOF
		[DEFAULT]
		source = file
		maxretry = ${1:-1000}
		findtime = 1h
		bantime = 1h
		[sshd]
		enabled = false
		[every]
		enabled = true
		filter = sshd
		port = 22
		logpath = $V/every.log*
		[plain]
		enabled = true
		filter = sshd
		port = 22
		logpath = $V/plain.log
		[one]
		enabled = true
		filter = sshd
		port = 22
		logpath = $V/d/*.log
	EOF
}

fail() { # FILE [N]
	_k=${2:-1}
	while [ "$_k" -gt 0 ]; do
		n_addr=$((${n_addr:-0} + 1))
		sshd_fail "10.8.$((n_addr / 250)).$((n_addr % 250 + 1))"
		_k=$((_k - 1))
	done >>"$1"
}

guard_is_another() { # PID
	_pid=$(guard_pid) && [ -n "$_pid" ] && [ "$_pid" != "$1" ]
}

kill_guard() {
	_old=$(guard_pid)
	sleep 1 # longer than it takes to save
	kill -KILL "$_old"
	eventually guard_is_another "$_old" && eventually daemon_answers
}

test_glob_of_rotated_names() {
	fail "$V/every.log" 5
	check_eventually "a glob that matches rotated names too" failures_are 5 every
	mv "$V/every.log" "$V/every.log.1"
	fail "$V/every.log"
	check_eventually "after a rotation" failures_are 6 every
	check "guard is killed and comes back" kill_guard
	fail "$V/every.log"
	check_eventually "every line counts once" failures_are 7 every
	daemon_stop
	check "the daemon starts again" daemon_start
	fail "$V/every.log.1"
	check_eventually "and still so after a stop" failures_are 8 every
}

test_empty_log() {
	: >"$V/plain.log"
	sleep 1
	daemon_stop
	fail "$V/plain.log" 2
	mv "$V/plain.log" "$V/plain.log.1"
	fail "$V/plain.log"
	check "a log was empty at the stop, then written and rotated" daemon_start
	check_eventually "all of it counts" failures_are 3 plain
	: >"$T/stockade.log"
	rm "$V/plain.log" "$V/plain.log.1"
	: >"$V/plain.log"
	sleep 1
	daemon_stop
	check "an empty log" daemon_start
	check "is no reason to warn" not grep -q "was rotated while" "$T/stockade.log"
}

test_gone_from_glob() {
	mkdir "$V/d"
	fail "$V/d/a.log" 2
	check_eventually "a file of a glob" failures_are 2 one
	daemon_stop
	fail "$V/d/a.log" 3
	mv "$V/d/a.log" "$V/d/a.log.1"
	check "it is rotated meanwhile and not back yet" daemon_start
	check_eventually "what was left in it counts" failures_are 5 one
}

maxretry_is() { # N
	[ "$(status_of jails plain maxretry)" = "$1" ]
}

test_reloads() {
	_guard=$(guard_pid)
	kill -STOP "$_guard"
	config 7
	kill -HUP "$STOCKADE_PID"
	sleep 0.5
	config 9
	kill -HUP "$STOCKADE_PID"
	sleep 0.5
	kill -CONT "$_guard"
	check_eventually "of two reloads the second counts" maxretry_is 9
	_n=0
	for _i in 1 2 3 4 5 6 7 8 9 10; do
		ctl reload >>"$T/reloads.log" 2>&1 && _n=$((_n + 1))
		eventually daemon_answers
	done
	check_is "each of ten reloads is answered" 10 $_n
}

test_many_deaths() {
	for _i in 1 2 3 4 5 6 7 8; do
		_old=$(guard_pid)
		[ -n "$_old" ] && kill -KILL "$_old"
		sleep 0.1
	done
	kill -HUP "$STOCKADE_PID"
	check_eventually "many deaths and a reload" daemon_answers
	sleep 3
	check_is "leave one guard" 1 "$(children_of "$STOCKADE_PID" | wc -l)"
}

test_socket_path() {
	echo precious >"$T/file"
	ip netns exec "$NS" timeout 60 "$STOCKADE" run -c "$CONF" --state "$T/other" --socket "$T/file" \
		>"$T/start.log" 2>&1
	check_is "a socket's path that is a file: exit 2" 2 $?
	check_is "and the file is left alone" precious "$(cat "$T/file")"
}

test_second_daemon() {
	ip netns exec "$NS" timeout 60 "$STOCKADE" run -c "$CONF" --state "$T/other" \
		--socket "$T/run/other.sock" >"$T/start.log" 2>&1
	check_is "a second daemon for the same firewall: exit 2" 2 $?
	check "and it says why" grep -q "another stockade commands" "$T/start.log"
}

test_block() {
	check "a block is banned" ctl ban plain 10.8.201.0/24
	ctl unban 10.8.201.7 >"$T/unban.log" 2>&1
	check_is "an address in it was not banned itself: exit 1" 1 $?
	check "and the block is named" grep -q "as part of 10.8.201.0/24" "$T/unban.log"
	ctl explain 10.8.201.7 >"$T/explain.log" 2>&1
	check "explain names it too" grep -q "as part of 10.8.201.0/24" "$T/explain.log"
	check "the block is let off" ctl unban 10.8.201.0/24
}

# What a ban was for is shown after a restart and after more lines.
test_reason() {
	config 2
	check "maxretry 2" ctl reload
	eventually daemon_answers
	sshd_fail 10.8.202.1 first >>"$V/plain.log"
	sshd_fail 10.8.202.1 second >>"$V/plain.log"
	check_eventually "two lines ban" in_set 10.8.202.1 plain
	sleep 1
	daemon_stop
	check "the daemon starts again" daemon_start
	sshd_fail 10.8.202.1 third >>"$V/plain.log"
	check_eventually "a third line is there" explains third
	check "and the first two as well" explains first
	check "both" explains second
}

explains() { # USER
	ctl explain 10.8.202.1 | grep -q "for $1 from"
}

test_dry_run() {
	daemon_stop
	config 1
	rm -rf "$STATE" && mkdir "$STATE"
	nft_in flush ruleset
	check "a dry run" daemon_start --dry-run
	sshd_fail 10.8.200.1 >>"$V/plain.log"
	check_eventually "decides" is_banned 10.8.200.1 plain
	check "but enforces nothing" not in_set 10.8.200.1 plain
	daemon_stop
	: >"$V/plain.log"
	check "a real run after it" daemon_start
	check "does not enforce it either" not in_set 10.8.200.1 plain
}

config
if ! daemon_start; then
	not_ok "the daemon starts"
	finish
fi
test_glob_of_rotated_names
test_empty_log
test_gone_from_glob
test_reloads
test_many_deaths
test_socket_path
test_second_daemon
test_block
test_reason
test_dry_run
finish
