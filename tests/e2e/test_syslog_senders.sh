#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck disable=SC1091,SC2034,SC2119,SC2154
#
# logger(1) in all its ways, and a real rsyslogd that forwards: each message is one line, once.

needs="logger rsyslogd socat"
. "${0%/*}/lib.sh"
. "${0%/*}/senders.sh"

# ---- rsyslogd: a socket to take messages at for each way of passing them on ----

relay() { # NAME ACTION: in RainerScript
	cat <<-END
		input(type="imuxsock" Socket="$IN/$1" CreatePath="off" ruleset="$1"
			RateLimit.Interval="0" UseSysTimeStamp="off")
		ruleset(name="$1") {
			$2
		}
	END
}

forward() { # NAME PROTOCOL TEMPLATE [PARAMETER]
	relay "$1" "action(type=\"omfwd\" target=\"127.0.0.1\" port=\"$PORT\" protocol=\"$2\"
		template=\"$3\" ${4:-})"
}

rsyslog_start() {
	{
		printf '%s\n' 'global(workDirectory="'"$T/var"'" localHostname="web1.example.net")' \
			'module(load="imuxsock" SysSock.Use="off")' \
			'module(load="omuxsock")'
		forward udp_traditional udp RSYSLOG_TraditionalForwardFormat
		forward udp_iso udp RSYSLOG_ForwardFormat
		forward udp_5424 udp RSYSLOG_SyslogProtocol23Format
		for _framing in traditional octet-counted; do
			forward tcp_traditional_$_framing tcp RSYSLOG_TraditionalForwardFormat \
				"TCP_Framing=\"$_framing\""
			forward tcp_iso_$_framing tcp RSYSLOG_ForwardFormat "TCP_Framing=\"$_framing\""
			forward tcp_5424_$_framing tcp RSYSLOG_SyslogProtocol23Format \
				"TCP_Framing=\"$_framing\""
		done
		for _form in TraditionalForwardFormat ForwardFormat SyslogProtocol23Format; do
			echo "\$OMUxSockSocket $LOCAL" # for one action
			relay "local_$_form" "*.* :omuxsock:;RSYSLOG_$_form"
		done
	} >"$T/rsyslog.conf"
	ip netns exec "$NS" rsyslogd -n -f "$T/rsyslog.conf" -i "$T/rsyslogd.pid" \
		>"$T/rsyslogd.log" 2>&1 &
	adopt $!
	eventually test -S "$IN/local_SyslogProtocol23Format"
}

by_rsyslog() {
	check "rsyslogd starts" rsyslog_start
	proves_relay "rsyslog, UDP" "$UDP" 10.71.0.1 udp_traditional
	proves_relay "rsyslog, UDP, RSYSLOG_ForwardFormat" "$UDP" 10.71.0.2 udp_iso
	proves_relay "rsyslog, UDP, RFC 5424" "$UDP" 10.71.0.3 udp_5424
	_ip=4
	for _form in TraditionalForwardFormat ForwardFormat SyslogProtocol23Format; do
		proves_relay "rsyslog, Unix socket, $_form" "unix://$LOCAL" 10.71.0.$_ip "local_$_form"
		_ip=$((_ip + 1))
	done
	for _framing in traditional octet-counted; do
		for _form in traditional iso 5424; do
			proves_relay "rsyslog, TCP, $_form, framing $_framing" "$TCP" 10.71.0.$_ip \
				tcp_${_form}_$_framing
			_ip=$((_ip + 1))
		done
	done
	forges_nothing "rsyslog, UDP" 10.71.0.30 udp_traditional
	forges_nothing "rsyslog, TCP" 10.71.0.31 tcp_traditional_traditional
	forges_nothing "rsyslog, TCP, counted" 10.71.0.32 tcp_5424_octet-counted
	forges_nothing "rsyslog, Unix socket" 10.71.0.33 local_ForwardFormat
}

# ---- logger ----

log() { # TEXT LISTENER ADDRESS ARGUMENT...
	_text=$1 _where=$2 _from=$3
	shift 3
	proves "logger $_text" "$_where" "$_from" logger "$@" -t sshd --id=4711 -p auth.info --
}

by_logger() {
	log "-d --rfc3164" "$UDP" 10.71.1.1 -d -n 127.0.0.1 -P "$PORT" --rfc3164
	log "-d, which is RFC 5424" "$UDP" 10.71.1.2 -d -n 127.0.0.1 -P "$PORT"
	log "-d --rfc5424=notime,notq,nohost" "$UDP" 10.71.1.3 -d -n 127.0.0.1 -P "$PORT" \
		--rfc5424=notime,notq,nohost
	log "-d with structured data" "$UDP" 10.71.1.4 -d -n 127.0.0.1 -P "$PORT" --rfc5424 \
		--msgid=ID47 --sd-id=zoo@32473 --sd-param='tiger="hungry \] [here"' --sd-id=y@32473
	log "-d over IPv6" "udp://[::1]:$PORT" 10.71.1.5 -d -n ::1 -P "$PORT" --rfc3164
	log "-u" "unix://$LOCAL" 10.71.1.6 -u "$LOCAL"
	log "-u --rfc5424" "unix://$LOCAL" 10.71.1.7 -u "$LOCAL" --rfc5424
	log "-u, a socket of streams" "unix-stream://$LOCAL_STREAM" 10.71.1.8 -u "$LOCAL_STREAM"
	log "-T --rfc3164" "$TCP" 10.71.1.9 -T -n 127.0.0.1 -P "$PORT" --rfc3164
	log "-T" "$TCP" 10.71.1.10 -T -n 127.0.0.1 -P "$PORT"
	log "-T --octet-count" "$TCP" 10.71.1.11 -T -n 127.0.0.1 -P "$PORT" --octet-count
	log "-T --octet-count --rfc3164" "$TCP" 10.71.1.12 -T -n 127.0.0.1 -P "$PORT" --octet-count \
		--rfc3164
	log "-T over IPv6" "tcp://[::1]:$PORT" 10.71.1.13 -T -n ::1 -P "$PORT"
}

sshd_jail
listen_everywhere
if ! daemon_start; then
	not_ok "the daemon starts"
	finish
fi
by_logger
by_rsyslog
check_is "all in all not one more" "$n_proved" "$(failures)"
daemon_stop
check_is "SIGTERM: exit 0" 0 $?
finish
