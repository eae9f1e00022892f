#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What `stockade check` says about fail2ban's own configuration, all of it in use.

usage: check.py STOCKADE

Every jail of /etc/fail2ban enabled, each filter in its modes, each action: no error, and no
warning but those listed here. Exits 77 without fail2ban.
"""
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

ETC = '/etc/fail2ban'

# What is true of the package's files.
TRUE = [
    r"nothing reads the key 'iso8601'",
    r"is not run by this version",
    r"lets in whom it finds",
    r"jails have no log to read",
    r"has no log to read",
]


def sections(path):
    with open(path, encoding='utf-8') as f:
        found = re.findall(r'^\[([^\]]+)\]', f.read(), re.M)
    return [n for n in found if n not in ('DEFAULT', 'INCLUDES')]


def check(stockade, tree, wanted):
    """The number of complaints about what is said."""
    done = subprocess.run([stockade, 'check', '--no-lint', '--json', '-c', tree],
                          capture_output=True, text=True)
    said = json.loads(done.stdout)
    bad = [f for f in said['faults']
           if f['severity'] == 'error' or not any(re.search(t, f['message']) for t in TRUE)]
    for f in bad:
        print(f"{f['file']}:{f['line']}: {f['severity']}: {f['message']}")
    if len(said['jails']) != wanted:
        print(f"{tree}: {len(said['jails'])} jails in place of {wanted}")
    print(f"{len(said['jails'])} jails, {len(said['faults'])} faults, {len(bad)} of them none")
    return len(bad) + (len(said['jails']) != wanted) + (done.returncode != 0)


def every_jail(tree):
    names = sections(os.path.join(ETC, 'jail.conf'))
    shutil.copytree(ETC, tree)
    with open(os.path.join(tree, 'jail.local'), 'w', encoding='utf-8') as f:
        f.writelines(f'[{n}]\nenabled = true\n' for n in names)
    return len(names)


def every_action(tree):
    """A jail for each action, and the templates of jail.conf that join several."""
    actions = sorted(n for n in os.listdir(os.path.join(ETC, 'action.d')))
    names = [n[:-len('.conf')] if n.endswith('.conf') else n for n in actions]
    templates = ['action_', 'action_mw', 'action_mwl', 'action_xarf']
    shutil.copytree(ETC, tree)
    shutil.rmtree(os.path.join(tree, 'jail.d'))
    with open(os.path.join(tree, 'jail.local'), 'w', encoding='utf-8') as f:
        f.write('[DEFAULT]\nlogpath = /dev/null\nfilter = sshd\nbackend = auto\nenabled = false\n')
        for name in names:
            f.write(f'[with-{name}]\nenabled = true\naction = {name}\n')
        for name in templates:
            f.write(f'[with-{name}]\nenabled = true\naction = %({name})s\n')
    return len(names) + len(templates)


def main():
    if not os.path.isdir(os.path.join(ETC, 'filter.d')):
        print('SKIP: fail2ban is not installed')
        return 77
    failed = 0
    with tempfile.TemporaryDirectory() as tmp:
        for make in (every_jail, every_action):
            tree = os.path.join(tmp, make.__name__)
            failed += check(sys.argv[1], tree, make(tree))
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
