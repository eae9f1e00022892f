# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2046,SC2086,SC2154,SC2317
#
# The sections of bench/run that read whole logs, and those that measure a single room. Every log is made by
# bench-loggen; who is slow gets the beginning of it. Everybody runs on one and the same core, unless it is said otherwise.

SSHG_PARSER=/usr/libexec/sshguard/sshg-parser
WORDS='Failed password|Invalid user'
# The jails that fail2ban has for access logs.
WEB='apache-badbots apache-fakegooglebot nginx-bad-request nginx-botsearch php-url-fopen'
F2B=/etc/fail2ban
DIR=$F2B # the configuration that Stockade reads
[ -n "$peers" ] && [ -f $F2B/filter.d/sshd.conf ] || DIR=$SRC/etc/stockade
# A log has two lines a second, and none of them is in the future.
LOG_START=$((($(date +%s) / 86400 - LINES / 172800 - 2) * 86400))

# ---- logs: in $T/var, gone with it ----

make_log() { # attack|ordinary|access: sets LOG, PART (for fail2ban-regex) and GUARD_PART (for sshguard)
	LOG=$T/var/$1.log PART=$T/var/$1.part GUARD_PART=$T/var/$1.guard
	log=$1
	[ ! -f "$LOG" ] || return 0
	rm -f "$T"/var/*.log "$T"/var/*.part "$T"/var/*.guard
	say "  making the $1 log"
	loggen "$1" "$LINES" >"$LOG" && loggen "$1" "$PEER_LINES" >"$PART" &&
		loggen "$1" "$GUARD_LINES" >"$GUARD_PART"
}

loggen() { # attack|ordinary|access LINES
	case $1 in
	attack) "$BENCH/bench-loggen" auth -a 0.6 -t "$LOG_START" -n "$2" ;;
	ordinary) "$BENCH/bench-loggen" auth -a 0.02 -t "$LOG_START" -n "$2" ;;
	access) "$BENCH/bench-loggen" access -a 0.1 -t "$LOG_START" -n "$2" ;;
	esac
}

log_name() {
	case $1 in
	attack) echo 'attack log (60 % attacks)' ;;
	ordinary) echo 'ordinary log (2 % attacks)' ;;
	access) echo 'access log (10 % scans)' ;;
	esac
}

# ---- contestants: `go WHO` runs one over its log and prints the seconds ----

go() { # WHO
	case $1 in
	stockade) replay "$DIR" 1 "$LOG" $(jails_of "$log") ;;
	one) replay "$DIR" 1 "$LOG" -j "$([ $log = access ] && echo nginx-botsearch || echo sshd)" ;;
	every) replay "$T/every" 1 "$LOG" ;;
	threads-*) replay "$DIR" "${1#*-}" "$LOG" $(jails_of "$log") ;;
	fail2ban) f2b_all $(filters_of "$log") ;;
	sshguard) timed -i "$GUARD_PART" taskset -c "$CORE" $SSHG_PARSER ;;
	rg) timed taskset -c "$CORE" rg -j 1 -c "$WORDS" "$LOG" ;;
	live) take_live ;;
	esac
}

filters_of() { # LOG
	case $1 in
	access) echo "$WEB" ;;
	*) echo sshd ;;
	esac
}

jails_of() { # LOG: as options
	for _f in $(filters_of "$1"); do
		echo "-j $_f"
	done
}

# On as many cores as threads, counted down from $CORE.
replay() { # DIR THREADS FILE OPTION...
	_dir=$1 _threads=$2 _file=$3
	shift 3
	timed -o "$T/out" -e "$T/err" taskset -c "$((CORE < _threads - 1 ? 0 : CORE - _threads + 1))-$CORE" \
		"$STOCKADE" replay -c "$_dir" --threads "$_threads" "$@" "$_file"
}

# It can try one filter at a time; the times are added up.
f2b_all() { # FILTER...
	_sum=0
	for _f; do
		f2b "$_f" >"$T/f2b.sec" || return 1
		_sum=$(calc %.3f "$_sum + $(cat "$T/f2b.sec")")
	done
	echo "$_sum"
}

# By its own clock, so that Python's start is not held against it; the processor's time less that of a log
# without a line. Leaves its report in $T/out.
f2b() { # FILTER
	if [ "$clock" = 2 ] && [ ! -f "$T/start.$1" ]; then
		: >"$T/empty"
		f2b_run "$T/empty" "$1" >"$T/start.$1" || return 1
	fi
	f2b_run "$PART" "$1" >"$T/f2b.took" || return 1
	case $clock in
	1) sed -n 's/^\[processed in \([0-9.]*\) sec\].*/\1/p' "$T/out" ;;
	2) calc '%.3f\n' "$(cat "$T/f2b.took") - $(cat "$T/start.$1")" ;;
	esac
}

f2b_run() { # FILE FILTER
	timed -o "$T/out" -e "$T/err" taskset -c "$CORE" fail2ban-regex --no-check-all --print-no-missed \
		--print-no-ignored "$1" "$2"
}

f2b_matches() { # from $T/out
	sed -n 's/^Lines: .* \([0-9]*\) matched,.*/\1/p' "$T/out"
}

our_matches() { # from what replay has said at its end
	sed -n 's/.* \([0-9,]*\) matches,.*/\1/p' "$T/err" | tr -d ,
}

# ---- matches: the same as fail2ban-regex's, or the bench has failed ----

check_matches() {
	_bad=0
	: >"$T/matches"
	for _f in $(filters_of "$log"); do
		f2b "$_f" >"$T/f2b.sec" && _theirs=$(f2b_matches) || return 1
		replay "$DIR" 1 "$PART" -j "$_f" >"$T/f2b.sec" && _ours=$(our_matches) || return 1
		if [ "$_ours" != "$_theirs" ] || [ -z "$_ours" ]; then
			say "$_f finds ${_ours:-nothing said}, fail2ban-regex $_theirs, in $PEER_LINES lines of $log"
			_bad=1
		fi
		printf '%s %s/%s\n' "$_f" "$_ours" "$_theirs" >>"$T/matches"
	done
	_list=$(tr '\n' ';' <"$T/matches" | sed 's/;$//; s/;/, /g')
	if [ $_bad = 0 ]; then
		note="matches in the first $PEER_LINES lines, Stockade/fail2ban-regex: $_list: equal"
	else
		note="matches in the first $PEER_LINES lines, Stockade/fail2ban-regex: $_list: NOT EQUAL"
	fi
	return $_bad
}

# ---- sections ----

row_rate() { # NAME WHO LINES CELL...
	_name=$1 _ran=$2 _lines=$3
	shift 3
	row "$_name" "$_lines" "$(calc %.3f "$(median "$_ran")")" \
		"$(human "$(calc %.0f "$_lines / $(best "$_ran")")")" "$(human "$(rate "$_ran" "$_lines")")" "$@"
}

beside() { # NAME WHO LINES GOAL: a row, and how many times as fast we are
	_times=$(calc %.1f "$(rate stockade "$LINES") / $(rate "$2" "$3")")
	row_rate "$1" "$2" "$3" "$_times ×" "$(goal "$_times" '>=' "$4" ' ×')"
}

# contest_on LOG GOAL_FAIL2BAN GOAL_SSHGUARD GOAL_RG
contest_on() {
	make_log "$1" || return 1
	_all=stockade _failed=0 note=
	if has fail2ban-regex; then _all="$_all fail2ban"; fi
	if [ -n "$3" ] && has $SSHG_PARSER; then _all="$_all sshguard"; fi
	if [ -n "$3" ] && has rg; then _all="$_all rg"; fi
	contest "$ROUNDS" $_all || return 1
	case $_all in
	*fail2ban*) check_matches || _failed=1 ;;
	esac
	_n=$(filters_of "$1" | wc -w)
	[ "$_n" -eq 1 ] && _n=sshd || _n="$_n filters"
	table_begin "$(log_name "$1" | sed 's/^a/A/; s/^o/O/'), $_n, one core" \
		'' lines seconds 'best lines/s' 'median lines/s' 'Stockade is' goal ''
	row_rate 'stockade replay' stockade "$LINES"
	for _one in $_all; do
		case $_one in
		fail2ban) beside fail2ban-regex fail2ban "$PEER_LINES" "$2" ;;
		sshguard) beside sshg-parser sshguard "$GUARD_LINES" "$3" ;;
		rg)
			_times=$(calc %.1f "$(median stockade) / $(median rg)")
			row_rate 'rg -c' rg "$LINES" "$_times × its time" ${4:+"$(goal "$_times" '<=' "$4" ' ×')"}
			;;
		esac
	done
	table_end ${note:+"$note"}
	return $_failed
}

section_replay() {
	_status=0
	contest_on attack 150 10 '' || _status=1
	contest_on ordinary 400 25 5 || _status=1
	return $_status
}

section_web() {
	has fail2ban-regex || return 0
	contest_on access 100 '' ''
}

# Every jail of fail2ban's jail.conf, whatever log it is for: a configuration in $T/every.
every_jail() {
	rm -rf "$T/every"
	cp -r $F2B "$T/every" && rm -rf "$T/every"/jail.d/* || return 1
	printf '[DEFAULT]\nenabled = true\n' >"$T/every/jail.local"
	EVERY=$(sed -n '/^\[INCLUDES\]/d; /^\[DEFAULT\]/d; s/^\[\(.*\)\].*/\1/p' "$T/every/jail.conf")
	every=$(echo "$EVERY" | wc -l)
}

# All at once must find what each finds alone: `check_matches` and the conformance tests know whether that is right.
check_every() {
	replay "$T/every" 1 "$PART" >"$T/sec" && _together=$(our_matches) || return 1
	_alone=0
	for _jail in $EVERY; do
		replay "$T/every" 1 "$PART" -j "$_jail" >"$T/sec" || return 1
		_alone=$((_alone + $(our_matches)))
	done
	note="$note${note:+; }$log: $_together at once, $_alone one by one"
	[ "$_together" = $_alone ]
}

section_all() {
	has fail2ban-regex && every_jail || return 0
	_status=0 note=
	table_begin "All $every jails of fail2ban's jail.conf at once, beside one alone, one core" \
		'' lines seconds 'best lines/s' 'median lines/s' 'time of one' goal ''
	for _log in attack ordinary access; do
		make_log $_log && contest 3 one every || return 1
		_times=$(calc %.2f "$(median every) / $(median one)")
		row_rate "$_log, one" one "$LINES"
		row_rate "$_log, all" every "$LINES" "$_times ×" "$(goal "$_times" '<=' 2 ' ×')"
		check_every || _status=1
	done
	table_end "one: sshd, in the access log nginx-botsearch" "matches in the first $PEER_LINES lines, $note"
	return $_status
}

section_threads() {
	table_begin "Threads, as many cores" '' lines seconds 'best lines/s' 'median lines/s' 'one thread' goal ''
	for _log in attack ordinary access; do
		[ $_log != access ] || [ $DIR = $F2B ] || continue
		make_log $_log || return 1
		_all=threads-1 _n=2
		while [ $_n -le "$CORES" ]; do
			_all="$_all threads-$_n" _n=$((_n * 2))
		done
		contest "$ROUNDS" $_all || return 1
		for _one in $_all; do
			_n=${_one#*-} _times=$(calc %.2f "$(median threads-1) / $(median $_one)")
			case $_n in
			1) row_rate "$_log, 1 thread" $_one "$LINES" ;;
			2) row_rate "$_log, 2 threads" $_one "$LINES" "$_times ×" "$(goal "$_times" '>=' 1.8 ' ×')" ;;
			*) row_rate "$_log, $_n threads" $_one "$LINES" "$_times ×" ;;
			esac
		done
	done
	table_end
}

# ---- instructions: of a long log less those of its beginning, so that the start is not counted ----

counted() { # WHO FILE: runs it under callgrind; the instructions of all its processes
	case $1 in
	stockade) set -- "$2" "$STOCKADE" replay -c "$DIR" --threads 1 $(jails_of "$log") "$2" ;;
	every) set -- "$2" "$STOCKADE" replay -c "$T/every" --threads 1 "$2" ;;
	sshguard) set -- "$2" $SSHG_PARSER ;;
	rg) set -- "$2" rg -j 1 -c "$WORDS" "$2" ;;
	esac
	_in=$1
	shift
	timed -i "$_in" -e "$T/err" valgrind --tool=callgrind --callgrind-out-file=/dev/null "$@" \
		>"$T/sec" || return 1
	awk '$2 == "Collected" { n += $4 } END { printf "%.0f\n", n }' "$T/err"
}

per_line() { # WHO
	for _n in $SHORT $LONG; do
		loggen "$log" $_n >"$T/var/counted" && counted "$1" "$T/var/counted" >"$T/var/$_n" || return 1
	done
	calc %.0f "($(cat "$T/var/$LONG") - $(cat "$T/var/$SHORT")) / ($LONG - $SHORT)"
}

section_instructions() {
	command -v valgrind >/dev/null || {
		say "valgrind is not installed: no instructions counted"
		return 0
	}
	table_begin 'Instructions a line, by callgrind' '' Stockade sshg-parser rg
	for log in attack ordinary access; do
		[ $log != access ] || [ $DIR = $F2B ] || continue
		say "  $log"
		_one=$(per_line stockade) || return 1
		_guard='' _rg=
		if [ $log != access ]; then
			if has $SSHG_PARSER; then _guard=$(per_line sshguard) || return 1; fi
			if has rg; then _rg=$(per_line rg) || return 1; fi
		fi
		row "$(log_name $log), $(filters_of $log | wc -w) of fail2ban's filters" "$_one" "$_guard" "$_rg"
	done
	if [ $DIR = $F2B ] && every_jail; then
		for log in attack ordinary; do
			_one=$(per_line every) || return 1
			row "$(log_name $log), $every jails" "$_one" '' ''
		done
	fi
	table_end "of $LONG lines less those of the first $SHORT, so that the start is not counted"
}

# bench-track says a name, a tab, a figure and its unit in each line: the median of three runs.
section_track() {
	: >"$T/track"
	for _n in 1 2 3; do
		say "  $TRACKED addresses, run $_n of 3"
		taskset -c "$CORE" "$BENCH/bench-track" "$TRACKED" >>"$T/track" || return 1
	done
	table_begin "The failure table, $TRACKED tracked addresses" '' median goal ''
	awk -F "$TAB" '!seen[$1]++ { print $1 }' "$T/track" | while read -r _what; do
		_value=$(sed -n "s/^$_what$TAB//p" "$T/track" | sort -n | sed -n 2p)
		case $_what in
		memory) row "$_what" "$_value" "$(goal "${_value% *}" '<=' "$(calc %g "$TRACKED / 1e4")" ' MB')" ;;
		'an address') row "$_what" "$_value" "$(goal "${_value% *}" '<=' 100 ' bytes')" ;;
		lookup) row "$_what" "$_value" "$(goal "${_value% *}" '<=' 200 ' ns')" ;;
		*) row "$_what" "$_value" ;;
		esac
	done
	table_end
}

section_wall() {
	ip netns exec "$NS" "$BENCH/bench-wall" >"$T/wall" || return 1
	printf '\n%s%s\n\n' "${markdown:+### }" "The kernel's sets, from one process"
	sed 's/^/    /' "$T/wall"
}
