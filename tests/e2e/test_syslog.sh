#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck disable=SC1091,SC2034,SC2119,SC2129,SC2154,SC2317
#
# What other programs send to the syslog listener, by a real logger(1) and by hand.

needs="logger bash"
. "${0%/*}/lib.sh"

PORT=5614

send() { # ARGUMENT...: of logger
	ip netns exec "$NS" logger -d -n 127.0.0.1 -P $PORT -t sshd --id=4711 -p auth.info "$@"
}

send_raw() { # TEXT, with printf's escapes: one datagram (bash itself would make one a line)
	printf '%b' "$1" >"$T/datagram"
	ip netns exec "$NS" bash -c "cat '$T/datagram' >/dev/udp/127.0.0.1/$PORT"
}

make_conf <<-EOF
	[DEFAULT]
	source = syslog
	maxretry = 3
	[sshd]
	enabled = true
	port = 22
EOF
printf '[syslog]\nlisten = udp://127.0.0.1:%s udp://[::1]:%s unix://%s unix://%s\n' \
	$PORT $PORT "$T/run/one" "$T/run/two" >>"$CONF/stockade.local"
if ! daemon_start; then
	not_ok "the daemon starts"
	finish
fi
for _n in 1 2 3; do
	send --rfc3164 "Failed password for root from 10.70.0.1 port 4242 ssh2"
done
check_eventually "RFC 3164" in_set 10.70.0.1
for _n in 1 2 3; do
	ip netns exec "$NS" logger -d -n ::1 -P $PORT -t sshd --id=4711 --rfc3164 \
		"Failed password for root from 2001:db8:70::3 port 4242 ssh2"
done
check_eventually "over IPv6" in_set 2001:db8:70::3
for _n in 1 2 3; do
	send_raw "<38>sshd[4711]: Failed password for root from 10.70.0.4 port 4242 ssh2"
done
check_eventually "without date and host" in_set 10.70.0.4
_counted=$(failures)
send_raw ''
send_raw '<'
send_raw '<38>'
send_raw '<999999>\0\0\0'
send_raw '\xff\xfe\n\n\n'
send_raw "<38>Nov 20 08:00:00 host cron[1]: x\n$(sshd_fail 10.70.0.5)\n"
for _n in 1 2 3; do
	send --rfc3164 "Failed password for root from 10.70.0.6 port 4242 ssh2"
done
check_eventually "after datagrams that are no messages" in_set 10.70.0.6
check "a line break in a datagram begins no second message" not ctl explain 10.70.0.5
check_is "three failures more were counted, not one else" $((_counted + 3)) "$(failures)"
g=$(guard_pid)
for _n in 1 2 3; do
	send --rfc3164 "Failed password for root from 10.70.0.7 port 4242 ssh2"
	ctl reload >/dev/null 2>&1
done
check_eventually "a reload in between loses none" in_set 10.70.0.7
check "though guard is another one" test "$g" != "$(guard_pid)"

dropped() { # as many as the kernel has, of all listeners
	ctl status --json | "$HELPERS/e2e-json" losses syslog_dropped
}

some_dropped() { # the kernel tells with the next message
	send --rfc3164 "nothing"
	[ "$(dropped)" -gt 0 ]
}

took_one_more() {
	[ "$(failures)" -gt "$_counted" ]
}

# More than the socket holds while nobody reads.
g=$(guard_pid)
kill -STOP "$g"
yes "$(printf '%01000d' 0)" | head -n 40000 >"$T/flood"
ip netns exec "$NS" logger -d -n 127.0.0.1 -P $PORT -t cron -f "$T/flood"
kill -CONT "$g"
check_eventually "what the kernel drops is counted" some_dropped
check "a reload" ctl reload
_counted=$(failures)
send --rfc3164 "Failed password for root from 10.70.0.8 port 4242 ssh2"
check_eventually "and goes on" took_one_more
check_is "what was dropped before is not counted again" 0 "$(dropped)"

# A regex without sense, and messages that have it take as long as it may.
cat >"$T/slow.rules" <<-'END'
	[slow] 1h
	^web\[\d+\]: .*.*.*.*.*.*z {IP_NUMBER}
	^sshd\[\d+\]: Failed password for \w+ from {IP_NUMBER}
END
printf '[slow]\nenabled = true\nrules = %s\nsource = syslog\n' "$T/slow.rules" >>"$CONF/jail.local"
check "rules are added" ctl reload
# shellcheck disable=SC2016 # for the other shell
ip netns exec "$NS" bash -c 'exec 3>"/dev/udp/127.0.0.1/$1"; text=$(printf "%900s" "")
	for ((n = 0; n < 800; n++)); do printf "<38>web[1]: %s" "${text// /z }" >&3; done' - $PORT
send --rfc3164 "Failed password for root from 10.70.0.8 port 4242 ssh2"
check "many messages that take long hold up nobody" ctl ping
check_eventually "and none of them is lost" in_set 10.70.0.8 slow
rm "$T/run/two"
echo "somebody else's" >"$T/run/two"
daemon_stop
check_is "SIGTERM: exit 0" 0 $?
check "a Unix socket goes with it" not test -e "$T/run/one"
check "but not what has taken its place" test -f "$T/run/two"
finish
