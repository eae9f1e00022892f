#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck disable=SC1091,SC2034,SC2119,SC2129,SC2154,SC2317
#
# What the processes may do, as the kernel tells it; and that none outlives another by mistake.

. "${0%/*}/lib.sh"

LOG=$T/var/auth.log

field() { # PID NAME
	sed -n "s/^$2:[[:space:]]*//p" "/proc/$1/status"
}

check_child() { # NAME PID
	check_is "$1 has no capabilities" \
		"0000000000000000 0000000000000000 0000000000000000 0000000000000000" \
		"$(field "$2" CapEff) $(field "$2" CapPrm) $(field "$2" CapInh) $(field "$2" CapAmb)"
	check_is "nor can it get any" 0000000000000000 "$(field "$2" CapBnd)"
	check "$1 is not root" none_is_0 "$(field "$2" Uid) $(field "$2" Gid)"
	check_is "$1 has no other groups" "" "$(field "$2" Groups | tr -d ' ')"
	check_is "$1 has a seccomp filter" 2 "$(field "$2" Seccomp)"
	check_is "$1 can gain no privileges" 1 "$(field "$2" NoNewPrivs)"
}

check_guard() {
	g=$(guard_pid)
	check_child guard "$g"
	check_is "guard's root is the state folder" "$(realpath "$STATE")" "$(readlink "/proc/$g/root")"
	check "guard holds no netlink socket" no_netlink "$g"
	check "guard holds no folder and no socket's name outside" no_folder "$g"
	check_is "the state folder is guard's alone" "700" "$(stat -c %a "$STATE")"
}

none_is_0() { # WORDS
	for _id in $1; do
		[ "$_id" != 0 ] || return 1
	done
}

no_netlink() { # PID
	for _fd in "/proc/$1/fd"/*; do
		_inode=$(readlink "$_fd" | sed -n 's/^socket:\[\([0-9]*\)\]$/\1/p')
		[ -n "$_inode" ] || continue
		! grep -q " $_inode *\$" "/proc/$1/net/netlink" || return 1
	done
}

no_folder() { # PID
	for _fd in "/proc/$1/fd"/*; do
		case $(readlink "$_fd") in
		"$STATE" | "$STATE"/*) ;;
		*) ! [ -d "$_fd" ] || return 1 ;;
		esac
	done
}

lacks() { # MASK BIT: a capability is not in a mask of 16 hexadecimal digits (capability.h has the bits)
	_digit=$(echo "$1" | cut -c $((16 - $2 / 4)))
	[ $((0x$_digit >> ($2 % 4) & 1)) -eq 0 ]
}

check_keeper() {
	_caps=$(field "$STOCKADE_PID" CapEff)
	for _cap in sys_module:16 sys_rawio:17 sys_ptrace:19 sys_admin:21 sys_boot:22 mac_admin:33; do
		check "keeper has given up ${_cap%:*}" lacks "$_caps" "${_cap#*:}"
	done
}

another_guard() { # OLD
	_now=$(guard_pid)
	[ -n "$_now" ] && [ "$_now" != "$1" ] && daemon_answers
}

test_deaths() {
	g=$(guard_pid)
	kill -KILL "$g"
	check_eventually "guard killed: there is another" another_guard "$g"
	check "keeper is the same" alive "$STOCKADE_PID"
	check_guard
	fail_times 3 10.40.0.1 "$LOG"
	check_eventually "and it judges" in_set 10.40.0.1
	g=$(guard_pid)
	kill -KILL "$STOCKADE_PID"
	wait "$STOCKADE_PID" 2>/dev/null
	check_eventually "keeper killed: guard goes too" not alive "$g"
	check "bans stand" in_set 10.40.0.1
	check "started again" daemon_start
	check "it knows them" is_banned 10.40.0.1
	g=$(guard_pid)
	daemon_stop
	check_is "SIGTERM: exit 0" 0 $?
	check_eventually "guard is gone with it" not alive "$g"
}

# Words enough for the library, which takes its time with them, and whose memory and files a sealed process must get.
test_words() {
	{
		printf '[Definition]\nfailregex ='
		awk 'BEGIN {
			srand(7)
			for (i = 0; i < 1600; i++) {
				w = ""
				while (length(w) < 9)
					w = w sprintf("%c", 97 + int(rand() * 26))
				printf "    ^ %s from <ADDR>$\n", w
			}
			print "    ^ bad from <ADDR>$"
		}'
	} >"$CONF/filter.d/many.conf"
	printf '[many]\nenabled = true\nlogpath = %s\n' "$LOG" >>"$CONF/jail.local"
	check "many words: started" daemon_start
	printf '%s bad from 10.40.0.2\n' "$(date +%FT%T%z)" >"$T/line"
	cat "$T/line" "$T/line" "$T/line" >>"$LOG"
	check_eventually "it judges" in_set 10.40.0.2 many
	if [ "$(status_of prefilter)" != hyperscan ]; then
		skip "what the library made is kept" "it is not built in"
		daemon_stop
		return
	fi
	check_is "what the library made is kept" 1 "$(find "$STATE/cache" -name 'words-*' -perm 600 -user "$(stat -c %U "$STATE")" | wc -l)"
	_before=$(stat -c '%i %Y' "$STATE/cache"/words-*)
	daemon_stop
	check "started again" daemon_start
	sed 's/10.40.0.2/10.40.0.3/' "$T/line" "$T/line" "$T/line" >>"$LOG"
	check_eventually "it judges" in_set 10.40.0.3 many
	check_is "and used again" "$_before" "$(stat -c '%i %Y' "$STATE/cache"/words-*)"
	check_is "by a guard that is sealed" 2 "$(field "$(guard_pid)" Seccomp)"
	daemon_stop
}

no_files() { # PID
	for _fd in "/proc/$1/fd"/*; do
		case $(readlink "$_fd") in
		/dev/null | "$T/stockade.log" | socket:* | pipe:* | anon_inode:*) ;;
		*) return 1 ;;
		esac
	done
}

listens() { # PID PORT: does it hold the socket?
	_inode=$(awk -v port="$(printf ':%04X' "$2")" '$2 ~ port "$" && $4 == "0A" { print $10 }' \
		"/proc/$1/net/tcp")
	[ -n "$_inode" ] && find "/proc/$1/fd" -lname "socket:\[$_inode\]" | grep -q .
}

# Who ends TLS.
test_porter() {
	if [ ! -x "$HELPERS/e2e-tls" ] || ! command -v openssl >/dev/null; then
		skip "porter" "no TLS"
		return
	fi
	openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=here -keyout "$T/key.pem" \
		-out "$T/cert.pem" 2>"$T/openssl.log"
	printf '[syslog]\nlisten = tls://127.0.0.1:6514\ncertificate = %s\nkey = %s\n' "$T/cert.pem" \
		"$T/key.pem" >>"$CONF/stockade.local"
	check "started with a listener for TLS" daemon_start
	check_eventually "there is a porter" child_named_is stockade-porter
	p=$(child_named stockade-porter)
	check_eventually "it is sealed" is_sealed "$p"
	check_child porter "$p"
	check "porter holds no file" no_files "$p"
	check "porter holds no netlink socket" no_netlink "$p"
	check "porter's root is a directory that is gone" sh -c "readlink /proc/$p/root | grep -q deleted"
	check "porter listens" listens "$p" 6514
	check "guard does not" not listens "$(guard_pid)" 6514
	daemon_stop
}

child_named_is() { # NAME
	[ -n "$(child_named "$1")" ]
}

is_sealed() { # PID
	[ "$(field "$1" Seccomp)" = 2 ]
}

make_conf <<-EOF
	[DEFAULT]
	source = file
	maxretry = 3
	[sshd]
	enabled = true
	logpath = $LOG
EOF
: >"$LOG"
if ! daemon_start; then
	not_ok "the daemon starts"
	finish
fi
check_guard
check_keeper
test_deaths
test_words
test_porter
finish
