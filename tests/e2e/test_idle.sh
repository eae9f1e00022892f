#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck disable=SC1091,SC2034,SC2119,SC2129,SC2154,SC2317
#
# While nothing happens nothing runs: with 30 jails, some bans and a few tracked addresses neither process is
# woken up. The logs lie in a mount namespace where nobody else does anything.

needs="unshare mount"
. "${0%/*}/lib.sh"

JAILS=30

config() {
	{
		printf '[DEFAULT]\nsource = file\nmaxretry = 3\nfindtime = 1h\nbantime = 1h\n'
		printf '[sshd]\nenabled = false\n'
		_n=0
		while [ $_n -lt $JAILS ]; do
			printf '[jail%d]\nenabled = true\nfilter = sshd\nport = %d\nlogpath = /mnt/%d.log\n' \
				$_n $((1000 + _n)) $_n
			_n=$((_n + 1))
		done
	} | make_conf
}

switches() { # how often both processes were put to sleep so far, of their own will or not
	cat "/proc/$STOCKADE_PID/status" "/proc/$(guard_pid)/status" |
		sed -n 's/^\(non\)\{0,1\}voluntary_ctxt_switches:[[:space:]]*//p' | tr '\n' ' '
}

quiet_for_5_seconds() {
	_switches=$(switches)
	sleep 5
	diag "switches before and after: $_switches - $(switches)" >&2
	[ "$(switches)" = "$_switches" ]
}

config
ip netns exec "$NS" unshare -m --propagation private sh -c "mount -t tmpfs quiet /mnt && exec \"\$@\"" sh \
	"$STOCKADE" run -c "$CONF" --state "$STATE" --socket "$SOCK" >>"$T/stockade.log" 2>&1 &
STOCKADE_PID=$!
adopt $STOCKADE_PID
if ! eventually daemon_answers; then
	not_ok "the daemon starts"
	finish
fi
LOGS=/proc/$STOCKADE_PID/root/mnt
for _n in 0 7 29; do
	fail_times 3 "10.60.0.$_n" "$LOGS/$_n.log"
	fail_times 2 "10.60.1.$_n" "$LOGS/$_n.log"
	check_eventually "jail $_n of $JAILS bans" in_set "10.60.0.$_n" "jail$_n"
done
check_eventually "then neither process wakes up for 5 seconds" quiet_for_5_seconds
check "and is there when something happens" fail_times 3 10.60.0.100 "$LOGS/12.log"
check_eventually "at once" in_set 10.60.0.100 jail12
daemon_stop
check_is "SIGTERM: exit 0" 0 $?
finish
