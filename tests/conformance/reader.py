#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Reads configurations with fail2ban's own reader and with ours, and compares every value.

usage: reader.py CONFDUMP [DIR...]

Without DIR: /etc/fail2ban with every jail enabled, each of its filters in every mode and for both
kinds of source, and the trees beside this script. Exits 77 without fail2ban.
"""
import json
import logging
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile

try:
    sys.path.append('/usr/lib/python3/dist-packages')
    import fail2ban.tests
    from fail2ban.client.jailreader import JailReader
    from fail2ban.client.jailsreader import JailsReader
    from fail2ban.helpers import extractOptions, splitWithOptions
    from fail2ban.server.mytime import MyTime
except ImportError:
    print('SKIP: fail2ban is not installed')
    sys.exit(77)

if not os.path.isdir('/etc/fail2ban'):
    print('SKIP: fail2ban is not configured')
    sys.exit(77)

HERE = os.path.dirname(os.path.abspath(__file__))
ETC = '/etc/fail2ban'


def seconds(value):
    """A time as ours has it: whole seconds, every negative one -1."""
    n = MyTime.str2seconds(value)
    return -1 if n < 0 else int(n + 0.5)


def words(text):
    return shlex.split(text) if text else None


class Wrong:
    """A jail that fail2ban cannot read."""

    def __init__(self, why):
        self.wrong = why


class Theirs:
    """One jail as fail2ban reads it: the commands that it would give its server."""

    def __init__(self, jail):
        self.name = jail.getName()
        self.opts = jail.options
        self.wrong = self.opts.get('config-error')
        self.set, self.regexes, self.journal = {}, {}, []
        if self.wrong:
            return
        for command in jail.convert(allow_no_files=True):
            self.take(command)

    def take(self, c):
        if c[0] == 'multi-set' and c[2] in ('addfailregex', 'addignoreregex'):
            self.regexes.setdefault(c[2], []).extend(c[3])
        elif c[0] == 'set' and c[2] in ('addfailregex', 'addignoreregex'):
            self.regexes.setdefault(c[2], []).append(c[3])
        elif c[0] == 'set' and c[2] == 'addjournalmatch':
            self.journal.extend((['+'] if self.journal else []) + c[3:])
        elif c[0] == 'set' and len(c) == 4:
            self.set[c[2]] = c[3]

    def logpaths(self):
        found = []
        if self.opts.get('backend', '').startswith('systemd'):
            return found
        for line in self.opts.get('logpath', '').split('\n'):
            if line.strip():
                part = line.rsplit(' ', 1)
                found.append([part[0], len(part) > 1 and part[1] == 'tail'])
        return found

    def actions(self):
        specs = [a.strip() for a in splitWithOptions(self.opts['action'])]
        found = [extractOptions(a) for a in specs if a]
        return [[name.strip(), {k.lower(): unfold(v) for k, v in o.items()}] for name, o in found]

    def ignorecache(self):
        value = self.set.get('ignorecache')
        if not value:
            return None
        o = extractOptions('cache[' + value + ']')[1]
        return [o['key'], int(o.get('max-count', 100)), seconds(o.get('max-time', 300))]

    def growth(self):
        get = self.set.get
        return {
            'increment': bool(get('bantime.increment')),
            'overalljails': bool(get('bantime.overalljails')),
            'factor': get('bantime.factor') or None,
            'formula': get('bantime.formula') or None,
            'multipliers': get('bantime.multipliers') or None,
            'maxtime': seconds(get('bantime.maxtime') or -1),
            'rndtime': seconds(get('bantime.rndtime') or 0),
        }

    def values(self):
        get = self.set.get
        backend, options = extractOptions(self.opts['backend'])
        maxretry = get('maxretry', 3)
        none = {'': None, 'auto': None}
        return {
            'prefregex': get('prefregex') or None,
            'failregex': self.regexes.get('addfailregex', []),
            'ignoreregex': self.regexes.get('addignoreregex', []),
            'datepattern': get('datepattern') or None,
            'maxlines': int(get('maxlines', 1)),
            'journalmatch': self.journal or None,
            'backend': backend,
            'backend_opts': options,
            'logpath': self.logpaths(),
            'logencoding': none.get(get('logencoding', ''), get('logencoding')),
            'logtimezone': get('logtimezone') or None,
            'usedns': get('usedns', 'warn').lower(),
            'ignorecommand': get('ignorecommand') or None,
            'ignorecache': self.ignorecache(),
            'ignoreself': bool(get('ignoreself', True)),
            'maxmatches': int(get('maxmatches', maxretry)),
            'maxretry': int(maxretry),
            'findtime': seconds(get('findtime', 600)),
            'bantime': seconds(get('bantime', 600)),
            'growth': self.growth(),
            'actions': self.actions(),
        }


def unfold(value):
    """Lines without the blanks around them, as a value of several lines has them."""
    return '\n'.join(line.strip() for line in value.split('\n') if line.strip())


def lines(value):
    return None if value is None else unfold(value)


def read_theirs(directory):
    logging.disable(logging.CRITICAL)
    reader = JailsReader(basedir=directory, share_config={})
    reader.read()
    found = {}
    for name in list(reader.sections()):
        if name == 'INCLUDES':
            continue
        # One jail's fault is no other's.
        one = JailReader(name, share_config=reader.share_config, use_config=reader._cfg)
        try:
            one.getOptions()
            if one.isEnabled() or one.options.get('config-error'):
                found[name] = Theirs(one)
        except Exception as e:
            found[name] = Wrong(f'{type(e).__name__}: {e}')
    return found


def read_ours(confdump, directory):
    done = subprocess.run([confdump, directory], capture_output=True, text=True)
    jails = [json.loads(line) for line in done.stdout.splitlines()]
    return {j['name']: j for j in jails}, done.stderr.strip()


class Comparison:
    def __init__(self, confdump):
        self.confdump = confdump
        self.jails = self.values = self.differences = 0

    def differ(self, what, theirs, ours):
        self.differences += 1
        print(f'{what}:\n  fail2ban: {theirs!r}\n  stockade: {ours!r}')

    def jail(self, label, theirs, ours):
        ours['journalmatch'] = words(ours['journalmatch'])
        ours['backend'] = ours['backend'] or 'auto'
        self.jails += 1
        for key, want in theirs.values().items():
            got = ours[key]
            if key in ('datepattern', 'ignorecommand'):
                want, got = lines(want), lines(got)
            if key == 'logpath' and theirs.opts.get('backend', '').startswith('systemd'):
                continue
            self.values += 1
            if want != got:
                self.differ(f'{label} [{theirs.name}] {key}', want, got)

    def wrong(self, label, theirs, ours, faults):
        """What fail2ban cannot read must be a fault here too: an error a jail."""
        wrong = {n: t.wrong for n, t in theirs.items() if t.wrong}
        errors = re.findall('^.*: error: .*$', faults, re.M)
        self.jails += len(theirs)
        self.values += len(wrong)
        if ours or len(errors) != len(wrong):
            self.differ(f'{label}: jails that cannot be read', wrong, errors)

    def tree(self, directory, label):
        ours, faults = read_ours(self.confdump, directory)
        theirs = read_theirs(directory)
        good = {n: t for n, t in theirs.items() if not t.wrong}
        if len(good) < len(theirs):
            self.wrong(label, theirs, ours, faults)
            return
        if not ours and good:
            self.differ(f'{label}: nothing was read', len(good),
                        re.findall('^.*: error: .*$', faults, re.M))
            return
        for name, jail in theirs.items():
            if name not in ours:
                self.differ(f'{label} [{name}]', 'a jail', None)
            else:
                self.jail(label, jail, ours[name])
        for name in ours.keys() - theirs.keys():
            self.differ(f'{label} [{name}]', None, 'a jail')
        if os.environ.get('VERBOSE') and faults:
            print(faults)


def jail_names(path):
    with open(path, encoding='utf-8') as f:
        found = re.findall(r'^\[([^\]]+)\]', f.read(), re.M)
    return [n for n in found if n not in ('DEFAULT', 'INCLUDES')]


def all_jails(tmp):
    """/etc/fail2ban with every jail on."""
    tree = os.path.join(tmp, 'all')
    shutil.copytree(ETC, tree)
    with open(os.path.join(tree, 'jail.local'), 'w', encoding='utf-8') as f:
        for name in jail_names(os.path.join(ETC, 'jail.conf')):
            f.write(f'[{name}]\nenabled = true\n')
    return tree


def all_filters(tmp, more):
    """A jail for each filter, in each mode it may have, from files and from the journal."""
    tree = os.path.join(tmp, 'filters')
    shutil.copytree(ETC, tree)
    for path in more:
        with open(path, encoding='utf-8') as f:
            text = re.sub(r'^before = .*/', 'before = ', f.read(), flags=re.M)
        with open(os.path.join(tree, 'filter.d', os.path.basename(path)), 'w',
                  encoding='utf-8') as f:
            f.write(text)
    with open(os.path.join(tree, 'jail.local'), 'w', encoding='utf-8') as f:
        f.write('[DEFAULT]\nlogpath = /var/log/x\naction =\n[sshd]\nenabled = false\n')
        for name in sorted(os.listdir(os.path.join(tree, 'filter.d'))):
            path = os.path.join(tree, 'filter.d', name)
            if not name.endswith('.conf') or name.endswith('common.conf'):
                continue
            with open(path, encoding='utf-8') as g:
                text = g.read()
            if not re.search(r'^failregex\s*=', text, re.M):
                continue
            base = name[:-len('.conf')]
            modes = set()
            for prefix in re.findall(r'<(\w+)-<mode>', text):
                modes |= set(re.findall(rf'^{prefix}-(\w+)\s*=', text, re.M))
            for mode in sorted(modes | {''}):
                for backend in ('polling', 'systemd'):
                    options = f'[mode={mode}]' if mode else ''
                    f.write(f'[{base}.{mode}.{backend}]\nenabled = true\n'
                            f'filter = {base}{options}\nbackend = {backend}\n')
    return tree


def main():
    confdump, trees = sys.argv[1], sys.argv[2:]
    compare = Comparison(confdump)
    with tempfile.TemporaryDirectory() as tmp:
        if not trees:
            more = os.path.join(os.path.dirname(fail2ban.tests.__file__), 'config', 'filter.d')
            zzz = [os.path.join(more, n) for n in os.listdir(more) if n.startswith('zzz')]
            compare.tree(ETC, ETC)
            compare.tree(all_jails(tmp), 'every jail')
            compare.tree(all_filters(tmp, zzz), 'every filter')
            etc = os.path.join(HERE, 'etc')
            trees = [os.path.join(etc, n) for n in sorted(os.listdir(etc))]
        for tree in trees:
            compare.tree(tree, os.path.basename(tree))
    print(f'{compare.jails} jails, {compare.values} values compared, '
          f'{compare.differences} differences')
    return 1 if compare.differences else 0


if __name__ == '__main__':
    sys.exit(main())
