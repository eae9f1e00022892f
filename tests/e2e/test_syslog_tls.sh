#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck disable=SC1091,SC2034,SC2119,SC2129,SC2154,SC2317
#
# Syslog over TLS: a real rsyslog with a certificate of its own; those who have none, or not the right
# one; what becomes of connections when something is reloaded, or dies.

needs="openssl rsyslogd logger mkfifo timeout bash"
. "${0%/*}/lib.sh"

PORT=6514
URL=tls://10.99.1.1:$PORT
URL6="tls://[fd00:99:1::1]:$PORT"
PKI=$T/pki

# ---- certificates ----

ca_new() { # NAME
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj "/CN=$1" \
		-keyout "$PKI/$1.key" -out "$PKI/$1.pem" 2>>"$T/openssl.log"
}

cert_new() { # NAME CA [OPTION...]: for openssl x509
	_name=$1 _ca=$2
	shift 2
	openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$_name" \
		-keyout "$PKI/$_name.key" -out "$PKI/$_name.csr" 2>>"$T/openssl.log" &&
		printf 'subjectAltName=DNS:%s,IP:10.99.1.1\n' "$_name" >"$PKI/ext" &&
		openssl x509 -req -in "$PKI/$_name.csr" -CA "$PKI/$_ca.pem" -CAkey "$PKI/$_ca.key" \
			-CAcreateserial -extfile "$PKI/ext" -out "$PKI/$_name.pem" \
			"${@:--days=30}" 2>>"$T/openssl.log" &&
		chmod 600 "$PKI/$_name.key"
}

fingerprint() { # NAME
	openssl x509 -in "$PKI/$1.pem" -noout -fingerprint -sha256 | sed 's/.*=/sha256:/'
}

# ---- senders ----

rsyslog_start() { # NAME DRIVER: from the socket $T/NAME.sock, as NAME
	cat >"$T/$1.conf" <<-END
		global(workDirectory="$T/var"
			defaultNetstreamDriverCAFile="$PKI/ours.pem"
			defaultNetstreamDriverCertFile="$PKI/$1.pem"
			defaultNetstreamDriverKeyFile="$PKI/$1.key")
		module(load="imuxsock" SysSock.Use="off")
		input(type="imuxsock" Socket="$T/$1.sock" RateLimit.Interval="0")
		action(type="omfwd" target="10.99.1.1" port="$PORT" protocol="tcp" tcp_framing="octet-counted"
			streamdriver="$2" streamdrivermode="1" streamdriverauthmode="x509/name"
			streamdriverpermittedpeers="loghost" action.resumeRetryCount="-1"
			action.resumeInterval="1")
	END
	ip netns exec "$OUT" rsyslogd -n -f "$T/$1.conf" -i "$T/$1.pid" >"$T/rsyslog-$1.log" 2>&1 &
	adopt $!
	eventually test -S "$T/$1.sock"
}

log_by() { # NAME ADDRESS [TIMES]: through its rsyslog
	_left=${3:-1}
	while [ "$_left" -gt 0 ]; do
		logger -u "$T/$1.sock" -t sshd --id=4711 -p auth.info \
			"Failed password for root from $2 port 4242 ssh2"
		_left=$((_left - 1))
	done
}

# A sender that lost its connection does not know it before it has sent something in vain.
comes_through() { # NAME ADDRESS
	log_by "$1" "$2"
	in_set "$2"
}

# s_client's input comes from a pipe that stays open as long as the connection shall.
try() { # OPTION...: the output is in $T/try
	printf 'x\n' | ip netns exec "$OUT" timeout 20 openssl s_client -connect 10.99.1.1:$PORT -quiet \
		"$@" >"$T/try" 2>&1
}

as() { # NAME: options for s_client
	echo "-cert $PKI/$1.pem -key $PKI/$1.key"
}

# many_start N NAME: a crowd of connections; lines for all of them go to descriptor 9
many_start() {
	rm -f "$T/lines"
	mkfifo "$T/lines"
	: >"$T/many.log"
	ip netns exec "$OUT" "$HELPERS/e2e-tls" 10.99.1.1 $PORT "$1" "$PKI/$2.pem" "$PKI/$2.key" \
		<"$T/lines" >"$T/many.log" 2>&1 &
	MANY=$!
	adopt $MANY
	exec 9>"$T/lines"
	eventually grep -q ready "$T/many.log"
}

many_end() { # exit status: that of the crowd
	exec 9>&-
	wait "$MANY"
}

# ---- what the daemon says ----

of_listener() { # KEY...
	status_of syslog "$URL" "$@"
}

messages_are() { # N
	[ "$(of_listener messages)" = "$1" ]
}

connections_are() { # N
	[ "$(of_listener connections)" = "$1" ]
}

# The porter before may have taken the first.
refused_at_the_door() {
	# shellcheck disable=SC2046 # words
	try $(as web1)
	[ "$(of_listener tls refused)" -ge 1 ]
}

failed_for() { # WHY
	of_listener tls last_failure | grep -q "$1"
}

is_another() { # PID NAME: there is one, and not that one
	_now=$(child_named "$2")
	[ -n "$_now" ] && [ "$_now" != "$1" ]
}

configure() { # LINE...: of [syslog]
	make_conf <<-EOF
		[DEFAULT]
		source = syslog
		maxretry = 3
		[sshd]
		enabled = true
		port = 22
		[counted]
		enabled = true
		filter = sshd
		maxretry = 1000000
	EOF
	{
		printf '[syslog]\nlisten = %s %s\ncertificate = %s\nkey = %s\n' $URL "$URL6" "$PKI/loghost.pem" \
			"$PKI/loghost.key"
		printf '%s\n' "$@"
	} >>"$CONF/stockade.local"
}

# ---- tests ----

test_rsyslog() {
	rsyslog_start web1 gtls
	log_by web1 10.71.0.1 3
	check_eventually "rsyslog over TLS: its messages are judged" in_set 10.71.0.1
	check_is "by one connection" 1 "$(of_listener connections)"
	if [ ! -e "$(find /usr/lib -name lmnsd_ossl.so | head -n 1)" ]; then
		skip "rsyslog with OpenSSL" "it is not installed"
		return
	fi
	rsyslog_start web2 ossl
	log_by web2 10.71.0.2 3
	check_eventually "rsyslog with OpenSSL, too" in_set 10.71.0.2
}

refused() { # TEXT WHY OPTION...
	_what=$1 _why=$2
	shift 2
	try "$@"
	check_eventually "$_what is refused, and status says why" failed_for "$_why"
}

test_syslog_ng() {
	if ! has_syslog_ng; then
		skip "syslog-ng over TLS" "it is not there"
		return
	fi
	cat >"$T/syslog-ng.conf" <<-END
		@version: $(syslog_ng --version | sed -n 's/^Config version: //p')
		options { stats-freq(0); time-reopen(1); };
		source s_in { unix-dgram("$T/ng.sock"); };
		destination d_out {
			syslog("10.99.1.1" port($PORT) transport("tls") tls(ca-file("$PKI/ours.pem")
				cert-file("$PKI/web2.pem") key-file("$PKI/web2.key")));
		};
		log { source(s_in); destination(d_out); };
	END
	syslog_ng --stderr --cfgfile="$T/syslog-ng.conf" >"$T/syslog-ng.log" 2>&1 &
	adopt $!
	eventually test -S "$T/ng.sock"
	log_by ng 10.71.0.3 3
	check_eventually "syslog-ng, too" in_set 10.71.0.3
}

say_once() { # WHERE ADDRESS NAME
	printf '<38>sshd[1]: Failed password for root from %s port 4242 ssh2\n' "$2" |
		ip netns exec "$OUT" timeout 20 openssl s_client -connect "$1" -quiet -no_ign_eof \
			-cert "$PKI/$3.pem" -key "$PKI/$3.key" >"$T/try" 2>&1
}

test_ipv6() {
	for _n in 1 2 3; do
		say_once "[fd00:99:1::1]:$PORT" 10.71.0.6 web1
	done
	check_eventually "over IPv6" in_set 10.71.0.6
	check_is "by its own listener" 3 "$(status_of syslog "$URL6" messages)"
}

# guard does nothing, and is killed: what waits for it is taken by the next.
test_nobody_there() {
	_guard=$(guard_pid)
	kill -STOP "$_guard"
	for _n in 1 2 3; do
		say_once "10.99.1.1:$PORT" 10.71.0.7 web1
	done
	kill -KILL "$_guard"
	check_eventually "handed over while nobody was there: nothing is lost" in_set 10.71.0.7
}

test_refusals() {
	_messages=$(of_listener messages)
	# shellcheck disable=SC2046 # words
	{
		refused "no certificate" "no certificate"
		refused "a certificate of somebody else's CA" "for stranger: " $(as stranger)
		refused "one that has expired" "for late: .*expired" $(as late)
		refused "one of the wrong name" "for db1: that name" $(as db1)
		refused "TLS 1.1" "old version" $(as web1) -tls1_1 -cipher ALL:@SECLEVEL=0
	}
	ip netns exec "$OUT" timeout 20 bash -c "exec 3<>/dev/tcp/10.99.1.1/$PORT
		echo '<38>sshd[1]: no TLS' >&3; cat <&3" >/dev/null
	check_eventually "no TLS at all, too" failed_for "no TLS"
	ip netns exec "$OUT" timeout 60 bash -c "exec 3<>/dev/tcp/10.99.1.1/$PORT
		printf '\\026\\003\\001\\002' >&3; cat <&3" >/dev/null
	check_is "half a handshake and silence: it is closed" 0 $?
	check_eventually "and told" failed_for "in time"
	check "the log says the same" grep -q "handshake.* failed, the last one: 10.99.1.2: " "$T/stockade.log"
	check_is "none of them has said anything" "$_messages" "$(of_listener messages)"
}

test_many() {
	_messages=$(of_listener messages)
	check "1,000 connections" many_start 1000 web1
	check_eventually "they are all there" connections_are $((1000 + $1))
	echo '<38>sshd[1]: one of many' >&9
	check_eventually "each is heard" messages_are $((_messages + 1000))
	check "none was closed" many_end
	check_eventually "they leave" connections_are "$1"
}

# Work that is no message must not keep the others waiting.
test_keys() {
	_flood=
	for _n in 1 2; do
		ip netns exec "$OUT" "$HELPERS/e2e-tls" 10.99.1.1 $PORT keys "$PKI/web2.pem" \
			"$PKI/web2.key" >>"$T/keys.log" 2>&1 &
		adopt $!
		_flood="$_flood $!"
	done
	check_eventually "two who send new keys without end" connections_are $(($1 + 2))
	for _n in 1 2 3; do
		say_once 10.99.1.1:$PORT 10.71.1.2 web1
	done
	check_eventually "others are heard meanwhile" in_set 10.71.1.2
	for _n in $_flood; do
		end_process "$_n"
	done
	check_eventually "they leave" connections_are "$1"
}

test_reloads() {
	_failures=$(failures counted)
	_porter=$(child_named stockade-porter)
	many_start 20 web1
	_guard=$(guard_pid)
	for _n in 1 2 3 4 5 6 7 8; do
		echo '<38>sshd[1]: Failed password for root from 10.71.2.1 port 4242 ssh2' >&9
		ctl reload >"$T/reload.log" 2>&1 || diag "reload: $(cat "$T/reload.log")"
	done
	echo '<38>sshd[1]: Failed password for root from 10.71.2.1 port 4242 ssh2' >&9
	check "reloads: another guard" test "$_guard" != "$(guard_pid)"
	check_is "the same porter" "$_porter" "$(child_named stockade-porter)"
	check_eventually "nothing is lost, nothing counted twice" failures_are $((_failures + 180)) counted
	check "and no connection was closed" many_end
}

# What has changed is what TLS goes by: senders are told good-bye and come again.
test_new_certificate() {
	_porter=$(child_named stockade-porter)
	cert_new loghost ours
	check "a reload with a new certificate" ctl reload
	check_eventually "there is another porter" is_another "$_porter" stockade-porter
	check_eventually "the one before leaves" not alive "$_porter"
	check_eventually "the sender comes again" comes_through web1 10.71.3.1
	cp "$PKI/loghost.key" "$PKI/right.key"
	cp "$PKI/db1.key" "$PKI/loghost.key"
	_porter=$(child_named stockade-porter)
	ctl reload >"$T/said" 2>&1
	check_is "a key that is not the certificate's: no reload" 2 $?
	check "which says why" grep -q "stockade.local:.*is not the key of the certificate" "$T/said"
	check_is "the porter goes on" "$_porter" "$(child_named stockade-porter)"
	check "stockade check says so, too" sh -c "'$STOCKADE' check -c '$CONF' | grep -q 'is not the key'"
	cp "$PKI/right.key" "$PKI/loghost.key"
	chmod 644 "$PKI/loghost.key"
	check "a key that others may read is an error" not "$STOCKADE" check -c "$CONF"
	chmod 600 "$PKI/loghost.key"
	check "as it should be: check has nothing against it" "$STOCKADE" check -c "$CONF"
}

broken_are() { # N
	[ "$(of_listener broken)" = "$1" ]
}

# half_a_line_of NAME: that much of it is sent, and the connection stays
half_a_line_of() {
	rm -f "$T/half"
	mkfifo "$T/half"
	_connections=$(of_listener connections)
	ip netns exec "$OUT" openssl s_client -connect 10.99.1.1:$PORT -quiet \
		-cert "$PKI/$1.pem" -key "$PKI/$1.key" <"$T/half" >"$T/try" 2>&1 &
	SENDER=$!
	adopt $SENDER
	exec 8>"$T/half"
	printf '<38>sshd[1]: Failed password for root from 10.71.4.1' >&8
	check_eventually "half a line" connections_are $((_connections + 1))
	sleep 0.5
}

# Whoever cuts a connection must not choose where a line ends.
test_half_a_line() {
	_messages=$(of_listener messages)
	_broken=$(of_listener broken)
	half_a_line_of web1
	kill -KILL "$SENDER"
	check_eventually "without a good-bye: half a line is none" broken_are $((_broken + 1))
	half_a_line_of web1
	kill -KILL "$(child_named stockade-porter)"
	check_eventually "nor when porter is killed" broken_are $((_broken + 2))
	exec 8>&-
	check_is "so no message has come" "$_messages" "$(of_listener messages)"
}

test_deaths() {
	_porter=$(child_named stockade-porter)
	kill -KILL "$_porter"
	check_eventually "porter killed: there is another" is_another "$_porter" stockade-porter
	check_eventually "and the sender comes again" comes_through web1 10.71.4.1
	_porter=$(child_named stockade-porter)
	_guard=$(guard_pid)
	kill -KILL "$_guard"
	check_eventually "guard killed: there is another" is_another "$_guard" stockade-guard
	check_eventually "and the sender comes again" comes_through web1 10.71.4.2
	check_is "porter is the same" "$_porter" "$(child_named stockade-porter)"
}

test_fingerprint() {
	configure "peers = $(fingerprint stranger)"
	check "peers by fingerprint, without ca" ctl reload
	_porter=$(child_named stockade-porter)
	for _n in 1 2 3; do
		say_once 10.99.1.1:$PORT 10.71.5.1 stranger
	done
	check_eventually "whose fingerprint it is may send" in_set 10.71.5.1
	# shellcheck disable=SC2046 # words
	refused "another certificate" "fingerprint" $(as web1)
	configure "ca = $PKI/ours.pem" 'from = 192.0.2.0/24'
	check "from: somebody else's addresses" ctl reload
	check_eventually "refused at the door" refused_at_the_door
}

test_end() {
	_porter=$(child_named stockade-porter)
	daemon_stop
	check_is "SIGTERM: exit 0" 0 $?
	check_eventually "porter is gone with it" not alive "$_porter"
	check "started again" daemon_start
	_porter=$(child_named stockade-porter)
	kill -KILL "$STOCKADE_PID"
	wait "$STOCKADE_PID" 2>/dev/null
	check_eventually "keeper killed: porter goes, too" not alive "$_porter"
}

[ -x "$HELPERS/e2e-tls" ] || skip_all "built without TLS"
mkdir -m 755 "$PKI"
certificates() {
	ca_new ours && ca_new others && cert_new loghost ours && cert_new web1 ours &&
		cert_new web2 ours && cert_new db1 ours && cert_new stranger others &&
		cert_new late ours -days -1
}

certificates || skip_all "cannot make certificates: $(tail -n 1 "$T/openssl.log")"
chmod 644 "$PKI"/web?.key # rsyslogd may run as somebody else
ns_new OUT out && ns_link "$NS" "$OUT" 1
configure "ca = $PKI/ours.pem" 'peers = web*'
if ! daemon_start; then
	not_ok "the daemon starts"
	finish
fi
test_rsyslog
test_syslog_ng
test_ipv6
test_nobody_there
test_refusals
test_many "$(of_listener connections)"
test_keys "$(of_listener connections)"
test_reloads
test_new_certificate
test_half_a_line
test_deaths
test_fingerprint
test_end
finish
