#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck disable=SC1091,SC2034,SC2119,SC2129,SC2154,SC2317
#
# The kernel's table and the state on disk: damaged, lost, full, read-only, at odds with each other.

needs="setpriv mount umount nsenter bash timeout"
. "${0%/*}/lib.sh"

LOG=$T/var/auth.log
V4=10.20.0.1
V6=2001:db8::20:1
BY_HAND=10.20.0.2

config() { # [LINE IN DEFAULT]
	make_conf <<-EOF
		[DEFAULT]
		source = file
		maxretry = 3
		findtime = 1h
		bantime = 1h
		${1:-}

		[sshd]
		enabled = true
		port = 22
		logpath = $LOG
	EOF
}

ban_three() {
	fail_times 3 "$V4" "$LOG"
	fail_times 3 "$V6" "$LOG"
	ctl ban sshd "$BY_HAND" >/dev/null
	eventually all_three
}

all_three() {
	in_set "$V4" && in_set "$V6" && in_set "$BY_HAND"
}

all_three_listed() {
	is_banned "$V4" && is_banned "$V6" && is_banned "$BY_HAND"
}

until_of() { # ADDRESS: as the daemon says
	ctl banned --json | grep -F "\"$1\"" | "$HELPERS/e2e-json" until
}

rules() {
	nft_in -s list chain inet stockade early
}

rules_are() { # TEXT
	[ "$(rules 2>/dev/null)" = "$1" ]
}

table_is_gone() {
	! nft_in list table inet stockade >/dev/null 2>&1
}

# From the client a packet to a closed port is refused at once; dropped, it is never answered.
reaches() { # SERVER
	timeout 3 ip netns exec "$CLIENT" bash -c "exec 3<>/dev/tcp/$1/22" 2>"$T/connect.log"
	grep -qi refused "$T/connect.log"
}

test_damage() {
	_rules=$(rules)
	_until=$(until_of "$V4")
	nft_in flush ruleset
	check_eventually "nft flush ruleset: all bans are back" all_three
	check_eventually "nft flush ruleset: and all rules" rules_are "$_rules"
	check_is "nft flush ruleset: a ban ends when it would have" "$_until" "$(until_of "$V4")"
	nft_in delete table inet stockade
	check_eventually "delete table: all bans are back" all_three
	check_eventually "delete table: and all rules" rules_are "$_rules"
	nft_in flush chain inet stockade early
	check_eventually "flush chain: the rules are back" rules_are "$_rules"
	check "flush chain: the bans stand" all_three
	check "repairs are told" test "$(status_of wall repairs)" -ge 3
	check_is "and the wall is healthy again" true "$(status_of wall healthy)"
	nft_in add table inet somebody
	nft_in add set inet somebody theirs '{ type ipv4_addr; }'
	nft_in delete table inet somebody
	fail_times 3 10.20.0.3 "$LOG"
	check_eventually "other people's tables do not matter" in_set 10.20.0.3
}

test_outlives() {
	_until=$(until_of "$V4")
	daemon_stop
	check_is "SIGTERM: exit 0" 0 $?
	check "bans outlive the daemon" all_three
	check "the daemon starts again" daemon_start
	check "and knows them" all_three_listed
	check_is "until the same time" "$_until" "$(until_of "$V4")"
	daemon_stop
	check "the daemon starts with --flush-on-stop" daemon_start --flush-on-stop
	daemon_stop
	check "--flush-on-stop: nothing is left in the kernel" table_is_gone
	check "the daemon starts without it" daemon_start
	check_eventually "the bans are back from the database" all_three
	check_is "still until the same time" "$_until" "$(until_of "$V4")"
}

test_reconcile() {
	daemon_stop
	nft_in delete element inet stockade sshd4 "{ $V4 }"
	nft_in add element inet stockade sshd4 '{ 10.21.0.1 timeout 30m }'
	check "reconcile: the daemon starts" daemon_start
	check_eventually "reconcile: what only the database knew is in the kernel" in_set "$V4"
	check_eventually "reconcile: what only the kernel knew is in the list" is_banned 10.21.0.1
	check "reconcile: and still in the kernel" in_set 10.21.0.1
	check "reconcile: it can be unbanned" ctl unban 10.21.0.1
	check "reconcile: and is gone then" not in_set 10.21.0.1
	daemon_stop
	daemon_start
	check "reconcile: and stays gone" not in_set 10.21.0.1
}

test_prolong() {
	ctl ban sshd 10.20.0.4 --for 10m >/dev/null
	check "ban by hand, for ten minutes" in_set 10.20.0.4
	_until=$(until_of 10.20.0.4)
	check "the same again, for longer" ctl ban sshd 10.20.0.4 --for 2h
	check "is prolonged" test "$(until_of 10.20.0.4)" '>' "$_until"
	check "in the kernel too" expires_in_hours 10.20.0.4
}

expires_in_hours() { # ADDRESS: more than an hour left
	nft_in get element inet stockade sshd4 "{ $1 }" | grep -Eq 'expires (1h[0-9]|2h)'
}

test_traffic() {
	check "a client reaches the port" reaches 10.99.1.1
	check "own addresses are never banned" not ctl ban sshd 10.99.1.1
	check "nor a block that covers them" not ctl ban sshd 10.99.1.0/24
	check "a client's address is banned" ctl ban sshd 10.99.1.2
	check "and dropped" not reaches 10.99.1.1
	check_eventually "the dropped packets are counted" packets_told 10.99.1.2
	ctl unban 10.99.1.2 >/dev/null
	check "unbanned it reaches the port" reaches 10.99.1.1
	check "a block is banned" ctl ban sshd 10.99.1.2/31
	check "and its addresses dropped" not reaches 10.99.1.1
	ctl unban 10.99.1.2/31 >/dev/null
	check "until the block is unbanned" reaches 10.99.1.1
	check "an IPv6 block" ctl ban sshd fd00:99:1::2/127
	check "is dropped too" not reaches fd00:99:1::1
	ctl unban fd00:99:1::2/127 >/dev/null
	check "until it is unbanned" reaches fd00:99:1::1
	ctl ban sshd 10.99.1.2 >/dev/null
	check "banned once more" not reaches 10.99.1.1
	config "ignoreip = 10.99.1.2 fd00:99:1::/64"
	check "a reload that allows the address" ctl reload
	check_eventually "allow beats ban" reaches 10.99.1.1
	check "who is allowed cannot be banned" not ctl ban sshd fd00:99:1::2
	nft_in add element inet stockade sshd6 '{ fd00:99:1::2 timeout 1h }'
	check "not even behind the daemon's back" reaches fd00:99:1::1
	fail_times 3 10.99.1.2 "$LOG"
	fail_times 3 10.20.0.5 "$LOG"
	check_eventually "others are banned" in_set 10.20.0.5
	check "and the bans of before stand" all_three
	config
	ctl reload >/dev/null
	ctl unban 10.99.1.2 fd00:99:1::2 >/dev/null
}

packets_told() { # ADDRESS
	[ "$(ctl banned --json | grep -F "\"$1\"" | "$HELPERS/e2e-json" packets)" -gt 0 ]
}

test_corrupt() {
	daemon_kill
	for _db in "$STATE"/*; do
		case $_db in
		*-wal | *-shm) rm -f "$_db" ;;
		*) [ -f "$_db" ] && head -c 8192 /dev/urandom >"$_db" ;;
		esac
	done
	check "corrupt database: the daemon starts" daemon_start
	check "corrupt database: it is moved aside" has_files "$STATE"/*.corrupt-*
	check_eventually "corrupt database: the bans are taken from the kernel" all_three_listed
	check "corrupt database: where they still stand" all_three
	daemon_stop
	nft_in delete table inet stockade
	daemon_start
	check_eventually "corrupt database: the new one has them too" all_three
}

has_files() { # the first of an expanded pattern is there
	[ -e "$1" ]
}

troubled() {
	[ -n "$(status_of store trouble)" ]
}

troubled_by_now() { # a database may have room to spare in its files: give it something to write
	sshd_fail 10.22.9.9 >>"$LOG"
	troubled
}

untroubled() {
	_trouble=$(status_of store trouble) && [ -z "$_trouble" ]
}

# A folder that cannot be written for a while: bans go on, and reach the disk when it can be again.
test_disk() { # TEXT ADDRESS BREAK REPAIR
	$3
	fail_times 3 "$2" "$LOG"
	check_eventually "$1: bans go on" in_set "$2"
	check_eventually "$1: status tells the trouble" troubled_by_now
	$4
	check_eventually "$1: and that it is over" untroubled
	daemon_kill
	nft_in delete table inet stockade
	check "$1: the daemon starts again" daemon_start
	check_eventually "$1: what happened meanwhile was caught up on" in_set "$2"
}

disk_fill() {
	head -c 9000000 /dev/zero >"$STATE/fill" 2>/dev/null
}

disk_free() {
	rm -f "$STATE/fill"
}

disk_read_only() {
	daemon_stop
	mount -o remount,ro "$STATE"
	check "read-only: the daemon starts" daemon_start
}

disk_writable() {
	mount -o remount,rw "$STATE"
	nsenter --mount="/proc/$STOCKADE_PID/ns/mnt" mount -o remount,rw "$STATE" # it has its own view
}

test_disks() {
	daemon_stop
	STATE=$T/small
	mkdir "$STATE"
	mount -t tmpfs -o size=4m tmpfs "$STATE" || {
		skip "a disk that is full or read-only" "cannot mount a tmpfs"
		STATE=$T/state
		daemon_start
		return
	}
	check "the daemon starts on a small disk" daemon_start
	test_disk "full disk" 10.22.0.1 disk_fill disk_free
	test_disk "read-only" 10.22.0.2 disk_read_only disk_writable
	daemon_stop
	umount "$STATE"
	STATE=$T/state
}

# A kernel that will not have it: no right to change its rules.
test_refused() {
	setpriv --bounding-set=-net_admin ip netns exec "$NS" timeout 60 "$STOCKADE" run -c "$CONF" \
		--state "$STATE" --socket "$SOCK" >"$T/refused.log" 2>&1
	check_is "without the right to change the firewall: exit 2" 2 $?
	check "and it says what to do" grep -Eqi 'nft|CAP_NET_ADMIN' "$T/refused.log"
}

if ! { ns_new CLIENT client && ns_link "$NS" "$CLIENT" 1; }; then
	skip_all "cannot link network namespaces"
fi
: >"$LOG"
config
if ! daemon_start; then
	not_ok "the daemon starts"
	finish
fi
check "three are banned" ban_three
test_damage
test_outlives
test_reconcile
test_prolong
test_traffic
test_corrupt
test_disks
test_refused
finish
