#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck disable=SC1091,SC2034,SC2119,SC2154,SC2317
#
# A real /etc/fail2ban, as Debian's package brings it: all its jails at once, and lines of what they watch.

. "${0%/*}/lib.sh"

[ -f /etc/fail2ban/jail.conf ] || skip_all "needs the package fail2ban"
CONF=$T/fail2ban
LOGS=$T/logs
mkdir "$LOGS"
cp -r /etc/fail2ban "$CONF"
rm -f "$CONF"/jail.d/*
# Nothing of it is changed; what is said here an administrator would say in these files.
{
	printf '[Definition]\nlogtarget = STDERR\nsocket = %s\npidfile = None\n' "$SOCK"
	id -u stockade >/dev/null 2>&1 || echo 'user = nobody'
} >"$CONF/fail2ban.local"

jails() { # the jails of jail.conf
	sed -n 's/^\[\([^]]*\)\].*/\1/p' "$CONF/jail.conf" | grep -vxE 'INCLUDES|DEFAULT'
}

watch() { # JAIL [KEY = VALUE]...
	_jail=$1
	shift
	printf '[%s]\nenabled = true\nlogpath = %s\n' "$_jail" "$LOGS/$_jail.log"
	printf '%s\n' "$@"
	: >"$LOGS/$_jail.log"
}

{
	printf '[DEFAULT]\nenabled = true\nmaxretry = 3\nignoreself = false\n'
	watch sshd 'backend = auto' 'filter = sshd[mode=aggressive]'
	for _jail in postfix-sasl dovecot nginx-http-auth apache-auth vsftpd named-refused; do
		watch $_jail 'backend = auto'
	done
	watch slapd 'backend = auto'
	watch recidive 'backend = auto' 'maxretry = 3'
} >"$CONF/jail.local"

n_jails=$(jails | wc -l)
check "check finds no error in it" "$STOCKADE" check -c "$CONF"
if ! daemon_start; then
	not_ok "the daemon starts with all $n_jails jails"
	finish
fi
check "all $n_jails jails run" grep -q "ready: $n_jails jails" "$T/stockade.log"

syslog_date() {
	date '+%b %e %H:%M:%S'
}

line() { # JAIL ADDRESS NUMBER: what its service logs of a failed attempt
	case $1 in
	sshd) echo "$(syslog_date) srv sshd[7$3]: Failed password for root from $2 port 50$3 ssh2" ;;
	postfix-sasl)
		echo "$(syslog_date) srv postfix/smtpd[7$3]: warning: unknown[$2]: SASL LOGIN authentication failed: UGFzc3dvcmQ6"
		;;
	dovecot)
		echo "$(syslog_date) srv dovecot: imap-login: Disconnected (auth failed, 1 attempts in 2 secs): user=<bob>, method=PLAIN, rip=$2, lip=10.71.0.1, TLS"
		;;
	nginx-http-auth)
		echo "$(date '+%Y/%m/%d %H:%M:%S') [error] 7#7: *$3 user \"bob\": password mismatch, client: $2, server: localhost, request: \"GET / HTTP/1.1\", host: \"srv\""
		;;
	apache-auth)
		echo "[$(date '+%a %b %d %H:%M:%S.123456 %Y')] [auth_basic:error] [pid 7$3:tid 1] [client $2:50$3] AH01617: user bob: authentication failure for \"/private\": Password Mismatch"
		;;
	vsftpd) echo "$(date '+%a %b %e %H:%M:%S %Y') [pid 7$3] [bob] FAIL LOGIN: Client \"$2\"" ;;
	named-refused)
		echo "$(date '+%d-%b-%Y %H:%M:%S.123') client $2#50$3 (example.com): query (cache) 'example.com/A/IN' denied"
		;;
	slapd)
		echo "$(syslog_date) srv slapd[7]: conn=$3 fd=14 ACCEPT from IP=$2:50$3 (IP=0.0.0.0:389)"
		echo "$(syslog_date) srv slapd[7]: conn=9$3 fd=15 ACCEPT from IP=10.71.9.9:50$3 (IP=0.0.0.0:389)"
		echo "$(syslog_date) srv slapd[7]: conn=$3 op=0 BIND dn=\"cn=bob\" method=128"
		echo "$(syslog_date) srv slapd[7]: conn=$3 op=0 RESULT tag=97 err=49 text="
		;;
	recidive) echo "$(date '+%Y-%m-%d %H:%M:%S,123') fail2ban.actions        [7]: NOTICE  [sshd] Ban $2" ;;
	esac
}

_net=0
for _jail in sshd postfix-sasl dovecot nginx-http-auth apache-auth vsftpd named-refused slapd recidive; do
	_net=$((_net + 1))
	for _n in 1 2; do
		line $_jail 10.71.$_net.1 $_n >>"$LOGS/$_jail.log"
	done
	line $_jail 10.71.$_net.2 3 >>"$LOGS/$_jail.log"
	check_eventually "$_jail: three lines were failures" failures_are 3 $_jail
	line $_jail 10.71.$_net.1 4 >>"$LOGS/$_jail.log"
	check_eventually "$_jail: who failed three times is banned" is_banned 10.71.$_net.1 $_jail
	check "$_jail: who failed once is not" not is_banned 10.71.$_net.2
done
check "slapd: the line between belongs to nobody" not ctl explain 10.71.9.9

# A session: the address stands in another line than the failure.
{
	echo "$(syslog_date) srv sshd[900]: User bob from 10.71.20.1 not allowed because not listed in AllowUsers"
	echo "$(syslog_date) srv sshd[901]: Accepted publickey for eve from 10.71.20.2 port 50000 ssh2: RSA SHA256:x"
} >>"$LOGS/sshd.log"
check_eventually "sshd: a user who may not come in is a failure" failures_are 5 sshd
check "the daemon stops" daemon_stop
finish
