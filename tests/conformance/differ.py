#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""differ.py [-n LINES] [-s SEED] [-k FOLDER] STOCKADE [FILTER...]

Judges generated log lines (differ_lines.py) by fail2ban itself and by stockade,
    with Debian's filters:
whether a line is a failure, of which address,
    and when must be the same. Each service's first lines go
through the installed fail2ban-regex too, whose rows must be what the reference says."""

import argparse
import collections
import ipaddress
import json
import os
import re
import subprocess
import sys
import tempfile
import time

os.environ["TZ"] = "CET-1CEST,M3.5.0,M10.5.0/3"
time.tzset()
# Sets are printed in the order of their hashes, by fail2ban-regex and by us.
if os.environ.get("PYTHONHASHSEED") != "0":
    os.environ["PYTHONHASHSEED"] = "0"
    os.execv(sys.executable, [sys.executable] + sys.argv)

sys.dont_write_bytecode = True
import differ_lines  # noqa: E402
import differ_reference as reference  # noqa: E402

# What the lines are judged by, and its share of them.
SERVICES = [
    ("sshd", 3), ("sshd[mode=aggressive]", 3), ("postfix", 1), ("postfix[mode=aggressive]", 2),
    ("dovecot[mode=aggressive]", 2),
    ("apache-auth", 2), ("nginx-http-auth[mode=aggressive]", 1), ("nginx-limit-req", 1),
    ("nginx-botsearch", 1), ("vsftpd", 1),
    ("proftpd", 1), ("exim[mode=aggressive]", 2), ("asterisk", 2), ("named-refused", 1),
    ("recidive", 1),
]
KEPT = (200, 255)   # bytes of a value, and of a name or an id, that a session of ours keeps
# Filters of our own, for what Debian's do not have or not together.
HAND = os.path.join(os.path.dirname(os.path.abspath(__file__)), "differ-etc")
HAND_SHARE = 0.15
OTHERS_SHARE = 0.25 # every other filter and mode
TOOL_LINES = 400    # that go through fail2ban-regex as well
SHOWN = 3           # disagreements of a kind that are shown


def filter_name(spec):
    return spec.split("[")[0]


def conf_of(spec):
    name = filter_name(spec) + ".conf"
    return HAND if os.path.exists(os.path.join(HAND, "filter.d", name)) else reference.CONF


def canonical(who):
    """An address as the server would take what is written, which the reference leaves as it is."""
    text = who[1:-1] if who.startswith("[") and who.endswith("]") else who
    try:
        block = ipaddress.ip_interface(text)
    except ValueError:
        return who
    mapped = getattr(block.ip, "ipv4_mapped", None)
    if mapped is not None and block.network.prefixlen >= 96:
        return "%s/%d" % (mapped, block.network.prefixlen - 96)
    return str(block.network)


def explained(raw, theirs, ours):
    """Why we judge some lines otherwise, on purpose."""
    if isinstance(theirs, str):
        return "fail2ban breaks off: " + theirs.split(":")[0]
    if re.search(rb":[0-9a-f]*%[\w.-]", raw, re.I):
        return "a zone belongs to its address"
    if re.search(rb"[\x1c-\x1f]", raw):
        return "a separator of ASCII is no space in a class with \\S"
    if re.match(rb"[^0-9]{0,16}[\x80-\xff]", raw):
        return "a character beside the date is bytes to whom looks for dates"
    if not isinstance(theirs, tuple) or ours["verdict"] != "match":
        return None
    if kept_of(theirs[0], ours["ip"]):
        return "a session keeps so many bytes of a value"
    if theirs[0].startswith("(") and len(theirs[0]) > 1000:
        return "a tuple ends at 1,000 bytes"
    if theirs[0].startswith("(") and "\\" in theirs[0]:
        return "characters that Python calls unprintable in a tuple"
    if re.search(r"/.*[^\x00-\x7f]", raw.decode("utf-8", "replace")) and "/" in theirs[0]:
        return "a block's length in digits of another script"
    return None


def stockade_answers(stockade, spec, path):
    done = subprocess.run(
        [stockade, "test", "-c", conf_of(spec), "-f", spec, "--json", "--now",
         str(differ_lines.NOW), path],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    if done.returncode not in (0, 1):
        sys.stderr.write(done.stderr.decode("utf-8", "replace"))
        raise SystemExit("%s: stockade ended with status %d" % (spec, done.returncode))
    return [json.loads(line) for line in done.stdout.split(b"\n") if line]


def when_text(when):
    if when is None:
        return None
    sec = int(when // 1)
    text = time.strftime("%Y-%m-%dT%H:%M:%S", time.localtime(sec))
    micro = int(round((when - sec) * 1000000))
    return text + (".%06d" % micro if micro else "")


def other_fields(theirs, ours):
    user, users = ours.get("user"), sorted(ours.get("users", ()))
    if user != theirs["user"] and (user is None or not is_cut(theirs["user"], user)):
        return "another user"
    # Eight are remembered, which is enough to know that they are several.
    if users != theirs["users"] and len(users) < 8 and max(map(len, users + [""])) < min(KEPT) // 4:
        return "other users"
    if ours.get("attempts", 1) != theirs["attempts"]:
        return "another number of attempts"
    return None


def is_cut(whole, kept):
    """A session's texts share a room, by which those of users may be cut shorter still."""
    return len(whole.encode()) > 64 and whole.startswith(kept)


def kept_of(whole, kept):
    return whole.startswith(kept) and any(k - 3 <= len(kept.encode()) <= k for k in KEPT)


def disagreement(theirs, ours):
    """What kind of disagreement it is, or None."""
    matched = ours["verdict"] == "match"
    if isinstance(theirs, str):
        return "only ours is a match" if matched else None
    if theirs is None:
        return "only ours is a match" if matched else None
    if not matched:
        return "only theirs is a match (ours %s)" % ours["verdict"]
    if canonical(theirs[0]) != canonical(ours["ip"] if ours["ip"] is not None else "None"):
        return "another address"
    # A line without a date has none to compare.
    if theirs[1] is not None and when_text(theirs[1]) != ours["time"]:
        return "another time"
    return other_fields(theirs[2], ours["fields"])


class Sums:
    def __init__(self):
        self.lines = self.matches = self.same = 0
        self.kinds = collections.Counter()
        self.explained = collections.Counter()


def compare(spec, path, lines, stockade, sums, keep):
    judge = reference.Reference(spec, differ_lines.NOW, conf_of(spec)).judge
    ours = stockade_answers(stockade, spec, path)
    if len(ours) != len(lines):
        raise SystemExit("%s: %d lines, %d answers" % (spec, len(lines), len(ours)))
    here = collections.Counter()
    matches = 0
    for text, raw, answer in zip(reference.decoded(path), lines, ours):
        theirs = judge(text)
        matches += theirs is not None
        kind = disagreement(theirs, answer)
        if kind is None:
            continue
        why = explained(raw, theirs, answer)
        if why is not None:
            sums.explained[why] += 1
            continue
        here[kind] += 1
        if here[kind] <= SHOWN:
            shown = theirs if isinstance(theirs, str) or theirs is None else (theirs[0],
                when_text(theirs[1]))
            print("# %s: %s\n#   line %d: %r\n#   theirs %s\n#   ours   %s" % (
                spec, kind, answer["line"], raw[:400], shown, {k: answer[k] for k in ("verdict",
                    "ip", "time")}))
        if keep:
            with open(os.path.join(keep, "%s.%s" % (spec, kind.split(" (")[0].replace(" ", "-"))),
                "ab") as f:
                f.write(raw + b"\n")
    sums.lines += len(lines)
    sums.matches += matches
    sums.kinds.update(here)
    return matches, sum(here.values())


def check_reference(spec, lines):
    """Is the reference the tool that everybody uses? Returns how many rows were compared, or -1."""
    with tempfile.NamedTemporaryFile(suffix=".log") as f:
        f.write(b"".join(line + b"\n" for line in lines))
        f.flush()
        ours, theirs = reference.rows(spec, f.name), reference.tool_rows(spec, f.name)
    if ours == theirs:
        return len(ours)
    for a, b in zip(ours + [None], theirs + [None]):
        if a != b:
            print("# %s: the reference is not fail2ban-regex:\n#   %s\n#   %s" % (spec, a, b))
            break
    return -1


def modes(name):
    """The modes that a filter has beside the normal one, as its file names them."""
    with open(os.path.join(reference.CONF, "filter.d", name + ".conf"), encoding="utf-8") as f:
        found = re.findall(r"^mdre-(\w+)\s*=", f.read(), re.M)
    return [name] + ["%s[mode=%s]" % (name, mode) for mode in found if mode != "normal"]


def other_filters():
    done = {spec for spec, _ in SERVICES}
    for entry in sorted(os.listdir(os.path.join(reference.CONF, "filter.d"))):
        name, dot, kind = entry.rpartition(".")
        if kind == "conf" and dot and not name.endswith("common"):
            if os.path.exists(os.path.join(reference.logs(), name)):
                yield from (spec for spec in modes(name) if spec not in done)


def plan(n, only):
    if only:
        return [(spec, n // len(only)) for spec in only]
    others = list(other_filters())
    hand = sorted(e[:-5] for e in os.listdir(os.path.join(HAND, "filter.d")) if e.endswith(".conf"))
    share = sum(weight for _, weight in SERVICES)
    mine = n * (1 - OTHERS_SHARE - HAND_SHARE)
    specs = [(spec, int(mine * weight / share) + 1) for spec, weight in SERVICES]
    specs += [(name, int(n * HAND_SHARE / len(hand)) + 1) for name in hand]
    return specs + [(name, int(n * OTHERS_SHARE / len(others)) + 1) for name in others]


def run_one(number, spec, n, args, sums):
    lines = list(differ_lines.Lines(filter_name(spec), args.seed, n, reference.logs()))
    lines = [line for line in lines if line]
    with tempfile.NamedTemporaryFile(suffix=".log") as f:
        f.write(b"".join(line + b"\n" for line in lines))
        f.flush()
        matches, bad = compare(spec, f.name, lines, args.stockade, sums, args.keep)
    rows = None
    if spec in dict(SERVICES) and reference.is_plain:
        rows = check_reference(spec, lines[:TOOL_LINES])
    good = bad == 0 and rows != -1
    print("%s %d - %s: %d lines, %d matches, %d disagreements%s" % (
        "ok" if good else "not ok", number, spec, len(lines), matches, bad,
        "" if rows is None else ", %d rows as fail2ban-regex prints them" % rows), flush=True)
    return good


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("-n", "--lines", type=int, default=200000)
    parser.add_argument("-s", "--seed", type=int, default=1)
    parser.add_argument("-k", "--keep", help="a folder for the lines that are judged differently")
    parser.add_argument("stockade")
    parser.add_argument("only", nargs="*", metavar="FILTER")
    args = parser.parse_args()
    if not reference.available():
        print("1..0 # SKIP fail2ban is not installed")
        return 0
    sums, good = Sums(), True
    todo = plan(args.lines, args.only)
    print("1..%d" % len(todo))
    for number, (spec, n) in enumerate(todo, 1):
        good &= run_one(number, spec, n, args, sums)
    print("# %d lines, %d failures, %d disagreements" % (sums.lines, sums.matches,
        sum(sums.kinds.values())))
    for kind, count in sums.kinds.most_common():
        print("# %7d %s" % (count, kind))
    for why, count in sums.explained.most_common():
        print("# %7d explained: %s" % (count, why))
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
