#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck disable=SC1091,SC2034,SC2119,SC2154,SC2317
#
# The failure table's ceiling: more addresses than there is room for, those near a ban among them, and a reload
# with another ceiling. What is on disk is what is in memory, after a crash as well.

needs="awk"
. "${0%/*}/lib.sh"

LOG=$T/var/auth.log
CROWD=30000

config() { # MEMORY
	make_conf <<-EOF
		[DEFAULT]
		source = file
		maxretry = 5
		findtime = 1h
		bantime = 1h
		[sshd]
		enabled = true
		port = 22
		logpath = $LOG
		[quiet]
		enabled = true
		filter = sshd
		port = 23
		maxmatches = 0
		logpath = $LOG
	EOF
	[ -f "$CONF/stockade.local" ] || echo '[Definition]' >"$CONF/stockade.local"
	echo "memory = $1" >>"$CONF/stockade.local"
}

crowd() { # NET: one failure each of CROWD addresses
	awk -v net="$1" -v n=$CROWD -v when="$(date '+%b %e %H:%M:%S')" 'BEGIN {
		for (i = 0; i < n; i++)
			printf("%s host sshd[%d]: Failed password for root from %d.%d.%d.1 port 5 ssh2\n",
				when, i, net, int(i / 256), i % 256)
	}' >>"$LOG"
}

near() { # N: so many failures of each of twenty
	for _i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
		fail_times "$1" "10.7.0.$_i" "$LOG"
	done
}

at_least() { # N KEY
	[ "$(status_of tracker "$2")" -ge "$1" ]
}

at_most() { # N KEY
	[ "$(status_of tracker "$2")" -le "$1" ]
}

banned_are() { # N
	[ "$(ctl banned sshd | grep -c '10\.7\.0\.')" -eq "$1" ]
}

config 1M
touch "$LOG"
check "the daemon starts" daemon_start
near 4
crowd 20
check_eventually "every failure is counted" failures_are $((CROWD + 80))
check "the ceiling is what was said" at_most 1000000 ceiling
check "and it holds" at_most 1000000 bytes
check "the table is as full as it may be" at_least 12000 entries
check "those it had no room for are counted" at_least $((2 * CROWD - 15000)) evicted
ctl status >"$T/status.log"
check "status tells people of it" grep -q 'failures: of 12,.* addresses, .* of 1.0 MB, [1-9].* evicted' "$T/status.log"
check "explain shows a jail's lines" sh -c "'$STOCKADE' explain --socket '$SOCK' 10.7.0.20 --json | grep -q '\"failures\": *4'"

check "the guard is killed" kill -KILL "$(guard_pid)"
check_eventually "and there is another" daemon_answers
check "which has no more than the table" at_most 13000 entries
crowd 21
check_eventually "more of them" failures_are $((2 * CROWD + 80))

config 64M
check "a larger ceiling" ctl reload
check_eventually "takes effect" at_least 64000000 ceiling
check "nobody was forgotten for it" at_most 0 evicted
crowd 22
check_eventually "they are counted" failures_are $((3 * CROWD + 80))
check "all are kept" at_least 60000 entries

config 1M
check "a smaller one than what there is" ctl reload
check_eventually "takes effect" at_most 1000000 ceiling
check "the rest is forgotten" at_most 1000000 bytes
check "and counted" at_least 40000 evicted

near 1
check_eventually "all who were one failure away from a ban are banned" banned_are 20
check "in the jail that keeps no lines, too" \
	sh -c "[ \$('$STOCKADE' banned --socket '$SOCK' quiet | grep -c '10\.7\.0\.') -eq 20 ]"
ctl explain 10.7.0.1 --json >"$T/explain.log"
check "explain has lines of one jail" grep -q '"evidence":.*"jail": *"sshd"' "$T/explain.log"
check "and none of the other's" not grep -q '"evidence":.*"jail": *"quiet"' "$T/explain.log"
check "the daemon stops in order" daemon_stop
finish
