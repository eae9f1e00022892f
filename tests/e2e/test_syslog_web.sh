#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck disable=SC1091,SC2034,SC2119,SC2154
#
# Somebody looks for phpMyAdmin on a real nginx and a real Apache, by a real curl. They log to syslog,
# Apache by way of the injector, and that ends in a ban: by a rules file, and by fail2ban's filters.

needs="nginx apache2 curl"
. "${0%/*}/lib.sh"
. "${0%/*}/senders.sh"
FILTERS=/etc/fail2ban/filter.d
MODULES=/usr/lib/apache2/modules
[ -f $FILTERS/nginx-botsearch.conf ] || skip_all "needs fail2ban's filters"

# ---- the servers ----

nginx_start() {
	mkdir "$T/www" "$T/nginx"
	cat >"$T/nginx.conf" <<-END
		user root;
		daemon off;
		pid $T/nginx.pid;
		events {}
		http {
			client_body_temp_path $T/nginx/body;
			proxy_temp_path $T/nginx/proxy;
			fastcgi_temp_path $T/nginx/fastcgi;
			uwsgi_temp_path $T/nginx/uwsgi;
			scgi_temp_path $T/nginx/scgi;
			root $T/www;
			server {
				listen 81;
				access_log syslog:server=127.0.0.1:$PORT,nohostname;
			}
			server {
				listen 82;
				access_log syslog:server=[::1]:$PORT,facility=local3,severity=notice,tag=shop;
			}
			server {
				listen 83;
				access_log off;
				error_log syslog:server=unix:$LOCAL,tag=nginx_errors;
			}
		}
	END
	ip netns exec "$NS" nginx -c "$T/nginx.conf" -e "$T/nginx.log" >"$T/nginx.out" 2>&1 &
	adopt $!
	eventually answers 83
}

apache_start() {
	{
		for _module in mpm_event authz_core; do
			echo "LoadModule ${_module}_module $MODULES/mod_$_module.so"
		done
		cat <<-END
			ServerRoot $T
			ServerName shop.example.net
			PidFile $T/apache.pid
			DefaultRuntimeDir $T
			DocumentRoot $T/www
			Listen 84
			Listen 85
			LogLevel info
			ErrorLog "|$STOCKADE inject -t apache2 -p local6.err -s 127.0.0.1:$PORT"
			LogFormat "%h %l %u %t \"%r\" %>s %b" common
			<VirtualHost *:85>
				ErrorLog /dev/null
				CustomLog "|$STOCKADE inject -t shop_access -s 127.0.0.1:$PORT" common
			</VirtualHost>
		END
	} >"$T/apache.conf"
	ip netns exec "$NS" apache2 -f "$T/apache.conf" -D FOREGROUND >"$T/apache.out" 2>&1 &
	adopt $!
	eventually answers 84
}

answers() { # PORT
	ip netns exec "$NS" curl -so /dev/null "http://127.0.0.1:$1/"
}

# ---- the attacker: an address for each of his tries ----

probe() { # FROM PORT: true if the server answers
	ip netns exec "$EVIL" curl -so /dev/null --max-time 2 --interface "$1" \
		"http://10.99.1.1:$2/phpMyAdmin/index.php"
}

# TEXT PORT JAIL: one probe, and he is out of that jail's ports.
ends_in_a_ban() {
	_from=10.99.1.$2
	ip -n "$EVIL" address add "$_from/24" dev v1b
	check "$1: the probe is answered" probe "$_from" "$2"
	check_eventually "$1: and ends in a ban" in_set "$_from" "$(echo "$3" | tr - _)"
	check "$1: what comes then gets nowhere" not probe "$_from" "$2"
	check_is "$1: it was one failure" "$3" "$(jails_of "$_from")"
}

jails_of() { # ADDRESS: in which it failed
	grep -o "\[[a-z-]*\] Found $1 " "$T/stockade.log" | sed 's/.*\[\(.*\)\].*/\1/'
}

# What servers decode of a request goes into their logs: a line break, and a message behind it.
forges_nothing_by() { # PORT
	_had=$(all_messages)
	ip netns exec "$EVIL" curl -so /dev/null --max-time 5 \
		"http://10.99.1.1:$1/%0a%3C38%3Esshd%5B1%5D:%20Failed%20password%20for%20root%20from%2010.70.9.9%20port%204%20ssh2%0a"
	check_eventually "port $1: a request with a message in it is logged" logged_more "$_had"
}

all_messages() {
	echo $(($(messages "$UDP") + $(messages "udp://[::1]:$PORT") + $(messages "unix://$LOCAL")))
}

logged_more() { # THAN
	[ "$(all_messages)" -gt "$1" ]
}

# ---- the test ----

if ! { ns_new EVIL evil && ns_link "$NS" "$EVIL" 1; }; then
	skip_all "cannot link network namespaces"
fi
cat >"$T/rules" <<-'END'
	[phpMyAdmin probe] 12h
	^nginx: {IP_NUMBER} \S+ \S+ \[[^]]*\] "\w+ /phpMyAdmin
	^shop_access: {IP_NUMBER} \S+ \S+ \[[^]]*\] "\w+ /phpMyAdmin
END
make_conf <<-END
	[DEFAULT]
	source = syslog
	maxretry = 1
	bantime = 1h

	[blacklist]
	enabled = true
	rules = $T/rules
	port = 81,85

	[nginx-botsearch]
	enabled = true
	program = shop nginx_errors
	syslogtext = message
	port = 82,83

	[sshd]
	enabled = true

	[apache-noscript]
	enabled = true
	program = apache2
	syslogtext = message
	port = 84
END
for _filter in nginx-botsearch botsearch-common apache-noscript apache-common; do
	cp "$FILTERS/$_filter.conf" "$CONF/filter.d/"
done
listen_everywhere
if ! daemon_start; then
	not_ok "the daemon starts"
	finish
fi
check "nginx starts" nginx_start
check "Apache starts" apache_start
for _port in 81 82 83 84 85; do
	forges_nothing_by $_port
done
ends_in_a_ban "nginx, access_log, rules" 81 blacklist
check "the log says for what" grep -q ' blacklisting 10.99.1.81 for phpMyAdmin probe$' \
	"$T/stockade.log"
ends_in_a_ban "nginx, access_log, fail2ban's filter" 82 nginx-botsearch
ends_in_a_ban "nginx, error_log, fail2ban's filter" 83 nginx-botsearch
ends_in_a_ban "Apache, piped error log, fail2ban's filter" 84 apache-noscript
ends_in_a_ban "Apache, piped access log, rules" 85 blacklist
check "no message was made up" not grep -q 'Found 10.70.9.9 ' "$T/stockade.log"
finish
