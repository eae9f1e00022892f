#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck disable=SC1091,SC2034,SC2119,SC2154,SC2317
#
# stockade setup syslog, and that what docs/SYSLOG.md shows is what it prints, and what the programs take.

needs="rsyslogd nginx apache2 openssl logger socat"
. "${0%/*}/lib.sh"

ROOT=$T/root
TLS=tls://127.0.0.1:6514

setup() { # ARGUMENT...
	"$STOCKADE" setup syslog --root "$ROOT" -c "$CONF" "$@" </dev/null
}

# ---- the document ----

# Each block that is marked goes to a file of its own, its mark to NUMBER.mark.
split_blocks() {
	mkdir "$T/doc"
	awk -v dir="$T/doc" '
		/^<!-- .* -->$/ { mark = $0; sub(/^<!-- /, "", mark); sub(/ -->$/, "", mark); next }
		/^```/ {
			if (inside) { close(file); inside = 0; mark = "" }
			else if (mark != "") {
				n++
				file = sprintf("%s/%02d", dir, n)
				print mark > (file ".mark")
				close(file ".mark")
				printf "" > file
				inside = 1
			}
			next
		}
		inside { print > file }
	' "$SRC/docs/SYSLOG.md"
}

rsyslog_takes() { # FILE
	printf 'global(workDirectory="%s")\ninclude(file="%s")\n' "$T/var" "$1" >"$T/rsyslog.conf"
	rsyslogd -N1 -f "$T/rsyslog.conf"
}

syslog_ng_takes() { # FILE
	sed "s|/etc/ssl/ca.pem|$T/pki/cert.pem|; s|/etc/ssl/web1.pem|$T/pki/cert.pem|
		s|/etc/ssl/private/web1.pem|$T/pki/key.pem|" "$1" >"$T/part.conf"
	printf '@version: 3.38\nsource s_src { internal(); };\n@include "%s"\n' "$T/part.conf" >"$T/syslog-ng.conf"
	syslog_ng --syntax-only --cfgfile="$T/syslog-ng.conf"
}

nginx_takes() { # FILE
	{
		printf 'pid %s/nginx.pid;\nevents {}\nhttp {\n' "$T"
		cat "$1"
		echo '}'
	} >"$T/nginx.conf"
	nginx -t -c "$T/nginx.conf" -e "$T/nginx.log"
}

apache_takes() { # FILE
	{
		printf 'ServerName x\nPidFile %s/apache.pid\nDefaultRuntimeDir %s\nListen 80\n' "$T" "$T"
		echo 'LogFormat "%h %l %u %t \"%r\" %>s %b" combined'
		for _module in mpm_event authz_core; do
			echo "LoadModule ${_module}_module /usr/lib/apache2/modules/mod_$_module.so"
		done
		cat "$1"
	} >"$T/apache.conf"
	apache2 -t -f "$T/apache.conf"
}

checks() { # the configuration has no fault, nor a filter that can be deceived
	"$STOCKADE" check --strict -c "$CONF"
}

jail_is_good() { # FILE: with what the document said last of stockade.local
	make_conf <"$1" && cp -r "$T/filters/." "$CONF/filter.d" && cat "$T/listen" >>"$CONF/stockade.local" &&
		checks
}

stockade_is_good() { # FILE
	make_conf </dev/null
	cat "$1" >>"$CONF/stockade.local"
	cp "$1" "$T/listen"
	checks
}

prints() { # FILE MARK
	# shellcheck disable=SC2046 # a list of words
	setup $(echo "$2" | sed 's/^setup //') --print | cmp - "$1"
}

try_block() { # FILE MARK
	case $2 in
	setup*)
		check "setup prints what the document shows: $2" prints "$1" "$2"
		case $2 in
		*" rsyslog "*) check "rsyslogd takes it" rsyslog_takes "$1" ;;
		*" syslog-ng "*)
			if has_syslog_ng; then
				check "syslog-ng takes it" syslog_ng_takes "$1"
			else
				skip "syslog-ng takes it" "no syslog-ng"
			fi
			;;
		esac
		;;
	openssl)
		mkdir "$T/made"
		check "openssl makes the certificates" sh -ec "cd '$T/made' && . '$1'"
		check "that Stockade has" openssl verify -CAfile "$T/made/ca.pem" -purpose sslserver \
			-verify_hostname logs.example.net "$T/made/logs.pem"
		check "and a sender" openssl verify -CAfile "$T/made/ca.pem" -purpose sslclient \
			-verify_hostname web1.example.net "$T/made/web1.pem"
		;;
	nginx) check "nginx takes its lines" nginx_takes "$1" ;;
	apache) check "Apache takes its lines" apache_takes "$1" ;;
	filter*) cp "$1" "$T/filters/${2#filter }.conf" ;;
	jail) check "a jail: $(head -n 1 "$1")" jail_is_good "$1" ;;
	stockade) check "stockade.local: $(sed -n 2p "$1")" stockade_is_good "$1" ;;
	"stockade tls")
		sed -i "s,/etc/stockade/key.pem,$T/pki/key.pem,; s,/etc/stockade/[a-z]*.pem,$T/pki/cert.pem," "$1"
		check "stockade.local: $(sed -n 2p "$1")" stockade_is_good "$1"
		;;
	*) not_ok "the document has a mark that is not known: $2" ;;
	esac
}

mkdir "$T/pki" "$T/filters" "$ROOT"
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=logs.example.net -keyout "$T/pki/key.pem" \
	-out "$T/pki/cert.pem" >"$T/openssl.log" 2>&1
make_conf </dev/null
split_blocks
for _mark in "$T"/doc/*.mark; do
	try_block "${_mark%.mark}" "$(cat "$_mark")"
done

# ---- setup ----

make_conf </dev/null
setup --print >"$T/setup.log" 2>&1
check_is "no daemon is here: exit 2" 2 $?
mkdir -p "$ROOT/usr/sbin" "$ROOT/lib/systemd" "$ROOT/etc/rsyslog.d" "$ROOT/etc/syslog-ng/conf.d"
touch "$ROOT/lib/systemd/systemd-journald"
check "journald alone: it is found" sh -c "\"$STOCKADE\" setup syslog --root \"$ROOT\" -c \"$CONF\" --print 2>/dev/null |
	grep -q ForwardToSyslog"
touch "$ROOT/usr/sbin/rsyslogd"
FILE=$ROOT/etc/rsyslog.d/60-stockade.conf
setup >"$T/setup.log" 2>&1
check_is "nobody to ask: exit 2" 2 $?
check "and nothing is written" test ! -e "$FILE"
check "--yes writes" setup --yes
setup --print >"$T/wanted" 2>/dev/null
check "what --print shows" cmp "$FILE" "$T/wanted"
check_is "readable to all" 644 "$(stat -c %a "$FILE")"
check_is "and nothing beside it" 60-stockade.conf "$(ls "$ROOT/etc/rsyslog.d")"
check "twice is fine" setup --yes
check "our own is replaced" setup --yes --to tcp://127.0.0.1:5999
check "by what is wanted now" grep -q 'port="5999" protocol="tcp"' "$FILE"
setup --yes --to tcp://127.0.0.1:5999 >"$T/setup.log" 2>&1
check "what Stockade has to listen to is told" \
	grep -qx 'listen = udp://127.0.0.1:5514 tcp://127.0.0.1:5999' "$T/setup.log"
echo "mine" >"$FILE"
setup --yes >"$T/setup.log" 2>&1
check_is "somebody's own file: exit 1" 1 $?
check "and it is left alone" grep -qx mine "$FILE"
rm "$FILE"
ln -s ../other "$FILE"
setup --yes >"$T/setup.log" 2>&1
check_is "a link: exit 1" 1 $?
check "and nothing is written through it" test ! -e "$ROOT/etc/other"
touch "$ROOT/usr/sbin/syslog-ng"
setup --yes >"$T/setup.log" 2>&1
check_is "two daemons: exit 2" 2 $?
printf '@version: 3.38\nsource net { tcp(); };\nsource s_sys {\n  system();\n};\n' >"$ROOT/etc/syslog-ng/syslog-ng.conf"
check "syslog-ng's source is found" sh -c "\"$STOCKADE\" setup syslog syslog-ng --root \"$ROOT\" -c \"$CONF\" \
	--print 2>/dev/null | grep -q 'source(s_sys)'"
for _to in 'udp://a"b:1' 'unix:///a b' udp://x:syslog 'http://x:1' 127.0.0.1:514 udp://0.0.0.0:514 'tcp://[::]:514'; do
	setup rsyslog --print --to "$_to" >"$T/setup.log" 2>&1
	check_is "--to $_to: exit 2" 2 $?
done

# ---- what is printed, from end to end ----

# It reads this machine's messages from a socket of its own, under whatever name it is looked for.
rsyslog_with() { # FILE NAME
	printf 'global(workDirectory="%s")\nmodule(load="imuxsock" SysSock.Use="off")\n' "$T/var" >"$T/$2.conf"
	printf 'input(type="imuxsock" Socket="%s")\ninclude(file="%s")\n' "$IN/$2" "$1" >>"$T/$2.conf"
	ip netns exec "$NS" rsyslogd -n -f "$T/$2.conf" -i "$T/$2.pid" >"$T/$2.log" 2>&1 &
	adopt $!
	eventually test -S "$IN/$2"
}

syslog_ng_with() { # FILE NAME
	{
		echo "@version: $(syslog_ng --version | sed -n 's/^Config version: //p')"
		echo "source s_src { unix-dgram(\"$IN/$2\"); };"
		echo "@include \"$1\""
	} >"$T/$2.conf"
	syslog_ng --stderr --cfgfile="$T/$2.conf" --persist-file="$T/var/$2.persist" \
		--control="$T/var/$2.ctl" --pidfile="$T/var/$2.pid" >"$T/$2.log" 2>&1 &
	adopt $!
	eventually test -S "$IN/$2"
}

chain() { # DAEMON URL ADDRESS
	_name=$1_$(echo "$2" | tr -cd '[:lower:]')
	"$STOCKADE" setup syslog "$1" --print --to "$2" --ca "$T/pki/cert.pem" -c "$CONF" \
		>"$T/$_name.lines" 2>/dev/null
	if [ "$1" = syslog-ng ] && ! has_syslog_ng; then
		skip "$1, $2" "no syslog-ng"
		return
	fi
	case $1 in
	rsyslog) check "$1 starts" rsyslog_with "$T/$_name.lines" "$_name" ;;
	*) check "$1 starts" syslog_ng_with "$T/$_name.lines" "$_name" ;;
	esac
	proves_relay "$1, $2" "$2" "$3" "$_name"
	forges_nothing "$1, $2" "10.73.1.${3##*.}" "$_name"
}

# The listeners' names are addresses: a certificate for one is checked by rsyslog for who made it alone.
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1 \
	-keyout "$T/pki/key.pem" -out "$T/pki/cert.pem" >"$T/openssl.log" 2>&1
. "${0%/*}/senders.sh"
sshd_jail
listen_everywhere "	$TLS" "certificate = $T/pki/cert.pem" "key = $T/pki/key.pem"
if daemon_start; then
	chain rsyslog "$UDP" 10.73.0.1
	chain rsyslog "$TCP" 10.73.0.2
	chain rsyslog "unix://$LOCAL" 10.73.0.3
	chain rsyslog "$TLS" 10.73.0.4
	chain syslog-ng "$UDP" 10.73.0.5
	chain syslog-ng "$TCP" 10.73.0.6
	chain syslog-ng "unix://$LOCAL" 10.73.0.7
	chain syslog-ng "unix-stream://$LOCAL_STREAM" 10.73.0.8
	chain syslog-ng "$TLS" 10.73.0.9
else
	not_ok "the daemon starts"
fi
finish
