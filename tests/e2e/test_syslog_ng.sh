#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck disable=SC1091,SC2034,SC2119,SC2154
#
# A real syslog-ng sends on what it takes in, in both formats and by each transport.

needs="logger socat"
. "${0%/*}/lib.sh"
. "${0%/*}/senders.sh"
has_syslog_ng || skip_all "needs syslog-ng-core in $UNPACKED"

relay() { # NAME DRIVER PARAMETERS [SOURCE_PARAMETER]
	cat <<-END
		source s_$1 { unix-dgram("$IN/$1" ${4:-}); };
		destination d_$1 { $2($3 persist-name("$1")); };
		log { source(s_$1); destination(d_$1); };
	END
}

syslog_ng_start() {
	{
		echo "@version: $(syslog_ng --version | sed -n 's/^Config version: //p')"
		echo 'options { stats-freq(0); time-reopen(1); };'
		_to="\"127.0.0.1\" port($PORT)"
		for _by in tcp udp; do
			relay network_$_by network "$_to transport(\"$_by\")"
			relay syslog_$_by syslog "$_to transport(\"$_by\")"
		done
		relay protocol_tcp network "$_to transport(\"tcp\") flags(syslog-protocol)"
		relay iso_udp network "$_to transport(\"udp\") ts-format(iso) frac-digits(6)"
		relay dgram unix-dgram "\"$LOCAL\""
		relay stream unix-stream "\"$LOCAL_STREAM\""
		# a line each: a message must be no more than one
		relay careful_tcp network "$_to transport(\"tcp\")" "flags(no-multi-line)"
		relay careful_stream unix-stream "\"$LOCAL_STREAM\"" "flags(no-multi-line)"
	} >"$T/syslog-ng.conf"
	syslog_ng --stderr --cfgfile="$T/syslog-ng.conf" >"$T/syslog-ng.log" 2>&1 &
	adopt $!
	eventually test -S "$IN/careful_stream"
}

sshd_jail
listen_everywhere
if ! daemon_start; then
	not_ok "the daemon starts"
	finish
fi
check "syslog-ng starts" syslog_ng_start
proves_relay "network(), UDP" "$UDP" 10.72.0.1 network_udp
proves_relay "syslog(), UDP" "$UDP" 10.72.0.2 syslog_udp
proves_relay "network(), UDP, ISO dates" "$UDP" 10.72.0.3 iso_udp
proves_relay "unix-dgram()" "unix://$LOCAL" 10.72.0.4 dgram
proves_relay "unix-stream()" "unix-stream://$LOCAL_STREAM" 10.72.0.5 stream
proves_relay "network(), TCP" "$TCP" 10.72.0.6 network_tcp
proves_relay "syslog(), TCP" "$TCP" 10.72.0.7 syslog_tcp
proves_relay "network(), TCP, RFC 5424" "$TCP" 10.72.0.8 protocol_tcp
forges_nothing "network(), UDP" 10.72.0.30 network_udp
forges_nothing "syslog(), UDP" 10.72.0.31 syslog_udp
forges_nothing "unix-dgram()" 10.72.0.32 dgram
forges_nothing "syslog(), TCP" 10.72.0.33 syslog_tcp
forges_nothing "network(), TCP, no-multi-line" 10.72.0.34 careful_tcp
forges_nothing "unix-stream(), no-multi-line" 10.72.0.35 careful_stream
check_is "all in all not one more" "$n_proved" "$(failures)"
finish
