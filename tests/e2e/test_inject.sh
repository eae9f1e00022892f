#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck disable=SC1091,SC2034,SC2119,SC2154,SC2317
#
# stockade inject: into a real rsyslogd, out of a real Apache, and to receivers that die, come back, or take
# nothing.

needs="rsyslogd socat apache2 bash timeout"
. "${0%/*}/lib.sh"

PORT=5615
mkdir "$T/in" "$T/out" "$T/spool"
ln -s "$STOCKADE" "$T/syslog-inject"

in_ns() { # COMMAND...
	ip netns exec "$NS" "$@"
}

inject() { # ARGUMENT...
	in_ns "$T/syslog-inject" "$@" 2>>"$T/inject.log"
}

lines_are() { # N FILE
	[ "$(wc -l <"$2")" -eq "$1" ]
}

# Lines that everything has to take for what they are: one each.
hostile() {
	printf 'plain\n'
	printf 'forged\r<38>Nov 20 08:00:00 host sshd[1]: Failed password\n'
	printf 'nul\0<38>Nov 20 08:00:00 host sshd[1]: Failed password\n'
	printf 'escape \033]0;title\007 \377\376 \303\251\n'
	printf '<13>12 <38>sshd[1]: a\n'
	printf 'crlf\r\n'
	head -c 20000 /dev/zero | tr '\0' x
	printf ' <38>Nov 20 08:00:00 host sshd[1]: Failed password\n'
	printf 'unended'
}

# ---- rsyslog ----

cat >"$T/rsyslog.conf" <<-END
	global(workDirectory="$T/spool")
	module(load="imudp")
	module(load="imtcp")
	module(load="imuxsock" SysSock.Use="off")
	template(name="t" type="string" string="%programname%|%procid%|%syslogfacility-text%.%syslogseverity-text%|%msg%\n")
	ruleset(name="r") { action(type="omfile" file="$T/out/rsyslog" template="t" flushOnTXEnd="on") }
	input(type="imudp" address="127.0.0.1" port="$PORT" ruleset="r")
	input(type="imtcp" address="127.0.0.1" port="$PORT" ruleset="r")
	input(type="imuxsock" Socket="$T/in/log" ruleset="r" UseSpecialParser="off" ParseHostname="off")
END
ip netns exec "$NS" rsyslogd -n -f "$T/rsyslog.conf" -i "$T/rsyslog.pid" >"$T/rsyslog.log" 2>&1 &
adopt $!
check_eventually "rsyslogd is there" test -S "$T/in/log"
check_eventually "and listens" in_ns bash -c ": </dev/tcp/127.0.0.1/$PORT"

all_there() {
	lines_are 8 "$T/out/rsyslog" && grep -q unended "$T/out/rsyslog"
}

to_rsyslog() { # TEXT ARGUMENT...
	_name=$1
	shift
	: >"$T/out/rsyslog"
	hostile | inject -t web -p local3.warning --pid=4711 "$@"
	check_is "$_name: exit 0" 0 $?
	check_eventually "$_name: as many messages as lines" all_there
	check "$_name: all are ours" \
		not grep -qv '^web|4711|local3.warning|' "$T/out/rsyslog"
	check "$_name: plain text comes as it is" grep -qx 'web|4711|local3.warning| \{0,1\}plain' "$T/out/rsyslog"
	check "$_name: what would end a line is spelled out" grep -q 'forged#015<38>' "$T/out/rsyslog"
}

to_rsyslog "UDP" -s 127.0.0.1:$PORT
to_rsyslog "TCP" -s tcp://127.0.0.1:$PORT
to_rsyslog "TCP, counted" -s tcp://127.0.0.1:$PORT --octet-counting
to_rsyslog "TCP, RFC 5424" -s tcp://127.0.0.1:$PORT --rfc5424 --octet-counting
to_rsyslog "UDP, RFC 5424" -s udp://127.0.0.1:$PORT --rfc5424
to_rsyslog "a local socket" -s "unix://$T/in/log"

# ---- Apache ----

apache_conf() {
	_modules=$(dirname "$(find /usr/lib/apache2 -name mod_mpm_event.so)")
	mkdir -p "$T/www" "$T/apache"
	chmod 755 "$T/www"
	cat <<-END
		ServerRoot "$T/apache"
		PidFile "$T/apache/pid"
		DefaultRuntimeDir "$T/apache"
		ServerName www.example
		Listen 10.99.7.1:80
		LoadModule mpm_event_module "$_modules/mod_mpm_event.so"
		LoadModule authz_core_module "$_modules/mod_authz_core.so"
		DocumentRoot "$T/www"
		<Directory "$T/www">
		Require all granted
		</Directory>
		LogLevel info
		ErrorLog "|$T/syslog-inject -t apache -p local5.err -s 127.0.0.1:5514"
	END
}

ns_new WEB web && ns_link "$NS" "$WEB" 7
make_conf <<-EOF
	[php]
	enabled = true
	source = syslog
	filter = php
	maxretry = 1
	port = 80
EOF
cat >"$CONF/filter.d/php.conf" <<-'EOF'
	[Definition]
	failregex = ^.* apache: .*\[client <HOST>:\d+\] AH00128: File does not exist: \S*/phpMyAdmin
EOF
if daemon_start; then
	apache_conf >"$T/apache.conf"
	ip netns exec "$NS" apache2 -d "$T/apache" -f "$T/apache.conf" -DFOREGROUND >"$T/apache.log" 2>&1 &
	APACHE=$!
	adopt $APACHE
	check_eventually "Apache is there" ip netns exec "$WEB" bash -c ': </dev/tcp/10.99.7.1/80'
	ip netns exec "$WEB" timeout 5 bash -c 'exec 3<>/dev/tcp/10.99.7.1/80
		printf "GET /phpMyAdmin/setup.php HTTP/1.0\r\n\r\n" >&3; cat <&3' >"$T/get.log" 2>&1
	check_eventually "Apache's piped error log comes to a ban" in_set 10.99.7.2 php
	check_eventually "Apache has an injector" pgrep -f "^$T/syslog-inject -t apache"
	end_process $APACHE
	check_eventually "that ends with Apache" not pgrep -f "^$T/syslog-inject -t apache"
	daemon_stop
else
	not_ok "the daemon starts"
fi

# ---- receivers that are not there ----

receiver() { # TCP|UNIX: writes what comes to $T/out/NAME
	case $1 in
	tcp) ip netns exec "$NS" socat -u "TCP4-LISTEN:5616,bind=127.0.0.1,reuseaddr,fork" "OPEN:$T/out/tcp,creat,append" 3>&- & ;;
	unix) socat -u "UNIX-RECV:$T/in/dgram" "OPEN:$T/out/dgram,creat,append" 3>&- & ;;
	stream) socat -u "UNIX-LISTEN:$T/in/stream,fork" "OPEN:$T/out/stream,creat,append" 3>&- & ;;
	esac
	RECEIVER=$!
	adopt $RECEIVER
}

kill_receiver() {
	_all="$RECEIVER $(children_of $RECEIVER)"
	# shellcheck disable=SC2086 # a list of numbers
	kill -KILL $_all
	wait $RECEIVER 2>/dev/null
	# as long as it is dying the kernel takes messages for it
	for _pid in $_all; do eventually not alive "$_pid"; done
}

begin() { # ARGUMENT...: an injector that reads what is written to descriptor 3
	rm -f "$T/in/fifo"
	mkfifo "$T/in/fifo"
	ip netns exec "$NS" "$T/syslog-inject" "$@" <"$T/in/fifo" 2>>"$T/inject.log" 3>&- &
	INJECT=$!
	adopt $INJECT
	exec 3>"$T/in/fifo"
}

end() { # its exit status
	exec 3>&-
	wait $INJECT
}

numbers() { # FROM TO
	seq -f 'number %.0f ends' "$1" "$2"
}

got_numbers() { # FILE: all that are wanted, once, in order
	# datagrams come without anything between them
	grep -aoE 'number [0-9]+ ends' "$1" | cut -d ' ' -f 2 | cmp -s - "$T/wanted"
}

gap() { # KIND URL FILE
	begin -t gap -s "$2" --linger 30s
	seq 1 3000 >"$T/wanted"
	receiver "$1"
	numbers 1 1000 >&3
	check_eventually "$1: the first lines arrive" grep -q 'number 1000 ends' "$T/out/$3"
	kill_receiver
	rm -f "$T/in/dgram" "$T/in/stream"
	numbers 1001 2000 >&3
	check "$1: the injector lives without receiver" alive $INJECT
	sleep 0.3
	receiver "$1"
	numbers 2001 3000 >&3
	check_eventually "$1: all lines arrive, once, in order" got_numbers "$T/out/$3"
	end
	check_is "$1: nothing is missing: exit 0" 0 $?
	kill_receiver
}

gap tcp tcp://localhost:5616 tcp
gap unix "unix://$T/in/dgram" dgram
gap stream "unix://$T/in/stream" stream

# ---- a receiver that takes nothing ----

rm -f "$T/out/tcp"
receiver tcp
begin -t slow -s tcp://127.0.0.1:5616 --buffer 256K --linger 30s
numbers 1 1 >&3
check_eventually "slow: the first line arrives" grep -q 'number 1 ends' "$T/out/tcp"
for _pid in $RECEIVER $(children_of $RECEIVER); do kill -STOP "$_pid"; done
# more than kernel and buffer take; whoever writes must not have to wait for ever
check "slow: reading goes on" timeout "$PATIENCE" sh -c 'seq -f "number %.0f ends" 2 400000 >&3'
for _pid in $RECEIVER $(children_of $RECEIVER); do kill -CONT "$_pid"; done
end
check_is "slow: something was dropped: exit 1" 1 $?
dropped=$(sed -n 's/.* slow: \([0-9]*\) messages dropped: .*/\1/p' "$T/out/tcp" | awk '{ n += $1 } END { print n }')
got=$(grep -c 'number [0-9]* ends' "$T/out/tcp")
check_is "slow: the receiver is told how many" 400000 $((got + dropped))
begin -t slow -s tcp://127.0.0.1:5616 --buffer 256K --linger 30s --wait
: >"$T/out/tcp"
for _pid in $RECEIVER $(children_of $RECEIVER); do kill -STOP "$_pid"; done
numbers 1 400000 >&3 &
_writer=$!
sleep 0.5
for _pid in $RECEIVER $(children_of $RECEIVER); do kill -CONT "$_pid"; done
wait $_writer
end
check_is "slow, --wait: exit 0" 0 $?
check_eventually "slow, --wait: nothing is dropped" lines_are 400000 "$T/out/tcp"
kill_receiver

# ---- ends ----

echo x | inject -s tcp://127.0.0.1:5617 --linger 0.2s
check_is "nobody listens, TCP: exit 1" 1 $?
echo x | inject -s 127.0.0.1:5617 --linger 0.2s
check_is "nobody listens, UDP: exit 1" 1 $?
echo x | inject -s "unix://$T/in/none" --linger 0.2s
check_is "no such socket: exit 1" 1 $?
echo x | inject -s host:1:2
check_is "a wrong call: exit 2" 2 $?
inject -s 127.0.0.1:$PORT </dev/null
check_is "nothing to send: exit 0" 0 $?
{
	echo x | ip netns exec "$NS" "$T/syslog-inject" -s tcp://127.0.0.1:5617 --linger 0.5s
	echo $? >"$T/out/status"
} 2>&1 | :
check_is "nobody reads what it complains of: exit 1" 1 "$(cat "$T/out/status")"
: >"$T/out/rsyslog"
begin -t term -s tcp://127.0.0.1:$PORT
numbers 1 1 >&3
check_eventually "SIGTERM: the first line arrives" lines_are 1 "$T/out/rsyslog"
check_is "it has no capability" 0000000000000000 "$(sed -n 's/^CapEff:[[:space:]]*//p' "/proc/$INJECT/status")"
check_is "nor can it gain one" 1 "$(sed -n 's/^NoNewPrivs:[[:space:]]*//p' "/proc/$INJECT/status")"
numbers 2 500 >&3
kill -TERM $INJECT
wait $INJECT
check_is "SIGTERM: exit 0" 0 $?
check_eventually "SIGTERM: what was written before is sent" lines_are 500 "$T/out/rsyslog"
exec 3>&-
finish
