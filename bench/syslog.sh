# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2016,SC2034,SC2046,SC2086,SC2154,SC2317
#
# The section of bench/run that has syslog messages sent: how many are taken, what of them is lost, how long a ban
# takes meanwhile; beside rsyslog that writes them to a file which fail2ban follows. Who takes them, with all of
# its processes, runs on one core, the sender on another.

SYSLOG_PORT=5614
SYSLOG_UDP=udp://127.0.0.1:$SYSLOG_PORT
SYSLOG_TCP=tcp://127.0.0.1:$SYSLOG_PORT
SYSLOG_UNIX=unix://$T/var/log.sock
SYSLOG_STREAM=unix-stream://$T/var/stream.sock
SYSLOG_FILE=$T/var/syslog.log
SENDER_CORE=$((CORE > 0 ? CORE - 1 : CORE + 1))
FIRST=${realtime:+chrt -r 1}
ATTACKERS='198.18.0.0/15 2001:db8::/32' # bench-loggen's

in_ns() { # COMMAND...: on the sender's core
	ip netns exec "$NS" $FIRST taskset -c "$SENDER_CORE" "$@"
}

send() { # LOG ARGUMENT...: says what bench-sender says
	_log=$1
	shift
	in_ns "$BENCH/bench-sender" "$@" <"$T/var/$_log.messages"
}

# 200,000 different ones; more are the same again.
make_messages() {
	for _share in ordinary:0.02 attack:0.6; do
		"$BENCH/bench-loggen" auth -n 200000 -a "${_share#*:}" >"$T/var/${_share%:*}.messages" || return 1
	done
}

# Everything in the namespace onto $CORE.
pin_all() {
	for _pid in $(ip netns pids "$NS"); do
		taskset -apc "$CORE" "$_pid" >/dev/null 2>&1
		[ -z "$FIRST" ] || chrt -a -r -p 1 "$_pid" 2>/dev/null
	done
}

# ---- those who are measured ----

stockade_listen() { # [LINE...]: of the jail
	rm -rf "$STATE" "$CONF" && mkdir "$STATE" && cp -r "$DIR" "$CONF" && rm -rf "$CONF"/jail.d/* || return 1
	{
		printf '[sshd]\nenabled = true\nsource = syslog\nmaxretry = %s\n' $RETRY
		for _line; do
			echo "$_line"
		done
	} >"$CONF/jail.local"
	{
		printf '[Definition]\nlogtarget = STDERR\n'
		id -u stockade >/dev/null 2>&1 || echo 'user = nobody'
		echo "[syslog]"
		echo "listen = $SYSLOG_UDP $SYSLOG_TCP $SYSLOG_UNIX $SYSLOG_STREAM"
	} >"$CONF/stockade.local"
	: >"$T/stockade.log"
	nft_in flush ruleset
	daemon_start && pin_all
}

# What rsyslog writes fail2ban follows. Nobody is banned of those whom the log is full of: fail2ban takes so long
# for a ban that nothing else would be measured.
fail2ban_listen() {
	AUTH_LOG=$SYSLOG_FILE
	rm -f "$SYSLOG_FILE" && : >"$SYSLOG_FILE"
	cat >"$T/rsyslog.conf" <<-END
		module(load="imudp")
		module(load="imtcp")
		input(type="imudp" address="127.0.0.1" port="$SYSLOG_PORT" rcvbufSize="8m")
		input(type="imtcp" address="127.0.0.1" port="$SYSLOG_PORT")
		action(type="omfile" file="$SYSLOG_FILE" template="RSYSLOG_TraditionalFileFormat")
	END
	nft_in flush ruleset
	ip netns exec "$NS" rsyslogd -n -f "$T/rsyslog.conf" -i "$T/rsyslog.pid" >"$T/rsyslog.log" 2>&1 &
	rsyslog=$!
	adopt $rsyslog
	fail2ban_start "ignoreip = $ATTACKERS" && eventually test -s "$T/rsyslog.pid" && pin_all
}

listen() { # WHO [LINE...]
	_who=$1
	shift
	"${_who}_listen" "$@" >"$T/start.log" 2>&1 && return 0
	say "$_who does not start"
	diagnose >&2
	return 1
}

# ---- counting ----

taken() { # URL: messages that guard has judged
	status_of jails sshd sources "$1" lines
}

received() { # URL: messages that came to guard, and were not turned away
	case $1 in
	"$SYSLOG_UDP") status_of syslog 0 messages ;; # in the order of `listen`
	"$SYSLOG_TCP") status_of syslog 1 messages ;;
	"$SYSLOG_UNIX") status_of syslog 2 messages ;;
	*) status_of syslog 3 messages ;;
	esac
}

# In all of the namespace: what found no room in a socket.
kernel_dropped() {
	ip netns exec "$NS" awk '/^Udp: [0-9]/ { print $6 }' /proc/net/snmp
}

# take URL LOG ARGUMENT...: sends, waits until all that was not dropped is judged. Sets SENT, TOOK, LATE, RECEIVED,
# TAKEN, DROPPED (by the kernel), ALL_SECONDS (until the last was judged), CPU (guard's seconds).
take() {
	_url=$1 _messages=$2
	shift 2
	_guard=$(guard_pid)
	_received=$(received "$_url") _taken=$(taken "$_url") _dropped=$(kernel_dropped)
	_used=$(used_ns "$_guard") _from=$(date +%s%N)
	send "$_messages" "$@" "$_url" >"$T/sent" || return 1
	read -r SENT TOOK LATE <"$T/sent"
	_end=$(($(date +%s) + PATIENCE))
	while :; do
		TAKEN=$(($(taken "$_url") - _taken)) DROPPED=$(($(kernel_dropped) - _dropped))
		if [ $((TAKEN + DROPPED)) -ge "$SENT" ] || [ "$(date +%s)" -ge $_end ]; then break; fi
	done
	ALL_SECONDS=$(calc %.3f "($(date +%s%N) - $_from) / 1e9")
	RECEIVED=$(($(received "$_url") - _received))
	CPU=$(calc %.3f "($(used_ns "$_guard") - $_used) / 1e9")
}

# ---- tables ----

row_taken() { # NAME RATE: of the last take; false if messages are missing that the kernel did not drop
	row "$1" "$2" "$(calc %.0f "$SENT / $TOOK")" "$SENT" "$RECEIVED" "$TAKEN" "$DROPPED" \
		"$((SENT - TAKEN - DROPPED))" \
		"$(calc '%.0f %%' "100 * $CPU / $TOOK")" "$(calc %.0f "$CPU / ($TAKEN + 1) * 1e9")"
	[ "$SENT" -eq $((TAKEN + DROPPED)) ]
}

paced() {
	_failed=0
	table_begin "Syslog messages at a steady rate for $SYSLOG_SECONDS s, sshd, daemon on one core" \
		'' wanted/s sent/s sent received judged 'dropped by the kernel' 'lost by us' "guard's core" 'ns a message'
	for _what in "UDP $SYSLOG_UDP 100000" "Unix $SYSLOG_UNIX 500000" "Unix,_stream $SYSLOG_STREAM 500000" \
		"TCP $SYSLOG_TCP 500000" "TCP,_RFC_5424,_counted $SYSLOG_TCP 500000 -f 5424 -o"; do
		set -- $_what
		for _kind in ordinary attack; do
			say "  $(echo "$1" | tr _ ' '), $_kind, $3/s"
			listen stockade || return 1
			take "$2" $_kind -r "$3" -n $(($3 * SYSLOG_SECONDS)) $4 $5 $6 || return 1
			row_taken "$(echo "$1" | tr _ ' '), $_kind" "$(human "$3")" || _failed=1
			daemon_stop
		done
	done
	table_end "sent = judged + dropped by the kernel + lost by us"
	return $_failed
}

# The highest rate of which nothing is lost, to within one part in 16, and no higher than the sender gets.
udp_most() { # LOG
	_low=50000
	take $SYSLOG_UDP "$1" -n 200000 || return 1
	_high=$(calc %.0f "$SENT / $TOOK")
	_limit=$_high
	[ "$DROPPED" -gt 0 ] || _low=$_high
	while [ $((_high - _low)) -gt $((_low / 16)) ]; do
		_mid=$(((_high + _low) / 2))
		take $SYSLOG_UDP "$1" -r $_mid -n $((_mid * SYSLOG_SECONDS / 4 + 1)) || return 1
		[ "$DROPPED" -eq 0 ] && _low=$_mid || _high=$_mid
	done
	MOST=$_low
}

# As fast as they are taken, where the sender is made to wait.
stream_most() { # URL LOG ARGUMENT...
	_url=$1 _messages=$2
	shift 2
	take "$_url" "$_messages" -n "$SYSLOG_MANY" "$@" || return 1
	MOST=$(calc %.0f "$TAKEN / $ALL_SECONDS")
}

# What the sender gets rid of where nobody looks at it.
sink_most() { # URL MESSAGES
	rm -f "$T/sink" # what an earlier one said
	ip netns exec "$NS" $FIRST taskset -c "$CORE" "$BENCH/bench-sink" "$1" >"$T/sink" &
	_sink=$!
	adopt $_sink
	eventually grep -q ready "$T/sink" && send ordinary -n "$2" "$1" >"$T/sent" && wait $_sink &&
		awk '/^[0-9]/ { printf "%.0f\n", $1 / ($2 + 1e-6) }' "$T/sink"
}

most() {
	table_begin "The most syslog messages a second without loss, sshd, daemon on one core" \
		'' ordinary attack 'sent to a sink' goal ''
	for _what in "UDP $SYSLOG_UDP udp" "Unix $SYSLOG_UNIX stream" "Unix,_stream $SYSLOG_STREAM stream" \
		"TCP $SYSLOG_TCP stream" "TCP,_1000_connections $SYSLOG_TCP stream -c 1000" \
		"TCP,_RFC_5424,_counted $SYSLOG_TCP stream -f 5424 -o"; do
		set -- $_what
		_sunk=$(sink_most "$2" "$([ "$3" = udp ] && echo 500000 || echo "$SYSLOG_MANY")") || return 1
		_row=
		for _kind in ordinary attack; do
			say "  $(echo "$1" | tr _ ' '), $_kind, as many as are taken"
			listen stockade || return 1
			case $3 in
			udp) udp_most $_kind || return 1 ;;
			stream) stream_most "$2" $_kind $4 $5 $6 || return 1 ;;
			esac
			daemon_stop
			_row="$_row$MOST "
		done
		set -- "$1" $_row
		_least=$(printf '%s\n' "$2" "$3" | sort -n | head -n 1)
		row "$(echo "$1" | tr _ ' ')" "$(human "$2")" "$(human "$3")" "$(human "$_sunk")" \
			"$(goal "$(calc %.0f "$_least / 1000")" '>=' "$([ "$1" = UDP ] && echo 100 || echo 500)" ' k')"
	done
	table_end "sent to a sink: ordinary ones, of which nothing is made but a count"
}

marker_is_banned() {
	nft_in list ruleset | grep -qF 10.50.0.1
}

# How many a second until the last three, for which somebody is banned, are through.
fail2ban_most() { # LOG
	"$BENCH/bench-loggen" auth -n "$SYSLOG_FEW" -a "$([ "$1" = attack ] && echo 0.6 || echo 0.02)" \
		>"$T/var/marked.messages" && fail_times $RETRY 10.50.0.1 "$T/var/marked.messages"
	_from=$(date +%s%N)
	send marked -n $((SYSLOG_FEW + RETRY)) $SYSLOG_TCP >"$T/sent" && eventually marker_is_banned || return 1
	MOST=$(calc %.0f "($SYSLOG_FEW + $RETRY) / (($(date +%s%N) - $_from) / 1e9)")
}

beside_fail2ban() {
	table_begin "Syslog messages a second over TCP until the last is judged, one core" \
		'' ordinary attack
	_ours='' _theirs='' _ratio=
	for _kind in ordinary attack; do
		say "  $_kind, beside rsyslog and fail2ban"
		listen stockade && stream_most $SYSLOG_TCP $_kind || return 1
		daemon_stop
		_our=$MOST
		listen fail2ban && fail2ban_most $_kind || return 1
		peer_stop
		_ours="$_ours $(human "$_our" | tr ' ' _)" _theirs="$_theirs $(human "$MOST" | tr ' ' _)"
		_ratio="$_ratio $(calc %.0f "$_our / $MOST")_×"
	done
	row Stockade $_ours
	row 'rsyslog, a file, fail2ban' $_theirs
	row 'Stockade is' $_ratio
	sed -i 's/_/ /g' "$T/table"
	table_end "fail2ban bans only one at the end, Stockade all whom it finds"
}

# The delay of bans while, or at the end of SYSLOG_SECONDS in which, so many messages a second come.
delay() { # WHO RATE SINGLES NAME
	listen "$1" || return 1
	send ordinary -r "$2" -n $(($2 * SYSLOG_SECONDS)) $SYSLOG_UDP >"$T/sent" &
	_sender=$!
	adopt $_sender
	case $1 in
	fail2ban) wait $_sender ;;
	*) sleep 1 ;;
	esac
	in_ns "$BENCH/bench-latency" $SYSLOG_UDP $RETRY "$3" single >"$T/result"
	wait $_sender
	row "$4" "$(human "$2")" $(awk '{ printf "%.1f %.1f", $2 / 1000, $5 / 1000 }' "$T/result") \
		"$(cut -d ' ' -f 1 "$T/result") of $3"
}

delays() { # RATES, for fail2ban
	table_begin "From the last failing message ($RETRY a ban) to the ban, while others come over UDP" \
		ms messages/s median longest bans
	for _rate in 1000 10000 100000; do
		say "  delay at $_rate/s"
		delay stockade $_rate "$SINGLES" Stockade || return 1
		daemon_stop
	done
	for _rate in $1; do
		say "  delay at $_rate/s, rsyslog and fail2ban"
		delay fail2ban $_rate 1 'rsyslog, a file, fail2ban' || return 1
		peer_stop
	done
	table_end ${1:+"of fail2ban after $SYSLOG_SECONDS s of so many messages, of Stockade from the first second on"}
}

# Messages wait in the socket while one guard goes and the next comes.
reloads() {
	table_begin "Five reloads while 100,000 messages a second come over UDP" \
		'' sent 'dropped by the kernel'
	say "  reloads"
	listen stockade || return 1
	_dropped=$(kernel_dropped)
	send ordinary -r 100000 -n $((100000 * SYSLOG_SECONDS)) $SYSLOG_UDP >"$T/sent" &
	_sender=$!
	adopt $_sender
	for _n in 1 2 3 4 5; do
		sleep "$(calc %.2f "$SYSLOG_SECONDS / 6")"
		ctl reload >/dev/null || return 1
		pin_all
	done
	wait $_sender || return 1
	row Stockade "$(cut -d ' ' -f 1 "$T/sent")" "$(($(kernel_dropped) - _dropped))"
	daemon_stop
	table_end
}

section_syslog() {
	_bad_syslog=0 _peer_rates=
	ip netns exec "$NS" sysctl -qw net.unix.max_dgram_qlen=512 # as systemd has it
	make_messages || return 1
	paced || _bad_syslog=1
	most || return 1
	reloads || return 1
	if has fail2ban-server && has rsyslogd; then
		beside_fail2ban || return 1
		_peer_rates='1000 10000 30000 100000'
	fi
	delays "$_peer_rates" || return 1
	return $_bad_syslog
}
