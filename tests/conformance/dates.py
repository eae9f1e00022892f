#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Finds the dates of generated lines with fail2ban's own detector and with ours, and compares for
every line where the date stands and what time it is, then which patterns had how many hits.

usage: dates.py DATEFIND [SEED [ROUNDS]]

Exits 77 without fail2ban.
"""
import calendar
import glob
import os
import random
import re
import subprocess
import sys
import time

try:
    sys.path.append('/usr/lib/python3/dist-packages')
    from fail2ban.server import datedetector
    from fail2ban.server.mytime import MyTime
    from fail2ban.server.utils import Utils
    from fail2ban.version import version as fail2ban_version
except ImportError:
    print('SKIP: fail2ban is not installed')
    sys.exit(77)
if not fail2ban_version.startswith('1.0'):
    print('SKIP: ours is compared with fail2ban 1.0, and this is another')
    sys.exit(77)

SHOWN_MAX = 20
LAST_US = 253402300799000000  # the end of the year 9999: ours knows no later time
DEFAULTS = list(datedetector.DateDetectorCache.DEFAULT_TEMPLATES)
MONTHS = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split()
ZONES = ['Europe/Zurich', 'UTC', 'America/St_Johns', 'Asia/Kolkata', 'Pacific/Auckland']


def fresh_detector(patterns, zone):
    """A detector that shares nothing with those before it."""
    datedetector.DD_patternCache = Utils.Cache(maxCount=1000, maxTime=3600)
    datedetector.DateDetectorCache.DEFAULT_TEMPLATES[:] = DEFAULTS
    datedetector.DateDetector._defCache = datedetector.DateDetectorCache()
    d = datedetector.DateDetector()
    d.default_tz = zone
    for p in patterns:
        d.appendTemplate(p)
    return d


def size(text):
    return len(text.encode('utf-8', 'surrogateescape'))


def theirs(detector, line):
    try:
        match = detector.matchTime(line)
    except IndexError:  # an empty match at the line's end: nothing to cut out
        return ('empty',)
    m = match[0]
    if m is None:
        return ('none',)
    start, end = m.span(1)
    if start >= end:
        return ('empty',)
    where = (size(line[:start]), size(line[start:end]))
    try:
        date = detector.getTime(line[start:end], match)
    except (KeyError, AttributeError, TypeError, OverflowError):
        date = None
    if date is None:
        return ('unreadable',) + where
    return ('found',) + where + (min(round(date[0] * 1000000), LAST_US),)


def ours(datefind, patterns, zone, now, lines):
    argv = [datefind, str(int(now * 1000000))]
    if zone is not None:
        argv += ['-z', zone]
    text = '\n'.join(lines) + '\n'
    run = subprocess.run(argv + patterns, input=text.encode('utf-8', 'surrogateescape'),
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    if run.returncode != 0:
        return None, run.stderr.decode(errors='replace')
    said, _, used = run.stdout.decode().partition('--\n')
    results = []
    for word in (l.split() for l in said.splitlines()):
        results.append((word[0],) if word[0] == 'empty' else
                       (word[0],) + tuple(int(n) for n in word[1:]))
    return results, used.splitlines()


def same(a, b):
    if a[:3] != b[:3] or len(a) != len(b):
        return False
    # Theirs is a binary fraction; and the hour that comes twice has no right answer.
    return len(a) < 4 or abs(a[3] - b[3]) <= 1 or twice(a[3], b[3])


def twice(a, b):
    return abs(a - b) <= 3600 * 1000000 and \
        time.localtime(a // 1000000)[:6] == time.localtime(b // 1000000)[:6]


def skipped(a, b):
    """Local times that no clock showed."""
    return abs(a - b) <= 3600 * 1000000


class Lines:
    """
    Lines as services write them, and as nobody does. (What a pattern itself says of characters
    beyond ASCII, as with "\\W", it says of bytes here: no pattern below does.)
    """

    def __init__(self, r, now):
        self.r = r
        self.now = now

    def moment(self):
        r = self.r
        return self.now + r.choice([
            -r.randrange(3600), -r.randrange(86400 * 2), -r.randrange(86400 * 400),
            r.randrange(86400 * 3), r.randrange(-86400 * 365 * 5, 86400 * 365 * 3),
            -(self.now - calendar.timegm((r.randrange(1999, 2033), r.randrange(1, 13),
                                          r.randrange(1, 29), r.randrange(24),
                                          r.randrange(60), r.randrange(60)))), 0])

    def clock(self, t):
        r = self.r
        h, m, s = t.tm_hour, t.tm_min, t.tm_sec
        if r.random() < 0.05:
            h, m, s = r.choice([(24, 0, 0), (23, 59, 60), (23, 59, 61), (0, 0, 0), (h, 60, s),
                                (29, 1, 1), (h, m, 62)])
        return r.choice(['%02d:%02d:%02d'] * 8 + ['%d:%02d:%02d', '%2d:%02d:%02d', '%d:%d:%d']) \
            % (h, m, s)

    def fraction(self):
        r = self.r
        return r.choice(['', '', '', '.%03d' % r.randrange(1000), '.%06d' % r.randrange(10 ** 6),
                         ',%03d' % r.randrange(1000), '.%09d' % r.randrange(10 ** 9), '.', '.5'])

    def zone(self):
        return self.r.choice(['', '', '', 'Z', ' Z', '+01:00', ' +0200', '-0330', ' -05', ' UTC',
                              'GMT', ' CEST', '+1', ' utc', ' +2500', '   +0100', '\t-0800'])

    def day(self, t):
        return self.r.choice(['%02d', '%02d', '%d', '%2d']) % t.tm_mday

    def year(self, t):
        return str(t.tm_year)

    def month(self, t):
        name = MONTHS[t.tm_mon - 1]
        return self.r.choice([name] * 6 + [name.upper(), name.lower()])

    def weekday(self, t):
        return self.r.choice(['', time.strftime('%a ', t), time.strftime('%a ', t), 'Mon '])

    def formats(self):
        r = self.r
        t = time.gmtime(self.moment())
        d, y, mon, clock = self.day(t), self.year(t), self.month(t), self.clock(t)
        mm = '%02d' % t.tm_mon
        sep = r.choice('-/.')
        frac, zone = self.fraction(), self.zone()
        return [
            lambda: y + sep + mm + sep + d + r.choice('T  ') + clock + frac + zone,
            lambda: '%s-%s-%02d %s%s' % (y, mm, t.tm_mday, clock, frac),
            lambda: self.weekday(t) + mon + ' ' + d + ' ' + clock + frac +
            r.choice(['', '', ' ' + y]),
            lambda: '%s %2d %02d:%02d:%02d' % (mon, t.tm_mday, t.tm_hour, t.tm_min, t.tm_sec),
            lambda: self.weekday(t) + mon + ' ' + d + ' ' + y + ' ' + clock + frac,
            lambda: d + sep + mm + sep + r.choice([y, y[2:]]) + ' ' + clock,
            lambda: d + sep + mon + sep + y + r.choice(' ::') + clock + frac + zone,
            lambda: '%s/%s/%s:%s' % (mm, d, y, clock),
            lambda: '%s-%s-%s %s%s' % (mm, d, y, clock, frac),
            lambda: str(calendar.timegm(t)) + r.choice(['', frac]),
            lambda: '%d%03d' % (calendar.timegm(t), r.randrange(1000)),
            lambda: clock,
            lambda: '<%s/%s/%s@%s>' % (mm, d, y[2:], clock),
            lambda: y[2:] + mm + '%02d' % t.tm_mday + r.choice([' ', '  ']) + clock,
            lambda: '%s %s, %s %d:%02d:%02d %s' % (mon, d, y, r.randrange(1, 13), t.tm_min,
                                                   t.tm_sec, r.choice(['AM', 'PM', 'pm'])),
            lambda: '%s-%s-%s %s' % (mon, d, y[2:], clock),
            lambda: time.strftime('%Y%m%d', t) + r.choice('T  ') + time.strftime('%H%M%S', t) +
            frac + zone,
            lambda: r.choice(['PDT ', 'CEST ', 'Z ', 'FOO ', 'host ', 'utc ', 'UTC ']) +
            self.weekday(t) + mon + ' ' + d + ' ' + clock,
            lambda: r.choice(['+00:00 ', '-0500 ', 'Z ', '+02 ']) + self.weekday(t) + mon + ' ' +
            d + ' ' + clock + frac,
            lambda: '@4000000%09x%08x' % (calendar.timegm(t), r.randrange(2 ** 32)),
            lambda: '%d (%s)' % (calendar.timegm(t), time.strftime('%a %b %d %H:%M:%S %Y', t)),
            lambda: time.strftime('%Y:%m:%d-%H:%M:%S', t),
            lambda: time.strftime('%d%b%Y %H:%M', t),
            lambda: time.strftime('%j %Y %H:%M:%S', t),
            lambda: time.strftime('%Y week %U %a %H:%M:%S', t),
            lambda: time.strftime('%Y week %W %A', t),
            lambda: time.strftime('%A, %d %B %y %I:%M %p', t),
        ]

    def front(self):
        return self.r.choice([
            '', '', '', '', '', '[', '<', '(', '[[', '((', '"', ' ', '<30>', '[[[', 'host ', 'x',
            '1', '_', '192.0.2.1 - - [', 'type=AVC msg=audit(', 'audit(', 'a b c d: ',
            'é', 'é ', '中', '中 ', '“', '“ ', '\ufeff', '\ufeff[', '\ufffd\ufffd', 'Jan 23 ', '2005 ', '... ', 'msg="', '== ', '<W>', '=X==== ',
            'L ', 't=', '2005-08-14 12:00:00 ', 'a.b -- x -- - '])

    def tail(self):
        r = self.r
        return r.choice(['', ' ', ']', '] x', ':', ' host sshd[1]: Failed', 'x', '.', ',', '5',
                         '_', ' 2005', ' 2024 ', ' +0200 x', '):', ':123)', ':123): x', '>', '"',
                         'é', ' é', '中', '”', ' - ', '\t', ' ' + r.choice(self.formats())()])

    def garbage(self):
        r = self.r
        return ''.join(r.choice('0123456789:-/.,[]() TZJanFeb+_@\t') for _ in
                       range(r.randrange(60)))

    def mutate(self, line):
        r = self.r
        at = r.randrange(len(line) + 1)
        return r.choice([line[:at] + line[at + 1:], line[:at] + r.choice('0:9 -/x[') + line[at:],
                         line[:at], line[at:], line[:at] + r.choice('0:9 -/x[') + line[at + 1:]])

    def stream(self, n):
        """Mostly of one or two formats, as logs are; now and then of any."""
        r = self.r
        count = len(self.formats())
        main = [r.randrange(count) for _ in range(r.choice([1, 1, 2, 3]))]
        fronts = [self.front() for _ in range(r.choice([1, 1, 2]))]
        stray = r.choice([0.02, 0.1, 0.4, 1])
        lines = []
        while len(lines) < n:
            if r.random() < stray:
                which, front = r.randrange(count), self.front()
            else:
                which, front = r.choice(main), r.choice(fronts)
            line = front + self.formats()[which]() + self.tail()
            if r.random() < 0.05:
                line = self.garbage()
            elif r.random() < 0.1:
                line = self.mutate(line)
            if r.random() < 0.02:
                line += ' é '
            lines.append(line)
            while lines and r.random() < 0.2:
                lines.append(r.choice(lines[-3:]))
        return [l.replace('\n', '') for l in lines]


def installed_patterns():
    """The values of datepattern in the filters that came with fail2ban."""
    found = {}
    for path in sorted(glob.glob('/etc/fail2ban/filter.d/*.conf') +
                       glob.glob('/usr/lib/python3/dist-packages/fail2ban/tests/config/filter.d/*')):
        with open(path, encoding='utf-8') as f:
            text = f.read()
        for m in re.finditer(r'^datepattern\s*=(.*(?:\n[ \t]+\S.*)*)', text, re.M):
            lines = [l.strip().replace('%%', '%') for l in m.group(1).splitlines()]
            lines = tuple(l for l in lines if l)
            if lines and not any('<lt_' in l or '%(' in l or '/datepattern' in l for l in lines):
                found[lines] = True
    return [list(p) for p in found]


OWN_PATTERNS = [
    ['{NONE}'], ['{DEFAULT}'], ['EPOCH'], ['epoch'], ['LEPOCH'], ['{^LN-BEG}LEPOCH'], ['^EPOCH'],
    ['{EPOCH}'], ['{LEPOCH}'], [r'^\s*{EPOCH}'], [r'\[{LEPOCH}\]'], ['TAI64N'], ['^TAI64N'],
    [r'msg="{EPOCH}'], [r'(x|\[){EPOCH}'], [r'^({LEPOCH})'],
    ['{DATE}'], ['{^LN-BEG}{DATE}'], ['^{DATE}'], [r'\[{DATE}'], [r'<W>{DATE}', '{^LN-BEG}'],
    [r'"({DATE})'], ['** {DATE}'], ['{date}'],
    ['%Y-%m-%d %H:%M:%S'], ['^%Y-%m-%d %H:%M:%S'], ['{UNB}%Y-%m-%d %H:%M:%S'],
    ['**%Y-%m-%d %H:%M:%S**'], ['(**%H:%M:%S)'], ['%H:%M:%S$'], ['^%H:%M:%S$'], ['%H:%M:%S($)'],
    [r'%Y-%m-%d\s'], ['(?i)%Y-%m-%d'], ['(?:^%Y|^%d)'],
    ['%d%b%Y %H:%M'], ['%j %Y %H:%M:%S'], ['%Y week %U %a %H:%M:%S'], ['%Y week %W %A'],
    ['%A, %d %B %y %I:%M %p'], ['%A, %d %B %y %l:%M %p'], ['%I:%M:%S'], ['%b %d %k:%M:%S'],
    ['%Y-%m-%d[T ]%H:%M:%S(?:[.,]%f)?%Exz'], ['%ExZ %b %d %H:%M:%S'], ['%c'], ['%x %X'], ['%X'],
    ['%d/%m/%y'], ['%y%m%d'], ['%m/%d'], ['%d'], ['%m'], ['%H'], ['%M:%S'], ['%j'], ['%a'], ['%B'],
    ['%U %a'], ['%w %W'], ['%Y %j %Z'], ['%G-%V-%u'], ['%ExY%Exm%Exd'], ['%Exy%Exm%Exd'],
    ['%%%Y'], ['%Y%%'], [r'\[%H:%M(?::%S)?\]'], [r'(?P<Y>\d+)-(?P<m>\d+)-(?P<d>\d+)'],
    [r'(?P<b>[a-z]+) (?P<d>\d+)'], [r'(?P<H>\d+):(?P<z>\S*)'], [r'(?P<p>x)?(?P<I>\d+):'],
    ['%H:%M:%S', '%Y-%m-%d'], ['{^LN-BEG}%H:%M:%S', '{^LN-BEG}'], ['%H:%M:%S', '{^LN-BEG}'],
    ['%Y-%m-%d %H:%M:%S', 'EPOCH', '{NONE}'], ['{^LN-BEG}', '{DATE}'],
    ['{^LN-BEG}%ExY(?P<_sep>[-/.])%m(?P=_sep)%d(?:T|  ?)%H:%M:%S(?:[.,]%f)?(?:\\s*%z)?',
     '{^LN-BEG}'],
    ['%Y-%m-%d', '{DEFAULT}'], ['{default}'], ['{^ln-beg}'], ['ISO8601'], ['x'], ['^'],
    ['()%H:%M:%S'], ['(?:%H):(%M)'], [r'%Y(?=-)'], [r'(?<=T)%H:%M:%S'], ['%H[(]?%M'],
    ['{^LN-BEG}^%Y'], ['{UNB}{^LN-BEG}%Y'], ['{^LN-BEG}{UNB}%Y'], ['{^LN-BEG}**%Y'],
    ['%Y-%m-%d %H:%M:%S,%f'], [r'%d\.%m\.%Y'], ['%d. %b %Y'], ['é %H:%M:%S'],
]
# What neither takes.
BAD_PATTERNS = [['%q'], ['%Y %'], ['%Ex'], ['%Exq'], ['%Y %Y'], ['%H %k'], ['(%Y'], ['%Y)'], ['[%Y'],
                ['%Y', '%Y'], ['%b {DATE}'], ['*%Y'], ['{^LN-BEG}', '{^LN-BEG}%H:%M:%S']]
OWN_ZONES = [None, None, None, 'UTC', 'CET', 'UTC+0530', '-0330', 'MSK', '+02:30', 'EST-01', '']
BAD_ZONES = ['Europe/Zurich', 'cet', 'XYZ', '+2500', 'UTC+1', '+1', 'UTC 0100', '02']


def random_pattern(r):
    """One that nobody wrote: what begins and ends a pattern decides where it may stand."""
    parts = ['%Y', '%m', '%d', '%H', '%M', '%S', '%b', '%a', '%ExY', '%Exm', '%k', '%z', '%f', '%p',
             '%I', '%y', '%j', '%Exd', '%ExH', '{DATE}', '{EPOCH}', '{LEPOCH}']
    joints = ['-', '/', ':', ' ', '', '(?:-|/)', r'\s+', '.', r'\.', '[T ]', '(', ')', '(?:', '?',
              r'\(', '|', '%%', '[(]', '+']
    front = r.choice(['', '', '^', '{^LN-BEG}', '{UNB}', '**', '(', '(?:', '(^', '(?:^', '(**', r'\b',
                      '(?i)', '(?i)^', '^(?i)', '((', r'\(', '[^:]*:', '{^LN-BEG}(',
                      '(?P<x>', '(?:^|', r'\[', ' '])
    back = r.choice(['', '', '$', ')', r'\b', r'\s', '**', '**)', r'\$', '$)', r'\s*$', '))',
                     r'\**', '(?=x)', ' ', '()', r'\]'])
    text = ''.join(r.choice(parts) + r.choice(joints + ['-', ':', ' '] * 4)
                   for _ in range(r.randrange(1, 5)))
    # An end alone matches nothing of a line; it is no date, wherever it is found.
    return (front + text[:r.choice([-1, len(text)])] + back).replace('|$', '|x$').strip()


class Tally:
    def __init__(self, datefind):
        self.datefind = datefind
        self.lines = self.streams = self.wrong = self.dated = self.patterns = 0

    def complain(self, *what):
        self.wrong += 1
        if self.wrong <= SHOWN_MAX:
            print(*what)

    def compare(self, patterns, zone, now, lines):
        MyTime.setTime(now)
        detector = fresh_detector(patterns, zone)
        want = [theirs(detector, l) for l in lines]
        got, used = ours(self.datefind, patterns, zone, now, lines)
        label = '%r zone %r TZ %s now %s:' % (patterns, zone, os.environ['TZ'], now)
        self.streams += 1
        if got is None:
            self.complain(label, 'refused:', used)
            return
        for n, (line, a, b) in enumerate(zip(lines, want, got)):
            self.lines += 1
            self.dated += a[0] == 'found'
            if not same(a, b) and not (len(a) == len(b) == 4 and a[:3] == b[:3] and
                                       skipped(a[3], b[3]) and self.is_odd(a[3])):
                self.complain(label, 'line %d: %r\n  fail2ban: %s\n  ours:     %s' %
                              (n + 1, line, a, b))
                return  # what follows has learnt something else
        hits = ['%d %s' % (t.hits, t.name) for t in detector.templates]
        if hits and hits != used:
            self.complain(label, 'hits differ:\n  %s\n  %s' % (hits[:4], used[:4]))

    @staticmethod
    def is_odd(us):
        """Near a change of the local clock, where a time may exist twice or not at all."""
        sec = us // 1000000
        return time.localtime(sec - 7200).tm_gmtoff != time.localtime(sec + 7200).tm_gmtoff

    @staticmethod
    def runs(patterns, zone):
        """Does fail2ban take them? It finds out at the first line."""
        try:
            for t in fresh_detector(patterns, zone).templates:
                t.template._compileRegex()
                if t.template._cRegex.groups < 1:
                    return False
        except Exception:  # whatever it is: it does not run
            return False
        return True

    def either(self, patterns, zone, now, lines):
        """Whether they run at all is to be found out, too."""
        if re.search(r'\\[bsW]|\.|\\$', patterns[0]):
            lines = [l.encode('ascii', 'replace').decode() for l in lines]
        self.patterns += 1
        if self.runs(patterns, zone):
            self.compare(patterns, zone, now, lines)
        elif not re.search(r'\(\?([^:=!<P]|$)', patterns[0]):  # PCRE2 takes flags anywhere, and none
            self.refuses(patterns, zone)

    def refuses(self, patterns, zone):
        if self.runs(patterns, zone):
            self.complain('fail2ban takes %r, zone %r' % (patterns, zone))
        got, _ = ours(self.datefind, patterns, zone, 0, ['x'])
        if got is not None:
            self.complain('taken: %r, zone %r' % (patterns, zone))


def present(r):
    """Any day, and often New Year's, a leap day, the night of a change of clocks."""
    return r.choice([
        calendar.timegm((r.randrange(2005, 2030), r.randrange(1, 13), r.randrange(1, 29),
                         r.randrange(24), r.randrange(60), r.randrange(60))),
        calendar.timegm((r.randrange(2005, 2030), 12, 31, r.randrange(20, 24), 59, 58)),
        calendar.timegm((r.randrange(2005, 2030), 1, 1, r.randrange(4), 0, 3)),
        calendar.timegm((2024, 2, 29, 12, 0, 0)), calendar.timegm((2025, 3, 1, 0, 0, 1)),
        calendar.timegm((2005, 8, 14, 10, 0, 0))]) + r.choice([0, 0.25])


def main():
    r = random.Random(int(sys.argv[2]) if len(sys.argv) > 2 else 1)
    rounds = int(sys.argv[3]) if len(sys.argv) > 3 else 1
    tally = Tally(sys.argv[1])
    custom = installed_patterns() + OWN_PATTERNS
    for _ in range(rounds):
        for i in range(60 + len(custom)):
            os.environ['TZ'] = r.choice(ZONES)
            time.tzset()
            now = present(r)
            lines = Lines(r, int(now))
            if i < 60:
                tally.compare([], r.choice(OWN_ZONES), now, lines.stream(200))
            else:
                tally.compare(custom[i - 60], r.choice(OWN_ZONES), now, lines.stream(120))
                tally.either([random_pattern(r)], None, now, lines.stream(60))
    for patterns in BAD_PATTERNS:
        tally.refuses(patterns, None)
    for zone in BAD_ZONES:
        tally.refuses([], zone)
    print('%d lines in %d streams, %d of them dated, %d patterns; %d disagreements' %
          (tally.lines, tally.streams, tally.dated, len(custom) + tally.patterns, tally.wrong))
    return 1 if tally.wrong > 0 else 0


if __name__ == '__main__':
    sys.exit(main())
