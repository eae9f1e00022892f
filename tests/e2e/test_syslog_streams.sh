#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck disable=SC1091,SC2034,SC2119,SC2129,SC2154,SC2317,SC3045
#
# Syslog over connections: all kinds of frames and what is none, senders that say little or nothing, ten
# thousand of them, and that reloads neither cut a connection nor lose a message.

needs="logger mkfifo"
. "${0%/*}/lib.sh"

PORT=5616
LOCAL=$T/run/log
MANY=10000
COUNT=40000

config() { # [LINE]...: below [syslog]
	make_conf <<-EOF_CONF
		[DEFAULT]
		source = syslog
		[sshd]
		enabled = true
		maxretry = 3
		[all]
		enabled = true
		filter = sshd
		maxretry = 1000000
		findtime = 1d
	EOF_CONF
	{
		printf '[syslog]\n'
		printf '%s\n' "${@:-listen = tcp://127.0.0.1:$PORT tcp://[::1]:$PORT unix-stream://$LOCAL}"
	} >>"$CONF/stockade.local"
}

# A sender with connections of its own, that does as it is told.
sender() { # NAME PLACE [N [ADDRESS]]
	rm -f "$T/$1.in"
	mkfifo "$T/$1.in"
	: >"$T/$1.out"
	ip netns exec "$NS" "$HELPERS/e2e-streams" "$2" ${3:+"$3"} ${4:+"$4"} \
		<>"$T/$1.in" >"$T/$1.out" 2>&1 &
	eval "pid_$1=$!"
	adopt $!
	eventually grep -q connected "$T/$1.out"
}

said() { # NAME
	wc -l <"$T/$1.out"
}

do_begin() { # NAME COMMAND...
	_name=$1
	shift
	printf '%s\n' "$*" >"$T/$_name.in"
}

has_said() { # NAME LINES
	[ "$(said "$1")" -ge "$2" ]
}

do_now() { # NAME COMMAND...: and waits until it is done
	_lines=$(($(said "$1") + 1))
	do_begin "$@"
	eventually has_said "$1" $_lines
}

open_are() { # NAME N: so many the daemon has not closed
	do_now "$1" open && [ "$(tail -n 1 "$T/$1.out")" = "$2" ]
}

leave() { # NAME
	eval "end_process \$pid_$1"
}

fail() { # ADDRESS: a message
	printf '<38>sshd[4711]: Failed password for root from %s port 4242 ssh2' "$1"
}

framed() { # ADDRESS: the same with its length
	_msg=$(fail "$1")
	printf '%d %s' ${#_msg} "$_msg"
}

listener() { # KEY: of all listeners together
	ctl status --json >"$T/status.json" || return 1
	_sum=0
	_i=$("$HELPERS/e2e-json" syslog '#' <"$T/status.json")
	while [ "$_i" -gt 0 ]; do
		_i=$((_i - 1))
		_sum=$((_sum + $("$HELPERS/e2e-json" syslog $_i "$1" <"$T/status.json")))
	done
	echo $_sum
}

listener_is() { # KEY N
	[ "$(listener "$1")" = "$2" ]
}

test_frames() {
	check "somebody connects" sender one "127.0.0.1 $PORT"
	do_now one send 0 "$(fail 10.71.0.1)\\n$(fail 10.71.0.1)\\r\\n$(fail 10.71.0.1)\\0"
	check_eventually "a line each: LF, CR LF and NUL" in_set 10.71.0.1
	do_now one send 0 "$(framed 10.71.0.2)$(framed 10.71.0.2)$(framed 10.71.0.2)"
	check_eventually "counted" in_set 10.71.0.2
	do_now one send 0 "$(framed 10.71.0.3)$(fail 10.71.0.3)\\n$(framed 10.71.0.3)\\n$(framed 10.71.0.4)"
	check_eventually "both, one after the other" in_set 10.71.0.3
	do_now one drip 0 "$(framed 10.71.0.4)$(fail 10.71.0.4)\\n"
	check_eventually "a byte at a time" in_set 10.71.0.4
	_msg="<38>cron[1]: x\\n$(fail 10.71.0.5)"
	do_now one send 0 "$((${#_msg} - 1)) $_msg$(framed 10.71.0.6)$(framed 10.71.0.6)$(framed 10.71.0.6)"
	check_eventually "a line break in a counted message" in_set 10.71.0.6
	check "begins no other" not ctl explain 10.71.0.5
	check "over IPv6" sender six "::1 $PORT"
	do_now six send 0 "$(framed 2001:db8:71::1)$(framed 2001:db8:71::1)$(framed 2001:db8:71::1)"
	check_eventually "is the same" in_set 2001:db8:71::1
	leave six
	for _n in 1 2 3; do
		ip netns exec "$NS" logger -T -n 127.0.0.1 -P $PORT --octet-count -t sshd --id=4711 \
			"Failed password for root from 10.71.0.7 port 4242 ssh2"
	done
	check_eventually "from logger(1), counted" in_set 10.71.0.7
	for _n in 1 2 3; do
		ip netns exec "$NS" logger -T -n 127.0.0.1 -P $PORT --rfc3164 -t sshd --id=4711 \
			"Failed password for root from 10.71.0.8 port 4242 ssh2"
	done
	check_eventually "and a line each" in_set 10.71.0.8
	check "a Unix socket" sender unix "$LOCAL"
	do_now unix send 0 "$(fail 10.71.0.9)\\n$(framed 10.71.0.9)$(fail 10.71.0.9)\\n"
	check_eventually "is the same" in_set 10.71.0.9
	leave unix
	check_is "no message was broken or cut" "0 0" "$(listener broken) $(listener cut)"
}

test_odd_frames() {
	do_now one send 0 "99999999 $(fail 10.71.1.1)\\n$(fail 10.71.1.1)\\n$(fail 10.71.1.1)\\n"
	check_eventually "a length that is absurd is not believed" in_set 10.71.1.1
	check_is "and counted" 1 "$(listener broken)"
	do_now one long 0 5000000
	check "five million bytes without an end are passed over" do_now one send 0 "\\n"
	do_now one send 0 "3000000 <38>"
	do_now one long 0 2999996
	do_now one send 0 "$(framed 10.71.1.2)$(framed 10.71.1.2)$(framed 10.71.1.2)"
	check_eventually "three million that were announced, too" in_set 10.71.1.2
	check_is "of both the beginning was judged" 2 "$(listener cut)"
	check "somebody else" sender two "127.0.0.1 $PORT" 3
	do_now two send 0 "$(fail 10.71.1.3)\\n$(fail 10.71.1.3)\\n$(fail 10.71.1.3)"
	do_now two shut 0
	check_eventually "a last line needs no end" in_set 10.71.1.3
	do_now two send 1 "$(framed 10.71.1.4)$(framed 10.71.1.4)100 $(fail 10.71.1.4)"
	do_now two shut 1
	check_eventually "a message that is shorter than its length is counted" listener_is broken 2
	check "and not judged" not in_set 10.71.1.4
	do_now two send 2 "\\0\\0\\n\\n\\r\\n0 <\\n7\\n<<<<>>>>\\n-1 <38>x\\n1 <$(framed 10.71.1.5)"
	do_now two send 2 "$(framed 10.71.1.5)$(framed 10.71.1.5)"
	check_eventually "after all sorts of bytes" in_set 10.71.1.5
	leave two
}

another_guard() { # OLD
	_now=$(guard_pid)
	[ -n "$_now" ] && [ "$_now" != "$1" ] && daemon_answers
}

# Exactly: each message is a failure, and these are counted from one guard to the next.
test_reloads() {
	_before=$(failures all)
	check "who sends much" sender much "127.0.0.1 $PORT"
	do_begin much many 0 $COUNT 1000
	_lost=0
	for _n in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
		ctl reload >"$T/reload.log" 2>&1 || _lost=$((_lost + 1))
		eventually daemon_answers
	done
	check_is "20 reloads meanwhile" 0 $_lost
	check_eventually "do not cut the connection" grep -q '^done$' "$T/much.out"
	if ! eventually failures_are $((_before + COUNT)) all; then
		diag "$_before before, $(failures all) now"
	fi
	check_is "nor lose a message" $((_before + COUNT)) "$(failures all)"
	check "whoever is quiet keeps his, too" open_are one 1
	leave much
	do_now one send 0 "$(fail 10.71.2.1)\\n$(framed 10.71.2.1)70 <38>sshd[4711]: Fai"
	check "a reload in the middle of a message" ctl reload
	do_now one send 0 "led password for root from 10.71.2.1 port 4242 ssh2  "
	check_eventually "does not tear it" in_set 10.71.2.1
}

test_guard_killed() {
	g=$(guard_pid)
	kill -KILL "$g"
	check_eventually "guard killed: there is another" another_guard "$g"
	check_eventually "connections are cut" open_are one 0
	leave one
	check "so that senders connect anew" sender one "127.0.0.1 $PORT"
	do_now one send 0 "$(fail 10.71.3.1)\\n$(fail 10.71.3.1)\\n$(fail 10.71.3.1)\\n"
	check_eventually "and are heard" in_set 10.71.3.1
}

pss_kb() {
	sed -n 's/^Pss:[[:space:]]*\([0-9]*\).*/\1/p' "/proc/$(guard_pid)/smaps_rollup"
}

switches() {
	sed -n 's/^\(non\)\{0,1\}voluntary_ctxt_switches:[[:space:]]*//p' "/proc/$(guard_pid)/status" |
		tr '\n' ' '
}

quiet_for_a_second() {
	_switches=$(switches)
	sleep 1
	[ "$(switches)" = "$_switches" ]
}

test_many() {
	if [ "$(ulimit -Hn)" != unlimited ] && [ "$(ulimit -Hn)" -lt $((MANY + 6000)) ]; then
		skip "$MANY connections" "no more than $(ulimit -Hn) open files"
		return
	fi
	_before=$(pss_kb)
	check "$MANY connections" sender many "127.0.0.1 $PORT" $MANY
	check_eventually "are accepted" listener_is connections $((MANY + 1))
	_grown=$(($(pss_kb) - _before))
	diag "guard has grown by $_grown KiB"
	check "a kilobyte each at most" test $_grown -lt $MANY
	check_eventually "they cost no time while they say nothing" quiet_for_a_second
	do_now one send 0 "$(fail 10.71.4.1)\\n$(fail 10.71.4.1)\\n$(fail 10.71.4.1)\\n"
	check_eventually "do not hold up others" in_set 10.71.4.1
	check "a reload" ctl reload
	check_eventually "hands all over" listener_is connections $((MANY + 1))
	check "and cuts none" open_are many $MANY
	for _n in 0 777 $((MANY - 1)); do
		do_now many send $_n "$(framed 10.71.4.2)"
	done
	check_eventually "all are heard" in_set 10.71.4.2
	leave many
	check_eventually "and forgotten when they are closed" listener_is connections 1
}

test_from() {
	config "listen = tcp://127.0.0.1:$PORT" "from = 127.0.0.1 192.0.2.0/24"
	check "others may send" ctl reload
	check "who may send stays" open_are one 1
	check_eventually "and is alone" listener_is connections 1
	check "somebody who may not" sender two "127.0.0.1 $PORT" 3 127.0.0.2
	check_eventually "is shown the door" open_are two 0
	check_is "which is counted" 3 "$(listener connections_refused)"
	leave two
	config "listen = tcp://127.0.0.1:$((PORT + 1))"
	check "another place to listen" ctl reload
	check_eventually "connections of the old one are closed" open_are one 0
	check_is "there is none" 0 "$(listener connections)"
	leave one
}

places() { # LISTEN...: a reload, after which all of them are open
	config "listen = $*"
	ctl reload >"$T/reload.log" 2>&1 || return 1
	ctl status --json >"$T/status.json" || return 1
	_i=0
	for _url in "$@"; do
		[ "$("$HELPERS/e2e-json" syslog $_i listen <"$T/status.json")" = "$_url" ] &&
			[ "$("$HELPERS/e2e-json" syslog $_i open <"$T/status.json")" = true ] || return 1
		_i=$((_i + 1))
	done
}

# What is not listened at any more is in nobody's way.
test_places() {
	check "one address" places "udp://127.0.0.1:$PORT" "tcp://127.0.0.1:$PORT" "unix://$LOCAL"
	check "all addresses, the same ports and path" \
		places "udp://0.0.0.0:$PORT" "tcp://0.0.0.0:$PORT" "unix-stream://$LOCAL"
	check "one again" places "udp://127.0.0.1:$PORT" "unix://$LOCAL" "tcp://127.0.0.1:$PORT"
	daemon_stop
	check_is "SIGTERM: exit 0" 0 $?
}

# With few descriptors: 256 are for all else, and half of the rest for files.
test_full() {
	config
	(
		ulimit -n 656
		exec ip netns exec "$NS" "$STOCKADE" run -c "$CONF" --state "$STATE" --socket "$SOCK" \
			>>"$T/stockade.log" 2>&1
	) &
	STOCKADE_PID=$!
	adopt $STOCKADE_PID
	check_eventually "room for 200 connections" daemon_answers
	check "a few of somebody's" sender few "127.0.0.1 $PORT" 5 127.0.0.2
	do_now few send 0 "$(fail 10.71.5.1)\\n"
	check "300 of somebody else's" sender lots "127.0.0.1 $PORT" 300 127.0.0.3
	check_eventually "some have to go" listener_is pushed_out 105
	check "of his" open_are lots 195
	check "and nobody else's" open_are few 5
	do_now lots send 299 "$(fail 10.71.5.1)\\n"
	check "a third one finds a place" sender third "127.0.0.1 $PORT" 1 127.0.0.4
	check "where there is most" open_are lots 194
	do_now third send 0 "$(fail 10.71.5.1)\\n"
	check_eventually "all are heard" in_set 10.71.5.1
	daemon_stop
	check_is "SIGTERM: exit 0" 0 $?
}

config
if ! daemon_start; then
	not_ok "the daemon starts"
	finish
fi
test_frames
test_odd_frames
test_reloads
test_guard_killed
test_many
test_from
test_places
test_full
finish
