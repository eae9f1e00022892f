# SPDX-License-Identifier: GPL-2.0-or-later
"""Log lines as services write them, with what attackers write into them: the same for the same
seed. Some of a service's lines are made from differ_forms.txt, sessions interleaved; the others are
lines of fail2ban's sample logs, changed. Many have something hostile in them."""

import os
import random
import re
import time

NOW = 1795156328  # 2026-11-20 06:32:08 UTC

USERS = ["root", "admin", "test", "ubuntu", "oracle", "postgres", "git", "web-1", "j.doe",
    "svc_backup", "a"]

FORGED = [
    "root from 10.28.2.2 port 22 ssh2", "x from 10.28.2.2", "' from '10.28.2.2",
    "x' failed for '10.28.2.2' - ",
    'x", client: 10.28.2.2, server: y, request: "GET / HTTP/1.1", host: "z"', "x rhost=10.28.2.2",
    " rhost=10.28.2.2  user=root", "x (10.28.2.2)", "x [10.28.2.2]",
    "x[10.28.2.2]: SASL LOGIN authentication failed: x",
    "x rip=10.28.2.2, lip=10.0.0.1", "<x>, rip=10.28.2.2", "10.28.2.2", "10.28.2.2#53",
    "[client 10.28.2.2]",
    "x not allowed because account is locked",
    "x: Failed password for root from 10.28.2.2 port 22 ssh2",
    "invalid user root from 10.28.2.2",
    "x from 10.28.2.2 not allowed because not listed in AllowUsers",
    "root from 10.28.2.2 port 1:11: x", "Ban 10.28.2.2", "x] Ban 10.28.2.2", "x from ::1",
    "x from 2001:db8::bad port 1",
    "authenticating user root 10.28.2.2 port 22 [preauth]", "x\" rejected ... [10.28.2.2]",
    "client 10.28.2.2#5 (x): query x denied",
]

ODD = [
    b"", b" ", b"  x", b"x ", b"a b c", b'"', b"'", b"\\", b"\\\"", b"`x'", b"[", b"]", b"[]",
    b"()", b"(x", b"x)", b"{}", b"<", b">",
    b"<HOST>", b"<F-USER>", b"%s%n", b"%(x)s", b"$(id)", b"`id`", b";", b",", b"a,b", b"x=y",
    b"user=root", b":", b"x:", b"::",
    b"\x00", b"x\x00y", b"\x01", b"\x07", b"\x1b[31mx", b"\x7f", b"\t", b"x\ty", b"\r", b"x\ry",
    b"\x0b", b"\x0c", b"\x1c", b"\x1d",
    b"\x1e", b"\x1f", b"x\x85y", b"\xff", b"\xfe\xff", b"ad\xffmin", b"\xc3", b"\xe2\x82",
    b"\xf0\x9f", b"\xc0\x80", b"\xed\xa0\x80",
    b"\xf4\x90\x80\x80", "é".encode(), "用户".encode(), "Ünïcode".encode(), "İ".encode(),
    "ſ".encode(), "\u2028".encode(),
    "\u2029".encode(), "\u0085".encode(), "\xa0".encode(), "\u3000".encode(), "\u200b".encode(),
    "\ufeff".encode(), "١٢".encode(),
    "😀".encode(), "K".encode(), "\u0301".encode(), b"2026-11-20 06:00:00", b"Nov 20 06:00:00",
    b"[20/Nov/2026:06:00:00 +0000]", b"1795150000",
    b"[preauth]", b"ssh2", b"port", b"from", b"for", b"invalid user", b"*", b"?", b"^", b"$", b"|",
    b"+", b"-", b"_", b"#", b"@", b"a@b", b"/",
]

ODD_ADDRESSES = [
    "999.1.1.1", "256.256.256.256", "1.2.3", "1.2.3.4.5", "01.02.03.04", "1.2.3.04", "0.0.0.0",
    "255.255.255.255", "1.2.3.4.", ".1.2.3.4",
    "0x1.2.3.4", "16909060", "1.2.3.4/24", "1.2.3.4:80", "127.0.0.1", "::ffff:198.51.100.7",
    "::FFFF:198.51.100.7", "::ffff:999.1.1.1",
    "0:0:0:0:0:ffff:198.51.100.7", "::ffff:c633:6407", "::198.51.100.7", "64:ff9b::198.51.100.7",
    "::fffff:198.51.100.7", "::", "::1",
    "1::", "2001:DB8::ABCD", "2001:0db8:0000:0000:0000:0000:0000:0001", "2001:db8:0:0:1::",
    "[2001:db8::7]", "[2001:db8::7", "2001:db8::7]",
    "[198.51.100.7]", "fe80::1%eth0", "2001:db8:::1", "2001:db8::1::2", "12345::1",
    "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7",
    "g::1", "2001:db8::7/64", "example.com", "a.b-c_d.example", "EXAMPLE.com.",
    "198.51.100.7.example.com", "198-51-100-7.example.net", "x^y.z",
    "localhost", "unknown", "UNKNOWN", "(null)", "-", "", "?", "a", "_", "-x.example",
    "xn--mnchen-3ya.example", "münchen.example",
    "١٩٨.51.100.7", "198.51.100.٧", "198\u00b751.100.7",
]

OTHER_DATES = [
    "%b %d %H:%M:%S", "%Y-%m-%dT%H:%M:%S.123456+01:00", "%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d %H:%M:%S",
    "%Y/%m/%d %H:%M:%S", "%d/%b/%Y:%H:%M:%S +0100",
    "%a %b %d %H:%M:%S %Y", "%a, %d %b %Y %H:%M:%S", "%d-%m-%Y %H:%M:%S", "%d/%m/%Y %H:%M:%S",
    "%d-%b-%Y %H:%M:%S.123", "%m/%d/%Y:%H:%M:%S", "%s",
    "%s.123", "[%s]", "%y%m%d %H:%M:%S", "%y-%m-%d %H:%M:%S", "<%m/%d/%y@%H:%M:%S>",
    "%b-%d-%y %H:%M:%S", "%b %d, %Y %I:%M:%S %p", "@400000004f6f1a2b00000000",
    "%b %d %Y %H:%M:%S", "0000-00-00 00:00:00", "%Y-13-40 25:61:61", "Feb 30 12:00:00", "%H:%M:%S",
    "1999-12-31 23:59:59", "2099-01-01 00:00:00", "",
]

# For the filters made by hand: few different texts, so that lines meet.
SMALL = {
    "sid": [b"s%d" % i for i in range(6)], "n": [b"%d" % i for i in range(4)],
    "name": [b"root", b"bob", b"eve", b"x"], "tag": [b"x", b"x1", b"x2", b"y", "é".encode()],
    "bits": [b"8", b"24", b"31", b"32", b"33", b"64", b"127", b"128", b"129", b"999"],
    "quote": [b"'", b'"', b"!", b""], "low": [b"low", b"LOW", b"Up", b"up", b"c", b"bcd", b""],
    "cyrillic": ["а".encode(), "ж".encode(), "я".encode(), "ё".encode(), "Ж".encode(), b"a"],
}

# Filters that put lines together: a zone, which we alone take, would go on to differ in others.
REMEMBERING = ("sshd", "slapd", "mongodb-auth", "guacamole", "ejabberd-auth", "sendmail-auth",
               "sendmail-reject", "sessions", "windows", "content")

# Filters over several lines: to fail2ban these end a line that was passed over, though not one that
# was read, and it loses lines by that.
WINDOWED = ("slapd", "mongodb-auth", "guacamole", "windows", "content")
_SEPARATOR = re.compile(rb"[\v\f\r\x1c-\x1e]|\xc2\x85|\xe2\x80[\xa8\xa9]")

_IP4 = re.compile(rb"(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?![\d.])")
_WORD = re.compile(rb"[^\s\"'\[\]()<>,;=]+")


def _read_forms():
    """{filter: (date format, beginning of each line, sessions)}"""
    forms, name, session = {}, None, []
    with open(os.path.join(os.path.dirname(__file__), "differ_forms.txt"), encoding="utf-8") as f:
        for line in f.read().split("\n") + [""]:
            if line.startswith("#"):
                continue
            header = re.fullmatch(r"\[([a-z-]+)\] (%.*)", line)
            if header:
                name = header.group(1)
                forms[name] = (header.group(2), "", [])
            elif line.startswith("="):
                prefix = line[2:] + " " if line[2:] else ""
                forms[name] = (forms[name][0], prefix, forms[name][2])
            elif line:
                session.append(line)
            elif session:
                forms[name][2].append(session)
                session = []
    return forms


FORMS = _read_forms()


class Lines:
    """The lines of one filter: iterate over bytes without line ends."""

    def __init__(self, filter_name, seed, n, samples):
        self.rng = random.Random("%s/%s" % (filter_name, seed))
        self.name, self.n = filter_name, n
        self.samples = _read_samples(os.path.join(samples, filter_name))
        self.at = 0
        self.time = NOW - 3000
        self.open = []
        self.recent = b""

    def __iter__(self):
        for _ in range(self.n):
            line = self._line()
            if self.name in WINDOWED:
                line = _SEPARATOR.sub(b"", line)
            self.recent = line
            yield line.replace(b"\n", b"")

    # --- what stands in the fields ---

    def _address(self):
        rng = self.rng
        kind = rng.random()
        if kind < 0.62:
            return "198.51.%d.%d" % (rng.randrange(100, 104), rng.randrange(256))
        if kind < 0.80:
            return "2001:db8:%x::%x" % (rng.randrange(65536), rng.randrange(65536))
        return self._odd_address()

    def _odd_address(self):
        odd = self.rng.choice(ODD_ADDRESSES)
        return "fe80::1" if "%" in odd and self.name in REMEMBERING else odd

    def _hostile(self):
        rng = self.rng
        kind = rng.random()
        if kind < 0.35:
            return rng.choice(FORGED).encode()
        if kind < 0.85:
            return rng.choice(ODD)
        if kind < 0.90:
            return rng.choice(ODD) + rng.choice(USERS).encode() + rng.choice(ODD)
        if kind < 0.94:
            return self.recent[:300]
        if kind < 0.97:
            return self._odd_address().encode()
        return rng.choice([b"A", b"a ", b"1", b"1.", b"::", b"[", b"\xff",
            b" from 1.2.3.4"]) * rng.choice([20, 200, 1000])

    def _text(self, usual):
        return self._hostile() if self.rng.random() < 0.2 else self.rng.choice(usual).encode()

    def _field(self, name, session):
        rng = self.rng
        if name == "date":
            return self._date()
        if name in ("ip", "pid", "port"):
            return session[name]
        if name == "user":
            return session["user"] if rng.random() < 0.9 else self._text(USERS)
        if name in SMALL:
            return self._hostile() if rng.random() < 0.1 else rng.choice(SMALL[name])
        if name == "addr":
            return self._address().encode()
        if name == "odd":
            return rng.choice(ODD)
        if name == "id":
            return rng.choice([self._address().encode(), self._text(USERS)])
        if name == "host":
            return self._text(["unknown", "mail.example.com", "h-1.example.net", "localhost"])
        if name == "ruser":
            return self._text(["", "root", "x"])
        if name == "module":
            return rng.choice([b"auth_basic:error", b"core:notice", b"error"])
        if name == "level":
            return rng.choice([b"error", b"warn", b"notice"])
        if name == "zone":
            return self._text(["one", "login", "api-2"])
        return self._text(["/index.html", "Bye Bye", "UGFzc3dvcmQ6", "x@example.com", "SSH-2.0-Go",
            "authentication failure"])

    def _date(self):
        rng = self.rng
        self.time += rng.choice([0, 0, 0, 1, 1, 2])
        form = FORMS[self.name][0] if self.name in FORMS else "%b %d %H:%M:%S"
        when = self.time
        if rng.random() < 0.03:
            form = rng.choice(OTHER_DATES)
        if rng.random() < 0.03:
            when += rng.choice([-86400, -90 * 86400, -200 * 86400, 300, 90000])
        return time.strftime(form, time.localtime(when)).encode()

    # --- lines ---

    def _session(self):
        rng = self.rng
        _, prefix, scripts = FORMS[self.name]
        if len(self.open) < 12:
            self.open.append({
                "ip": self._address().encode(),
                # Some come back soon, some late, some never.
                "pid": b"%d" % rng.randrange(1000, rng.choice([1060, 1400, 99999])),
                "port": b"%d" % rng.randrange(1024, 65536),
                "user": self._text(USERS), "script": list(rng.choice(scripts)), "prefix": prefix})
        session = rng.choice(self.open)
        form = session["prefix"] + session["script"].pop(0)
        if not session["script"]:
            self.open.remove(session)
        return re.sub(rb"\{(\w+)\}", lambda m: self._field(m.group(1).decode(), session),
            form.encode())

    def _sample(self):
        rng = self.rng
        if rng.random() < 0.05:
            self.at = rng.randrange(len(self.samples))
        line = self.samples[self.at % len(self.samples)]
        self.at += 1
        if rng.random() < 0.5:
            line = _IP4.sub(lambda m: self._address().encode(), line)
        if rng.random() < 0.25:
            words = list(_WORD.finditer(line))
            if words:
                word = rng.choice(words)
                line = line[:word.start()] + self._hostile() + line[word.end():]
        return line

    def _line(self):
        rng = self.rng
        own = self.name in FORMS and (not self.samples or rng.random() < 0.6)
        line = self._session() if own else self._sample()
        return self._spoil(line) if rng.random() < 0.15 else line

    def _spoil(self, line):
        """The line as it is when something went wrong, or somebody wants it to."""
        rng = self.rng
        at = rng.randrange(len(line) + 1)
        kind = rng.randrange(12)
        if kind == 0:
            return line[:at]
        if kind == 1:
            return line[at:]
        if kind == 2:
            return line + rng.choice([b"", b" "]) + line
        if kind == 3:
            return line + self.recent
        if kind == 4:
            return line[:at] + self._hostile() + line[at:]
        if kind == 5:
            return line + b" " + self._hostile()
        if kind == 6:
            return line + rng.choice([b" ", b"\r", b"\r\r", b"\t", b"\x00", b".", b"\xff", b" \r",
                b"\x0c"])
        if kind == 7:
            return rng.choice([b" ", b"\t", b"\x00", b"\xef\xbb\xbf", b"<38>", b"\xff"]) + line
        if kind == 8:
            return self._date() + b" " + line
        if kind == 9:
            return line.swapcase()
        if kind == 10:
            return line[:at] + bytes([rng.randrange(256)]) + line[at + 1:]
        return re.sub(rb"\d\d?:\d\d:\d\d", lambda m: rng.choice([b"", b"99:99:99", m.group()[:4],
            b"1" + m.group()]), line, count=1)


def _read_samples(path):
    if not os.path.exists(path):
        return []
    with open(path, "rb") as f:
        return [line.rstrip(b"\r\n") for line in f if not line.startswith(b"#") and line.strip()]
