#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Calls the installed fail2ban-regex and ours with the same arguments and compares what they print.

usage: f2bregex.py STOCKADE [CASE...]

Skips without fail2ban 1.0. What may differ, and is taken out before comparing:
  - the time it took, the program's path, the order of a set, the present as a line's time;
  - a time without a fraction in a row: Python writes some as 1421780008, some as 1421780008.0;
  - the expression that stands for an address in an expanded regex: each has its own;
  - the words of an error after "ERROR:", "Wrong config file:" and of --help;
  - the expanded regex of a date (--verbose-date), whose classes each writes in its own way;
  - log messages below warnings (-l), and how they are laid out: ours has fewer.
"""
import difflib
import itertools
import json
import os
import re
import subprocess
import sys
import tempfile
import time
import traceback
import urllib.parse
from multiprocessing import Pool

try:
    sys.path.append('/usr/lib/python3/dist-packages')
    import fail2ban
    from fail2ban.client.fail2banregex import exec_command_line
    from fail2ban.server.failregex import R_HOST
    from fail2ban.version import version as fail2ban_version
except ImportError:
    print('1..0 # SKIP fail2ban is not installed')
    sys.exit(0)
if not fail2ban_version.startswith('1.0'):
    print('1..0 # SKIP compared with fail2ban 1.0, and this is another')
    sys.exit(0)

ENV = {'LC_ALL': 'C.UTF-8', 'TZ': 'Europe/Zurich'}
THEIRS = '/usr/bin/fail2ban-regex'
TESTS = os.path.join(os.path.dirname(fail2ban.__file__), 'tests')
LOGS = os.path.join(TESTS, 'files/logs')
FILES = os.path.join(TESTS, 'files')
CONFIG = os.path.join(TESTS, 'config')

LINE = 'Dec 31 11:59:59 [sshd] error: PAM: Authentication failure for kevin from 192.0.2.0'
NODATE = '[sshd] error: PAM: Authentication failure for kevin from 192.0.2.0'
RE = (r'(?:(?:Authentication failure|Failed [-/\w+]+) for(?: [iI](?:llegal|nvalid) user)?|'
      r'[Ii](?:llegal|nvalid) user|ROOT LOGIN REFUSED) .*(?: from|FROM) <HOST>')
RE_ID = r'Authentication failure for <F-ID>.*?</F-ID> from <ADDR>$'
RE_USER = r'Authentication failure for <F-USER>.*?</F-USER> from <ADDR>$'
DATE = r'^(?:%a )?%b %d %H:%M:%S(?:\.%f)?(?: %ExY)?'
TUPLE = (r'^\s*<F-TUPLE_ID_1>\S+</F-TUPLE_ID_1> <F-ID><ADDR>:<F-PORT/></F-ID> '
         r'<F-TUPLE_ID_2>\S+</F-TUPLE_ID_2>')
LEFT = '1591983743.667 left [192.0.2.4]:12345 right'
WINDOW = r'^\s*FAIL\s*$<SKIPLINES>^\s*HOST <HOST>\s*$'
SKIPPED = ('1490349000 FAIL\n1490349000 TEST1\n1490349001 TEST2\n1490349001 HOST 192.0.2.34')
SESSIONS = '\n'.join([
    'Nov 28 09:16:03 srv sshd[32307]: Failed publickey for git from 192.0.2.1 port 57904 ssh2: ECDSA 0e:ff',
    'Nov 28 09:16:03 srv sshd[32307]: Failed publickey for git from 192.0.2.1 port 57904 ssh2: RSA 04:bc',
    'Nov 28 09:16:03 srv sshd[32307]: Postponed publickey for git from 192.0.2.1 port 57904 ssh2 [preauth]',
    'Nov 28 09:16:05 srv sshd[32310]: Failed publickey for git from 192.0.2.2 port 57910 ssh2: ECDSA 1e:fe',
    'Nov 28 09:16:05 srv sshd[32310]: Failed publickey for git from 192.0.2.2 port 57910 ssh2: RSA 14:ba',
    'Nov 28 09:16:05 srv sshd[32310]: Disconnecting: Too many authentication failures for git [preauth]',
    'Nov 28 09:16:05 srv sshd[32310]: Connection closed by 192.0.2.2 [preauth]'])
ACCEPTED = 'Nov 28 09:16:06 srv sshd[32307]: Accepted publickey for git from 192.0.2.1 port 57904 ssh2: DSA 36'
CLOSED = 'Nov 28 09:16:06 srv sshd[32307]: Connection closed by 192.0.2.1 [preauth]'
STALLED = ('May 27 00:16:33 host sshd[2364]: User root not allowed because account is locked\n'
           'May 27 00:16:33 host sshd[2364]: Received disconnect from 192.0.2.76 port 58846:11: Bye Bye [preauth]')
CONNECTS = ('svc[1] connect started 192.0.2.3\nsvc[1] connect finished 192.0.2.3\n'
            'svc[2] connect started 192.0.2.4\nsvc[2] connect authorized 192.0.2.4\n'
            'svc[2] connect finished 192.0.2.4\n')
GAINED = (r'common[prefregex="^svc\[<F-MLFID>\d+</F-MLFID>\] connect <F-CONTENT>.+</F-CONTENT>$", '
          'failregex="^started\n^<F-NOFAIL><F-MLFFORGET>finished</F-MLFFORGET></F-NOFAIL> <ADDR>\n'
          '^<F-MLFGAINED>authorized</F-MLFGAINED> <ADDR>", maxlines=1]')
SUBNETS = ('[1516469849] 192.0.2.1 FAIL: failure\n[1516469849] 192.0.2.1/24 FAIL: failure\n'
           '[1516469849] 2001:DB8:FF:FF::1 FAIL: failure\n'
           '[1516469849] 2001:DB8:FF:FF::1/60 FAIL: failure\n')
EPOCHS = ('[1516469849] 192.0.2.1 FAIL: failure\n[1516469849551] 192.0.2.2 FAIL: failure\n'
          '[1516469849551000] 192.0.2.3 FAIL: failure\n[1516469849551.000] 192.0.2.4 FAIL: failure')
INCOMPLETE = ('192.0.2.1 - - [02/May/2021:18:40:55 +0100] "GET / HTTP/1.1" 302 328 "-" "Mozilla/5.0" "-"\n'
              '192.0.2.2 - - [02/May/2021:18:40:55 +0100\n192.0.2.3 - - [02/May/2021:18:40:55')


def fixed():
    """What fail2ban's own tests of the program call, and more of the kind."""
    log = lambda name: os.path.join(FILES, name)
    yield 'wrong regex', ['test', r'.** from <HOST>$']
    yield 'wrong group', ['test', r'^(?:(?P<type>A)|B)? (?(typo)...) from <ADDR>']
    yield 'wrong ignoreregex', ['--datepattern', '{^LN-BEG}EPOCH', 'test', r'.*? from <HOST>$', r'.**']
    yield 'wrong options', ['test', "sshd[a='x,y,z',b=z,y,x]"]
    yield 'no id', ['-l', 'critical', LINE, 'Authentication failure']
    yield 'empty regex', [LINE, ' ']
    yield 'wrong date pattern', ['-d', '%:%.%-', 'LOG', 'RE']
    yield 'wrong zone', ['--timezone', 'nowhere', LINE, RE]
    yield 'wrong file', [os.path.join(LOGS, 'zzz-generic-example'), os.path.join(LOGS, 'zzz-generic-example')]
    yield 'no such file', ['/nonexistent/log', RE]
    yield 'direct', ['-d', DATE, '--print-all-matched', '--print-no-missed', LINE,
                     r'Authentication failure for .*? from <HOST>$']
    yield 'direct, default dates', [LINE, r'Authentication failure for .*? from <HOST>$']
    yield 'direct, not found', ['--print-all-missed', LINE, r'XYZ from <HOST>$']
    yield 'direct, ignored', ['--print-all-ignored', LINE, r'Authentication failure for .*? from <HOST>$',
                              r'kevin from 192.0.2.0$']
    for opts in ([], ['--raw'], ['--raw', '--usedns=no'], ['--usedns', 'no'], ['-v'], ['-vv', '--raw'],
                 ['-D'], ['--no-check-all'], ['-L', '3', '-r'], ['--usedns=raw'], ['--print-all-missed'],
                 ['--print-no-missed'], ['--verbosity', '1', '-r']):
        if opts in ([], ['-v']):
            opts = opts + ['--raw']
        for name in ('testcase01.log', 'testcase01a.log', 'testcase02.log', 'testcase03.log', 'testcase04.log'):
            yield f'{name} {" ".join(opts)}', ['-d', DATE, '--print-all-matched', *opts, log(name), RE]
    yield 'id needs no address', ['-d', '^Epoch', '1490349000 test failed.dns.ch', r'^\s*test <F-ID>\S+</F-ID>']
    yield 'a zone', ['-d', DATE, '--timezone', 'UTC+0200', '--verbose', '--verbose-date', '--print-no-missed',
                     log('testcase02.log'), RE]
    yield 'wrong characters', ['-d', DATE, log('testcase-wrong-char.log'), 'sshd']
    yield 'wrong characters, a file, links', ['-d', DATE, '-D', '--print-all-matched',
                                              log('testcase-wrong-char.log'), '/etc/fail2ban/filter.d/sshd.conf',
                                              r'llinco[^\\]']
    yield 'sshd, all', ['-v', '--print-all-matched', '--print-all-ignored', '-r', os.path.join(LOGS, 'sshd'), 'sshd']
    yield 'sshd, real options', ['-vv', LINE, 'sshd[logtype=short]']
    yield 'sshd, mode and options', [os.path.join(LOGS, 'sshd'), '-r', 'sshd[mode=aggressive, publickey=any]']
    zzz = os.path.join(FILES, 'zzz-sshd-obsolete-multiline.log')
    yield 'sshd, obsolete log', ['--print-all-matched', '-r', zzz, 'sshd.conf[mode=normal]']
    yield 'windows of sshd', ['--print-all-matched', '--print-all-missed', '-r', '-c',
                              os.path.join(CONFIG, 'filter.d'), zzz, 'zzz-sshd-obsolete-multiline.conf']
    generic = os.path.join(CONFIG, 'filter.d', 'zzz-generic-example.conf')
    yield 'generic by file', [os.path.join(LOGS, 'zzz-generic-example'), generic + '[mode=test]', '-r']
    for before in (0, 20):
        yield f'a window, {before} lines before', [
            '--usedns', 'no', '-d', '^Epoch', '--print-all-matched', '--maxlines', '5',
            '1490349000 TEST-NL\n' * before + SKIPPED, WINDOW]
    yield 'a window, line ends of Unicode', [
        '--usedns', 'no', '-d', '{NONE}', '--print-all-matched', '--maxlines', '9',
        'FAIL\nTEST\x85x\nTEST\u2028y\nTEST\x0cz\nTEST\nHOST 192.0.2.34\nHOST 192.0.2.34', WINDOW]
    yield 'a window, links', ['--usedns', 'no', '-d', '^Epoch', '--debuggex', '--print-all-matched',
                              '--maxlines', '5', SKIPPED, WINDOW]
    yield 'a line end in the regex', ['--usedns', 'no', '-d', '^Epoch', '--print-all-matched', '-L', '2',
                                      '1490349000 FAIL: failure\nhost: 192.0.2.35',
                                      r'^\s*FAIL:\s*.*\nhost:\s+<HOST>$']
    yield 'long epochs', ['-r', '-d', r'^\[{LEPOCH}\]\s+', '--maxlines', '5', EPOCHS, r'^<HOST> FAIL\b']
    yield 'subnets', ['-v', '-d', r'^\[{LEPOCH}\]\s+', '--maxlines', '5', SUBNETS, r'^<SUBNET> FAIL\b']
    for out in ('id', 'fid', 'ip', 'row', 'msg', 'user', 'ip4', 'ip6', 'dns', 'host', 'matches', 'nothing',
                '<ip>, <F-USER>, <family>', '<fid> <F-ID> <time> <failures> <nothing>', '<ip-rev> <br>|<sp>|',
                '<msg>: <matches>'):
        yield f'-o {out}, an id', ['-o', out, LINE, RE_ID]
        yield f'-o {out}, a user', ['-o', out, LINE, RE_USER]
        yield f'-o {out}, sessions', ['-o', out, '--usedns', 'no', SESSIONS + '\n' + CLOSED,
                                      'sshd[logtype=short, mode=aggressive]']
        yield f'-o {out}, sshd', ['-o', out, '-r', os.path.join(LOGS, 'sshd'), 'sshd[mode=aggressive]']
    yield 'tuple', ['-o', 'id', '-d', '{^LN-BEG}EPOCH', '1591983743.667 192.0.2.1 192.0.2.2',
                    r'^\s*<F-ID/> <F-TUPLE_ID>\S+</F-TUPLE_ID>']
    yield 'tuple of three', ['-o', 'id', '-d', '{^LN-BEG}EPOCH', '1591983743.667 left 192.0.2.3 right',
                             r'^\s*<F-TUPLE_ID_1>\S+</F-TUPLE_ID_1> <F-ID/> <F-TUPLE_ID_2>\S+</F-TUPLE_ID_2>']
    for out in ('id', 'ip', 'row', 'ID:<fid> | IP:<ip>'):
        yield f'tuple and address, -o {out}', ['-o', out, '-d', '{^LN-BEG}EPOCH', LEFT, TUPLE]
    id1 = (r'[failregex="^%s<F-ID>User <F-USER>\S+</F-USER></F-ID> not allowed' '\n'
           r'^%sReceived disconnect from <ADDR>"]')
    id2 = (r'[failregex="^%sUser <F-USER>\S+</F-USER> not allowed' '\n'
           r'^%sReceived disconnect from <F-ID><ADDR> port \d+</F-ID>"]')
    inline = r'\s*\S+ sshd\[<F-MLFID>\d+</F-MLFID>\]:\s+'
    for name, regex in (('first', id1), ('second', id2)):
        for flt, prefix in (('sshd', ''), ('common', inline)):
            for out in ('ID:"<fid>" | IP:<ip> | U:<F-USER>', 'row'):
                yield f'stalled address, {flt}, id {name}, -o {out}', [
                    '-d', DATE, '-o', out, STALLED, flt + regex % (prefix, prefix)]
    yield 'stalled address', ['-d', DATE, '-o', 'IP:<ip>', STALLED, 'sshd']
    yield 'no date', ['-d', '{^LN-BEG}EPOCH', '-o', 'Found-ID:<F-ID>', NODATE, RE_ID]
    yield 'no date wanted', ['-d', '{NONE}', '-o', 'Found-ID:<F-ID>', NODATE, RE_ID]
    yield 'no date, report', ['-d', '{^LN-BEG}EPOCH', NODATE, RE_ID]
    yield 'incomplete date', ['-o', 'Found-ADDR:<ip>', INCOMPLETE, '^<ADDR>']
    yield 'incomplete date, report', ['-v', '--print-all-matched', INCOMPLETE, '^<ADDR>']
    for mode, last in (('publickey=invalid', ACCEPTED), ('mode=aggressive', ACCEPTED), ('mode=aggressive', CLOSED)):
        args = ['--usedns', 'no', SESSIONS + '\n' + last, f'sshd[logtype=short, {mode}]']
        yield f'several lines, {mode}, {last[43:51]}', ['-o', '<ip>, <F-USER>, <msg>', *args]
        yield f'several lines, report, {mode}, {last[43:51]}', ['--print-all-matched', '-v', *args]
    yield 'gained', ['-o', 'failure from == <ip> ==', '-d', '{NONE}', CONNECTS, GAINED]
    yield 'gained, report', ['-d', '{NONE}', CONNECTS, GAINED, '-v']
    for usedns in ('yes', 'warn', 'no', 'raw', 'perhaps'):
        for regex in ('no <HOST>$', 'no <DNS>$', 'no <F-ID><DNS></F-ID>$'):
            yield f'a name, usedns {usedns}, {regex}', ['--usedns', usedns, '--print-all-matched', '-d', '{NONE}',
                                                        'no localhost\nno 192.0.2.1\nno nosuch.invalid', regex]
    yield 'no operands', []
    yield 'one operand', ['LOG']
    yield 'four operands', ['a', 'b', 'c', 'd']
    yield 'both of two', ['--print-no-missed', '--print-all-missed', LINE, RE]
    yield 'no such option', ['--nosuch', LINE, RE]
    yield 'no such letter', ['-Z', LINE, RE]
    yield 'no value', [LINE, RE, '-c']
    yield 'no number', ['-L', 'many', LINE, RE]
    yield 'help', ['--help']
    yield 'version', ['--version']
    yield 'bare version', ['-V']
    yield 'abbreviated', ['--print-all-mat', '--raw', LINE, RE]


def samples():
    """Every sample log through the filter of its name."""
    for name in sorted(os.listdir(LOGS)):
        path = os.path.join(LOGS, name)
        if not os.path.isfile(path) or not os.path.exists(f'/etc/fail2ban/filter.d/{name}.conf'):
            continue
        yield f'sample {name}', ['--raw', path, name]
        yield f'sample {name}, all', ['--raw', '-v', '--print-all-matched', '--print-all-missed',
                                      '--print-all-ignored', path, name]
        yield f'sample {name}, rows', ['--raw', '-o', 'row', path, name]


def encodings(folder):
    """Logs in encodings in which a line end may be part of another character."""
    text = ('1490349000 \u20ac Failed auth: invalid user Test\u020a from 192.0.2.1\n'
            '1490349000 \u20ac Failed auth: invalid user TestI from 192.0.2.2\n')
    for encoding in ('utf-16be', 'utf-16le', 'utf-8', 'latin-1', 'ascii'):
        path = os.path.join(folder, encoding)
        with open(path, 'wb') as f:
            f.write(text.encode(encoding, 'replace'))
        yield f'encoding {encoding}', ['--encoding', encoding, '--print-all-matched', '-d', '^EPOCH', path,
                                       'Failed .* from <HOST>']
    cases = {
        'half': b'1490349000 Failed a from 192.0.2.1\n1490349000 Failed b from 192.0.2.2',
        'crlf': b'# note\r\n\r\n1490349000 Failed a from 192.0.2.1\r\n1490349000 Failed b from 192.0.2.2\r\n',
        'nul': b'1490349000 Failed a\x00b from 192.0.2.1\n',
        'bytes': b'1490349000 Failed \xff\xe2\x82 \xed\xa0\x80 \xf0\x9f\x92\xa9 from 192.0.2.1\n',
        'empty': b'',
        'blanks': b'1490349000 Failed \xc2\xa0 from 192.0.2.1 x\xc2\x85\n1490349000 no \xe3\x80\x80\x1c\t\n',
    }
    for name, data in cases.items():
        path = os.path.join(folder, name)
        with open(path, 'wb') as f:
            f.write(data)
        for out in ([], ['-o', 'row'], ['-o', 'msg'], ['-v'], ['-o', '<F-USER> <msg>']):
            yield f'file {name} {" ".join(out)}', ['--print-all-matched', '-d', '^EPOCH', *out, path,
                                                   'Failed <F-USER>.*</F-USER> from <HOST>']


WRITER = '/lib/systemd/systemd-journal-remote'
ENTRIES = (
    ('sshd', '4711', None, 'Failed password for root from 192.0.2.1 port 50022 ssh2'),
    ('sshd', '4711', 250000, 'Failed password for root from 192.0.2.2 port 50022 ssh2'),
    ('kernel', '', None, 'Failed password for root from 192.0.2.3 port 50022 ssh2'),
    ('sshd', '4712', None, '# Connection closed by 192.0.2.4'),
    ('', '4712', None, 'Failed password for \u20ac\\x from 192.0.2.5 port 50022 ssh2'),
)


def journal(folder):
    """A journal with some entries; only where both programs can read one."""
    try:
        import systemd.journal
    except ImportError:
        return
    if not os.access(WRITER, os.X_OK):
        return
    machine, start = '0123456789abcdef0123456789abcdef', 1763620328000000
    text = ''
    for i, (ident, pid, source, message) in enumerate(ENTRIES):
        fields = {'__REALTIME_TIMESTAMP': start + i * 500000, '__MONOTONIC_TIMESTAMP': 1000000 + i * 500000,
                  '_BOOT_ID': machine, '_MACHINE_ID': machine, '_HOSTNAME': 'host', '_COMM': 'sshd', '_UID': 0,
                  '_PID': pid, 'SYSLOG_IDENTIFIER': ident, '_SYSTEMD_UNIT': 'ssh.service',
                  '_SOURCE_REALTIME_TIMESTAMP': start + source if source else '', 'MESSAGE': message}
        text += ''.join(f'{k}={v}\n' for k, v in fields.items() if v != '') + '\n'
    path = os.path.join(folder, 'journal')
    os.mkdir(path)
    with open(os.path.join(folder, 'export'), 'w', encoding='utf-8') as f:
        f.write(text)
    subprocess.run([WRITER, '-o', os.path.join(path, 'x.journal'), f.name], check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    log = f'systemd-journal[journalpath={path}]'
    for opts in ([], ['-o', 'row'], ['-o', 'msg'], ['-m', '_PID=4712'], ['-m', '_PID=4711 + _PID=1'],
                 ['-m', '_PID=1'], ['-d', '{NONE}']):
        yield f'journal {" ".join(opts)}', [*opts, '-v', '-r', '--print-all-matched', log, 'sshd']
    yield 'journal, files', ['-r', '--print-all-missed', '--print-all-matched',
                             f'systemd-journal[journalfiles={path}/*.journal]', 'from <HOST> port']
    yield 'journal, a window', ['-r', '--print-all-missed', '--print-all-matched', '-L', '3', log,
                                r'Failed .*$<SKIPLINES>^.*closed by <HOST>']
    generic = os.path.join(CONFIG, 'filter.d', 'zzz-generic-example.conf')
    for opts in ('', 'logtype=file, '):
        yield f'journal, {opts}nothing', ['-vv', log, generic + f'[{opts}journalmatch="SYSLOG_IDENTIFIER=none", '
                                          'failregex="^never <F-ID>xxx</F-ID>"]']


def sorted_sets(line):
    """Sets as Python writes them, in one order."""
    order = lambda m: '{' + ', '.join(sorted(m.group(1).split(', '))) + '}'
    return re.sub(r"\{((?:'[^':]*')(?:, '[^':]*')*)\}", order, line)


def without_now(m):
    """A time that is the present, of a line that has none."""
    text = m.group(0)
    try:
        then = float(text) if text[0].isdigit() else time.mktime(time.strptime(text, '%a %b %d %H:%M:%S %Y'))
    except ValueError:
        return text
    return '<now>' if abs(then - time.time()) < 600 else text


def normal(text, program, hosts):
    """The lines of an output, without what may differ."""
    lines = []
    for line in text.replace(program, 'fail2ban-regex').split('\n'):
        line = re.sub(r'^\[processed in .* sec\]$', '[processed]', line)
        line = re.sub(r'^((?:ERROR|Wrong config file):).*', r'\1', line)
        if line.startswith('|      # regex:'):
            line = '|      # regex:'
        line = re.sub(r"(?<![\d.])(\d{10})\.0(?!\d)", r"\1", line)
        line = re.sub(r'(?<![\d.])(\d{10})(?:\.\d+)?(?!\d)', without_now, line)
        line = re.sub(r'\w{3} \w{3} \d\d \d\d:\d\d:\d\d \d{4}', without_now, line)
        for host in hosts:
            line = line.replace(host, '<address>')
        lines.append(sorted_sets(line))
    return lines


def errors_only(lines):
    """Of a failed call the first line of the message; what follows are each one's own words."""
    for i, line in enumerate(lines):
        if line.startswith(('ERROR:', 'Wrong config')):
            return lines[:i + 1]
    return lines


def call(program, args):
    p = subprocess.run([program, *args], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                       stderr=subprocess.PIPE, timeout=120)
    return p.returncode, p.stdout.decode('utf-8', 'backslashreplace'), p.stderr.decode('utf-8', 'backslashreplace')


def call_theirs(args):
    """What /usr/bin/fail2ban-regex does, without Python starting anew each time."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        pid = os.fork()
        if pid == 0:
            for fd, f in ((1, out), (2, err)):
                os.dup2(f.fileno(), fd)
            sys.argv = [THEIRS, *args]
            status = 0
            try:
                exec_command_line()
            except SystemExit as e:
                status = e.code or 0
            except BaseException:
                traceback.print_exc()
                status = 1
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(status)
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        texts = []
        for f in (out, err):
            f.seek(0)
            texts.append(f.read().decode('utf-8', 'backslashreplace'))
        return status, *texts


def compare(case):
    """None, or what differs."""
    name, args, ours_program, hosts = case
    theirs = call_theirs(args)
    ours = call(ours_program, args)
    # A crash has no lines to compare: ours says what is wrong and exits as for any failure.
    if 'Traceback (most recent call last)' in theirs[2]:
        return None if ours[0] == 255 else f'they fail, ours exits {ours[0]}'
    if theirs[0] != ours[0]:
        return f'exit status {theirs[0]}, ours {ours[0]}: {ours[1][-300:]}{ours[2][-300:]}'
    if name in ('help', 'version', 'bare version') or not args:
        return None
    a, b = normal(theirs[1], THEIRS, hosts), normal(ours[1], ours_program, hosts)
    if theirs[0] == 255:
        a, b = errors_only(a), errors_only(b)
        if a and a[0].startswith('Usage:'):
            a, b = a[:1], b[:1]
    if a == b:
        return None
    diff = list(difflib.unified_diff(a, b, 'fail2ban-regex', 'ours', lineterm='', n=0))
    return '\n'.join(line[:400] for line in diff[2:14])


def compare_daemon(case):
    """None, or where our report and `stockade test` do not find the same failures."""
    name, stockade, ours_program, folder = case
    path = os.path.join(folder, 'lines of ' + name)
    with open(os.path.join(LOGS, name), 'rb') as log, open(path, 'wb') as f:
        for line in log.read().split(b'\n'):
            if line.strip(b'\r') and not line.startswith(b'#'):
                f.write(line + b'\n')
    env = {**os.environ, 'LC_ALL': 'C.UTF-8'}
    ours = call(ours_program, ['-r', '-o', '<fid>', path, name])[1].split('\n')[:-1]
    test = subprocess.run([stockade, 'test', '-c', '/etc/fail2ban', '-f', name, '--json', path],
                          capture_output=True, env=env, timeout=120).stdout.decode().split('\n')[:-1]
    daemon = [d['ip'] for d in map(json.loads, test) if d['verdict'] == 'match']
    return None if ours == daemon else '\n'.join(difflib.unified_diff(ours, daemon, lineterm='', n=0))


def address_expressions(ours_program):
    """What each writes for <HOST> and its like, the longest first."""
    hosts = list(R_HOST)
    for tag in ('HOST', 'ADDR', 'SUBNET', 'IP4', 'IP6', 'DNS'):
        with tempfile.NamedTemporaryFile('w', suffix='.conf') as f:
            f.write(f'[Definition]\nprefregex = ^<{tag}>$\nfailregex = <HOST>\n')
            f.flush()
            lines = call(ours_program, ['x', f.name])[1].split('\n')
        hosts += [m.group(1) for line in lines if (m := re.match(r'^\|  \^(.*)\$$', line))]
    hosts += [urllib.parse.quote_plus(h) for h in hosts]
    return sorted({h for h in hosts if len(h) > 8}, key=len, reverse=True)


def main():
    stockade, wanted = os.path.abspath(sys.argv[1]), sys.argv[2:]
    if os.environ.get('TZ') != ENV['TZ']:
        os.execve(sys.executable, [sys.executable, *sys.argv], {**os.environ, **ENV})
    failed = 0
    with tempfile.TemporaryDirectory() as folder, Pool() as pool:
        ours = os.path.join(folder, 'fail2ban-regex')
        os.symlink(stockade, ours)
        hosts = address_expressions(ours)
        cases = [c for c in [*fixed(), *encodings(folder), *journal(folder), *samples()]
                 if not wanted or any(w in c[0] for w in wanted)]
        names = [n for n in sorted(os.listdir(LOGS)) if os.path.exists(f'/etc/fail2ban/filter.d/{n}.conf')]
        names = [n for n in names if not wanted or 'daemon' in wanted]
        print(f'1..{len(cases) + len(names)}', flush=True)
        results = itertools.chain(pool.imap(compare, [(*c, ours, hosts) for c in cases]),
                                  pool.imap(compare_daemon, [(n, stockade, ours, folder) for n in names]))
        titles = [c[0] for c in cases] + [f'{n} as the daemon judges it' for n in names]
        for i, (title, diff) in enumerate(zip(titles, results), 1):
            failed += diff is not None
            print(f'{"not " if diff else ""}ok {i} - {title}', flush=True)
            if diff:
                print('# ' + diff.replace('\n', '\n# '), flush=True)
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
