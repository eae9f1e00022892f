# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2015,SC2034,SC2154
#
# What the end-to-end tests share. A test sets `needs` (commands it cannot do without) and sources this.
# From outside come STOCKADE (the built binary) and SRC (the checkout). Output is TAP.
#
# Everything happens in a folder of its own ($T) and in network namespaces of its own, both gone at the
# end. Nothing is timed: what must happen is waited for, patiently, as the machine may be slow.

LC_ALL=C
export LC_ALL
umask 022
PATH=$PATH:/usr/sbin:/sbin

ME=$(basename "$0" .sh)
PATIENCE=${PATIENCE:-60} # seconds until something that must happen counts as failed
n_done=0
n_bad=0
namespaces=
children=
T=

# ---- TAP ----

ok() {
	n_done=$((n_done + 1))
	echo "ok $n_done - $*"
	[ -z "$T" ] || touch "$T/since" # what is older has nothing to do with the next failure
}

not_ok() {
	n_done=$((n_done + 1))
	n_bad=$((n_bad + 1))
	echo "not ok $n_done - $*"
	diagnose
}

skip() { # TEXT WHY
	n_done=$((n_done + 1))
	echo "ok $n_done - $1 # SKIP $2"
}

skip_all() { # WHY
	skip "$ME" "$1"
	echo "1..$n_done"
	exit 0
}

diag() {
	printf '%s\n' "$*" | sed 's/^/# /'
}

check() { # TEXT COMMAND...: the command must succeed
	_text=$1
	shift
	if "$@" >"$T/said.log" 2>&1; then
		ok "$_text"
	else
		diag "failed: $*"
		not_ok "$_text"
	fi
}

check_eventually() { # TEXT COMMAND...: the command must come to succeed
	_text=$1
	shift
	if eventually "$@"; then
		ok "$_text"
	else
		diag "never came true: $*"
		not_ok "$_text"
	fi
}

check_is() { # TEXT WANTED GOT
	if [ "$2" = "$3" ]; then
		ok "$1"
	else
		diag "wanted: $2"
		diag "got:    $3"
		not_ok "$1"
	fi
}

# What a person would look at first.
diagnose() {
	[ -n "$T" ] || return 0
	for _f in "$T"/*.log; do
		[ -s "$_f" ] && [ -n "$(find "$_f" -newer "$T/since")" ] || continue
		diag "--- ${_f##*/} (its end)"
		tail -n 15 "$_f" | cut -c 1-300 | sed 's/^/# /'
	done
	if [ -n "${NS:-}" ]; then
		diag "--- nft list table inet stockade (its start)"
		ip netns exec "$NS" nft list table inet stockade 2>&1 | grep -v '^$' | head -n 60 |
			cut -c 1-300 | sed 's/^/# /'
	fi
}

finish() {
	if grep -qE 'AddressSanitizer|runtime error:' "$T/stockade.log" 2>/dev/null; then
		grep -E -A 20 'AddressSanitizer|runtime error:' "$T/stockade.log" | head -n 60 |
			sed 's/^/# /'
		not_ok "the sanitizers found nothing"
	fi
	echo "1..$n_done"
	[ "$n_bad" -eq 0 ]
	exit
}

# ---- waiting ----

eventually() { # COMMAND...: tries until it succeeds, PATIENCE seconds long
	_end=$(($(date +%s) + PATIENCE))
	while ! "$@" >/dev/null 2>&1; do
		[ "$(date +%s)" -lt "$_end" ] || return 1
		sleep 0.05
	done
}

not() {
	! "$@"
}

random_below() { # N: 0 to N-1
	echo $(($(od -An -N4 -tu4 /dev/urandom) % $1))
}

# ---- processes ----

alive() { # PID: there, and not a zombie
	_state=$(sed -n 's/^State:[[:space:]]*\(.\).*/\1/p' "/proc/$1/status" 2>/dev/null)
	[ -n "$_state" ] && [ "$_state" != Z ]
}

adopt() { # PID: ended with the test
	children="$children $1"
}

children_of() { # PID
	for _stat in /proc/[0-9]*/stat; do
		# the command's name may hold anything, the fields begin after its last parenthesis
		sed -n "s|^\([0-9]*\) .*) [A-Z] $1 .*|\1|p" "$_stat" 2>/dev/null
	done
}

end_process() { # PID
	kill "$1" 2>/dev/null || return 0
	_i=0
	while alive "$1" && [ $_i -lt 100 ]; do
		sleep 0.05
		_i=$((_i + 1))
	done
	kill -KILL "$1" 2>/dev/null
	wait "$1" 2>/dev/null
	return 0
}

cleanup() {
	trap - EXIT INT TERM HUP
	for _pid in $children; do
		end_process "$_pid"
	done
	for _ns in $namespaces; do
		for _pid in $(ip netns pids "$_ns" 2>/dev/null); do
			kill -KILL "$_pid" 2>/dev/null
		done
		ip netns delete "$_ns" 2>/dev/null
	done
	if [ -n "$T" ]; then
		grep -o " $T/[^ ]*" /proc/mounts | sort -r | while read -r _dir; do
			umount -l "$_dir"
		done
		rm -rf "$T"
	fi
}

# ---- namespaces ----

ns_new() { # VARIABLE NAME: a network namespace, its real name goes into the variable
	namespaces="$namespaces stk$$$2"
	eval "$1=stk$$$2"
	ip netns add "stk$$$2" && ip -n "stk$$$2" link set lo up
}

# A veth pair between two namespaces: A has 10.99.NET.1 and fd00:99:NET::1, B the same ending in 2.
ns_link() { # A B NET
	ip link add "v$3a" netns "$1" type veth peer name "v$3b" netns "$2" || return 1
	for _side in a b; do
		[ $_side = a ] && _ns=$1 _host=1 || _ns=$2 _host=2
		ip -n "$_ns" address add "10.99.$3.$_host/24" dev "v$3$_side" || return 1
		ip -n "$_ns" address add "fd00:99:$3::$_host/64" dev "v$3$_side" nodad || return 1
		ip -n "$_ns" link set "v$3$_side" up || return 1
	done
}

# ---- the daemon: runs in $NS with $CONF, $STATE and $SOCK ----

make_conf() { # reads the jail.local on standard input
	rm -rf "$CONF"
	mkdir -p "$CONF" && cp -r "$SRC/etc/stockade/." "$CONF/" && rm -rf "$CONF"/jail.d/* &&
		cat >"$CONF/jail.local" || return 1
	# there may be no such user on this machine, and tests make none
	id -u stockade >/dev/null 2>&1 || printf '[Definition]\nuser = nobody\n' >"$CONF/stockade.local"
}

daemon_launch() { # [ARGUMENT...]
	ip netns exec "$NS" "$STOCKADE" run -c "$CONF" --state "$STATE" --socket "$SOCK" "$@" \
		>>"$T/stockade.log" 2>&1 &
	STOCKADE_PID=$!
	adopt $STOCKADE_PID
}

daemon_answers() {
	ctl ping >/dev/null 2>&1
}

daemon_start() { # [ARGUMENT...]: and waits until it answers
	daemon_launch "$@"
	_deadline=$(($(date +%s) + PATIENCE))
	until daemon_answers; do
		if ! alive $STOCKADE_PID || [ "$(date +%s)" -ge $_deadline ]; then
			diag "the daemon does not come up"
			return 1
		fi
		sleep 0.05
	done
}

daemon_stop() { # exit status: the daemon's
	kill -TERM "$STOCKADE_PID" 2>/dev/null
	eventually not alive "$STOCKADE_PID" || kill -KILL "$STOCKADE_PID"
	wait "$STOCKADE_PID"
}

daemon_kill() { # as a power cut would: both processes at once
	_guard=$(guard_pid)
	# shellcheck disable=SC2086 # one word or none
	kill -KILL "$STOCKADE_PID" $_guard 2>/dev/null
	wait "$STOCKADE_PID" 2>/dev/null
	eventually not alive "${_guard:-0}"
}

guard_pid() {
	child_named stockade-guard
}

child_named() { # NAME: the daemon's child that is called so
	for _child in $(children_of "$STOCKADE_PID"); do
		if [ "$(cat "/proc/$_child/comm" 2>/dev/null)" = "$1" ]; then
			echo "$_child"
			return
		fi
	done
}

ctl() { # COMMAND...
	_cmd=$1
	shift
	"$STOCKADE" "$_cmd" --socket "$SOCK" "$@"
}

status_of() { # KEY...: a value from status --json
	ctl status --json | "$HELPERS/e2e-json" "$@"
}

failures() { # [JAIL]
	status_of jails "${1:-sshd}" failures
}

failures_are() { # N [JAIL]
	[ "$(failures "${2:-sshd}")" = "$1" ]
}

# ---- the kernel ----

nft_in() {
	ip netns exec "$NS" nft "$@"
}

in_set() { # ADDRESS [SET]
	case $1 in
	*:*) _set=${2:-sshd}6 ;;
	*) _set=${2:-sshd}4 ;;
	esac
	nft_in get element inet stockade "$_set" "{ $1 }" >/dev/null 2>&1
}

set_members() { # SET4: its IPv4 addresses, one a line
	nft_in list set inet stockade "$1" | tr -s ' \t,{}' '\n' | grep -E '^[0-9]+(\.[0-9]+){3}$'
}

is_banned() { # ADDRESS [JAIL]: as the daemon says
	ctl banned --json ${2:+"$2"} | "$HELPERS/e2e-json" ip | grep -qxF "$1"
}

# ---- syslog-ng, which ./dev has unpacked, as it cannot be installed beside rsyslog ----

UNPACKED=$SRC/build/unpacked

has_syslog_ng() {
	[ -x "$UNPACKED/usr/sbin/syslog-ng" ]
}

syslog_ng() { # ARGUMENT...: in the foreground, in $NS
	_modules=$(find "$UNPACKED/usr/lib/syslog-ng" -maxdepth 1 -name '[0-9]*')
	_libs=$(find "$UNPACKED" -name '*.so.*' -printf '%h\n' | sort -u | tr '\n' ':')
	ip netns exec "$NS" env LD_LIBRARY_PATH="$_libs" "$UNPACKED/usr/sbin/syslog-ng" \
		--foreground --no-caps --module-path="$_modules" --persist-file="$T/var/syslog-ng.persist" \
		--control="$T/var/syslog-ng.ctl" --pidfile="$T/var/syslog-ng.pid" "$@"
}

# ---- log lines ----

sshd_fail() { # ADDRESS [USER]: what sshd logs now for a wrong password
	printf '%s host sshd[4711]: Failed password for %s from %s port 50022 ssh2\n' \
		"$(date '+%b %e %H:%M:%S')" "${2:-root}" "$1"
}

sshd_fail_at() { # SECONDS_AGO ADDRESS
	printf '%s host sshd[4711]: Failed password for root from %s port 50022 ssh2\n' \
		"$(date -d "@$(($(date +%s) - $1))" '+%b %e %H:%M:%S')" "$2"
}

fail_times() { # N ADDRESS FILE
	_left=$1
	while [ "$_left" -gt 0 ]; do
		sshd_fail "$2" >>"$3"
		_left=$((_left - 1))
	done
}

# ---- start ----

[ "$(id -u)" -eq 0 ] || skip_all "needs root"
[ -x "${STOCKADE:?the binary under test}" ] || skip_all "no $STOCKADE"
: "${SRC:?the checkout}"
HELPERS=$(dirname "$STOCKADE")/tests/e2e # from build/stockade, or from build/src/stockade:
[ -d "$HELPERS" ] || HELPERS=$(dirname "$STOCKADE")/../tests/e2e
[ -x "$HELPERS/e2e-json" ] || skip_all "the test helpers are not built"
for _tool in ip nft ${needs:-}; do
	command -v "$_tool" >/dev/null || skip_all "needs $_tool"
done
trap cleanup EXIT
trap 'exit 130' INT TERM HUP
T=$(mktemp -d "${TMPDIR:-/tmp}/stockade-e2e.XXXXXX") || exit 2
chmod 711 "$T"
touch "$T/since"
CONF=$T/conf STATE=$T/state SOCK=$T/run/control.sock
mkdir "$STATE" "$T/run" "$T/var"
ns_new NS srv 2>"$T/netns.log" || skip_all "cannot make network namespaces: $(cat "$T/netns.log")"
nft_in add table inet probe 2>"$T/netns.log" || skip_all "this kernel has no nftables"
nft_in delete table inet probe
