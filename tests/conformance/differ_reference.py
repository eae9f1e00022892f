# SPDX-License-Identifier: GPL-2.0-or-later
"""fail2ban's own judgement of log lines, from its installed modules.

A filter is set up as fail2ban-regex does it,
    but judges as the server does: the first failregex that
matches decides."""

import os
import re
import subprocess
import sys

sys.path.insert(0, "/usr/lib/python3/dist-packages")

CONF = "/etc/fail2ban"


# Set to False when the installed version had to be made to judge as 1.0 does.
is_plain = True


def available():
    global is_plain
    try:
        from fail2ban.server.ipdns import IPAddr
    except ImportError:
        return False
    # Since 1.1 "::" and ":1" pass for addresses; the expressions are put together after this.
    is_plain = not re.fullmatch(IPAddr.IP_6_RE, "::")
    if not is_plain:
        IPAddr.IP_6_RE = IPAddr.IP_6_RE.replace("|:){", "|::){")
    return os.path.isdir(CONF + "/filter.d")


def logs():
    """Where the sample logs of its tests are."""
    import fail2ban

    return os.path.join(os.path.dirname(fail2ban.__file__), "tests/files/logs")


def _set_options(flt, stream):
    later = []
    for opt in stream:
        values = opt[3] if opt[0] == "multi-set" else opt[3:]
        for value in values:
            if opt[2] == "prefregex":
                flt.prefRegex = value
            elif opt[2] == "maxlines":
                flt.setMaxLines(value)
            elif opt[2] == "datepattern":
                flt.setDatePattern(value)
            elif opt[2] == "addfailregex":
                later.append((flt.addFailRegex, value))
            elif opt[2] == "addignoreregex":
                later.append((flt.addIgnoreRegex, value))
    for add, value in later:
        add(value)


class Reference:
    """One filter with its options: "sshd[mode=aggressive]". With the time given it is fail2ban
    at that time, without it fail2ban-regex now."""

    def __init__(self, spec, now=None, conf=CONF):
        import logging

        from fail2ban.client.filterreader import FilterReader
        from fail2ban.helpers import extractOptions
        from fail2ban.server.filter import Filter
        from fail2ban.server.mytime import MyTime
        from fail2ban.server.strptime import _updateTimeRE

        logging.getLogger("fail2ban").setLevel(logging.CRITICAL)
        MyTime.setTime(now)
        MyTime.setAlternateNow(0)
        _updateTimeRE()
        name, options = extractOptions(spec)
        flt = Filter(None)
        flt.returnRawHost = True
        flt.checkFindTime = False
        flt.checkAllRegex = False
        flt.ignorePending = True
        reader = FilterReader(name, "differ", options, share_config={}, basedir=conf)
        if not reader.read():
            raise ValueError("cannot read " + name)
        reader.applyAutoOptions("auto")
        reader.getOptions(None)
        _set_options(flt, reader.convert())
        self.filter = flt

    def failures(self, line):
        """What fail2ban's tool would print rows of: (who, when, fields)."""
        return [r[1:] for r in self.filter.processLine(line) if not r[3].get("nofail")]

    def judge(self, line):
        """(address, time, fields) of the failure in the line; None: none; a text: it gave up."""
        try:
            found = self.failures(line)
        except Exception as e:  # the server drops the line then
            return "%s: %s" % (type(e).__name__, e)
        if not found:
            return None
        who, when, fields = found[0]
        return str(who), when, {
            "user": fields.get("user"), "users": sorted(fields.get("users") or ()),
            "attempts": len(fields.get("matches", ()))}


def decoded(path):
    """The lines of a log as fail2ban reads them."""
    from fail2ban.server.filter import FileContainer

    log = FileContainer(path, "UTF-8", doOpen=True)
    log.waitForLineEnd = False
    return log


def rows(spec, path):
    """The rows that fail2ban-regex would print."""
    reference = Reference(spec)
    out = []
    for line in decoded(path):
        if line.startswith("#") or not line:
            continue
        for who, when, fields in reference.failures(line):
            told = dict((k, v) for k, v in fields.items() if k != "matches")
            out.append("[%r,\t%r,\t%r]," % (who, when, told))
    return out


def tool_rows(spec, path):
    """The rows that fail2ban-regex prints."""
    done = subprocess.run(
        ["/usr/bin/fail2ban-regex", "-c", CONF, "--raw", "-e", "UTF-8", "-o", "row", path, spec],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
    text = done.stdout.decode("utf-8", "replace")
    return text.split("\n")[:-1] if text else []
