#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck disable=SC1091,SC2034,SC2119,SC2154
#
# What messages may have in them: line breaks, control characters, any bytes, all the length that
# there is, "message repeated", and dates of other zones, other years or none.

needs="logger rsyslogd socat"
. "${0%/*}/lib.sh"
. "${0%/*}/senders.sh"

send() { # URL: standard input is one datagram, or a connection's bytes
	case $1 in
	udp:*) _to=UDP4-SENDTO:127.0.0.1:$PORT ;;
	tcp:*) _to=TCP4:127.0.0.1:$PORT ;;
	unix:*) _to=UNIX-SENDTO:$LOCAL,sndbuf=300000 ;;
	*) _to=UNIX-CONNECT:$LOCAL_STREAM ;;
	esac
	cat >"$T/bytes" # a pipe comes in pieces
	ip netns exec "$NS" socat -u -b 400000 "OPEN:$T/bytes" "$_to" >>"$T/sender.log" 2>&1
}

x() { # N: so many of them
	head -c "$1" /dev/zero | tr '\0' x
}

# ---- bytes ----

# Each way of saying it is one failure of that address, and none of the forged one's.
is_one_failure() { # TEXT LISTENER PRINTF_FORMAT: with %s for the address
	_ip=$((_ip + 1))
	_had=$(failures)
	# shellcheck disable=SC2059 # that is what it is
	printf "$3" "10.74.0.$_ip" | send "$2"
	check_eventually "$1" failures_are $((_had + 1))
	check "$1: of that address" failed "10.74.0.$_ip"
}

failed() { # ADDRESS
	grep -qF "Found $1 " "$T/stockade.log"
}

bytes() {
	_ip=0
	_front='<38>Nov 20 07:12:49 srv sshd[4711]: Failed password for'
	for _by in "$UDP" "unix://$LOCAL"; do
		is_one_failure "${_by%%:*}: a line break" "$_by" \
			"$_front invalid user a\\nb from %s port 4 ssh2"
		is_one_failure "${_by%%:*}: a line in a user's name" "$_by" \
			"$_front invalid user a\\n$_front root from 10.74.9.9 port 4 ssh2\\nb from %s port 4 ssh2"
		is_one_failure "${_by%%:*}: breaks at the end" "$_by" \
			"$_front root from %s port 4 ssh2\\r\\n\\n\\000\\n"
	done
	is_one_failure "a NUL" "$UDP" "$_front invalid user a\\000b from %s port 4 ssh2"
	is_one_failure "control characters" "$UDP" \
		"$_front invalid user \\033[2J\\001\\177\\t from %s port 4 ssh2"
	is_one_failure "UTF-8" "$UDP" "$_front invalid user J\\303\\274rgen from %s port 4 ssh2"
	is_one_failure "UTF-8, with a mark" "$UDP" \
		"<38>1 - srv sshd 4711 - - \\357\\273\\277Failed password for invalid user J\\303\\274rgen from %s port 4 ssh2"
	is_one_failure "no UTF-8" "$UDP" "$_front invalid user \\377\\376\\300 from %s port 4 ssh2"
	is_one_failure "escaped breaks" "$UDP" \
		"$_front invalid user a#012$_front root from 10.74.9.9 port 4 ssh2#012 from %s port 4 ssh2"
	is_one_failure "a NUL ends a message of a stream" "$TCP" \
		"$_front root from %s port 4 ssh2\\000"
	is_one_failure "no break at the end of a stream" "unix-stream://$LOCAL_STREAM" \
		"$_front root from %s port 4 ssh2"
	check "nothing was forged" not failed 10.74.9.9
	check "control characters do not come out again" not_raw ctl explain 10.74.0.8
}

not_raw() { # COMMAND...
	"$@" >"$T/raw.out" && ! LC_ALL=C grep -q "$(printf '[\001-\010\033\177]')" "$T/raw.out"
}

# ---- length ----

# As much as fits, and what goes beyond it is cut, counted, and disturbs nobody.
lengths() {
	_front='<38>Nov 20 07:12:49 srv sshd[4711]:'
	for _by in "$UDP" "unix://$LOCAL" "$TCP" "unix-stream://$LOCAL_STREAM"; do
		_kind=${_by%%:*}
		_had=$(failures)
		printf '%s %s%s\n' "$_front" "$(failed_login 10.75.0.1)" "$(x 60000)" | send "$_by"
		printf '%s %s\n' "$_front" "$(failed_login 10.75.0.1)" | send "$_by"
		check_eventually "$_kind: 60,000 bytes that are no failure, and one" failures_are $((_had + 1))
		printf '%s Failed password for %s from 10.75.0.1 port 4 ssh2\n' "$_front" "$(x 60000)" |
			send "$_by"
		check_eventually "$_kind: a name of 60,000 bytes" failures_are $((_had + 2))
		case $_kind in udp) continue ;; esac # there are no longer datagrams
		_cut=$(status_of syslog "$_by" cut)
		printf '%s %s%s\n' "$_front" "$(failed_login 10.75.0.1)" "$(x 100000)" | send "$_by"
		check_eventually "$_kind: 100,000 bytes are cut, and counted" cuts_are "$_by" $((_cut + 1))
		printf '%s %s\n' "$_front" "$(failed_login 10.75.0.1)" | send "$_by"
		check_eventually "$_kind: what comes then is a message again" failures_are $((_had + 3))
	done
}

cuts_are() { # LISTENER N
	[ "$(status_of syslog "$1" cut)" = "$2" ]
}

# ---- repeated ----

repeated() {
	cat >"$T/rsyslog.conf" <<-END
		\$RepeatedMsgReduction on
		module(load="imuxsock" SysSock.Use="off")
		input(type="imuxsock" Socket="$IN/log" RateLimit.Interval="0")
		*.* @127.0.0.1:$PORT
	END
	ip netns exec "$NS" rsyslogd -n -f "$T/rsyslog.conf" -i "$T/rsyslogd.pid" >"$T/rsyslogd.log" 2>&1 &
	adopt $!
	check_eventually "rsyslogd starts" test -S "$IN/log"
	_had=$(failures)
	_sent=$(messages "$UDP")
	for _n in 1 2 3 4 5; do
		logger -u "$IN/log" -t sshd --id=4711 -p auth.info "$(failed_login 10.76.0.1)"
	done
	logger -u "$IN/log" -t sshd --id=4711 -p auth.info "Connection closed by 10.76.0.1 port 50000"
	check_eventually "rsyslog: what was said five times comes in two messages, and another" \
		messages_are "$UDP" $((_sent + 3))
	check_is "which are five failures" $((_had + 5)) "$(failures)"
	check_eventually "and a ban" in_set 10.76.0.1
}

# ---- dates ----

zones() {
	_ip=0
	for _zone in Pacific/Honolulu Asia/Tokyo; do
		for _form in --rfc3164 --rfc5424 --rfc5424=notime; do
			_ip=$((_ip + 1))
			proves "$_zone, $_form" "$UDP" 10.77.0.$_ip env TZ=$_zone \
				logger -d -n 127.0.0.1 -P "$PORT" -t sshd --id=4711 $_form --
		done
	done
	for _date in 'Jan  1 00:00:00' 'Feb 29 12:00:00' 'Dec 31 23:59:59' 'Nov 20 2021 07:12:49' \
		1970-01-01T00:00:00Z 2037-12-31T23:59:59.999999+14:00 2026-02-30T00:00:00Z; do
		_ip=$((_ip + 1))
		_had=$(failures)
		for _n in 1 2 3; do
			echo "<38>$_date srv sshd[4711]: $(failed_login 10.77.0.$_ip)" | send "$UDP"
		done
		check_eventually "dated $_date" in_set 10.77.0.$_ip
		check_is "dated $_date: three failures" $((_had + 3)) "$(failures)"
	done
}

sshd_jail
sed -i 's/^maxretry = .*/maxretry = 5/' "$CONF/jail.local"
listen_everywhere
if ! daemon_start; then
	not_ok "the daemon starts"
	finish
fi
bytes
lengths
repeated
daemon_stop
check_is "SIGTERM: exit 0" 0 $?
sed -i 's/^maxretry = .*/maxretry = 3/' "$CONF/jail.local"
daemon_start
zones
finish
