#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck disable=SC1091,SC2034,SC2119,SC2129,SC2154,SC2317
#
# Log files as they come and go: each case has a jail of its own on a file of its own, and what is looked
# at is how many failures the jail has counted, which must be exact.

needs="setpriv"
. "${0%/*}/lib.sh"

V=$T/var

jail() { # NAME LOGPATH [LINE]
	printf '[%s]\nenabled = true\nfilter = sshd\nport = 22\nlogpath = %s\n%s\n\n' "$1" "$2" "${3:-}"
}

config() {
	{
		printf '[DEFAULT]\nsource = file\nmaxretry = 1000\nfindtime = 1h\nbantime = 1h\n'
		printf '[sshd]\nenabled = false\n\n'
		for _name in renamed copied past deleted late half retried stopped rotated two-a binary; do
			jail $_name "$V/$_name.log"
		done
		jail two-b "$V/two-a.log"
		jail folder "$V/later/on/folder.log"
		jail glob "$V/glob-*.log"
		jail link "$V/link.log"
		jail head "$V/head.log"
		jail tail "$V/tail.log tail"
		jail isdir "$V/isdir.log"
		jail judged "$V/judged.log" "maxretry = 3"
	} | make_conf
}

fail() { # FILE [N]: N lines, each of an address of its own
	_k=${2:-1}
	while [ "$_k" -gt 0 ]; do
		n_addr=$((${n_addr:-0} + 1))
		sshd_fail "10.7.$((n_addr / 250)).$((n_addr % 250 + 1))"
		_k=$((_k - 1))
	done >>"$1"
}

counts() { # TEXT N JAIL: it comes to N
	check_eventually "$1" failures_are "$2" "$3"
}

# Whatever was written before is judged when this returns: a file has no notice of its own for that,
# but one written to later is not read earlier.
all_judged() {
	_seen=$(failures half)
	fail "$V/half.log"
	eventually failures_are $((_seen + 1)) half
}

tracked() { # JAIL ADDRESS
	ctl explain "$2" --json | "$HELPERS/e2e-json" jails "$1" failures
}

tracked_is() { # N JAIL ADDRESS
	[ "$(tracked "$2" "$3")" = "$1" ]
}

test_rename() {
	counts "rename: what stood there before the start counts" 1 renamed
	fail "$V/renamed.log"
	counts "rename: an appended line counts" 2 renamed
	mv "$V/renamed.log" "$V/renamed.log.1"
	fail "$V/renamed.log.1"
	counts "rename: a line added to the old file after the rename counts" 3 renamed
	fail "$V/renamed.log" 2
	counts "rename: the new file is read from its start" 5 renamed
	fail "$V/renamed.log"
	counts "rename: and goes on" 6 renamed
	mv "$V/renamed.log" "$V/renamed.log.1"
	fail "$V/renamed.log.1" 3
	fail "$V/renamed.log" 2
	counts "rename: nothing is lost when both were written meanwhile" 11 renamed
	# old and new files together: a program that is slow to reopen
	fail "$V/renamed.log.1"
	fail "$V/renamed.log"
	mv "$V/renamed.log" "$V/renamed.log.1"
	fail "$V/renamed.log"
	all_judged
	case $(failures renamed) in
	13 | 14) ok "rename: no line counts twice" ;;
	*)
		diag "counted $(failures renamed)"
		not_ok "rename: no line counts twice"
		;;
	esac
}

test_truncate() {
	fail "$V/copied.log" 3
	counts "copytruncate: three lines" 3 copied
	cp "$V/copied.log" "$V/copied.log.1"
	: >"$V/copied.log"
	fail "$V/copied.log"
	counts "copytruncate: read from the start again" 4 copied
	fail "$V/past.log" 2
	counts "truncated unseen: two lines" 2 past
	_guard=$(guard_pid)
	kill -STOP "$_guard"
	: >"$V/past.log"
	fail "$V/past.log" 5
	kill -CONT "$_guard"
	counts "truncated unseen, and longer than before: all of the new lines count" 7 past
}

test_comings_and_goings() {
	fail "$V/deleted.log"
	counts "delete: one line" 1 deleted
	rm "$V/deleted.log"
	all_judged
	fail "$V/deleted.log" 2
	counts "delete: made anew, read from its start" 3 deleted
	fail "$V/late.log" 2
	counts "a file that appears later" 2 late
	mkdir -p "$V/later/on"
	fail "$V/later/on/folder.log" 2
	counts "a folder that appears later" 2 folder
	mv "$V/later" "$V/earlier"
	mkdir -p "$V/later/on"
	fail "$V/later/on/folder.log"
	counts "a folder moved away and made anew" 3 folder
	counts "glob: a file of the start" 1 glob
	fail "$V/glob-two.log"
	counts "glob: a file that appears later" 2 glob
	fail "$V/other.log" 4
	fail "$V/glob-one.log"
	counts "glob: and no other" 3 glob
	counts "symlink: the file it points to" 1 link
	fail "$V/linked-1.log"
	counts "symlink: goes on" 2 link
	fail "$V/linked-2.log" 2
	ln -s linked-2.log "$V/link.new"
	mv -T "$V/link.new" "$V/link.log"
	counts "symlink: turned to another file" 4 link
	fail "$V/linked-2.log"
	counts "symlink: which goes on" 5 link
}

test_starts() {
	counts "head: a file never seen counts from its start" 2 head
	fail "$V/tail.log"
	counts "tail: only what comes later counts" 1 tail
	fail "$V/two-a.log" 2
	counts "two jails on one file: the first" 2 two-a
	counts "two jails on one file: the second" 2 two-b
	all_judged
	check "two jails on one file: exact" failures_are 2 two-b
}

test_half_lines() {
	_line=$(sshd_fail 10.7.200.1)
	printf '%s' "${_line%% from*}" >>"$V/retried.log"
	all_judged
	check "half a line does not count" failures_are 0 retried
	printf '%s' " from${_line#* from}" >>"$V/retried.log"
	all_judged
	check "nor all of it without its newline" failures_are 0 retried
	printf '\n' >>"$V/retried.log"
	counts "with its newline it does" 1 retried
}

test_bytes() {
	_b=$V/binary.log
	sshd_fail 10.7.201.1 | sed 's/$/\r/' >>"$_b"
	check_eventually "CR LF" tracked_is 1 binary 10.7.201.1
	sshd_fail 10.7.201.2 "$(printf 'invalid user ad\377min')" >>"$_b"
	check_eventually "invalid UTF-8 in a user's name" tracked_is 1 binary 10.7.201.2
	printf 'NUL \000 %s' "$(sshd_fail 10.7.201.9)" >>"$_b"
	printf '\n\000\n' >>"$_b"
	sshd_fail 10.7.201.3 >>"$_b"
	check_eventually "the line after NUL bytes" tracked_is 1 binary 10.7.201.3
	{
		printf '%s host sshd[1]: Failed password for ' "$(date '+%b %e %H:%M:%S')"
		head -c 1048576 /dev/zero | tr '\0' a
		printf ' from 10.7.201.10 port 1 ssh2\n'
		sshd_fail 10.7.201.4
	} >>"$_b"
	check_eventually "the line after one of 1 MiB" tracked_is 1 binary 10.7.201.4
	check "which is told as too long" test "$(status_of losses long_lines)" -ge 1
	head -c 300000 /dev/urandom >>"$_b"
	printf '\n' >>"$_b"
	sshd_fail 10.7.201.5 >>"$_b"
	check_eventually "the line after 300,000 random bytes" tracked_is 1 binary 10.7.201.5
}

test_directory() {
	status_of jails isdir sources 0 trouble >"$T/isdir.log"
	check "a log that is a directory is told" grep -qi directory "$T/isdir.log"
	rmdir "$V/isdir.log"
	fail "$V/isdir.log"
	counts "and read when it has become a file" 1 isdir
}

test_restart() {
	fail "$V/stopped.log"
	fail "$V/rotated.log"
	counts "restart: one line" 1 stopped
	counts "restart: one line in the other" 1 rotated
	daemon_stop
	check_is "restart: the daemon stops well" 0 $?
	fail "$V/stopped.log" 2
	fail "$V/rotated.log" 2
	mv "$V/rotated.log" "$V/rotated.log.1"
	fail "$V/rotated.log" 3
	# what follows a date in the future is no newer for that
	printf '%s host sshd[1]: Failed password for root from 10.7.202.3 port 1 ssh2\n' \
		"$(date -d tomorrow '+%Y-%m-%d %H:%M:%S')" >>"$V/judged.log"
	for _n in 1 2 3; do
		sshd_fail_at 7200 10.7.202.1
	done >>"$V/judged.log"
	for _n in 1 2 3; do
		sshd_fail_at 60 10.7.202.2
	done >>"$V/judged.log"
	check "restart: the daemon starts" daemon_start
	counts "restart: what was logged meanwhile counts, once" 3 stopped
	counts "rotated while stopped: the rest of the old file and all of the new" 6 rotated
	check_eventually "restart: three lines of a minute ago ban" in_set 10.7.202.2 judged
	check "restart: three lines older than findtime do not" not in_set 10.7.202.1 judged
	_all=$(failures renamed)
	daemon_stop
	check "restart: once more" daemon_start
	all_judged
	check_is "restart: nothing counts again" "3 6 $_all" \
		"$(failures stopped) $(failures rotated) $(failures renamed)"
}

# Root may read everything: so somebody else runs it, who may only decide.
test_permission() {
	daemon_stop
	printf '[DEFAULT]\nsource = file\nmaxretry = 1000\n[sshd]\nenabled = false\n%s\n%s\n' \
		"$(jail barred "$V/barred.log")" "$(jail open "$V/open.log")" | make_conf
	fail "$V/barred.log"
	chmod 000 "$V/barred.log"
	mkdir "$T/nobody"
	chown 65534 "$T/nobody"
	cp -L "$STOCKADE" "$T/copy"
	_sock=$SOCK
	SOCK=$T/nobody/control.sock
	ip netns exec "$NS" setpriv --reuid=65534 --regid=65534 --clear-groups \
		"$T/copy" run --dry-run -c "$CONF" --state "$T/nobody/state" --socket "$SOCK" \
		>>"$T/stockade.log" 2>&1 &
	STOCKADE_PID=$!
	adopt $STOCKADE_PID
	check_eventually "no permission: the daemon is up" daemon_answers
	check_eventually "no permission: told" is_barred
	fail "$V/open.log"
	counts "no permission: the others are read" 1 open
	chmod 644 "$V/barred.log"
	counts "no permission: read as soon as it may be" 1 barred
	daemon_stop
	SOCK=$_sock
}

is_barred() {
	status_of jails barred sources 0 trouble | grep -qi permission
}

test_wrong_config() {
	config
	check "a good configuration" daemon_start
	_before=$(failures late)
	printf '\n[late]\nmaxretry = many\n' >>"$CONF/jail.local"
	_line=$(wc -l <"$CONF/jail.local")
	ctl reload >"$T/reload.log" 2>&1
	check_is "a wrong line at reload: exit 2" 2 $?
	check "a wrong line at reload: told with file and line" grep -q "jail.local:$_line" \
		"$T/reload.log"
	fail "$V/late.log"
	counts "a wrong line at reload: the old configuration goes on" $((_before + 1)) late
	daemon_stop
	ip netns exec "$NS" timeout 60 "$STOCKADE" run -c "$CONF" --state "$STATE" --socket "$SOCK" \
		>"$T/start.log" 2>&1
	check_is "a wrong line at the start: exit 2" 2 $?
	check "a wrong line at the start: told with file and line" grep -q "jail.local:$_line" \
		"$T/start.log"
}

fail "$V/renamed.log"
fail "$V/glob-one.log"
fail "$V/linked-1.log"
ln -s linked-1.log "$V/link.log"
fail "$V/head.log" 2
fail "$V/tail.log" 2
mkdir "$V/isdir.log"
config
if ! daemon_start; then
	not_ok "the daemon starts"
	finish
fi
test_rename
test_truncate
test_comings_and_goings
test_starts
test_half_lines
test_bytes
test_directory
test_restart
test_permission
test_wrong_config
finish
