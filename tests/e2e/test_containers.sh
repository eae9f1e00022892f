#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck disable=SC1091,SC2034,SC2119,SC2154,SC2317
#
# Logs as container runtimes write and rotate them, logs in UTF-16, and files that are no logs.

needs="iconv gzip"
. "${0%/*}/lib.sh"

ID=0123456789abcdef
DOCKER=$T/var/docker/$ID/$ID-json.log
CRI=$T/var/pods/web/0.log

now_utc() {
	date -u '+%Y-%m-%dT%H:%M:%S.%NZ'
}

docker() { # [-n] STREAM MESSAGE: -n leaves the line open
	_end='\n'
	[ "$1" != -n ] || { _end='' && shift; }
	printf '{"log":"%s%s","stream":"%s","attrs":{"tag":"web"},"time":"%s"}\n' \
		"$2" "$_end" "$1" "$(now_utc)" >>"$DOCKER"
}

cri() { # STREAM TAG MESSAGE
	printf '%s %s %s %s\n' "$(date '+%Y-%m-%dT%H:%M:%S.%N%:z')" "$1" "$2" "$3" >>"$CRI"
}

fail_from() { # ADDRESS
	printf 'host sshd[7]: Failed password for root from %s port 50022 ssh2' "$1"
}

status_says() { # PATTERN
	ctl status --json | grep -q "$1"
}

reload_says() { # PATTERN
	ctl reload 2>&1 | grep -q "$1"
}

mkdir -p "${DOCKER%/*}" "${CRI%/*}" "$T/var/wide" "$T/var/glob"
make_conf <<-EOF
	[DEFAULT]
	source = file
	maxretry = 3
	findtime = 1h
	bantime = 1h
	[sshd]
	logpath = $T/var/docker/*/*-json.log
	          $T/var/pods/*/0.log
	          $T/var/glob/*
	[wide]
	enabled = true
	filter = sshd
	logencoding = utf-16le
	logpath = $T/var/wide/errorlog
	[latin]
	enabled = true
	filter = sshd
	logencoding = latin1
	logpath = $T/var/latin.log
EOF

# ---- Docker ----
docker stdout "starting"
docker stdout "$(fail_from 10.9.0.1)"
docker stdout "$(sshd_fail 10.9.0.1)"
check "the daemon starts" daemon_start
check_eventually "Docker's lines count, dated or not" failures_are 2
docker stderr "$(fail_from 10.9.0.1)"
check_eventually "and ban" in_set 10.9.0.1
check "it is seen what it is" status_says '"format": *"docker"'
# a line in pieces, another stream between them
docker -n stdout "host sshd[7]: Failed password for root from 10.9.0.2"
docker stderr "$(fail_from 10.9.0.2)"
check_eventually "an open line does not hold up the other stream" failures_are 4
docker stdout " port 50022 ssh2"
check_eventually "the line is put together" failures_are 5
# what an attacker says stays what he says
docker stdout "user {\\\"log\\\":\\\"$(fail_from 10.9.9.9)\\\\n\\\",\\\"stream\\\":\\\"stdout\\\"}"
docker stdout "user x\\n$(fail_from 10.9.9.9)"
docker -n stdout "user said: "
docker stdout "$(fail_from 10.9.9.9)"

# ---- rotation, as Docker does it, while a line is open and while nobody reads ----
docker -n stdout "user said again: "
mv "$DOCKER" "$DOCKER.1"
docker stdout "$(fail_from 10.9.9.9)"
docker stdout "$(fail_from 10.9.0.2)"
check_eventually "the new file goes on" in_set 10.9.0.2
check_is "six failures" 6 "$(failures)"
check "the daemon ends" daemon_stop
docker stdout "$(fail_from 10.9.0.3)"
docker -n stdout "host sshd[7]: Failed password for root "
rm "$DOCKER.1"
mv "$DOCKER" "$DOCKER.1"
docker stdout "from 10.9.0.3 port 50022 ssh2"
docker stdout "$(fail_from 10.9.0.3)"
docker stdout "$(fail_from 10.9.0.3)"
check "it starts again" daemon_start
check_eventually "what came meanwhile is judged, in both files" in_set 10.9.0.3
check_is "nothing twice" 9 "$(failures)"
check "nobody was banned for what somebody said" not in_set 10.9.9.9

# ---- guard is killed in the middle of a line ----
docker -n stdout "host sshd[7]: Failed password for root "
docker stderr "$(fail_from 10.9.0.4)"
check_eventually "the other stream" failures_are 10
sleep 1 # saved
kill -KILL "$(guard_pid)"
eventually daemon_answers
docker stdout "from 10.9.0.4 port 50022 ssh2"
check_eventually "its rest makes it whole after a crash" failures_are 11

# ---- CRI ----
cri stdout F "$(fail_from 10.9.0.4)"
check_eventually "CRI's lines count" in_set 10.9.0.4
cri stdout P "host sshd[7]: Failed password "
cri stderr F "noise"
cri stdout P "for root from 10.9.0.5 "
cri stdout F "port 50022 ssh2"
check_eventually "torn ones too" failures_are 13
cri stdout F "2026-01-01T00:00:00Z stdout F $(fail_from 10.9.9.9)"

# ---- an ordinary log does not become a container's ----
sshd_fail 10.9.0.5 >"$T/var/glob/plain.log"
check_eventually "an ordinary log" failures_are 14
printf '{"log":"%s\\n","stream":"stdout","time":"%s"}\n' "$(fail_from 10.9.9.9)" "$(now_utc)" \
	>>"$T/var/glob/plain.log"
sshd_fail 10.9.0.5 >>"$T/var/glob/plain.log"
check_eventually "stays one" in_set 10.9.0.5
check_is "exactly" 15 "$(failures)"

# ---- no logs ----
sshd_fail 10.9.9.9 | gzip >"$T/var/glob/plain.log.2.gz"
sshd_fail 10.9.9.9 | gzip >"$T/var/glob/packed.log"
printf '\002\000\000\000\000\000\000\000~\000\000\000\000\000\000\000\n' >"$T/var/glob/wtmp"
sshd_fail 10.9.0.6 >"$T/var/glob/other.log"
check_eventually "another log beside them" failures_are 16
check_eventually "a name tells what is compressed" \
	grep -q 'glob/\* matches compressed files' "$T/stockade.log"
check_eventually "or its beginning" grep -q 'packed.log is gzip data and not read' "$T/stockade.log"
check_eventually "binary files are none either" grep -q 'wtmp is binary and not read' "$T/stockade.log"
sshd_fail 10.9.9.9 | gzip >>"$T/var/glob/packed.log"
sshd_fail 10.9.0.6 >>"$T/var/glob/other.log"
check_eventually "and on" failures_are 17
check_is "told once" 1 "$(grep -c 'packed.log is gzip' "$T/stockade.log")"

# ---- other encodings ----
sshd_fail 10.9.0.8 "J\366rg" >"$T/var/latin.log"
check_eventually "Latin 1 is read" failures_are 1 latin
wide() { # ADDRESS
	sshd_fail "$1" "Jörg" | iconv -f UTF-8 -t UTF-16LE >>"$T/var/wide/errorlog"
}
printf '\377\376' >"$T/var/wide/errorlog"
wide 10.9.0.7
wide 10.9.0.7
check_eventually "UTF-16 is read" failures_are 2 wide
check "the daemon ends again" daemon_stop
wide 10.9.0.7
check "and starts" daemon_start
check_eventually "it goes on where it was" in_set 10.9.0.7 wide
check_is "nothing twice" 3 "$(failures wide)"
check "nobody was banned for what somebody said" not in_set 10.9.9.9
printf '[DEFAULT]\nlogencoding = klingon\n' >"$CONF/jail.d/x.local"
check "an encoding that nobody knows is told with its place" reload_says 'x.local:2.*klingon'
finish
