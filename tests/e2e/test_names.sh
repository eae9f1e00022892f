#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck disable=SC1091,SC2034,SC2119,SC2129,SC2016,SC2154,SC2317
#
# Host names: in logs (usedns), in ignoreip, of an address that ignorecommand asks about. A name server
# of our own answers, in the namespace of the daemon, which finds it in a resolv.conf of its own.

needs="dnsmasq unshare"
. "${0%/*}/lib.sh"

LOG=$T/var/app.log
ZONE=$T/zone

dns_start() {
	ip netns exec "$NS" dnsmasq --keep-in-foreground --no-resolv --no-hosts --no-daemon \
		--log-queries --log-facility="$T/dns.log" --pid-file= --user=root \
		--listen-address=127.0.0.53 --bind-interfaces --conf-file="$ZONE" >/dev/null 2>&1 &
	DNS_PID=$!
	adopt $DNS_PID
	eventually grep -q started "$T/dns.log"
}

dns_stop() {
	end_process "$DNS_PID"
}

asked() { # NAME: how often the name server was; its letters may be large or small
	grep -ci "query\[A\] $1 from" "$T/dns.log"
}

was_asked() { # NAME
	[ "$(asked "$1")" -gt 0 ]
}

has_herald() {
	[ -n "$(child_named stockade-herald)" ]
}

field() { # PID NAME
	sed -n "s/^$2:[[:space:]]*//p" "/proc/$1/status"
}

# The names' resolv.conf is seen by this daemon only.
run_with_resolv_conf() {
	ip netns exec "$NS" unshare --mount sh -c '
		mount --bind "$1" /etc/resolv.conf && mount --bind "$2" /etc/hosts && shift 2 && exec "$@"
		' sh "$T/resolv.conf" "$T/hosts" "$STOCKADE" run -c "$CONF" --state "$STATE" \
		--socket "$SOCK" >>"$T/stockade.log" 2>&1 &
	STOCKADE_PID=$!
	adopt $STOCKADE_PID
	eventually daemon_answers
}

bad() { # JAIL NAME [COUNT]
	_n=${3:-3}
	while [ "$_n" -gt 0 ]; do
		printf '%s %s: bad from %s user root\n' "$(date '+%Y-%m-%d %H:%M:%S')" "$1" "$2" >>"$LOG"
		_n=$((_n - 1))
	done
}

looked_up() { # KEY WANTED
	[ "$(status_of names "$1")" = "$2" ]
}

config() {
	make_conf <<-EOF
		[DEFAULT]
		source = file
		maxretry = 3
		logpath = $LOG
		enabled = true
		[sshd]
		enabled = false
		[warn]
		usedns = warn
		ignoreip = 127.0.0.1 friend.test moving.test
		[yes]
		usedns = yes
		[no]
		usedns = no
		[raw]
		usedns = raw
		[host]
		ignorecommand = test "<ip-host>" = crawler.test
		ignorecache = key="<ip-host>"
	EOF
	for _jail in warn yes no raw host; do
		printf '[Definition]\nfailregex = ^ %s: bad from <HOST> user\n' $_jail \
			>"$CONF/filter.d/$_jail.conf"
	done
	cat >"$ZONE" <<-EOF
		address=/one.test/10.50.0.1
		host-record=two.test,10.50.0.2,fd00:50::2
		host-record=two.test,10.50.0.3
		address=/friend.test/10.50.0.9
		host-record=moving.test,10.50.0.77
		host-record=crawler.test,10.50.0.88
		ptr-record=89.0.50.10.in-addr.arpa,"x; exit 0 #"
		address=/none.test/
		local=/test/
	EOF
	_i=1
	while [ $_i -le 25 ]; do
		echo "host-record=many.test,10.51.0.$_i" >>"$ZONE"
		_i=$((_i + 1))
	done
	echo "nameserver 127.0.0.53" >"$T/resolv.conf"
	echo "10.50.0.40 file.test" >"$T/hosts"
}

test_usedns() {
	bad yes one.test
	check_eventually "a name is looked up, its address banned" in_set 10.50.0.1 yes
	check_is "and asked for once" 1 "$(asked one.test)"
	bad yes two.test
	check_eventually "every address of a name is banned" in_set 10.50.0.2 yes
	check_eventually "and this" in_set 10.50.0.3 yes
	check_eventually "and IPv6" in_set fd00:50::2 yes
	bad warn one.test
	check_eventually "usedns = warn: banned too" in_set 10.50.0.1 warn
	check "and warned of" grep -qF \
		"[warn] Determined IP using DNS Lookup: one.test = {10.50.0.1}" "$T/stockade.log"
	check_is "what is known is not asked for again" 1 "$(asked one.test)"
	bad yes file.test
	check_eventually "names in /etc/hosts count" in_set 10.50.0.40 yes
	bad no three.test
	bad raw four.test
	check_eventually "usedns = raw: the name is counted" failures_are 3 raw
	check_is "usedns = no: nobody is asked" 0 "$(asked three.test)"
	check_is "nor for raw" 0 "$(asked four.test)"
}

test_herald() {
	h=$(child_named stockade-herald)
	check_is "herald has no capabilities" "0000000000000000 0000000000000000 0000000000000000" \
		"$(field "$h" CapEff) $(field "$h" CapPrm) $(field "$h" CapBnd)"
	check "herald is not root" [ "$(field "$h" Uid | cut -f 1)" != 0 ]
	check_is "herald has no other groups" "" "$(field "$h" Groups | tr -d ' ')"
	check_is "herald has a seccomp filter" 2 "$(field "$h" Seccomp)"
	check_is "herald can gain no privileges" 1 "$(field "$h" NoNewPrivs)"
	check_is "herald's root is empty" "" "$(ls -A "/proc/$h/root/")"
	check "and will stay so" not touch "/proc/$h/root/x"
	check_is "herald holds no file and no folder" "" "$(files_of "$h")"
	kill -KILL "$h"
	bad yes five.test
	check_eventually "herald killed: another answers" looked_up not_found 1
	check_is "guard is the same" "$g" "$(guard_pid)"
	h=$(child_named stockade-herald)
	# Read by none that runs now; the next one may begin as soon as guard does.
	echo "10.50.0.41 late.test" >>"$T/hosts"
	check "a reload" ctl reload
	check_eventually "ends herald" not alive "$h"
	bad yes late.test
	check_eventually "the next has read its files anew" in_set 10.50.0.41 yes
}

test_end() {
	h=$(child_named stockade-herald)
	kill -KILL "$STOCKADE_PID"
	wait "$STOCKADE_PID" 2>/dev/null
	check_eventually "keeper killed: herald goes too" not alive "$h"
}

files_of() { # PID
	for _fd in "/proc/$1/fd"/*; do
		case $(readlink "$_fd") in
		socket:* | anon_inode:* | pipe:* | /dev/null) ;;
		*) [ "${_fd##*/}" -le 2 ] || readlink "$_fd" ;;
		esac
	done
}

test_bounds() {
	bad yes many.test
	check_eventually "a name with too many addresses is not believed" looked_up waiting 0
	check_is "none of them is banned" "" "$(set_members yes4 | grep '^10.51')"
	bad yes none.test
	check_eventually "a name without an address bans nobody" looked_up waiting 0
	bad yes "$(printf 'a%.0s' $(seq 70)).test"
	bad yes 1.2.3
	bad yes -.test
	check_eventually "all is answered" looked_up waiting 0
	# many names at once: those beyond what is asked for at a time are counted, not queued for ever
	_i=0
	while [ $_i -lt 600 ]; do
		echo "$(date '+%Y-%m-%d %H:%M:%S') yes: bad from n$_i.test user x"
		_i=$((_i + 1))
	done >"$T/many"
	cat "$T/many" >>"$LOG"
	check_eventually "a flood of names ends" looked_up waiting 0
	check "and some were dropped" [ "$(status_of names dropped)" -gt 0 ]
	bad yes 10.50.0.200
	check_eventually "addresses are judged as ever" in_set 10.50.0.200 yes
}

test_ignoreip() {
	check_eventually "names in ignoreip are asked for at the start" was_asked friend.test
	bad warn 10.50.0.9
	bad warn 10.50.0.10
	check_eventually "others are banned" in_set 10.50.0.10 warn
	check "who has a name in ignoreip is not" not in_set 10.50.0.9 warn
	bad yes 10.50.0.9
	check_eventually "where the name is not on the list he is" in_set 10.50.0.9 yes
	check "nor can he be by hand" not ctl ban warn 10.50.0.9
	_before=$(asked friend.test)
	bad warn friend.test
	bad warn 10.50.0.11
	check_eventually "after it" in_set 10.50.0.11 warn
	check_is "a name in ignoreip need not be asked for" "$_before" "$(asked friend.test)"
}

test_ip_host() {
	bad host 10.50.0.88
	check_eventually "ignorecommand is told the address's name" grep -qF \
		"[host] Ignore 10.50.0.88 by command" "$T/stockade.log"
	bad host 10.50.0.89
	check_eventually "a name that would be a command is none" in_set 10.50.0.89 host
	bad host 10.50.0.90
	check_eventually "an address without a name is banned" in_set 10.50.0.90 host
}

config
: >"$LOG"
if ! dns_start; then
	skip_all "no name server: $(tail -n 1 "$T/dns.log")"
fi
if ! run_with_resolv_conf; then
	not_ok "the daemon starts"
	finish
fi
g=$(guard_pid)
test_ignoreip
test_usedns
test_herald
test_ip_host
test_bounds
daemon_stop
check_is "SIGTERM: exit 0" 0 $?
run_with_resolv_conf
bad yes six.test
check_eventually "started again: names are looked up" has_herald
test_end
# nothing to ask, nobody to answer
sed -i 's/^ignoreip.*//' "$CONF/jail.local"
run_with_resolv_conf
bad yes 10.50.0.201
check_eventually "without a name" in_set 10.50.0.201 yes
check "there is no herald" not has_herald
finish
