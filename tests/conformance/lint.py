#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What check says of fail2ban's own filters is true of fail2ban: each line that it shows, given to
fail2ban's matcher, yields the address that it says. And it finds those that are known to be slow.

usage: lint.py STOCKADE

Exits 77 without fail2ban.
"""
import glob
import json
import logging
import os
import re
import subprocess
import sys
import tempfile
import time

try:
    sys.path.append('/usr/lib/python3/dist-packages')
    from fail2ban.client.filterreader import FilterReader
    from fail2ban.server.filter import Filter
except ImportError:
    print('1..0 # SKIP fail2ban is not installed')
    sys.exit(77)

ETC = '/etc/fail2ban'
# What their authors and others have reported of them.
KNOWN_SLOW = ('domino-smtp', 'dovecot')
SHOWN = re.compile(
    r'regex: (?:injectable|unanchored \w+): .*?: of "(.*)" it takes ([^;]*); ', re.DOTALL)


def filters():
    """Each filter that is one, and each of its modes: (name, options)."""
    for path in sorted(glob.glob(ETC + '/filter.d/*.conf')):
        name = os.path.basename(path)[:-len('.conf')]
        with open(path, encoding='utf-8') as f:
            text = f.read()
        if not re.search(r'^\s*failregex\s*=', text, re.M):
            continue
        yield name, {}
        for mode in sorted(set(re.findall(r'^mdre-([a-z]\w*)\s*=', text, re.M))):
            yield name, {'mode': mode}


def theirs(name, options):
    """fail2ban's own matcher for it."""
    reader = FilterReader(name, 'lint', options, basedir=ETC)
    reader.setBaseDir(ETC)
    reader.read()
    reader.getOptions({})
    one = Filter(None)
    one.returnRawHost = True
    one.checkFindTime = False
    add = {'addfailregex': one.addFailRegex, 'addignoreregex': one.addIgnoreRegex,
           'maxlines': one.setMaxLines}
    for command in reader.convert():
        values = command[3] if command[0] == 'multi-set' else [command[3]]
        for value in values:
            if command[2] == 'prefregex':
                one.prefRegex = value
            elif command[2] in add:
                add[command[2]](value)
    return one


def plain(shown):
    """The line as it was before it was shown."""
    return re.sub(r'\\(?:x([0-9a-f]{2})|\\)',
                  lambda m: chr(int(m[1], 16)) if m[1] else '\\', shown)


def hosts(one, lines):
    found = []
    for line in lines.split('\n'):
        found = one.findFailure(['', time.strftime('%Y'), line], time.time()) or found
    return [str(f[1]) for f in found]


def check(stockade, name, options):
    """The faults that are told of one filter."""
    with tempfile.TemporaryDirectory() as conf:
        os.symlink(ETC + '/filter.d', conf + '/filter.d')
        with open(conf + '/jail.conf', 'w', encoding='utf-8') as f:
            opts = ','.join('%s=%s' % o for o in options.items())
            f.write('[lint]\nenabled = true\nlogpath = /dev/null\nfilter = %s%s\n' %
                    (name, '[%s]' % opts if opts else ''))
        r = subprocess.run([stockade, 'check', '--json', '-c', conf], stdout=subprocess.PIPE,
                           check=False)
        return json.loads(r.stdout)['faults']


def main():
    stockade = sys.argv[1]
    logging.disable(logging.CRITICAL)
    shown, wrong, slow = 0, [], set()
    for name, options in filters():
        for fault in check(stockade, name, options):
            if 'regex: slow: ' in fault['message']:
                slow.add(name)
            m = SHOWN.search(fault['message'])
            # A very long line is shown without its middle.
            if not m or '...' in m[1]:
                continue
            got = hosts(theirs(name, options), plain(m[1]))
            shown += 1
            if m[2] not in got:
                wrong.append('%s %s: %s, not %s, of: %s' % (name, options, got, m[2], m[1]))
    print('1..3')
    print('%s 1 - what is shown is so for fail2ban (%d lines)' % ('not ok' if wrong else 'ok', shown))
    for w in wrong:
        print('# ' + w)
    print('%s 2 - something is shown' % ('ok' if shown > 10 else 'not ok'))
    missed = [n for n in KNOWN_SLOW if n not in slow]
    print('%s 3 - what is known to be slow is found' % ('not ok' if missed else 'ok'))
    for n in missed:
        print('# not found: ' + n)
    return 1 if wrong or shown <= 10 or missed else 0


sys.exit(main())
