# SPDX-License-Identifier: GPL-2.0-or-later
"""Log lines as services write them, with what attackers write into them: the same for the same seed.

Half of a service's lines are made from the forms below, sessions interleaved; half are lines of
fail2ban's sample logs, changed. A third of the lines has something hostile in it."""

import os
import random
import re
import time

NOW = 1795156328  # 2026-11-20 06:32:08 UTC

USERS = ["root", "admin", "test", "ubuntu", "oracle", "postgres", "git", "web-1", "j.doe", "svc_backup", "a"]

FORGED = [
    "root from 10.28.2.2 port 22 ssh2", "x from 10.28.2.2", "' from '10.28.2.2", "x' failed for '10.28.2.2' - ",
    'x", client: 10.28.2.2, server: y, request: "GET / HTTP/1.1", host: "z"', "x rhost=10.28.2.2",
    " rhost=10.28.2.2  user=root", "x (10.28.2.2)", "x [10.28.2.2]", "x[10.28.2.2]: SASL LOGIN authentication failed: x",
    "x rip=10.28.2.2, lip=10.0.0.1", "<x>, rip=10.28.2.2", "10.28.2.2", "10.28.2.2#53", "[client 10.28.2.2]",
    "x not allowed because account is locked", "x: Failed password for root from 10.28.2.2 port 22 ssh2",
    "invalid user root from 10.28.2.2", "x from 10.28.2.2 not allowed because not listed in AllowUsers",
    "root from 10.28.2.2 port 1:11: x", "Ban 10.28.2.2", "x] Ban 10.28.2.2", "x from ::1", "x from 2001:db8::bad port 1",
    "authenticating user root 10.28.2.2 port 22 [preauth]", "x\" rejected ... [10.28.2.2]", "client 10.28.2.2#5 (x): query x denied",
]

ODD = [
    b"", b" ", b"  x", b"x ", b"a b c", b'"', b"'", b"\\", b"\\\"", b"`x'", b"[", b"]", b"[]", b"()", b"(x", b"x)", b"{}", b"<", b">",
    b"<HOST>", b"<F-USER>", b"%s%n", b"%(x)s", b"$(id)", b"`id`", b";", b",", b"a,b", b"x=y", b"user=root", b":", b"x:", b"::",
    b"\x00", b"x\x00y", b"\x01", b"\x07", b"\x1b[31mx", b"\x7f", b"\t", b"x\ty", b"\r", b"x\ry", b"\x0b", b"\x0c", b"\x1c", b"\x1d",
    b"\x1e", b"\x1f", b"x\x85y", b"\xff", b"\xfe\xff", b"ad\xffmin", b"\xc3", b"\xe2\x82", b"\xf0\x9f", b"\xc0\x80", b"\xed\xa0\x80",
    b"\xf4\x90\x80\x80", "é".encode(), "用户".encode(), "Ünïcode".encode(), "İ".encode(), "ſ".encode(), "\u2028".encode(),
    "\u2029".encode(), "\u0085".encode(), "\xa0".encode(), "\u3000".encode(), "\u200b".encode(), "\ufeff".encode(), "١٢".encode(),
    "😀".encode(), "K".encode(), "\u0301".encode(), b"2026-11-20 06:00:00", b"Nov 20 06:00:00", b"[20/Nov/2026:06:00:00 +0000]", b"1795150000",
    b"[preauth]", b"ssh2", b"port", b"from", b"for", b"invalid user", b"*", b"?", b"^", b"$", b"|", b"+", b"-", b"_", b"#", b"@", b"a@b", b"/",
]

ODD_ADDRESSES = [
    "999.1.1.1", "256.256.256.256", "1.2.3", "1.2.3.4.5", "01.02.03.04", "1.2.3.04", "0.0.0.0", "255.255.255.255", "1.2.3.4.", ".1.2.3.4",
    "0x1.2.3.4", "16909060", "1.2.3.4/24", "1.2.3.4:80", "127.0.0.1", "::ffff:198.51.100.7", "::FFFF:198.51.100.7", "::ffff:999.1.1.1",
    "0:0:0:0:0:ffff:198.51.100.7", "::ffff:c633:6407", "::198.51.100.7", "64:ff9b::198.51.100.7", "::fffff:198.51.100.7", "::", "::1",
    "1::", "2001:DB8::ABCD", "2001:0db8:0000:0000:0000:0000:0000:0001", "2001:db8:0:0:1::", "[2001:db8::7]", "[2001:db8::7", "2001:db8::7]",
    "[198.51.100.7]", "fe80::1%eth0", "2001:db8:::1", "2001:db8::1::2", "12345::1", "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7",
    "g::1", "2001:db8::7/64", "example.com", "a.b-c_d.example", "EXAMPLE.com.", "198.51.100.7.example.com", "198-51-100-7.example.net", "x^y.z",
    "localhost", "unknown", "UNKNOWN", "(null)", "-", "", "?", "a", "_", "-x.example", "xn--mnchen-3ya.example", "münchen.example",
    "١٩٨.51.100.7", "198.51.100.٧", "198\u00b751.100.7",
]

# {date} is set by the service's date form; {text} by anything an attacker says.
SESSIONS = {
    "sshd": (
        "{date} srv sshd[{pid}]: ",
        [
            ["Connection from {ip} port {port} on 10.0.0.1 port 22", "Failed password for {user} from {ip} port {port} ssh2",
             "Failed password for {user} from {ip} port {port} ssh2", "Connection closed by authenticating user {user} {ip} port {port} [preauth]"],
            ["Invalid user {user} from {ip} port {port}", "input_userauth_request: invalid user {user} [preauth]",
             "Failed none for invalid user {user} from {ip} port {port} ssh2", "Failed password for invalid user {user} from {ip} port {port} ssh2",
             "Connection closed by invalid user {user} {ip} port {port} [preauth]"],
            ["Failed publickey for {user} from {ip} port {port} ssh2: RSA SHA256:AbCdEf", "Failed publickey for {user} from {ip} port {port} ssh2",
             "Accepted publickey for {user} from {ip} port {port} ssh2: RSA SHA256:AbCdEf",
             "pam_unix(sshd:session): session opened for user {user} by (uid=0)"],
            ["pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser={ruser} rhost={ip}  user={user}",
             "Failed password for {user} from {ip} port {port} ssh2", "error: PAM: Authentication failure for {user} from {ip}",
             "error: maximum authentication attempts exceeded for {user} from {ip} port {port} ssh2 [preauth]",
             "Disconnecting authenticating user {user} {ip} port {port}: Too many authentication failures [preauth]"],
            ["Failed password for {user} from {ip} port {port} ssh2", "Accepted password for {user} from {ip} port {port} ssh2",
             "Received disconnect from {ip} port {port}:11: {text}", "Disconnected from user {user} {ip} port {port}"],
            ["Did not receive identification string from {ip} port {port}"],
            ["Bad protocol version identification '{text}' from {ip} port {port}"],
            ["Unable to negotiate with {ip} port {port}: no matching key exchange method found. Their offer: {text} [preauth]"],
            ["error: kex_exchange_identification: client sent invalid protocol identifier \"{text}\"", "banner exchange: Connection from {ip} port {port}: invalid format"],
            ["User {user} from {ip} not allowed because not listed in AllowUsers"],
            ["User {user} from {ip} not allowed because none of user's groups are listed in AllowGroups",
             "Received disconnect from {ip} port {port}:3: com.jcraft.jsch.JSchException: Auth fail [preauth]"],
            ["User {user} not allowed because account is locked", "Received disconnect from {ip}: 11: {text} [preauth]"],
            ["ROOT LOGIN REFUSED FROM {ip}", "refused connect from {host} ({ip})"],
            ["Received disconnect from {ip} port {port}:14: No supported authentication methods available [preauth]"],
            ["Disconnecting: Too many authentication failures for {user} [preauth]", "Connection closed by {ip} port {port}"],
            ["Connection reset by {ip} port {port} [preauth]", "Connection closed by {ip} [preauth]"],
            ["error: User not known to the underlying authentication module for illegal user {user} from {ip}"],
            ["reverse mapping checking getaddrinfo for {host} [{ip}] failed - POSSIBLE BREAK-IN ATTEMPT!",
             "Failed keyboard-interactive/pam for invalid user {user} from {ip} port {port} ssh2"],
            ["fatal: Read from socket failed: Connection reset by peer [preauth]", "Connection from {ip} port {port}"],
        ]),
    "postfix": (
        "{date} srv postfix/smtpd[{pid}]: ",
        [
            ["connect from {host}[{ip}]", "warning: {host}[{ip}]: SASL LOGIN authentication failed: {text}", "lost connection after AUTH from {host}[{ip}]",
             "disconnect from {host}[{ip}] ehlo=1 auth=0/1 quit=1 commands=2/3"],
            ["NOQUEUE: reject: RCPT from {host}[{ip}]: 554 5.7.1 <{text}>: Relay access denied; from=<{user}> to=<{text}> proto=ESMTP helo=<{host}>"],
            ["NOQUEUE: reject: RCPT from {host}[{ip}]: 450 4.7.1 Client host rejected: cannot find your hostname, [{ip}]; from=<{user}> to=<x@y> proto=SMTP helo=<{text}>"],
            ["NOQUEUE: reject: RCPT from {host}[{ip}]: 550 5.1.1 <{user}>: Recipient address rejected: User unknown in local recipient table; from=<{text}> to=<{user}> proto=ESMTP helo=<{host}>"],
            ["NOQUEUE: reject: EHLO from {host}[{ip}]: 504 5.5.2 <{text}>: Helo command rejected: need fully-qualified hostname; proto=SMTP helo=<{text}>"],
            ["improper command pipelining after {text} from {host}[{ip}]: {text}", "too many errors after AUTH from {host}[{ip}]"],
            ["NOQUEUE: reject: RCPT from {host}[{ip}]: 554 5.7.1 Service unavailable; Client host [{ip}] blocked using zen.spamhaus.org; {text}"],
            ["warning: {host}[{ip}]: SASL PLAIN authentication failed: Connection lost to authentication server"],
            ["warning: hostname {host} does not resolve to address {ip}: {text}"],
        ]),
    "dovecot": (
        "{date} srv dovecot: ",
        [
            ["imap-login: Disconnected (auth failed, 1 attempts in 2 secs): user=<{user}>, method=PLAIN, rip={ip}, lip=10.0.0.1, TLS, session=<{text}>"],
            ["pop3-login: Aborted login (auth failed, 3 attempts): user=<{user}>, method=LOGIN, rip={ip}, lip=10.0.0.1"],
            ["auth-worker(123): pam({user},{ip}): pam_authenticate() failed: Authentication failure (password mismatch?)"],
            ["auth: pam({user},{ip}): unknown user"],
            ["auth: passwd-file({user},{ip}): Password mismatch"],
            ["imap-login: Disconnected (no auth attempts in 10 secs): user=<>, rip={ip}, lip=10.0.0.1, TLS handshaking: {text}"],
            ["auth: Info: ldap({user},{ip},<{text}>): unknown user (given password: {text})"],
            ["imap-login: Login: user=<{user}>, method=PLAIN, rip={ip}, lip=10.0.0.1, mpid=12, session=<{text}>"],
            ["imap-login: Disconnected: {text} (tried to use disallowed plaintext auth): user=<>, rip={ip}, lip=10.0.0.1, session=<x>"],
        ]),
    "vsftpd": (
        "{date} ",
        [
            ["[pid {pid}] [{user}] FAIL LOGIN: Client \"{ip}\""],
            ["[pid {pid}] [{user}] FAIL LOGIN: Client \"{ip}\", \"{text}\""],
            ["srv vsftpd[{pid}]: pam_unix(vsftpd:auth): authentication failure; logname= uid=0 euid=0 tty=ftp ruser={user} rhost={ip}  user={user}"],
            ["[pid {pid}] CONNECT: Client \"{ip}\"", "[pid {pid}] [{user}] OK LOGIN: Client \"{ip}\""],
        ]),
    "proftpd": (
        "{date} srv proftpd[{pid}] ",
        [
            ["srv ({host}[{ip}]): USER {user} (Login failed): Incorrect password"],
            ["srv ({host}[{ip}]): USER {user}: no such user found from {host} [{ip}] to 10.0.0.1:21"],
            ["srv ({host}[{ip}]): SECURITY VIOLATION: {user} login attempted.", "srv ({host}[{ip}]): Maximum login attempts (3) exceeded"],
            ["srv ({host}[{ip}]): FTP session opened.", "srv ({host}[{ip}]): USER {user}: Login successful."],
        ]),
    "exim": (
        "{date} ",
        [
            ["dovecot_login authenticator failed for ({text}) [{ip}]: 535 Incorrect authentication data (set_id={user})"],
            ["[{pid}] plain authenticator failed for {host} ({text}) [{ip}]:{port}: 535 Incorrect authentication data (set_id={user})"],
            ["H={host} ({text}) [{ip}] F=<{user}> rejected RCPT <{user}@x>: relay not permitted"],
            ["H=({text}) [{ip}]:{port} I=[10.0.0.1]:25 sender verify fail for <{user}>: Unrouteable address"],
            ["SMTP call from {host} [{ip}] dropped: too many nonmail commands (last was \"{text}\")"],
            ["SMTP protocol synchronization error (input sent without waiting for greeting): rejected connection from H={host} [{ip}] input=\"{text}\""],
            ["no host name found for IP address {ip}"],
            ["SMTP protocol error in \"{text}\" H={host} [{ip}] AUTH command used when not advertised"],
            ["no MAIL in SMTP connection from {host} ({text}) [{ip}] D=2m1s"],
        ]),
    "apache-auth": (
        "[{date}] [{module}] [pid {pid}] [client {ip}:{port}] ",
        [
            ["AH01617: user {user}: authentication failure for \"{text}\": Password Mismatch"],
            ["AH01618: user {user} not found: {text}"],
            ["AH01797: client denied by server configuration: {text}"],
            ["AH01790: user `{user}' in realm `x' not found: {text}"],
            ["AH01792: invalid qop `{text}' received: /x, referer: {text}"],
            ["File does not exist: {text}"],
            ["AH02032: Hostname {host} provided via SNI and hostname {text} provided via HTTP are different"],
            ["user {user}: password mismatch: {text}"],
        ]),
    "nginx-http-auth": (
        "{date} [error] {pid}#{pid}: *{port} ",
        [
            ["user \"{user}\": password mismatch, client: {ip}, server: {host}, request: \"GET {text} HTTP/1.1\", host: \"{host}\""],
            ["user \"{user}\" was not found in \"/etc/nginx/htpasswd\", client: {ip}, server: x, request: \"POST / HTTP/1.1\", host: \"{text}\", referrer: \"{text}\""],
            ["no user/password was provided for basic authentication, client: {ip}, server: x, request: \"GET {text} HTTP/1.1\", host: \"x\""],
            ["open() \"{text}\" failed (2: No such file or directory), client: {ip}, server: x, request: \"GET {text} HTTP/1.1\""],
        ]),
    "nginx-limit-req": (
        "{date} [{level}] {pid}#{pid}: *{port} ",
        [
            ["limiting requests, excess: 1.852 by zone \"{zone}\", client: {ip}, server: {host}, request: \"GET {text} HTTP/1.1\", host: \"{text}\""],
            ["delaying request, excess: 0.1, by zone \"{zone}\", client: {ip}, server: x"],
        ]),
    "nginx-botsearch": (
        "",
        [
            ["{ip} - {user} [{date}] \"GET /wp-login.php HTTP/1.1\" 404 47 \"{text}\" \"{text}\"",
             "{ip} - - [{date}] \"POST /phpmyadmin/{text} HTTP/1.1\" 404 1 \"-\" \"-\"", "{ip} - - [{date}] \"GET {text} HTTP/1.1\" 200 5 \"-\" \"{text}\""],
            ["{date} [error] {pid}#{pid}: *1 open() \"/var/www/{text}\" failed (2: No such file or directory), client: {ip}, server: {host}, request: \"GET /wp-admin/{text} HTTP/1.1\", host: \"{text}\""],
        ]),
    "asterisk": (
        "[{date}] ",
        [
            ["NOTICE[{pid}]: chan_sip.c:{port} in handle_request_register: Registration from '{text}' failed for '{ip}:{port}' - Wrong password"],
            ["NOTICE[{pid}][C-0001]: chan_sip.c:25 handle_request_invite: Call from '{user}' ({ip}:{port}) to extension '{text}' rejected because extension not found in context 'default'."],
            ["SECURITY[{pid}]: res_security_log.c:116 x: SecurityEvent=\"InvalidAccountID\",EventTV=\"{date}\",Severity=\"Error\",Service=\"SIP\",AccountID=\"{user}\",LocalAddress=\"IPV4/UDP/10.0.0.1/5060\",RemoteAddress=\"IPV4/UDP/{ip}/5060\",ACLName=\"{text}\""],
            ["NOTICE[{pid}]: res_pjsip/pjsip_distributor.c:525 log_failed_request: Request 'REGISTER' from '{text}' failed for '{ip}:{port}' (callid: {text}) - No matching endpoint found"],
            ["WARNING[{pid}]: x.c:1 y: Host {ip} failed to authenticate as '{user}'", "NOTICE[{pid}]: x.c:2 in y: hacking attempt detected '{ip}'"],
        ]),
    "named-refused": (
        "{date} ",
        [
            ["security: info: client @0x7f {ip}#{port} ({host}): query (cache) '{text}/A/IN' denied"],
            ["client {ip}#{port}: zone transfer '{host}/AXFR/IN' denied"],
            ["srv named[{pid}]: client {ip}#{port} ({text}): view external: query (cache) '{host}/NS/IN' denied"],
            ["srv named[{pid}]: error: client {ip}#{port}: bad zone transfer request: '{text}/IN': non-authoritative zone (NOTAUTH)"],
            ["queries: info: client @0x7f {ip}#{port} ({host}): query: {text} IN A + (10.0.0.1)"],
        ]),
    "recidive": (
        "{date} ",
        [
            ["fail2ban.actions        [{pid}]: NOTICE  [{user}] Ban {ip}", "fail2ban.actions        [{pid}]: NOTICE  [{user}] Unban {ip}"],
            ["fail2ban.filter         [{pid}]: INFO    [{user}] Found {ip} - 2026-11-20 06:00:00"],
            ["srv fail2ban.actions[{pid}]: NOTICE [sshd] Ban {ip}", "fail2ban.actions [{pid}]: NOTICE  [recidive] Ban {ip}"],
        ]),
}

DATES = {
    "sshd": "%b %d %H:%M:%S", "postfix": "%b %d %H:%M:%S", "dovecot": "%b %d %H:%M:%S", "vsftpd": "%a %b %d %H:%M:%S %Y",
    "proftpd": "%b %d %H:%M:%S", "exim": "%Y-%m-%d %H:%M:%S", "apache-auth": "%a %b %d %H:%M:%S.123456 %Y", "nginx-http-auth": "%Y/%m/%d %H:%M:%S",
    "nginx-limit-req": "%Y/%m/%d %H:%M:%S", "nginx-botsearch": "%d/%b/%Y:%H:%M:%S +0100", "asterisk": "%Y-%m-%d %H:%M:%S",
    "named-refused": "%d-%b-%Y %H:%M:%S.123", "recidive": "%Y-%m-%d %H:%M:%S,123",
}
OTHER_DATES = [
    "%b %d %H:%M:%S", "%Y-%m-%dT%H:%M:%S.123456+01:00", "%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d %H:%M:%S", "%Y/%m/%d %H:%M:%S", "%d/%b/%Y:%H:%M:%S +0100",
    "%a %b %d %H:%M:%S %Y", "%a, %d %b %Y %H:%M:%S", "%d-%m-%Y %H:%M:%S", "%d/%m/%Y %H:%M:%S", "%d-%b-%Y %H:%M:%S.123", "%m/%d/%Y:%H:%M:%S", "%s",
    "%s.123", "[%s]", "%y%m%d %H:%M:%S", "%y-%m-%d %H:%M:%S", "<%m/%d/%y@%H:%M:%S>", "%b-%d-%y %H:%M:%S", "%b %d, %Y %I:%M:%S %p", "@400000004f6f1a2b00000000",
    "%b %d %Y %H:%M:%S", "0000-00-00 00:00:00", "%Y-13-40 25:61:61", "Feb 30 12:00:00", "%H:%M:%S", "1999-12-31 23:59:59", "2099-01-01 00:00:00", "",
]

_IP4 = re.compile(rb"(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?![\d.])")
_WORD = re.compile(rb"[^\s\"'\[\]()<>,;=]+")


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
        return rng.choice(ODD_ADDRESSES)

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
            return rng.choice(ODD_ADDRESSES).encode()
        return rng.choice([b"A", b"a ", b"1", b"1.", b"::", b"[", b"\xff", b" from 1.2.3.4"]) * rng.choice([20, 200, 1000])

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
        return self._text(["/index.html", "Bye Bye", "UGFzc3dvcmQ6", "x@example.com", "SSH-2.0-Go", "authentication failure"])

    def _date(self):
        rng = self.rng
        self.time += rng.choice([0, 0, 0, 1, 1, 2])
        form = DATES.get(self.name, "%b %d %H:%M:%S")
        when = self.time
        if rng.random() < 0.03:
            form = rng.choice(OTHER_DATES)
        if rng.random() < 0.03:
            when += rng.choice([-86400, -90 * 86400, -200 * 86400, 300, 90000])
        return time.strftime(form, time.localtime(when)).encode()

    # --- lines ---

    def _session(self):
        rng = self.rng
        prefix, scripts = SESSIONS[self.name]
        if len(self.open) < 12:
            self.open.append({
                "ip": self._address().encode(), "pid": b"%d" % rng.randrange(1000, 1060), "port": b"%d" % rng.randrange(1024, 65536),
                "user": self._text(USERS), "script": list(rng.choice(scripts)), "prefix": prefix})
        session = rng.choice(self.open)
        form = session["prefix"] + session["script"].pop(0)
        if not session["script"]:
            self.open.remove(session)
        return re.sub(rb"\{(\w+)\}", lambda m: self._field(m.group(1).decode(), session), form.encode())

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
        own = self.name in SESSIONS and (not self.samples or rng.random() < 0.6)
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
            return line + rng.choice([b" ", b"\r", b"\r\r", b"\t", b"\x00", b".", b"\xff", b" \r", b"\x0c"])
        if kind == 7:
            return rng.choice([b" ", b"\t", b"\x00", b"\xef\xbb\xbf", b"<38>", b"\xff"]) + line
        if kind == 8:
            return self._date() + b" " + line
        if kind == 9:
            return line.swapcase()
        if kind == 10:
            return line[:at] + bytes([rng.randrange(256)]) + line[at + 1:]
        return re.sub(rb"\d\d?:\d\d:\d\d", lambda m: rng.choice([b"", b"99:99:99", m.group()[:4], b"1" + m.group()]), line, count=1)


def _read_samples(path):
    if not os.path.exists(path):
        return []
    with open(path, "rb") as f:
        return [line.rstrip(b"\r\n") for line in f if not line.startswith(b"#") and line.strip()]
