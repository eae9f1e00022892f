#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck disable=SC1091,SC2034,SC2119,SC2129,SC2016,SC2154,SC2317
#
# ignorecommand and ignorecache: a real script decides who is not banned.

. "${0%/*}/lib.sh"

LOG=$T/var/app.log
CALLS=$T/var/calls

bad() { # ADDRESS [USER]
	_n=3
	while [ $_n -gt 0 ]; do
		printf '%s app: bad from %s user %s\n' "$(date '+%Y-%m-%d %H:%M:%S')" "$1" \
			"${2:-root}" >>"$LOG"
		_n=$((_n - 1))
	done
}

calls() { # TEXT
	grep -cF -- "$1" "$CALLS"
}

said() { # KEY WANTED
	[ "$(status_of ignorecommand "$1")" = "$2" ]
}

is_logged() {
	grep -qF -- "$1" "$T/stockade.log"
}

config() { # LINES of the jail on standard input
	make_conf <<-EOF
		[DEFAULT]
		source = file
		maxretry = 3
		logpath = $LOG
		[sshd]
		enabled = false
		[app]
		enabled = true
		$(cat)
	EOF
	printf '[Definition]\nfailregex = ^ app: bad from <ADDR> user <F-USER>.*</F-USER>$\n' \
		>"$CONF/filter.d/app.conf"
	cat >"$T/var/ask" <<-EOF
		#!/bin/sh
		printf '%s\n' "\$*" >>$CALLS
		case \$1 in
		10.60.0.1) exit 0 ;;
		10.60.0.2) exit 7 ;;
		10.60.0.3) sleep 1000 ;;
		*) exit 1 ;;
		esac
	EOF
	chmod 755 "$T/var/ask"
	: >"$CALLS"
}

test_answers() {
	bad 10.60.0.1
	check_eventually "status 0: ignored" is_logged "[app] Ignore 10.60.0.1 by command"
	bad 10.60.0.4
	check_eventually "status 1: banned" in_set 10.60.0.4 app
	check "who is ignored is not" not in_set 10.60.0.1 app
	check_is "each was asked about once" "1 1" "$(calls 10.60.0.1) $(calls 10.60.0.4)"
	bad 10.60.0.2
	check_eventually "any other status: banned" in_set 10.60.0.2 app
	check "and told" is_logged "[app] ignorecommand ended with status 7"
	bad 10.60.0.3
	bad 10.60.0.5
	check_eventually "one that hangs holds up nobody else" in_set 10.60.0.5 app
	check "and bans nobody yet" not in_set 10.60.0.3 app
	check_eventually "until it is ended: banned" in_set 10.60.0.3 app
	check "and told" is_logged "[app] ignorecommand took longer than 10 s"
	check_is "status counts" "5 1 2" "$(status_of ignorecommand asked) $(
		status_of ignorecommand ignored) $(status_of ignorecommand unknown)"
}

start_afresh() {
	rm -rf "${STATE:?}"/*
	nft_in delete table inet stockade
	: >"$LOG"
	: >"$CALLS"
	daemon_start
}

# What a log says reaches the command as a value, whatever is in it.
test_hostile() {
	bad 10.60.1.1 '$(touch '"$T"'/var/pwned)'
	check_eventually "a user named as a command" in_set 10.60.1.1 app
	bad 10.60.1.2 "';touch $T/var/pwned;'"
	check_eventually "in quotes" in_set 10.60.1.2 app
	bad 10.60.1.3 "\"; touch $T/var/pwned; \""
	check_eventually "in double quotes" in_set 10.60.1.3 app
	bad 10.60.1.4 "a\`touch $T/var/pwned\`"
	check_eventually "in backquotes" in_set 10.60.1.4 app
	check "nothing of it was run" not test -e "$T/var/pwned"
	check_is "all of it arrived" 1 "$(calls "10.60.1.3 \"; touch $T/var/pwned; \" inet4 3")"
}

test_survives() {
	bad 10.60.0.3
	eventually grep -q '^10.60.0.3' "$CALLS"
	: >"$CALLS"
	daemon_kill
	check "killed while a command runs: starts again" daemon_start
	check_eventually "and asks again" grep -q '^10.60.0.3' "$CALLS"
	: >"$CALLS"
	check "a reload while a command runs" ctl reload
	check_eventually "asks again too" grep -q '^10.60.0.3' "$CALLS"
}

test_cache() {
	daemon_stop
	config <<-EOF
		ignorecommand = $T/var/ask <ip> "<F-USER>"
		ignorecache = key="<F-USER>", max-count=100, max-time=5m
	EOF
	start_afresh
	bad 10.60.0.1 alice
	check_eventually "ignored" said ignored 1
	bad 10.60.2.1 alice
	check_eventually "the same case is not asked about again" said ignored 2
	check_is "really" 1 "$(calls alice)"
	check "nor banned" not in_set 10.60.2.1 app
	bad 10.60.2.2 bob
	check_eventually "another case is" in_set 10.60.2.2 app
}

config <<-EOF
	ignorecommand = $T/var/ask <ip> "<F-USER>" <family> <failures>
EOF
: >"$LOG"
if ! daemon_start; then
	not_ok "the daemon starts"
	finish
fi
test_answers
test_hostile
daemon_stop
start_afresh
test_survives
test_cache
finish
