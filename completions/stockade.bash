# SPDX-License-Identifier: GPL-2.0-or-later
# Completion of stockade(1) and syslog-blacklist(8) for bash.

_stockade_jails()
{
	stockade check --no-lint --json "${config[@]}" 2>/dev/null |
		grep -o '{"name":"[^"]*"' | cut -d '"' -f 4
}

_stockade_banned()
{
	stockade banned --json "${socket[@]}" 2>/dev/null |
		sed -n 's/^{"ip":"\([^"]*\)".*/\1/p'
}

_stockade_filters()
{
	local path
	for path in "${config[1]:-/etc/stockade}"/filter.d/*.conf; do
		path=${path##*/}
		printf '%s\n' "${path%.conf}"
	done
}

_stockade_words()
{
	mapfile -t COMPREPLY < <(compgen -W "$1" -- "$2")
}

# Files, or with -d directories; a blank after a directory would end the path there.
_stockade_paths()
{
	compopt -o filenames 2>/dev/null
	mapfile -t COMPREPLY < <(compgen "$1" -- "$2")
}

_stockade()
{
	local cur=$2 prev=$3 cword=$COMP_CWORD i operands=0
	local -a words=("${COMP_WORDS[@]}") config=() socket=()

	COMPREPLY=()
	# To readline a colon ends a word; not to us, for the sake of IPv6.
	if declare -F _get_comp_words_by_ref >/dev/null; then
		_get_comp_words_by_ref -n : cur prev words cword
	fi
	if ((cword == 1)); then
		_stockade_words 'run status banned explain ban unban test replay check inject setup reload
			stop ping version help' "$cur"
		return
	fi
	for ((i = 2; i < cword; i++)); do
		case ${words[i]} in
		-c) config=(-c "${words[++i]}") ;;
		--socket) socket=(--socket "${words[++i]}") ;;
		--for | --jail | --state | --now | --encoding | --compare | --threads | --rules | -f | -j | -r | -i | -t | -p | -s | \
			--host | --msgid | --size | --buffer | --linger | --to | --ca | --certificate | --key | \
			--root) ((i++)) ;;
		-*) ;;
		*) ((operands++)) ;;
		esac
	done
	case $prev in
	-c | --state | --compare | --root)
		_stockade_paths -d "$cur"
		return
		;;
	--socket | --rules | --ca | --certificate | --key)
		_stockade_paths -f "$cur"
		return
		;;
	--jail | -j)
		_stockade_words "$(_stockade_jails)" "$cur"
		return
		;;
	--for)
		_stockade_words '10m 1h 1d 1w -1' "$cur"
		return
		;;
	-f)
		_stockade_words "$(_stockade_filters)" "$cur"
		return
		;;
	-p)
		_stockade_words 'auth.info auth.notice daemon.info daemon.notice local0.info user.notice' "$cur"
		return
		;;
	-s)
		_stockade_words 'udp:// tcp:// unix:///' "$cur"
		return
		;;
	--to)
		_stockade_words 'udp:// tcp:// tls:// unix:///' "$cur"
		return
		;;
	-r | -i | -t | --host | --msgid | --size | --buffer | --linger | --now | --encoding | --threads)
		return
		;;
	esac
	case ${words[1]}:$cur in
	run:-*) _stockade_words '-c --rules --state --socket --dry-run --flush-on-stop --help' "$cur" ;;
	ban:-*) _stockade_words '--for --json --socket --help' "$cur" ;;
	unban:-*) _stockade_words '--all --jail --json --socket --help' "$cur" ;;
	test:-*) _stockade_words '-c -f -j -r -i -v --rules --encoding --now --json --help' "$cur" ;;
	replay:-*) _stockade_words '-c --rules -j --compare --encoding --now --threads --json --help' "$cur" ;;
	check:-*) _stockade_words '-c --rules --strict --no-lint --json --help' "$cur" ;;
	inject:-*) _stockade_words '-t -p -s --rfc3164 --rfc5424 --octet-counting --pid --host --msgid
		--size --buffer --wait --linger --help' "$cur" ;;
	setup:-*) _stockade_words '-c --to --print --yes --ca --certificate --key --root --help' "$cur" ;;
	setup:*)
		case $operands in
		0) _stockade_words 'syslog' "$cur" ;;
		1) _stockade_words 'rsyslog syslog-ng journald' "$cur" ;;
		esac
		;;
	help:*) _stockade_words 'run status banned explain ban unban test replay check inject setup reload
		stop ping version' "$cur" ;;
	*:-*) _stockade_words '--json --socket --help' "$cur" ;;
	status:* | banned:*)
		((operands > 0)) || _stockade_words "$(_stockade_jails)" "$cur"
		;;
	ban:*)
		((operands > 0)) || _stockade_words "$(_stockade_jails)" "$cur"
		;;
	unban:* | explain:*) _stockade_words "$(_stockade_banned)" "$cur" ;;
	test:* | replay:*) _stockade_paths -f "$cur" ;;
	esac
	if declare -F __ltrim_colon_completions >/dev/null; then
		__ltrim_colon_completions "$cur"
	fi
}

complete -F _stockade stockade

_syslog_blacklist()
{
	case $3 in
	--config | --countries | --pidfile | --logfile | --socket) _stockade_paths -f "$2" ;;
	--state) _stockade_paths -d "$2" ;;
	--blocked) _stockade_words '10m 1h 12h 1d 1w -1' "$2" ;;
	--listen | --blacklist | --whitelist | --skip-country) ;;
	*) _stockade_words '--listen --config --blocked --blacklist --whitelist --skip-country --countries
		--pidfile --logfile --no-daemon --debug --dry-run --state --socket --help --version' "$2" ;;
	esac
}

complete -F _syslog_blacklist syslog-blacklist

_syslog_inject()
{
	case $3 in
	-t | --host | --msgid | --size | --buffer | --linger) ;;
	-p) _stockade_words 'auth.info auth.notice daemon.info daemon.notice local0.info user.notice' "$2" ;;
	-s) _stockade_words 'udp:// tcp:// unix:///' "$2" ;;
	*) _stockade_words '-t -p -s --rfc3164 --rfc5424 --octet-counting --pid --host --msgid --size --buffer
		--wait --linger --help' "$2" ;;
	esac
}

complete -F _syslog_inject syslog-inject
