#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck disable=SC1091,SC2034,SC2154,SC2317
#
# Whole logs played through the jails: the bans are those that a plain reckoning finds, however the log is
# packed, cut and handed over.

needs='awk gzip iconv'
. "${0%/*}/lib.sh"

TZ=UTC
export TZ
NOW='2026-11-20 12:00:00'
LOG=$T/auth
make_conf <<'END' || exit 2
[DEFAULT]
findtime = 10m
bantime = 1h
maxretry = 4
ignoreip = 192.0.2.77
ignoreself = false
usedns = no
[sshd]
enabled = true
[strict]
enabled = false
filter = sshd
maxretry = 2
logpath = /var/log/auth.log
[undated]
enabled = false
filter = sshd
datepattern = {^LN-BEG}
logpath = /var/log/auth.log
END
cp -r "$CONF" "$T/conf2"
sed -i 's/^maxretry = 4/maxretry = 3/' "$T/conf2/jail.local"

# A log of some days, the same each time.
awk 'function rnd(n) { seed = (seed * 1103515245 + 12345) % 2147483648; return int(seed / 65536) % n }
BEGIN {
	seed = 4711
	t = 0
	for (i = 0; i < 20000; i++) {
		t += rnd(40)
		d = 1 + int(t / 86400); h = int(t % 86400 / 3600); m = int(t % 3600 / 60); s = t % 60
		at = sprintf("Nov %2d %02d:%02d:%02d srv", d, h, m, s)
		ip = "198.51.100." (1 + rnd(1 + rnd(30)))
		k = rnd(10)
		if (k < 5)
			print at " sshd[" i "]: Failed password for root from " ip " port 50022 ssh2"
		else if (k < 6)
			print at " sshd[" i "]: Failed password for root from 192.0.2.77 port 50022 ssh2"
		else if (k < 7)
			print at " sshd[" i "]: Accepted publickey for anna from 198.51.100." (1 + rnd(30)) " port 5 ssh2"
		else if (k < 9)
			print at " CRON[" i "]: pam_unix(cron:session): session opened for user root(uid=0)"
		else
			print "  a line without a date, " i
	}
}' >"$LOG"

# Failures within findtime, by hand: who is banned is not heard of until the ban ends.
cat >"$T/reckon.awk" <<'END'
$6 == "Failed" && $11 != "192.0.2.77" {
	split($3, clock, ":")
	now = ($2 - 1) * 86400 + clock[1] * 3600 + clock[2] * 60 + clock[3]
	ip = $11
	if (now < until[ip])
		next
	n[ip]++
	at[ip, n[ip]] = now
	while (at[ip, first[ip] + 1] <= now - 600)
		first[ip]++
	if (n[ip] - first[ip] < max)
		next
	until[ip] = now + 3600
	first[ip] = n[ip] = 0
	printf "2026-11-%02dT%s %s\n", $2, $3, ip
}
END

reckon() { # MAXRETRY
	awk -v max="$1" -f "$T/reckon.awk" "$LOG"
}

replay() { # ARGUMENT...
	"$STOCKADE" replay -c "$CONF" --now "$NOW" "$@" 2>"$T/replay.log"
}

short() { # of JSON lines: "TIME ADDRESS"
	sed 's/^{"time":"\([^+]*\)[^,]*,"jail":"[^"]*","ip":"\([^"]*\)".*/\1 \2/'
}

same() { # TEXT FILE ARGUMENT...: the output is that of the file
	_text=$1 _want=$2
	shift 2
	if replay --json "$@" >"$T/got.json" && cmp "$_want" "$T/got.json" >"$T/cmp.log" 2>&1; then
		ok "$_text"
	else
		not_ok "$_text"
	fi
}

replay --json "$LOG" >"$T/bans.json"
check_is "somebody is banned" 0 $?
reckon 4 >"$T/want"
short <"$T/bans.json" >"$T/got"
check "the bans are those of a plain reckoning ($(wc -l <"$T/want"))" cmp "$T/want" "$T/got"
check "there are enough of them to tell" test "$(wc -l <"$T/want")" -gt 100
check_is "a ban says when, where, who, how often and until when" \
	"$(sed -n '1s/ .*//p' "$T/want")+00:00 sshd $(sed -n '1s/.* //p' "$T/want") 4" \
	"$(sed -n 1p "$T/bans.json" | sed 's/{"time":"\([^"]*\)","jail":"\([^"]*\)","ip":"\([^"]*\)","failures":\([0-9]*\),"until":"[^"]*"}/\1 \2 \3 \4/')"
check "the sums are told" grep -q "^20,000 lines, .* matches, $(wc -l <"$T/want") bans, " "$T/replay.log"
check "lines without a date too" grep -q " $(grep -c 'without a date' "$LOG" | sed 's/...$/,&/') lines without a date" "$T/replay.log"
check "and those let off" grep -q "ignoreip" "$T/replay.log"
check_is "in words it is as many" "$(wc -l <"$T/want")" "$(replay "$LOG" | grep -c ' sshd .* 4 failures  until ')"

replay --json "$LOG" >/dev/full
check "who cannot write on tells how far he has come" grep -Eq '^[1-9][0-9,]* lines, ' "$T/replay.log"

replay -j strict --json "$LOG" >"$T/strict.json"
reckon 2 >"$T/want2"
short <"$T/strict.json" >"$T/got2"
check "a jail that is not enabled can be asked" cmp "$T/want2" "$T/got2"
replay -j sshd -j strict --json "$LOG" | grep '"jail":"sshd"' >"$T/both.json"
check "two jails do not disturb each other" cmp "$T/bans.json" "$T/both.json"

sed 's/^/www: /' "$LOG" >"$T/undated.log"
replay -j undated "$T/undated.log" >/dev/null
check "lines are counted in which no date is where the jail looks for it" \
	grep -q " 20,000 lines without a date" "$T/replay.log"

gzip -c "$LOG" >"$T/auth.gz"
mkfifo "$T/pipe"
cat "$LOG" >"$T/pipe" &
same "by a pipe" "$T/bans.json" - <"$T/pipe"
cat "$T/auth.gz" >"$T/pipe" &
same "packed, by a pipe" "$T/bans.json" "$T/pipe"
# Once the pipe is open the file beside it has been looked at, and is opened again when it is its turn.
cp "$LOG" "$T/swapped.log"
cp "$STOCKADE" "$T/program"
(
	exec 3>"$T/pipe"
	mv "$T/program" "$T/swapped.log"
	cat "$LOG" >&3
) &
replay --json "$T/swapped.log" "$T/pipe" >"$T/got.json"
check_is "a file that has become another meanwhile" 2 $?
check "is told of" grep -q "swapped.log is no log but ELF" "$T/replay.log"
check "and the log beside it is played" cmp "$T/bans.json" "$T/got.json"
same "packed by gzip" "$T/bans.json" "$T/auth.gz"
for _tool in xz zstd; do
	if ! command -v $_tool >/dev/null; then
		skip "packed by $_tool" "needs $_tool"
	elif $_tool -c <"$LOG" >"$T/auth.$_tool" && replay "$T/auth.$_tool" >/dev/null ||
		! grep -q 'this build cannot' "$T/replay.log"; then
		same "packed by $_tool" "$T/bans.json" "$T/auth.$_tool"
	else
		skip "packed by $_tool" "not built in"
	fi
done

split -n l/3 "$LOG" "$T/part."
gzip -k "$T/part.ab"
same "in three parts" "$T/bans.json" "$T/part.aa" "$T/part.ab" "$T/part.ac"
same "whichever is named first" "$T/bans.json" "$T/part.ac" "$T/part.aa" "$T/part.ab"
same "whichever is packed" "$T/bans.json" "$T/part.ac" "$T/part.ab.gz" "$T/part.aa"
# An undated line stays behind the one before it, so each part gets its own.
awk -v part="$T/mixed." '/^Nov/ { n = $5 ~ /^CRON/ ? 1 : $0 ~ /\.[0-9]*[02468] port/ ? 2 : 3 } { print >(part n) }' "$LOG"
same "sorted apart into three logs" "$T/bans.json" "$T/mixed.1" "$T/mixed.2" "$T/mixed.3"

gzip -k "$T/mixed.3"
for _threads in 1 2 3 8; do
	same "with $_threads threads" "$T/bans.json" --threads $_threads "$LOG"
	same "with $_threads threads, in three parts" "$T/bans.json" --threads $_threads \
		"$T/mixed.1" "$T/mixed.3.gz" "$T/mixed.2"
done
# Clocks that jump and lines of no date: whatever that means, it means it to any number of threads.
awk '{ n = (n * 69069 + 1) % 65536 }
	n % 19 == 0 && /^Nov/ { $2 = 1 + (n % 28) }
	n % 23 == 0 { $3 = "2" ($2 % 4) ":00:" (10 + n % 50) }
	n % 41 == 0 { sub(/^Nov/, "Feb 30") }
	{ print >("'"$T"'/odd." n % 3) }' "$LOG"
replay --json --threads 1 "$T/odd.0" "$T/odd.1" "$T/odd.2" >"$T/odd.json"
check "logs at odds with time have bans, too" test -s "$T/odd.json"
for _threads in 2 3 8; do
	same "the same with $_threads threads" "$T/odd.json" --threads $_threads "$T/odd.0" "$T/odd.1" "$T/odd.2"
done
awk '/^Nov/ { split($3, c, ":"); at = sprintf("2026-11-%02dT%s.5Z", $2, $3) }
	{ printf "{\"log\":\"%s\\n\",\"stream\":\"stderr\",\"time\":\"%s\"}\n", $0, at }' "$LOG" >"$T/docker.log"
replay --json "$T/docker.log" | short >"$T/got"
check "as a container's runtime wraps it" cmp "$T/want" "$T/got"
{
	printf '\377\376'
	iconv -f utf-8 -t utf-16le "$LOG"
} >"$T/wide.log"
same "in UTF-16" "$T/bans.json" "$T/wide.log"
same "in an encoding that is named" "$T/bans.json" --encoding utf-16le "$T/wide.log"

size=$(wc -c <"$T/auth.gz")
head -c $((size / 2)) "$T/auth.gz" >"$T/torn.gz"
replay --json "$T/torn.gz" >"$T/torn.json"
check_is "a torn archive is a failure" 2 $?
check "that names it" grep -q "torn.gz: the archive ends too early; the [0-9,]* lines before that were played" "$T/replay.log"
n=$(wc -l <"$T/torn.json")
check "what could be read of it counts" test "$n" -gt 10
head -n "$n" "$T/bans.json" >"$T/beginning.json"
check "and is the beginning of the whole" cmp "$T/beginning.json" "$T/torn.json"
{
	head -c $((size / 2)) "$T/auth.gz"
	head -c 64 /dev/zero
	tail -c +$((size / 2 + 65)) "$T/auth.gz"
} >"$T/damaged.gz"
replay "$T/damaged.gz" >/dev/null
check_is "so is a damaged one" 2 $?
replay "$T/nothing" >/dev/null
check_is "or one that is not there" 2 $?
replay "$STOCKADE" >/dev/null
check_is "or no log" 2 $?
check "which is said" grep -q "is no log but ELF" "$T/replay.log"
replay -j nobody "$LOG" >/dev/null
check_is "a jail that is not there is a mistake" 2 $?
grep CRON "$LOG" >"$T/quiet"
replay "$T/quiet" >"$T/out.log"
check_is "nobody banned is a no" 1 $?
check "and nothing is printed" not test -s "$T/out.log"

# Compared with a stricter configuration.
short <"$T/bans.json" | sed 's/.* //' | sort -u >"$T/old"
"$STOCKADE" replay -c "$T/conf2" --now "$NOW" --json "$LOG" 2>/dev/null | short | sed 's/.* //' | sort -u >"$T/new"
comm -13 "$T/old" "$T/new" >"$T/only"
replay --compare "$T/conf2" --json "$LOG" >"$T/differences.json"
check_is "there is a difference" 0 $?
sed -n 's/.*"ip":"\([^"]*\)".*"in":"new".*/\1/p' "$T/differences.json" | sort >"$T/got"
check "the stricter one alone bans these ($(wc -l <"$T/only"))" cmp "$T/only" "$T/got"
check "nobody is banned by the other alone" not grep -q '"in":"old"' "$T/differences.json"
replay -j strict --compare "$T/conf2" --json "$LOG" >"$T/out.log"
check_is "where both do the same that is a no" 1 $?
n=$(while read -r _ip; do grep -qF "Accepted publickey for anna from $_ip port" "$LOG" && echo x; done <"$T/only" | wc -l)
check "some have logged in from there" test "$n" -gt 0
check_is "who has logged in is known" "$n" "$(grep -c '"logins":[1-9].*"user":"anna"' "$T/differences.json")"
replay --compare "$T/conf2" "$LOG" >"$T/out.log"
check "in words, too" grep -q "^$(wc -l <"$T/only") address.* would be banned with $T/conf2 alone" "$T/out.log"

# fail2ban's own configuration judges this log alike.
if [ -f /etc/fail2ban/filter.d/sshd.conf ]; then
	cp -r /etc/fail2ban "$T/f2b"
	printf '[DEFAULT]\nfindtime = 10m\nbantime = 1h\nmaxretry = 4\nignoreip = 192.0.2.77\n[sshd]\nbackend = auto\n' \
		>"$T/f2b/jail.local"
	CONF=$T/f2b
	same "with fail2ban's filter" "$T/bans.json" -j sshd "$LOG"
else
	skip "with fail2ban's filter" "needs the package fail2ban"
fi
finish
