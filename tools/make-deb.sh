#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# make-deb.sh TREE OUT: packs an installed tree as OUT/stockade_VERSION_ARCH.deb.
set -eu
tree=$(cd "$1" && pwd)
out=$(cd "$2" && pwd)

# Between releases a version sorts before the release it leads to, and after every older commit.
version=$(sed -n "s/^ *version: '\(.*\)',/\1/p" meson.build)
if tag=$(git describe --tags --exact-match 2>/dev/null) && [ "$tag" = "v$version" ]; then
	:
elif commit=$(git log -1 --format=%cd.%h --date=format:%Y%m%d%H%M%S 2>/dev/null); then
	version=$version~git$commit
fi
arch=$(dpkg --print-architecture)
doc=$tree/usr/share/doc/stockade
control=$tree/DEBIAN
mkdir -p "$control"

find "$tree/usr/bin" -type f -exec strip --strip-unneeded {} +
install -D -m 0644 README.md "$doc/README.md"
install -D -m 0644 docs/ARCHITECTURE.md "$doc/ARCHITECTURE.md"
install -D -m 0644 docs/SYSLOG.md "$doc/SYSLOG.md"
cat >"$doc/copyright" <<-'END'
	Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
	Upstream-Name: stockade

	Files: *
	Copyright: the authors of Stockade
	License: GPL-2+
	 On Debian systems the text of the GNU General Public License, version 2, is in
	 /usr/share/common-licenses/GPL-2.
END

# dpkg-shlibdeps wants to stand in an unpacked source package.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/debian"
printf 'Source: stockade\n\nPackage: stockade\nArchitecture: any\n' >"$work/debian/control"
depends=$(cd "$work" && dpkg-shlibdeps -O "$tree/usr/bin/stockade" |
	sed -n 's/^shlibs:Depends=//p')

cat >"$control/control" <<-END
	Package: stockade
	Version: $version
	Architecture: $arch
	Section: net
	Priority: optional
	Maintainer: the authors of Stockade <stockade@localhost>
	Installed-Size: $(du -sk --exclude=DEBIAN "$tree" | cut -f1)
	Depends: $depends, passwd
	Recommends: systemd
	Suggests: nftables
	Description: bans the addresses that attack this machine's services
	 Stockade reads what services log, decides who attacks, and has the kernel drop
	 their packets, at once and for a set time. It reads fail2ban's configuration.
END
(cd "$tree" && find etc -type f | sed 's|^|/|' | sort) >"$control/conffiles"
(cd "$tree" && find usr -type f -exec md5sum {} + | sort -k 2) >"$control/md5sums"

cat >"$control/postinst" <<'END'
#!/bin/sh
set -e
[ "$1" = configure ] || exit 0
getent group stockade >/dev/null || groupadd --system stockade
getent passwd stockade >/dev/null ||
	useradd --system --gid stockade --home-dir /var/lib/stockade --no-create-home \
		--shell /usr/sbin/nologin stockade
install -d -o stockade -g stockade -m 0700 /var/lib/stockade
if command -v deb-systemd-helper >/dev/null; then
	deb-systemd-helper unmask stockade.service >/dev/null || :
	if deb-systemd-helper --quiet was-enabled stockade.service; then
		deb-systemd-helper enable stockade.service >/dev/null || :
	fi
	deb-systemd-helper update-state stockade.service >/dev/null || :
fi
if [ -d /run/systemd/system ]; then
	systemctl --system daemon-reload >/dev/null || :
	deb-systemd-invoke restart stockade.service >/dev/null || :
fi
END
cat >"$control/prerm" <<'END'
#!/bin/sh
set -e
if [ "$1" = remove ] && [ -d /run/systemd/system ]; then
	deb-systemd-invoke stop stockade.service >/dev/null || :
fi
END
cat >"$control/postrm" <<'END'
#!/bin/sh
set -e
if [ "$1" = remove ] && [ -d /run/systemd/system ]; then
	systemctl --system daemon-reload >/dev/null || :
fi
if [ "$1" = purge ]; then
	rm -rf /var/lib/stockade
	if command -v deb-systemd-helper >/dev/null; then
		deb-systemd-helper purge stockade.service >/dev/null || :
	fi
fi
END
chmod 0755 "$control/postinst" "$control/prerm" "$control/postrm"

deb=$out/stockade_${version}_$arch.deb
dpkg-deb --root-owner-group --build "$tree" "$deb" >/dev/null
echo "$deb"
