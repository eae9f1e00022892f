#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck disable=SC2317 # functions are called by within
# demo.sh: a password guesser meets Stockade, on networks and in folders that exist for this alone.
# STOCKADE is the binary, SRC the checkout.
set -eu
SERVER=203.0.113.1 ATTACKER=203.0.113.66 FRIEND=198.51.100.7
BAN_SECONDS=15
attacker='' friend=''

if [ -t 1 ]; then bold=$(printf '\033[1m') dim=$(printf '\033[2m') plain=$(printf '\033[0m'); else
	bold='' dim='' plain=''
fi

# With a pause to read, if somebody does.
tell() {
	[ ! -t 1 ] || sleep 2
	printf '\n%s%s%s\n' "$bold" "$*" "$plain"
}

# show COMMAND...: as typed at a prompt, with its output.
show() {
	printf '%s# %s%s\n' "$dim" "$*" "$plain"
	on_socket "$@"
}

on_socket() {
	[ "$1" = stockade ] || { "$@"; return; }
	command=$2
	shift 2
	"$STOCKADE" "$command" --socket "$T/stockade.sock" "$@"
}

die() {
	echo "demo: $*" >&2
	[ ! -s "$T/stockade.log" ] || tail -n 20 "$T/stockade.log" >&2
	exit 1
}

# within SECONDS COMMAND...: waits until it succeeds.
within() {
	tries=$(($1 * 20))
	shift
	until "$@" >/dev/null 2>&1; do
		tries=$((tries - 1))
		[ $tries -gt 0 ] || return 1
		sleep 0.05
	done
}

# --- the stage: this process is in the server's network; the others hang on it by a cable each ---

host() { # NAME SERVER-ADDRESS ITS-ADDRESS: leaves its process in the variable NAME
	unshare --net sleep 300 &
	eval "$1=$!"
	within 5 differs $!
	ip link add "$1" type veth peer name eth0 netns $!
	ip address add "$2/24" dev "$1"
	ip link set "$1" up
	nsenter --net="/proc/$!/ns/net" sh -c "ip link set lo up; ip address add $3/24 dev eth0
		ip link set eth0 up"
}

differs() {
	[ "$(readlink "/proc/$1/ns/net")" != "$(readlink /proc/self/ns/net)" ]
}

at() { # PROCESS COMMAND...: on that host
	process=$1
	shift
	nsenter --net="/proc/$process/ns/net" "$@"
}

# A real sshd if there is one, its messages written to a file as syslog would.
start_sshd() {
	ssh-keygen -q -t ed25519 -N '' -f "$T/host_key"
	cat >"$T/sshd_config" <<-END
		HostKey $T/host_key
		PidFile none
		UsePAM no
		UseDNS no
		PasswordAuthentication yes
		KbdInteractiveAuthentication no
		PermitRootLogin yes
	END
	# From 9.8 on sshd has a defence of its own, which would hide ours.
	echo 'PerSourcePenalties no' >"$T/penalties"
	cat "$T/sshd_config" >>"$T/penalties"
	! sshd -t -f "$T/penalties" 2>/dev/null || mv "$T/penalties" "$T/sshd_config"
	cr=$(printf '\r')
	"$(command -v sshd)" -D -e -f "$T/sshd_config" 2>&1 |
		while IFS= read -r line; do write_log "${line%"$cr"}"; done &
	printf '#!/bin/sh\necho guess\n' >"$T/askpass"
	chmod +x "$T/askpass"
	within 10 grep -q 'Server listening' "$T/auth.log" || die "sshd does not start"
}

write_log() {
	printf '%s demo sshd[4711]: %s\n' "$(date '+%b %e %H:%M:%S')" "$*" >>"$T/auth.log"
}

guess() { # PORT-OF-STAND-IN: one wrong password
	if [ -n "$real_sshd" ]; then
		at "$attacker" env SSH_ASKPASS="$T/askpass" SSH_ASKPASS_REQUIRE=force DISPLAY=none HOME="$T" \
			setsid ssh -F none -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null \
			-o PubkeyAuthentication=no -o NumberOfPasswordPrompts=1 -o ConnectTimeout=3 \
			-o LogLevel=ERROR root@$SERVER true </dev/null >/dev/null 2>&1 || :
	else
		write_log "Failed password for root from $ATTACKER port $1 ssh2"
	fi
}

# What a host gets that connects to port 22: a greeting, a refusal (nothing listens there), silence.
knock() {
	rc=0
	# shellcheck disable=SC2016 # for the inner shell
	greeting=$(at "$1" timeout 2 bash -c 'exec 3<>"/dev/tcp/$0/22" && read -r l <&3 && echo "$l"' \
		"$2" 2>/dev/null) || rc=$?
	case $rc in
	0) echo "answer: ${greeting%"$(printf '\r')"}" ;;
	124) echo "silence" ;;
	*) echo "answer: connection refused" ;;
	esac
}

try() { # NAME PROCESS FROM TO
	printf '  %-9s %-13s -> port 22: ' "$1" "$3"
	knock "$2" "$4"
}

start_stockade() {
	mkdir "$T/etc"
	cp -r "$SRC/etc/stockade/." "$T/etc/"
	rm -rf "$T/etc/jail.d"
	cat >"$T/etc/jail.local" <<-END
		[DEFAULT]
		maxretry = 3
		bantime = ${BAN_SECONDS}s
		[sshd]
		enabled = true
		source = file
		logpath = $T/auth.log
	END
	id -u stockade >/dev/null 2>&1 || printf '[Definition]\nuser = nobody\n' >"$T/etc/stockade.local"
	"$STOCKADE" run -c "$T/etc" --state "$T/state" --socket "$T/stockade.sock" \
		>"$T/stockade.log" 2>&1 &
	within 20 on_socket stockade ping || die "the daemon does not answer"
}

# --- the play -----------------------------------------------------------------------------------

banned() {
	on_socket stockade banned --json | grep -q "\"$ATTACKER\""
}

not_banned() {
	! banned
}

play() {
	# Of this mount namespace only: sshd's and our own runtime files.
	mount -t tmpfs tmpfs /run
	mkdir -m 0755 /run/sshd
	ip link set lo up
	host attacker $SERVER $ATTACKER
	host friend 198.51.100.1 $FRIEND
	: >"$T/auth.log"
	real_sshd=
	if command -v sshd >/dev/null && command -v ssh >/dev/null; then
		real_sshd=1
		start_sshd
	fi
	start_stockade

	tell "A server with ssh, an attacker, a friend. Stockade watches sshd's log: three failures, and out."
	show stockade status
	try attacker "$attacker" $ATTACKER $SERVER
	try friend "$friend" $FRIEND 198.51.100.1

	tell "The attacker guesses passwords."
	for port in 50001 50002 50003; do
		guess $port
		within 5 has_failures $((port - 50000)) || die "sshd logged no failure"
		grep 'Failed password' "$T/auth.log" | tail -n 1 | sed 's/^/  /'
	done
	within 10 banned || die "no ban"

	tell "The third line was one too many. Now the kernel drops what the attacker sends."
	try attacker "$attacker" $ATTACKER $SERVER
	try friend "$friend" $FRIEND 198.51.100.1

	tell "Who is out, and why?"
	show stockade banned
	echo
	show stockade explain $ATTACKER

	tell "The ban ends by itself, by the kernel's clock, $BAN_SECONDS seconds after it began."
	within $((BAN_SECONDS + 10)) not_banned || die "the ban does not end"
	try attacker "$attacker" $ATTACKER $SERVER
	tell "That was all in private networks and a temporary folder. Nothing of it is left."
}

has_failures() {
	[ "$(grep -c 'Failed password' "$T/auth.log")" -ge "$1" ]
}

if [ "${1:-}" = --inside ]; then
	T=$2
	play
	exit
fi
T=$(mktemp -d "${TMPDIR:-/tmp}/stockade-demo.XXXXXX")
trap 'rm -rf "$T"' EXIT
trap 'exit 1' HUP INT TERM
# guard, which is not root, must get to its state directory.
chmod 0711 "$T"
rc=0
unshare --net --mount --pid --fork --kill-child --mount-proc "$0" --inside "$T" </dev/null || rc=$?
exit $rc
