# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2154
#
# What the tests with a real sshd share; to be sourced after lib.sh.

sshd_files() { # [LINE...]: $T/host_key, and $T/sshd_config with these lines besides
	ssh-keygen -q -t ed25519 -N '' -f "$T/host_key" || return 1
	cat >"$T/sshd_config" <<-END
		HostKey $T/host_key
		PidFile none
		UsePAM yes
		UseDNS no
		PermitRootLogin yes
		PasswordAuthentication yes
		KbdInteractiveAuthentication no
	END
	[ $# -eq 0 ] || printf '%s\n' "$@" >>"$T/sshd_config"
	# since 9.8 sshd may itself turn away who failed, which is not what is tested here
	cp "$T/sshd_config" "$T/sshd_try"
	echo 'PerSourcePenalties no' >>"$T/sshd_try"
	if ! sshd -t -f "$T/sshd_try" 2>&1 | grep -qi 'bad configuration option'; then
		cp "$T/sshd_try" "$T/sshd_config"
	fi
}

# What a script in a mount namespace of its own does to have a /dev and /run of its own, too.
sshd_places() {
	cat <<-END
		mkdir -p $T/dev
		mount -t tmpfs dev $T/dev
		mkdir $T/dev/pts $T/dev/shm
		mount --bind /dev/pts $T/dev/pts
		for node in null zero full random urandom tty ptmx; do
			touch $T/dev/\$node
			mount --bind /dev/\$node $T/dev/\$node
		done
		mount --rbind $T/dev /dev
		mount -t tmpfs run /run
		mkdir -m 755 /run/sshd
	END
}

# A wrong password. Who is banned in the middle of it would wait for ever.
sshd_guess() { # NAMESPACE USER@HOST [OPTION...]: of ssh
	_in=$1 _whom=$2
	shift 2
	if [ ! -e "$T/askpass" ]; then
		printf '#!/bin/sh\necho wrong\n' >"$T/askpass"
		chmod 755 "$T/askpass"
	fi
	SSH_ASKPASS=$T/askpass SSH_ASKPASS_REQUIRE=force DISPLAY=:0 \
		setsid -w timeout 15 ip netns exec "$_in" ssh -F none -o StrictHostKeyChecking=no \
		-o UserKnownHostsFile=/dev/null -o LogLevel=ERROR -o PubkeyAuthentication=no \
		-o NumberOfPasswordPrompts=1 "$@" "$_whom" true </dev/null >>"$T/guess.log" 2>&1
}
