#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Configurations made up at random, read by fail2ban's reader and by ours, as reader.py does.

usage: trees.py CONFDUMP [HOW-MANY [SEED]]

What fail2ban can read must mean the same here. What it cannot read need not be a fault here.
Exits 77 without fail2ban.
"""
import os
import random
import resource
import shutil
import sys
import tempfile

sys.dont_write_bytecode = True
import reader

NAMES = ['a', 'b', 'c', 'mode', 're-x', 're-y', '_p', 'ignorecommand', 'port', 'last']
PLAIN = ['x', 'y z', '1', '"q"', ',', ']', '[k]', '=', ':', "'", ';a', '#a', '\\d+']


class Maker:
    def __init__(self, seed):
        self.rng = random.Random(seed)
        self.least = 0

    def name(self):
        """One that comes after the key whose value is made: no loops."""
        return self.rng.choice(NAMES[self.least:])

    def piece(self, depth=0):
        """A part of a value."""
        rng = self.rng
        if self.least >= len(NAMES):
            return rng.choice(PLAIN)
        name, kind = self.name(), rng.randrange(16)
        if kind < 4:
            return rng.choice(PLAIN)
        if kind < 7:
            return f'<{name}>'
        if kind < 10:
            return f'%({name})s'
        # In a value that is itself asked for so, fail2ban means something else by it.
        if kind in (10, 11) and self.least == 0:
            return f'%(known/{name})s' if kind == 10 else f'<known/{name}>'
        if kind == 12:
            return f'%(default/{name})s'
        if kind == 13:
            return f'<{rng.choice(["s", "lt_x", "default"])}/{name}>'
        if kind == 14 and depth == 0:
            return f'<re-<{name}>>' if rng.random() < .5 else f'<lt_<{name}>/{self.name()}>'
        return '%%' if rng.random() < .2 else '<F-USER>u</F-USER>'

    def line(self):
        return ' '.join(self.piece() for _ in range(self.rng.randint(1, 3)))

    def value(self):
        """Lines, with what may stand between them."""
        rng = self.rng
        found = [self.line() if rng.random() < .95 else '']
        while rng.random() < .25:
            between = rng.choice(['', '', '', '\n', '\n# comment', '\n  ; comment'])
            found.append(between + '\n' + rng.choice(['  ', '\t', '     ']) + self.line())
        if rng.random() < .1:
            found.append(' ; behind')
        return ''.join(found)

    def entries(self, count):
        """Keys that are not there twice: fail2ban refuses that."""
        text = ''
        for n in self.rng.sample(NAMES, min(count, len(NAMES))):
            self.least = NAMES.index(n) + 1
            text += f'{n}{self.rng.choice([" = ", "=", ": "])}{self.value()}\n'
        self.least = 0
        return text

    def regexes(self, key, known=True):
        lines = [f'^<HOST> {self.line()}$' for _ in range(self.rng.randint(1, 3))]
        if known and self.rng.random() < .3:
            lines.insert(self.rng.randrange(len(lines) + 1), f'%(known/{key})s')
        return f'{key} = ' + '\n    '.join(lines) + '\n'

    def filter_file(self, regex):
        rng, text = self.rng, ''
        if regex:
            text += '[DEFAULT]\n' + self.entries(len(NAMES))
        elif rng.random() < .5:
            text += '[DEFAULT]\n' + self.entries(rng.randint(1, 3))
        if rng.random() < .4:
            text += '[Init]\n' + self.entries(rng.randint(1, 2))
        text += '[Definition]\n'
        if regex or rng.random() < .5:
            text += self.regexes('failregex', not regex)
        if regex:
            text += self.regexes('ignoreregex', False)
        text += self.entries(rng.randint(0, 5))
        for section in ('s', 'lt_x'):
            if rng.random() < .4:
                text += f'[{section}]\n' + self.entries(rng.randint(1, 3))
        return text

    def options(self):
        rng, found = self.rng, []
        for name in rng.sample(NAMES[:6], rng.randint(0, 3)):
            value = rng.choice(['x', 'y', 'x y', 'a=b', '<known/%s>' % name, '<%s>' % self.name(),
                                '%%(%s)s' % rng.choice(['v', 'ignorecommand'])])
            quote = rng.choice(['', '"', "'"])
            found.append(f'{name}={quote}{value}{quote}')
        if not found:
            return ''
        return '[' + rng.choice([', ', ',', ',\n    ']).join(found) + ']'

    def jail_file(self, first):
        rng, text = self.rng, ''
        if first:
            text += ('[DEFAULT]\nenabled = true\nbackend = auto\nlogpath = /l\naction =\n'
                     'ignorecommand = ic\nfilter = f\nv = x\nmaxretry = 3\n')
        elif rng.random() < .3:
            text += f'[DEFAULT]\nv = {rng.choice("xy")}\nignorecommand = {rng.choice(["1", "i <c>"])}\n'
        for jail in ('j1', 'j2', 's'):
            text += f'[{jail}]\n'
            if rng.random() < .7:
                text += f'filter = f{self.options()}\n'
            if rng.random() < .3:
                text += self.regexes('failregex')
            if rng.random() < .3:
                text += f'ignorecommand = {rng.choice(["5", "%(default/v)s", "%(known/ignorecommand)s"])}\n'
            if rng.random() < .3:
                text += f'v = {rng.choice("xy")}\n'
        return text

    def tree(self, directory):
        rng = self.rng
        os.makedirs(os.path.join(directory, 'filter.d'))

        def write(name, text):
            with open(os.path.join(directory, name), 'w', encoding='utf-8') as f:
                f.write(text)

        include = ''
        if rng.random() < .5:
            key = rng.choice(['before', 'after'])
            include = f'[INCLUDES]\n{key} = inc.conf\n'
            write('filter.d/inc.conf', self.filter_file(False))
            if rng.random() < .3:
                write('filter.d/inc.local', self.filter_file(False))
        write('filter.d/f.conf', include + self.filter_file(True))
        if rng.random() < .3:
            write('filter.d/f.local', self.filter_file(False))
        write('jail.conf', self.jail_file(True))
        if rng.random() < .5:
            write('jail.local', self.jail_file(False))


def limit_memory(size):
    """For this process alone: a value that says another twice says it 2^25 times to fail2ban."""
    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    resource.setrlimit(resource.RLIMIT_AS, (size or hard, hard))


class Random(reader.Comparison):
    def tree(self, directory, label):
        ours, _ = reader.read_ours(self.confdump, directory)
        limit_memory(1 << 30)
        theirs = reader.read_theirs(directory)
        limit_memory(None)
        if any(t.wrong for t in theirs.values()) or not ours:
            self.skipped += 1
            if ours or any(t.wrong for t in theirs.values()):
                return
            self.differ(f'{label}: cannot be read', sorted(theirs), None)
            return
        for name, jail in theirs.items():
            self.jail(label, jail, ours[name])


def main():
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 200
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else 1
    compare = Random(sys.argv[1])
    compare.skipped = 0
    with tempfile.TemporaryDirectory() as tmp:
        for i in range(seed, seed + count):
            directory = os.path.join(tmp, str(i))
            Maker(i).tree(directory)
            compare.tree(directory, f'seed {i}')
            shutil.rmtree(directory)
    print(f'{count} trees ({compare.skipped} that cannot be read), {compare.jails} jails, '
          f'{compare.values} values compared, {compare.differences} differences')
    return 1 if compare.differences else 0


if __name__ == '__main__':
    sys.exit(main())
