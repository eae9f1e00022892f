# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2046,SC2086,SC2154,SC2317
#
# The sections of bench/run that have daemons run: from a log line to the kernel's drop, each alone in a network
# namespace.

AUTH_LOG=$T/var/auth.log
RETRY=3

# ---- those who are measured: each has NAME_start, which returns when it watches $AUTH_LOG ----

stockade_start() {
	rm -rf "$STATE" && mkdir "$STATE" || return 1
	make_conf <<-EOF
		[DEFAULT]
		source = file
		maxretry = $RETRY
		findtime = 1h
		bantime = 1h
		[sshd]
		enabled = true
		port = 22
		logpath = $AUTH_LOG
	EOF
	daemon_start
}

stockade_stop() {
	daemon_stop
}

fail2ban_start() { # [LINE...]: of the jail
	F=$T/fail2ban
	rm -rf "$F"
	mkdir "$F" && cp -r /etc/fail2ban "$F/conf" && rm -f "$F"/conf/jail.d/* || return 1
	cat >"$F/conf/jail.local" <<-EOF
		[DEFAULT]
		backend = auto
		banaction = nftables-multiport
		usedns = no
		ignoreself = false
		maxretry = $RETRY
		findtime = 1h
		bantime = 1h
		[sshd]
		enabled = true
		logpath = $AUTH_LOG
		$(printf '%s\n' "$@")
	EOF
	cat >"$F/conf/fail2ban.local" <<-EOF
		[Definition]
		logtarget = $F/fail2ban.log
		socket = $F/sock
		pidfile = $F/pid
		dbfile = $F/db
	EOF
	ip netns exec "$NS" fail2ban-server -f -c "$F/conf" -s "$F/sock" -p "$F/pid" start \
		>"$T/fail2ban.log" 2>&1 &
	peer=$!
	adopt $peer
	eventually fail2ban_watches
}

fail2ban_watches() {
	fail2ban-client -c "$F/conf" -s "$F/sock" status sshd 2>/dev/null | grep -qF "$AUTH_LOG"
}

fail2ban_stop() {
	peer_stop
}

# sshguard has its settings in one fixed place: it gets a /etc/sshguard of its own.
sshguard_start() {
	rm -rf "$T/sshguard"
	mkdir "$T/sshguard" || return 1
	cat >"$T/sshguard/sshguard.conf" <<-EOF
		BACKEND="$(sed -n 's/^#*BACKEND="\(.*\)\/.*/\1/p' /etc/sshguard/sshguard.conf | head -n 1)/sshg-fw-nft-sets"
		FILES="$AUTH_LOG"
		THRESHOLD=$((RETRY * 10))
		BLOCK_TIME=3600
		DETECTION_TIME=3600
	EOF
	ip netns exec "$NS" setsid unshare -m --propagation private sh -c \
		"mount --bind $T/sshguard /etc/sshguard && exec sshguard" >"$T/sshguard.log" 2>&1 &
	peer=$!
	adopt $peer
	eventually sshguard_watches
}

sshguard_watches() {
	nft_in list set ip sshguard attackers && ip netns pids "$NS" | while read -r _pid; do
		tr '\0' ' ' <"/proc/$_pid/cmdline"
		echo
	done | grep -q "^tail .*$AUTH_LOG"
}

sshguard_stop() {
	peer_stop
}

peer_stop() {
	end_process "$peer"
	for _pid in $(ip netns pids "$NS"); do
		kill -KILL "$_pid" 2>/dev/null
	done
}

# ---- measuring: on a fresh log, with nothing in the kernel ----

measure() { # WHO N single|awake|burst: prints what bench-latency says
	say "  $1: $2 addresses, $3"
	rm -f "$AUTH_LOG" && : >"$AUTH_LOG"
	nft_in flush ruleset
	if ! "$1_start" >"$T/start.log" 2>&1; then
		say "$1 does not start"
		diagnose >&2
		return 1
	fi
	ip netns exec "$NS" "$BENCH/bench-latency" "$AUTH_LOG" $RETRY "$2" "$3" >"$T/result"
	_rc=$?
	"$1_stop"
	[ $_rc -eq 0 ] && cat "$T/result"
}

# ---- sections ----

live_peers() {
	for _peer in fail2ban:fail2ban-server sshguard:sshguard; do
		has "${_peer#*:}" && echo "${_peer%:*}"
	done
}

row_single() { # TITLE WANTED "GOT P50 P90 P99 MAX"
	row "$1" $(echo "$3" | awk '{ printf "%.3f %.3f %.3f %.3f", $2 / 1000, $3 / 1000, $4 / 1000, $5 / 1000 }') \
		"${3%% *} of $2" "$(echo "$3" | awk -v base="$base" '{ if (base > 0) printf "%.1f ×", $2 / base }')"
}

section_latency() {
	table_begin "From the write of the last failing line ($RETRY a ban) to the kernel's notification of the ban" \
		ms p50 p90 p99 max bans 'as long as Stockade'
	base=
	single=$(measure stockade "$SINGLES" single) || return 1
	row_single Stockade "$SINGLES" "$single"
	base=$(echo "$single" | cut -d ' ' -f 2)
	if awake=$(measure stockade "$SINGLES" awake); then
		row_single 'Stockade, awake' "$SINGLES" "$awake"
	fi
	for who in $(live_peers); do
		result=$(measure $who "$PEER_SINGLES" single) && row_single $who "$PEER_SINGLES" "$result"
	done
	table_end "awake: the same with processors kept from halting, as on a machine that has other work"
}

row_burst() { # TITLE WANTED "GOT SECONDS"
	row "$1" "$(echo "$3" | cut -d ' ' -f 2)" "$(human "$(echo "$3" | awk '{ print ($2 > 0 ? $1 / $2 : 0) }')")" \
		"${3%% *} of $2" "$(echo "$3" | awk -v base="$base" '{ if (base > 0) printf "%.1f ×", base / ($1 / $2) }')"
}

section_burst() {
	table_begin "Addresses with $RETRY failing lines each, all in one burst, until the last is in the kernel" \
		'' seconds bans/s bans 'as long as Stockade'
	base=
	burst=$(measure stockade "$PEER_BURST" burst) || return 1
	row_burst Stockade "$PEER_BURST" "$burst"
	base=$(echo "$burst" | awk '$2 > 0 { print $1 / $2 }')
	for who in $(live_peers); do
		result=$(measure $who "$PEER_BURST" burst) && row_burst $who "$PEER_BURST" "$result"
	done
	base=
	burst=$(measure stockade "$BIG_BURST" burst) || return 1
	row_burst Stockade "$BIG_BURST" "$burst"
	table_end
}

# ---- how fast a file is taken that is being written ----

live_start() {
	rm -rf "$STATE" "$CONF" && mkdir "$STATE" && cp -r "$DIR" "$CONF" && rm -rf "$CONF"/jail.d/* || return 1
	: >"$AUTH_LOG"
	cat >"$CONF/jail.local" <<-EOF
		[sshd]
		enabled = true
		backend = auto
		logpath = $AUTH_LOG
	EOF
	printf '[Definition]\nlogtarget = STDERR\n' >"$CONF/stockade.local"
	id -u stockade >/dev/null 2>&1 || echo 'user = nobody' >>"$CONF/stockade.local"
	: >"$T/stockade.log"
	daemon_start --dry-run && taskset -pc "$CORE" "$(guard_pid)" >/dev/null
}

lines_taken() {
	status_of jails sshd sources "$AUTH_LOG" lines
}

used_ns() { # PID: of the processor
	cut -d ' ' -f 1 "/proc/$1/schedstat"
}

# The seconds from the first write until status shows all lines; with --cpu those of the processor that guard has used.
take_live() {
	live_start || return 1
	_guard=$(guard_pid)
	_used=$(used_ns "$_guard")
	_end=$(($(date +%s) + PATIENCE))
	_from=$(date +%s%N)
	cat "$LOG" >>"$AUTH_LOG" &
	_writer=$!
	until [ "$(lines_taken)" = "$LINES" ] || [ "$(date +%s)" -ge $_end ]; do
		:
	done
	_to=$(date +%s%N)
	_taken=$(lines_taken)
	_used=$(($(used_ns "$_guard") - _used))
	wait $_writer
	daemon_stop >/dev/null
	if [ "$_taken" != "$LINES" ]; then
		say "only $_taken of $LINES lines were taken"
		return 1
	fi
	case $clock in
	1) calc '%.3f\n' "($_to - $_from) / 1e9" ;;
	2) calc '%.3f\n' "$_used / 1e9" ;;
	esac
}

section_live() {
	table_begin "Lines taken from a file while it is written, sshd, one core" \
		'' lines seconds 'best lines/s' 'median lines/s' 'of replay' goal ''
	for _log in attack ordinary; do
		make_log $_log && contest "$ROUNDS" stockade live || return 1
		_share=$(calc %.0f "100 * $(median stockade) / $(median live)")
		row_rate "$_log, replay" stockade "$LINES"
		row_rate "$_log, live" live "$LINES" "$_share %" "$(goal "$_share" '>=' 60 ' %')"
	done
	table_end
}
