# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2154
#
# What the sections of bench/run share: contests, figures, tables.

STOPWATCH=$BENCH/bench-stopwatch
CORES=$(nproc)
CORE=${CORE:-$((CORES - 1))}
TAB=$(printf '\t')

say() {
	echo "bench: $*" >&2
}

has() { # COMMAND: is it there to be compared with?
	[ -n "$peers" ] || return 1
	command -v "$1" >/dev/null && return 0
	say "$1 is not installed: not compared"
	return 1
}

version_of() { # PACKAGE
	dpkg-query -W -f '${Version}' "$1" 2>/dev/null
}

machine() {
	_what="$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1), $CORES cores, Linux $(uname -r), $(date '+%Y-%m-%d')"
	_who="$("$STOCKADE" version | head -n 1)"
	for _p in ${peers:+fail2ban rsyslog sshguard ripgrep}; do
		_v=$(version_of "$_p")
		[ -z "$_v" ] || _who="$_who, $_p $_v"
	done
	_load=$(cut -d ' ' -f 1 /proc/loadavg)
	[ -z "$markdown" ] || echo
	printf '%s\n%s\nload at the start: %s\n' "$_what" "$_who" "$_load" | sed "s/^/${markdown:+- }/"
	[ "$counts" = 1 ] || echo "${markdown:+- }offline figures are of the processor's time"
}

# ---- figures ----

calc() { # FORMAT EXPRESSION
	awk "BEGIN { printf \"$1\", $2 }"
}

human() { # NUMBER
	awk -v v="$1" 'BEGIN {
		if (v >= 1e6) printf "%.2f M", v / 1e6
		else if (v >= 1e3) printf "%.1f k", v / 1e3
		else printf "%.1f", v
	}'
}

# ---- contests ----

# timed ARGUMENT...: the seconds that bench-stopwatch says, of the clock or with --cpu of the processor. Status 1
# is an answer (no match).
timed() {
	_got=$("$STOPWATCH" "$@")
	_ended=$?
	if [ $_ended -gt 1 ]; then
		say "failed with status $_ended: $*"
		[ ! -s "$T/err" ] || tail -n 5 "$T/err" >&2
		return 1
	fi
	echo "$_got" | cut -d ' ' -f "$clock"
}

# contest ROUNDS WHO...: each in turn, so that whatever else the machine does hits all alike. `go WHO` prints seconds.
contest() {
	_rounds=$1
	shift
	for _who; do
		: >"$T/times.$_who"
	done
	_round=0
	while [ $_round -lt "$_rounds" ]; do
		for _who; do
			go "$_who" >>"$T/times.$_who" || return 1
		done
		_round=$((_round + 1))
	done
}

best() { # WHO: seconds
	sort -n "$T/times.$1" | head -n 1
}

median() { # WHO
	sort -n "$T/times.$1" | awk '{ t[NR] = $1 }
		END { print NR % 2 ? t[(NR + 1) / 2] : (t[NR / 2] + t[NR / 2 + 1]) / 2 }'
}

rate() { # WHO LINES: lines a second, of the median
	calc '%.6f' "$2 / $(median "$1")"
}

goal() { # VALUE >=|<= GOAL UNIT: two cells, the goal and whether it is met
	awk -v v="$1" -v op="$2" -v goal="$3" -v unit="$4" 'BEGIN {
		met = v != "" && (op == ">=" ? v + 0 >= goal + 0 : v + 0 <= goal + 0)
		printf "%s %s%s\t%s", op == ">=" ? "≥" : "≤", goal, unit, met ? "met" : "missed"
	}'
}

# ---- tables: cells between tabs, the heads first ----

row() { # CELL...
	_cells=$1
	shift
	for _cell; do
		_cells=$_cells$TAB$_cell
	done
	printf '%s\n' "$_cells" >>"$T/table"
}

table_begin() { # TITLE HEAD...
	title=$1
	shift
	: >"$T/table"
	row "$@"
}

# The first column is text, the others are figures. length() counts bytes here, so widths go by a copy in ASCII.
table_end() { # [NOTE...]
	printf '\n%s%s\n\n' "${markdown:+### }" "$title"
	awk -F '\t' -v markdown="$markdown" '
	function width(s) { gsub(/≥|≤|×|µ/, "x", s); return length(s) }
	{
		for (i = 1; i <= NF; i++) {
			cell[NR, i] = $i
			if (width($i) > w[i]) w[i] = width($i)
		}
		if (NF > cols) cols = NF
	}
	function line(r,    i, s, pad) {
		s = markdown ? "|" : " "
		for (i = 1; i <= cols; i++) {
			pad = sprintf("%*s", w[i] - width(cell[r, i]), "")
			s = s " " (i == 1 ? cell[r, i] pad : pad cell[r, i]) (markdown ? " |" : " ")
		}
		sub(/ +$/, "", s)
		print s
	}
	END {
		line(1)
		if (markdown) {
			s = "|"
			for (i = 1; i <= cols; i++) s = s (i == 1 ? "---|" : "---:|")
			print s
		}
		for (r = 2; r <= NR; r++) line(r)
	}' "$T/table"
	[ $# -eq 0 ] || echo
	for _note; do
		[ -n "$markdown" ] && echo "- $_note" || echo "  $_note"
	done
}
