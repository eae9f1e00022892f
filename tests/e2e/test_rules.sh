#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck disable=SC1091,SC2034,SC2119,SC2129,SC2154,SC2317
#
# A rules file, as part of the daemon and as the program syslog-blacklist: by a real logger(1), what a
# real rsyslogd passes on, and a real sshd whose visitor guesses a password.

needs="logger bash rsyslogd sshd ssh ssh-keygen unshare setsid timeout"
. "${0%/*}/lib.sh"
. "${0%/*}/sshd.sh"

RULES=$T/rules.conf

say_as() { # TAG TEXT [PORT]
	ip netns exec "$NS" logger -d -n 127.0.0.1 -P "${3:-5514}" --rfc3164 -p auth.info -t "$1" \
		--id=4711 "$2"
}

fails() { # ADDRESS [USER [PORT]]
	say_as sshd "Failed password for ${2:-root} from $1 port 50022 ssh2" "$3"
}

# The seconds that the kernel was told.
timeout_of() { # ADDRESS [SET]
	case $1 in *:*) _set=${2:-blacklist}6 ;; *) _set=${2:-blacklist}4 ;; esac
	nft_in get element inet stockade "$_set" "{ $1 }" 2>/dev/null |
		sed -n 's/.* timeout \([0-9a-z]*\).*/\1/p' | sed 's/[0-9]*ms//; s/[dhms]/ & /g' |
		awk 'BEGIN { sec["d"] = 86400; sec["h"] = 3600; sec["m"] = 60; sec["s"] = 1 }
			{ for (i = 1; i < NF; i += 2) n += $i * sec[$(i + 1)]; print n }'
}

is_for() { # ADDRESS SECONDS [SET]: or a little less, as some had gone by
	_for=$(timeout_of "$1" "$3")
	[ -n "$_for" ] && [ "$_for" -le "$2" ] && [ "$_for" -ge $(($2 - 5)) ]
}

logs() { # TEXT
	grep -qF -- "$1" "$T/stockade.log"
}

cat >"$RULES" <<-'END'
	# Who is blocked, and for how long.
	[fat fingers] 5m
	^sshd\[\d+\]: Failed password for bo from {IP_NUMBER}

	[failed ssh user] 12h
	^sshd\[\d+\]: Failed password for \w+ from {IP_NUMBER}

	[probe]
	^web\[\d+\]: {IP_NUMBER} 404 /phpMyAdmin
END

# ---- tried on lines ----

titles() { # what test says of the lines on standard input, a title or a dash each
	"$STOCKADE" test -v --rules "$RULES" | sed -n 's/^ *title *//p; s/^miss.*/-/p'
}

check_is "test shows which rule a line comes to" "fat fingers failed ssh user - -" "$(titles <<-'END' | xargs
	Nov 20 18:00:00 web1 sshd[7]: Failed password for bo from 192.0.2.1 port 50022 ssh2
	2026-11-20T18:00:01+00:00 web1 sshd[7]: Failed password for root from 192.0.2.1 port 50022 ssh2
	Nov 20 18:00:02 web1 sshd[7]: Accepted password for root from 192.0.2.1 port 50022 ssh2
	Failed password for root from 192.0.2.1 port 50022 ssh2
END
)"
"$STOCKADE" test --rules "$T/none.conf" </dev/null >"$T/test.log" 2>&1
check_is "rules that are not there: exit 2" 2 $?
check "check calls the rules by their name" sh -c "\"$STOCKADE\" check --no-lint -c '$T/none' --rules '$RULES' |
	grep -qxF '$RULES: good, 1 jail enabled'"

# ---- the daemon, without any other configuration ----

if ! daemon_start --rules "$RULES"; then
	not_ok "the daemon starts with nothing but rules"
	finish
fi
ok "the daemon starts with nothing but rules"
fails 10.71.0.1
check_eventually "the seed's rule blocks for 12 hours" is_for 10.71.0.1 43200
check_eventually "and the log says for what" logs "blacklisting 10.71.0.1 for failed ssh user"
fails 10.71.0.2 bo
check_eventually "a milder rule before it is the one that counts" is_for 10.71.0.2 300
check_eventually "and is the one that is told" logs "blacklisting 10.71.0.2 for fat fingers"
fails 2001:db8:71::1
check_eventually "IPv6" is_for 2001:db8:71::1 43200
fails ::ffff:10.71.0.3
check_eventually "IPv4 as IPv6 writes it" is_for 10.71.0.3 43200
say_as web "10.71.0.4 404 /phpMyAdmin-2.11"
check_eventually "a rule without a time: the default" is_for 10.71.0.4 600
fails 10.71.0.5 bo
fails 10.71.0.5 eve
check_eventually "whom the milder rule found the other one may still find" is_for 10.71.0.5 43200
say_as sshd "Accepted password for root from 10.71.0.6 port 50022 ssh2"
say_as cron "sshd[1]: Failed password for root from 10.71.0.6 port 50022 ssh2"
fails 10.71.0.7
check_eventually "after lines that no rule is for" in_set 10.71.0.7 blacklist
check "whose addresses are left alone" not in_set 10.71.0.6 blacklist

rule_of() { # ADDRESS: as explain tells it
	ctl explain --json "$1" | "$HELPERS/e2e-json" jails blacklist rule
}

check_is "explain tells the rule" "failed ssh user" "$(rule_of 10.71.0.1)"
check_is "banned does" "fat fingers" "$(ctl banned --json | grep -F 10.71.0.2 | "$HELPERS/e2e-json" rule)"
check "in words, too" sh -c "'$STOCKADE' explain --socket '$SOCK' 10.71.0.2 | grep -qF 'fat fingers'"

cat >>"$RULES" <<-'END'
	[later] 1h
	^later\[\d+\]: {IP_NUMBER}
END
ctl reload >"$T/reload.log" 2>&1
say_as later "10.71.0.8"
check_eventually "a reload reads the rules anew" is_for 10.71.0.8 3600
check_is "bans keep the rule that they are for" "failed ssh user" "$(rule_of 10.71.0.1)"
echo 'no {IP_NUMBER' >>"$RULES"
check "one with a fault is refused" not ctl reload
ctl reload >"$T/reload.log" 2>&1
check "with file and line" grep -qF "$RULES:12: error:" "$T/reload.log"
say_as later "10.71.0.9"
check_eventually "and the old rules go on" in_set 10.71.0.9 blacklist
sed -i '$d' "$RULES"

# ---- what a real rsyslogd passes on ----

cat >"$T/rsyslog.conf" <<-END
	module(load="imuxsock" SysSock.Use="off")
	input(type="imuxsock" Socket="$T/log")
	*.* @127.0.0.1:5514
END
ip netns exec "$NS" rsyslogd -n -f "$T/rsyslog.conf" -i "$T/rsyslogd.pid" >"$T/rsyslogd.log" 2>&1 &
adopt $!
if eventually test -S "$T/log"; then
	logger -u "$T/log" --socket-errors=off -t sshd --id=4711 \
		"Failed password for root from 10.72.0.1 port 50022 ssh2"
	check_eventually "a copy of rsyslogd's" is_for 10.72.0.1 43200
else
	not_ok "rsyslogd starts"
fi

# ---- a real sshd ----

ns_new EVIL evil && ns_link "$NS" "$EVIL" 1
sshd_files "Port 22"
cat >"$T/sshd.sh" <<-END
	mount -t tmpfs run /run && mkdir -m 755 /run/sshd || exit 1
	exec $(command -v sshd) -D -e -f $T/sshd_config
END
mkfifo "$T/sshd.out"
ip netns exec "$NS" logger -d -n 127.0.0.1 -P 5514 --rfc3164 -t sshd -i <"$T/sshd.out" &
adopt $!
ip netns exec "$NS" unshare -m --propagation private sh "$T/sshd.sh" >"$T/sshd.out" 2>&1 &
adopt $!

reaches() { # ADDRESS
	ip netns exec "$EVIL" timeout 2 bash -c "</dev/tcp/$1/22" 2>/dev/null
}

check_eventually "sshd answers" reaches 10.99.1.1
sshd_guess "$EVIL" root@10.99.1.1
check_eventually "one wrong password" is_for 10.99.1.2 43200
check "and nothing of him comes in any more" not reaches 10.99.1.1
check "by the other family he may still" reaches fd00:99:1::1
sshd_guess "$EVIL" root@fd00:99:1::1
check_eventually "until he tries" is_for fd00:99:1::2 43200

# ---- who is let off, by the kernel alone ----

cat >>"$RULES" <<-'END'
	[short] 4s
	^short\[\d+\]: {IP_NUMBER}
END
ctl reload >"$T/reload.log" 2>&1
say_as short 10.71.0.10
check_eventually "a rule of four seconds" in_set 10.71.0.10 blacklist
daemon_kill
check "the daemon is dead" not daemon_answers
check_eventually "the kernel lets him off by itself" not in_set 10.71.0.10 blacklist
check "and no other" in_set 10.71.0.1 blacklist
daemon_start --rules "$RULES"
check_is "after a start anew the ban has its rule" "failed ssh user" "$(rule_of 10.71.0.1)"
daemon_stop
nft_in delete table inet stockade

# ---- as a jail of a configuration ----

make_conf <<-END
	[DEFAULT]
	maxretry = 5
	[ours]
	enabled = true
	source = syslog
	rules = $RULES
	bantime = 2h
END
check "check finds nothing wrong" "$STOCKADE" check --strict -c "$CONF"
daemon_start
fails 10.73.0.1
check_eventually "a jail with rules" is_for 10.73.0.1 43200 ours
say_as web "10.73.0.2 404 /phpMyAdmin"
check_eventually "its own bantime is the default" is_for 10.73.0.2 7200 ours
daemon_stop
nft_in delete table inet stockade

# ---- under the name of syslog-blacklist ----

ln -s "$STOCKADE" "$T/syslog-blacklist"
SOCK=$T/run/blacklist.sock
PIDFILE=$T/run/blacklist.pid

blacklist() { # OPTION...
	ip netns exec "$NS" "$T/syslog-blacklist" --state "$T/blacklist" --socket "$SOCK" \
		--pidfile "$PIDFILE" "$@"
}

is_logged() { # TEXT: as the seed has it, "Nov 20 17:01:02: TEXT"
	grep -qE "^[A-Z][a-z]{2} [ 1-3][0-9] [0-9:]{8}: $1\$" "$T/blacklist.log"
}

blacklist --config "$RULES" --no-daemon --listen 192.0.2.99:5515 --logfile "$T/deaf.log" >"$T/deaf.said" 2>&1
check_is "with nowhere to listen it does not start: exit 2" 2 $?
check "and its log says where to look" grep -q "udp://192.0.2.99:5515: .*'ip addr' shows" "$T/deaf.log"

# If anything of it held our output open this would never end.
said=$(blacklist --config "$RULES" --listen 5515 --listen 127.0.0.2:5516 --listen 'udp://[::1]:5517' \
	--blocked 3h --blacklist evil --whitelist 10.74.1.0/24,10.74.2.1 --whitelist 10.74.2.2 \
	--logfile "$T/blacklist.log" 2>&1)
status=$?
said=$(echo "$said" | grep -v "there is no user 'stockade'")
check_is "it goes into the background" "0 " "$status $said"
STOCKADE_PID=$(cat "$PIDFILE")
adopt "$STOCKADE_PID"
check "when it says so it is up" daemon_answers
check_is "the pid file is right" syslog-blacklis "$(cat "/proc/$STOCKADE_PID/comm")"
check_is "it reads the rules and nothing else" "$RULES" "$(status_of config)"
fails 10.74.0.1 root 5515
check_eventually "a rule" is_for 10.74.0.1 43200 evil
check_eventually "its log has the seed's form" is_logged "blacklisting 10.74.0.1 for failed ssh user"
say_as web "10.74.0.2 404 /phpMyAdmin" 5515
check_eventually "--blocked" is_for 10.74.0.2 10800 evil
for _a in 10.74.1.7 10.74.2.1 10.74.2.2; do
	fails $_a root 5515
done
ip netns exec "$NS" logger -d -n 127.0.0.2 -P 5516 --rfc3164 -t sshd --id=1 \
	"Failed password for root from 10.74.0.3 port 50022 ssh2"
check_eventually "a second --listen" in_set 10.74.0.3 evil
ip netns exec "$NS" logger -d -n ::1 -P 5517 --rfc3164 -t sshd --id=1 \
	"Failed password for root from 2001:db8:74::4 port 50022 ssh2"
check_eventually "a third, with IPv6" in_set 2001:db8:74::4 evil
fails 10.74.0.6 root 5515
check_eventually "and the first again" in_set 10.74.0.6 evil
for _a in 10.74.1.7 10.74.2.1 10.74.2.2; do
	check "--whitelist: $_a" not in_set $_a evil
done
check "its log has nothing else to say of a ban" not grep -q '\] Ban ' "$T/blacklist.log"
check "a second one is refused" not blacklist --config "$RULES" --logfile "$T/second.log"
check "and the first one's pid file stays" test "$(cat "$PIDFILE")" = "$STOCKADE_PID"
printf '[anew] 2h\n^anew\\[\\d+\\]: {IP_NUMBER}\n' >>"$RULES"
kill -HUP "$STOCKADE_PID"

hup() {
	say_as anew 10.74.0.5 5515
	in_set 10.74.0.5 evil
}

check_eventually "SIGHUP reads the rules anew" hup
kill "$STOCKADE_PID"
check_eventually "SIGTERM ends it" not alive "$STOCKADE_PID"
check "and its pid file goes" test ! -e "$PIDFILE"
check "the bans stand" in_set 10.74.0.1 evil

# There are init scripts that leave nothing open.
timeout "$PATIENCE" ip netns exec "$NS" "$T/syslog-blacklist" --state "$T/blacklist" --socket "$SOCK" \
	--pidfile "$PIDFILE" --config "$RULES" --logfile "$T/closed.log" <&- >&- 2>&-
check_is "it starts without standard input, output and error" 0 $?
STOCKADE_PID=$(cat "$PIDFILE")
adopt "$STOCKADE_PID"
kill "$STOCKADE_PID"
check_eventually "and ends" not alive "$STOCKADE_PID"

# What is wrong at the start reaches the terminal, and the exit status.
printf '[bad] 1x\n^x {IP_NUMBER}\n' >"$T/bad.conf"
blacklist --config "$T/bad.conf" >"$T/bad.log" 2>&1
check_is "a rules file with a fault: exit 2" 2 $?
check "and it is said where" grep -qF "$T/bad.conf:1: error: '1x'" "$T/bad.log"
blacklist --config "$T/none.conf" >"$T/bad.log" 2>&1
check_is "without a rules file: exit 2" 2 $?
blacklist --config "$RULES" --logfile "$T/no/such/dir.log" >"$T/bad.log" 2>&1
check_is "a log that cannot be written: exit 2" 2 $?
check "and it is said" grep -qF "$T/no/such/dir.log" "$T/bad.log"
check "an option that there is not" not blacklist --bloked 3h
check "nobody is left behind" test ! -e "$PIDFILE"
check "--version" "$T/syslog-blacklist" --version
check "--help tells the options" sh -c "'$T/syslog-blacklist' --help | grep -q -- --skip-country"

# ---- in the foreground, and with countries ----

check "a database of countries" "$HELPERS/e2e-mmdb" "$T/countries" 10.75.1.0/24=DK \
	10.75.2.0/24=SE 10.75.3.0/24=DE 2001:db8:75::/48=DK
ip netns exec "$NS" "$T/syslog-blacklist" --no-daemon --debug --config "$RULES" \
	--skip-country dk,SE --countries "$T/countries" --state "$T/blacklist" --socket "$SOCK" \
	--pidfile "$PIDFILE" >"$T/stockade.log" 2>&1 &
STOCKADE_PID=$!
adopt $STOCKADE_PID

is_up_or_cannot() {
	daemon_answers || grep -q 'built without' "$T/stockade.log"
}

eventually is_up_or_cannot
if ! daemon_answers; then
	skip "skipped countries" "built without libmaxminddb"
	finish
fi
check_eventually "--no-daemon: there is a pid file all the same" test -s "$PIDFILE"
for _a in 10.75.1.1 10.75.2.1 2001:db8:75::1 10.75.3.1 10.75.4.1; do
	fails $_a
done
check_eventually "a country that is not skipped" in_set 10.75.3.1 blacklist
check_eventually "nor is one that nobody knows" in_set 10.75.4.1 blacklist
for _a in 10.75.1.1 10.75.2.1 2001:db8:75::1; do
	check "a country that is: $_a" not in_set $_a blacklist
done
check "the log says so" logs "Ignore 10.75.2.1 by country SE"
check_is "status counts them" 3 "$(status_of jails blacklist ignored_country)"
check "explain says so" sh -c \
	"'$STOCKADE' explain --socket '$SOCK' 2001:db8:75::1 | grep -q 'It is of DK'"
mv "$T/countries" "$T/gone"
check "a reload without the database is refused" not ctl reload
mv "$T/gone" "$T/countries"
check "and with it done" ctl reload
check_eventually "the daemon is there" daemon_answers
daemon_stop
check_is "SIGTERM: exit 0" 0 $?
check "the pid file is gone" test ! -e "$PIDFILE"
blacklist --no-daemon --config "$RULES" --skip-country DK --countries "$T/gone" >"$T/bad.log" 2>&1
check_is "no such database: exit 2" 2 $?
check "with what to do" grep -q 'geoipupdate' "$T/bad.log"
finish
