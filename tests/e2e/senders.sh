# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2154
#
# What the tests of syslog's senders share; to be sourced after lib.sh. The daemon listens in every
# way there is, with fail2ban's sshd jail, and whoever sends brings three failures of an address of
# its own to it: it has to be banned, and what was counted has to be those three, exactly.

PORT=5614
LOCAL=$T/run/log
LOCAL_STREAM=$T/run/stream
IN=$T/in # sockets that programs take messages at
UDP=udp://127.0.0.1:$PORT
TCP=tcp://127.0.0.1:$PORT
n_proved=0 # failures that were meant

listen_everywhere() { # [LINE...]: of [syslog]; after make_conf
	{
		echo "[syslog]"
		echo "listen = $UDP udp://[::1]:$PORT $TCP tcp://[::1]:$PORT"
		echo "	unix://$LOCAL unix-stream://$LOCAL_STREAM"
		printf '%s\n' "$@"
	} >>"$CONF/stockade.local"
	mkdir -p "$IN"
}

sshd_jail() {
	make_conf <<-END
		[DEFAULT]
		source = syslog
		maxretry = 3
		[sshd]
		enabled = true
		port = 22
	END
}

messages() { # LISTENER: how many came
	status_of syslog "$1" messages
}

messages_are() { # LISTENER N
	[ "$(messages "$1")" = "$2" ]
}

failed_login() { # ADDRESS [NUMBER]: what sshd says
	echo "Failed password for root from $1 port $((50000 + ${2:-0})) ssh2"
}

# TEXT LISTENER ADDRESS COMMAND...: the command, with a message added, is run three times.
proves() {
	_what=$1 _listener=$2 _who=$3
	shift 3
	_had=$(failures)
	_sent=$(messages "$_listener")
	for _n in 1 2 3; do
		ip netns exec "$NS" "$@" "$(failed_login "$_who" $_n)" >>"$T/sender.log" 2>&1
	done
	check_eventually "$_what" in_set "$_who"
	check_is "$_what: three failures" $((_had + 3)) "$(failures)"
	n_proved=$((n_proved + 3))
	check_is "$_what: three messages" $((_sent + 3)) "$(messages "$_listener")"
}

# NAME ADDRESS...: through the socket that a program takes messages at, as a program with syslog(3).
proves_relay() { # TEXT LISTENER ADDRESS SOCKET
	proves "$1" "$2" "$3" logger -u "$IN/$4" -t sshd --id=4711 -p auth.info
}

# Somebody's name has line breaks and a whole message in it: one failure, and not of whom he names.
forges_nothing() { # TEXT ADDRESS SOCKET
	_had=$(failures)
	printf '<38>%s sshd[4711]: Failed password for invalid user a\n<38>%s\nb from %s port 4 ssh2' \
		"$(date '+%b %e %H:%M:%S')" "sshd[4711]: $(failed_login 10.70.9.9)" "$2" >"$T/bytes"
	socat -u "OPEN:$T/bytes" "UNIX-SENDTO:$IN/$3" >>"$T/sender.log" 2>&1
	check_eventually "$1: a message in a message" grep -qF "Found $2 " "$T/stockade.log"
	n_proved=$((n_proved + 1))
	check_is "$1: one failure" $((_had + 1)) "$(failures)"
	check "$1: none that was made up" not grep -qF "Found 10.70.9.9 " "$T/stockade.log"
}
