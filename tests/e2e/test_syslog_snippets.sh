#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck disable=SC1091,SC2034,SC2119,SC2154
#
# The filters and jails of docs/SYSLOG.md see what those senders write that no test has in person.

needs="socat awk"
. "${0%/*}/lib.sh"
. "${0%/*}/senders.sh"
DOC=$SRC/docs/SYSLOG.md

blocks() { # KIND: what stands in the blocks with that mark
	awk -v kind="<!-- $1" 'index($0, kind) == 1 { on = 1; next }
		/^```$/ { if (on && ++on == 3) on = 0; next } on == 2' "$DOC"
}

sees() { # JAIL ADDRESS MESSAGE
	printf '%s' "$3" >"$T/message"
	ip netns exec "$NS" socat -u "OPEN:$T/message" "UDP4-SENDTO:127.0.0.1:$PORT" >>"$T/sender.log" 2>&1
	check_eventually "$1: $(echo "$3" | cut -c 1-50) ..." grep -qF "[$1] Found $2 " "$T/stockade.log"
}

# sshd's second jail is for many hosts; the routers' address is ours here
blocks jail | awk '/^\[/ { twice = seen[$0]++ } !twice' | sed 's/^host = 192.0.2.1$/host = 127.0.0.1/' |
	make_conf
sed -n 's/^<!-- filter \([a-z-]*\) -->$/\1/p' "$DOC" | while read -r _name; do
	blocks "filter $_name " >"$CONF/filter.d/$_name.conf"
done
listen_everywhere
check "nothing is wrong with them" "$STOCKADE" check --strict -c "$CONF"
if ! daemon_start; then
	not_ok "the daemon starts"
	finish
fi

REQUEST='"GET /phpMyAdmin/ HTTP/1.1" 404'
sees haproxy-probes 10.80.0.1 \
	"<134>$(date '+%b %e %T') haproxy[143]: 10.80.0.1:33317 [$(date '+%d/%b/%Y:%T.655')] http-in static/srv1 10/0/30/69/109 404 2750 - - ---- 1/1/1/1/0 0/0 \"GET /phpMyAdmin/x HTTP/1.1\""
sees docker-web 10.80.0.2 \
	"<30>1 $(date '+%Y-%m-%dT%T.198582%:z') host web1 1234 web1 - 10.80.0.2 - - [$(date '+%d/%b/%Y:%T %z')] $REQUEST 153 \"-\" \"curl\""
sees docker-web 10.80.0.3 \
	"<30>$(date '+%b %e %T') web2[1234]: 10.80.0.3 - - [$(date '+%d/%b/%Y:%T %z')] $REQUEST 153 \"-\" \"curl\""

LOGIN='%SEC_LOGIN-4-LOGIN_FAILED: Login failed [user: admin] [Source: ADDRESS] [localport: 22] [Reason: Login Authentication Failed] at 18:48:50 UTC Mon Mar 1 1993'
cisco() { # ADDRESS WHAT_COMES_BEFORE
	sees cisco "$1" "<189>$2$(echo "$LOGIN" | sed "s/ADDRESS/$1/")"
}
cisco 10.80.0.4 "45: *Mar  1 18:48:50.483: "
cisco 10.80.0.5 "45: *Mar  1 18:48:50.483 UTC: "
cisco 10.80.0.6 "45: rtr1: 000123: .$(date '+%b %e %T.483') CET: "
cisco 10.80.0.7 "$(date '+%b %e %Y %T'): "
cisco 10.80.0.8 ""

sees mikrotik 10.80.0.9 "<30>system,error,critical login failure for user admin from 10.80.0.9 via ssh"
sees mikrotik 10.80.0.10 \
	"<30>$(date '+%b %e %T') MikroTik system,error,critical login failure for user a from 192.0.2.9 via b from 10.80.0.10 via api-ssl"
check "no other" not grep -q 'Found 192' "$T/stockade.log"
finish
