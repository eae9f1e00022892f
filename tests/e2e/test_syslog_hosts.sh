#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck disable=SC1091,SC2034,SC2119,SC2129,SC2154,SC2317
#
# A log host that also routes for two servers, which send it what they log. Which messages a jail reads,
# and whom a ban is for.

needs="logger unshare bash timeout seq"
. "${0%/*}/lib.sh"

PORT=5614
WEB1=10.99.1.2
WEB2=10.99.2.2
ATTACKER=10.99.3.2
ATTACKER6=fd00:99:3::2

set_up_network() {
	ns_new N1 web1 && ns_new N2 web2 && ns_new N3 bad || return 1
	ns_link "$NS" "$N1" 1 && ns_link "$NS" "$N2" 2 && ns_link "$NS" "$N3" 3 || return 1
	_net=1
	for _ns in "$N1" "$N2" "$N3"; do
		ip -n "$_ns" route add default via 10.99.$_net.1 || return 1
		ip -n "$_ns" -6 route add default via fd00:99:$_net::1 || return 1
		_net=$((_net + 1))
	done
	ip netns exec "$NS" sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward &&
		echo 1 >/proc/sys/net/ipv6/conf/all/forwarding'
}

# A packet to a closed port is refused at once; dropped, it is never answered.
reaches() { # SERVER [FROM_NAMESPACE]
	timeout 2 ip netns exec "${2:-$N3}" bash -c "exec 3<>/dev/tcp/$1/22" 2>"$T/connect.log"
	grep -qi refused "$T/connect.log"
}

says() { # NAMESPACE HOSTNAME TAG PRIORITY TEXT...: by a real logger, on a machine of that name
	_from=$1 _name=$2 _tag=$3 _pri=$4
	shift 4
	# shellcheck disable=SC2016
	ip netns exec "$_from" unshare --uts sh -c 'echo "$1" >/proc/sys/kernel/hostname; shift
		exec logger -d -P '$PORT' "$@"' sh "$_name" -n "$LOGHOST" -t "$_tag" --id=4711 \
		-p "$_pri" "$@"
}

thrice() { # COMMAND...
	"$@" && "$@" && "$@"
}

failed() { # ADDRESS
	echo "Failed password for root from $1 port 4242 ssh2"
}

probe() { # ADDRESS
	echo "$1 - - [$(date '+%d/%b/%Y:%H:%M:%S %z')] \"GET /phpMyAdmin-2/ HTTP/1.1\" 404 153 \"-\" \"-\""
}

messages() { # so many have come
	status_of syslog 0 messages
}

messages_are() { # N
	[ "$(messages)" -eq "$1" ]
}

status_is() { # N KEY...
	_wanted=$1
	shift
	[ "$(status_of "$@")" = "$_wanted" ]
}

over_rate_is_counted() {
	[ "$(status_of losses syslog_over_rate)" -gt 0 ]
}

settings() { # LINE...: of [syslog]
	printf '[syslog]\nlisten = udp://[::]:%s\n' $PORT >>"$CONF/stockade.local"
	printf '%s\n' "$@" >>"$CONF/stockade.local"
}

config() {
	make_conf <<-EOF
		[DEFAULT]
		source = syslog
		maxretry = 3
		[sshd]
		enabled = false
		[each]
		enabled = true
		filter = sshd
		port = 22
		facility = auth authpriv
		program = sshd
		host = web1=$WEB1,fd00:99:1::2 web2=$WEB2
		scope = host
		[both]
		enabled = true
		filter = sshd
		port = 22
		facility = local3
		host = web1 web2
		[sender]
		enabled = true
		filter = sshd
		port = 24
		facility = local4
		host = $WEB1
		[probes]
		enabled = true
		program = nginx
		syslogtext = message
		port = 80
		failregex = ^<ADDR> - \\S+ \\[\\] "GET /phpMyAdmin\\S* [^"]*" 404 
		filter =
		[pairs]
		enabled = true
		filter = pairs
		program = pairs
		host = web1
		port = 25
	EOF
	cat >"$CONF/filter.d/pairs.conf" <<-'EOF'
		[Definition]
		maxlines = 3
		failregex = ^\s*\S+ pairs\[\d+\]: begin (?P<id>\d)$<SKIPLINES>^\s*\S+ \w+\[\d+\]: end (?P=id) from <HOST>$
	EOF
	settings "from = 10.99.1.0/24 10.99.2.0/24 fd00:99:1::/64 127.0.0.0/8"
}

set_up_network >"$T/network.log" 2>&1 || skip_all "cannot set up the network: $(cat "$T/network.log")"
config
check "check has nothing to say against it" "$STOCKADE" check -c "$CONF" --strict --no-lint
if ! daemon_start; then
	not_ok "the daemon starts"
	finish
fi
check "before: the attacker reaches one server" reaches $WEB1
check "before: and the other" reaches $WEB2

# --- a ban for one host ---
LOGHOST=10.99.1.1
thrice says "$N1" web1 sshd auth.info --rfc3164 "$(failed $ATTACKER)"
check_eventually "an attack that web1 logs: a ban of web1's jail" is_banned $ATTACKER each@web1
check "web2's jail has none" not is_banned $ATTACKER each@web2
check "packets to web1 are dropped" not reaches $WEB1
check "packets to web2 pass" reaches $WEB2
check "and those to the log host itself" reaches 10.99.3.1
check "others reach web1" reaches $WEB1 "$N2"
check "explain names the jail" sh -c "'$STOCKADE' explain --socket '$SOCK' $ATTACKER | grep -q each@web1"
check_is "status says where its packets go" $WEB1 "$(status_of jails each@web1 to 0)"
check_is "and of a jail for all nothing" 0 "$(status_of jails both to '#')"
check "a reload" ctl reload
check_eventually "leaves the ban" is_banned $ATTACKER each@web1
daemon_stop
check "no daemon: the kernel still drops" not reaches $WEB1
check "what goes to web1 alone" reaches $WEB2
daemon_start || not_ok "the daemon starts again"
check "and the next daemon knows" is_banned $ATTACKER each@web1
check "unban by hand, by the jail's whole name" ctl unban --jail each@web1 $ATTACKER
check "the attacker reaches web1 again" reaches $WEB1
check "ban by hand, for web2" ctl ban each@web2 $ATTACKER
check "packets to web2 are dropped" not reaches $WEB2
check "packets to web1 pass" reaches $WEB1
ctl ban each $ATTACKER >"$T/bare.log" 2>&1
check_is "the bare name is none" 2 $?
check "and what it stands for is told" grep -qF "'each@web1', 'each@web2'" "$T/bare.log"
ctl unban $ATTACKER >/dev/null
says "$N1" web1.example.org sshd authpriv.notice --rfc5424 "$(failed 10.70.0.1)"
says "$N1" web1 sshd auth.info --rfc5424 "$(failed 10.70.0.1)"
ip netns exec "$N1" bash -c "echo '<38>sshd[1]: $(failed 10.70.0.1)' >/dev/udp/$LOGHOST/$PORT"
check_eventually "by its long name, its short one, and its address without a name" \
	is_banned 10.70.0.1 each@web1
LOGHOST=fd00:99:1::1
thrice says "$N1" web1 sshd auth.info "$(failed $ATTACKER6)"
check_eventually "by IPv6" is_banned $ATTACKER6 each@web1
check "packets to web1 are dropped" not reaches fd00:99:1::2
check "packets to web2 pass" reaches fd00:99:2::2
LOGHOST=10.99.1.1

# --- what does not count ---
_before=$(messages)
thrice says "$N1" web1 su auth.info "$(failed 10.70.0.2)"
thrice says "$N1" web1 sshd mail.info "$(failed 10.70.0.3)"
thrice says "$N1" web3 sshd auth.info "$(failed 10.70.0.4)"
thrice says "$N1" web1 sshd local4.info "$(failed 10.70.0.5)"
LOGHOST=10.99.2.1
thrice says "$N2" $WEB1 sshd local4.info "$(failed 10.70.0.6)"
thrice says "$N2" web1 sshd auth.info "$(failed 10.70.0.7)"
check_eventually "all of that has come" messages_are $((_before + 18))
check_eventually "who sent it counts, if that is asked for" is_banned 10.70.0.5 sender
check "another program does not" not ctl explain 10.70.0.2
check "nor another facility" not ctl explain 10.70.0.3
check "nor another host" not ctl explain 10.70.0.4
check "nor who only calls himself by that address" not ctl explain 10.70.0.6
check_eventually "a name is believed from all who may send" is_banned 10.70.0.7 each@web1

# --- a ban for all ---
LOGHOST=10.99.1.1
thrice says "$N1" web1 sshd local3.info "$(failed $ATTACKER)"
check_eventually "scope = all: a ban of the one jail" is_banned $ATTACKER both
check "packets to web1 are dropped" not reaches $WEB1
check "packets to web2, too" not reaches $WEB2
ctl unban $ATTACKER >/dev/null
check "until it is over" reaches $WEB2

# --- the text alone ---
thrice says "$N1" web1 nginx local7.info --rfc3164 "$(probe 10.70.1.1)"
thrice says "$N1" web1 apache local7.info --rfc3164 "$(probe 10.70.1.2)"
check_eventually "syslogtext = message: a web server's lines, as it writes them" \
	is_banned 10.70.1.1 probes
check "those of another program are not read" not ctl explain 10.70.1.2

# --- several lines at once ---
for _id in 1 2 3; do
	says "$N1" web1 pairs user.info "begin $_id"
	says "$N2" web2 pairs user.info "end $_id from 10.70.2.2"
	says "$N1" web1 others user.info "end $_id from 10.70.2.3"
	says "$N2" web2 pairs user.info "begin $_id"
	says "$N1" web1 pairs user.info "end $_id from 10.70.2.1"
done
check_eventually "a filter that looks at several lines sees only those that it is for" \
	is_banned 10.70.2.1 pairs
check "and finds nothing in others" not ctl explain 10.70.2.2
check "nor of other programs" not ctl explain 10.70.2.3

# --- what a syslog daemon has written to a file ---
for _n in 1 2 3; do
	for _line in "web1 sshd[1]: $(failed 10.70.4.1)" "web2 sshd[1]: $(failed 10.70.4.2)" \
		"web1 su[1]: $(failed 10.70.4.3)" "web3 sshd[1]: $(failed 10.70.4.4)"; do
		echo "$(date '+%b %e %H:%M:%S') $_line"
	done
done >"$T/messages"
"$STOCKADE" replay -c "$CONF" -j each --json "$T/messages" 2>"$T/replay.log" |
	"$HELPERS/e2e-json" jail >"$T/replayed"
check_is "replay goes by program and host as well" "each@web1 each@web2" \
	"$(sort "$T/replayed" | paste -sd ' ')"

# --- who may send, and how much ---
LOGHOST=10.99.3.1
thrice says "$N3" web1 sshd auth.info "$(failed 10.70.3.1)"
check_eventually "who may not send is counted" status_is 3 losses syslog_refused
check "and not heard" not ctl explain 10.70.3.1
check "status says so" sh -c "'$STOCKADE' status --socket '$SOCK' |
	grep -q '3 syslog messages from who may not send'"
sed -i 's/^from = .*/&\nrate = 20/' "$CONF/stockade.local"
ctl reload >"$T/reload.log" 2>&1 || diag "$(cat "$T/reload.log")"
LOGHOST=10.99.1.1
seq 200 | ip netns exec "$N1" logger -d -n $LOGHOST -P $PORT -t sshd -p auth.info
check_eventually "over its rate a sender is cut off, which is counted" over_rate_is_counted
LOGHOST=10.99.2.1
thrice says "$N2" web2 sshd auth.info "$(failed 10.70.3.2)"
check_eventually "another one is not" is_banned 10.70.3.2 each@web2
daemon_stop
check_is "SIGTERM: exit 0" 0 $?
finish
