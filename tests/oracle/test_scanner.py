#!/usr/bin/env python3
"""What `m31r logs` selects, counts and sums up of any lines is what Python's json does.

usage: test_scanner.py BUILD_DIRECTORY [CORPUS]
The lines: every file of CORPUS (logs of real programs, bad inputs, JSONTestSuite) when it is there,
the inputs kept in tests/, and records made here; each file as it is, and all of it once more behind
itself, so that the second half is judged by the shapes that the first half has taught. Files above
16 MiB are read by several threads.
"""
import collections
import glob
import json
import math
import os
import random
import subprocess
import sys
import tempfile

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(SOURCE, "tools"))
sys.dont_write_bytecode = True
import reader_min  # noqa: E402

LEVELS = {"DEBUG": 1, "INFO": 2, "WARNING": 3, "WARN": 3, "ERROR": 4, "CRITICAL": 5, "FATAL": 5}
LINE_LIMIT = 16 * 1024 * 1024
M31R = ""


def run(path, *options, stdin=None):
    done = subprocess.run([M31R, "logs", path, "--json", *options], stdin=stdin, timeout=110,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert done.returncode in (0, 4), f"{path} {options}: {done.returncode} {done.stderr}"
    return done.stdout, done.stderr.decode()


class Lines:
    """A file's lines as Python reads them."""

    def __init__(self, data):
        self.data = data
        self.lines = data.split(b"\n")
        if self.lines[-1] == b"":
            self.lines.pop()
        self.records, self.bad = [], collections.Counter()
        for line in self.lines:
            kind, value = reader_min.read_record(line)
            if kind == "ok":
                self.records.append((line, value))
            elif kind != "empty":
                self.bad[kind] += 1

    def level(self, value):
        text = value.get("level")
        return LEVELS.get(text.upper(), 0) if isinstance(text, str) and text.isascii() else 0


def whole(line):
    return (line[:-1] if line.endswith(b"\r") else line) + b"\n"


def same(what, got, want):
    if got != want:
        for i, (a, b) in enumerate(zip(got.split(b"\n"), want.split(b"\n"))):
            assert a == b, f"{what}: line {i + 1} of the output:\n got {a[:300]}\nwant {b[:300]}"
        raise AssertionError(f"{what}: {len(got)} bytes, not {len(want)}")


def step_of(value):
    step = value.get("step")
    return step if type(step) is int and -2**63 <= step < 2**63 else None


def is_finite_number(x):
    return type(x) in (int, float) and math.isfinite(x)


def check_selection(path, lines, what):
    out, err = run(path, "--strict")
    same(f"{what}: all", out, b"".join(whole(line) for line, _ in lines.records))
    n_bad = sum(lines.bad.values())
    said = "1 line is no record" if n_bad == 1 else f"{n_bad} lines are no records"
    assert (said in err) == (n_bad > 0), (what, n_bad, err)
    errors = b"".join(whole(x) for x, v in lines.records if lines.level(v) >= 4)
    for options in (["--level", "ERROR"], ["--level", "ERROR", "--strict"], ["-w", "level>=ERROR"],
                    ["--level", "ERROR", "--threads", "3"], ["--level", "ERROR", "--threads", "1"]):
        same(f"{what}: {options}", run(path, *options)[0], errors)
    with open(path, "rb") as stream:
        same(f"{what}: stream", run("-", "--level", "ERROR", stdin=stream)[0], errors)
    steps = b"".join(whole(x) for x, v in lines.records
                     if step_of(v) is not None and 3 <= step_of(v) <= 4000)
    same(f"{what}: steps", run(path, "--step", "3..4000")[0], steps)


def check_texts(path, lines, what):
    """Lines are searched for the text before they are judged: escapes must not hide it."""
    for text in ("atch 1", "é"):
        want = b"".join(whole(x) for x, v in lines.records
                        if isinstance(v.get("msg"), str) and text in v["msg"])
        for options in ([], ["--threads", "3"]):
            out = run(path, "-w", f'msg contains "{text}"', *options)[0]
            same(f"{what}: contains {text} {options}", out, want)


def check_fields(path, lines, what):
    out = run(path, "--fields", "msg,loss,step", "--module", "trainer")[0]
    got = [json.loads(x) for x in out.split(b"\n")[:-1]]
    want = [{"v": 1, "kind": "fields", "msg": v.get("msg"), "loss": v.get("loss"),
             "step": v.get("step")} for _, v in lines.records if v.get("module") == "trainer"]
    assert got == want, f"{what}: fields differ"


def looks_like_record(line):
    """As of the lines that are grouped without being judged to their end."""
    return (line[:1] == b"{" and line[-1:] == b"}" and line.count(b"{") == line.count(b"}") == 1
            and b"\\" not in line and all(0x20 <= c < 0x80 for c in line))


def check_groups(path, lines, what):
    """By --strict always, and without it but for faults that keep to the form of a record."""
    check_groups_by(path, lines, what, "--strict")
    seen = b"".join(line + b"\n" for line in lines.lines
                    if not looks_like_record(line) or reader_min.read_record(line)[0] == "ok")
    with open(path + ".seen", "wb") as f:
        f.write(seen)
    check_groups_by(path + ".seen", Lines(seen), what)


def check_groups_by(path, lines, what, *strict):
    counts = collections.Counter()
    numbers = collections.defaultdict(list)
    for _, v in lines.records:
        counts[json.dumps([v.get("module"), v.get("level")])] += 1
        if is_finite_number(v.get("loss")):
            numbers[json.dumps(v.get("level"))].append(float(v["loss"]))
    if any(len(k) > 200 for k in counts) or len(counts) > 1000:
        return
    got = {}
    for line in run(path, "--count-by", "module,level", *strict)[0].split(b"\n")[:-1]:
        group = json.loads(line)
        key = json.dumps([group["by"]["module"], group["by"]["level"]])
        got[key] = got.get(key, 0) + group["count"]
    assert got == dict(counts), f"{what}: counts\n got {got}\nwant {dict(counts)}"
    for line in run(path, "--stats", "loss", "--by", "level", *strict)[0].split(b"\n")[:-1]:
        group = json.loads(line)
        values = sorted(numbers.pop(json.dumps(group["by"]["level"]), []))
        assert group["count"] - group["nonfinite"] == len(values), (what, group)
        if not values:
            continue
        assert group["min"] == values[0] and group["max"] == values[-1], (what, group)
        for p in (50, 90, 99):
            assert group[f"p{p}"] == values[-(-len(values) * p // 100) - 1], (what, p, group)
        mean = math.fsum(values) / len(values)
        assert math.isclose(group["mean"], mean, rel_tol=1e-12, abs_tol=1e-300), (what, group)
    assert not numbers, (what, list(numbers))


def made_records(n, seed):
    """Records of some call sites, a few of them damaged or of other writers."""
    r = random.Random(seed)
    lines = []
    for i in range(n):
        head = (f'{{"ts":"2026-11-23T{i // 3600 % 24:02}:{i // 60 % 60:02}:{i % 60:02}.{i % 10**6:06}Z",'
                f'"level":"{r.choice(["INFO"] * 9 + ["WARNING", "ERROR", "DEBUG"])}",')
        kind = r.random()
        if kind < 0.5:
            line = head + (f'"module":"trainer","msg":"step_complete","step":{i},'
                           f'"loss":{r.gauss(2, 1)!r},"lr":{r.random() * 1e-5!r}}}')
        elif kind < 0.8:
            line = head + f'"module":"loader","msg":"batch {r.randrange(10**9)}","ok":{r.choice(["true", "false", "null"])}}}'
        elif kind < 0.9:
            line = json.dumps({"level": r.choice(["info", "error"]), "msg": "é\n\"" * r.randrange(4),
                               "loss": r.choice([1, 1.5, "NaN", None, 10**30]), "step": r.randrange(9999)})
        elif kind < 0.95:
            line = head + f'"module":"eval","msg":"nested","a":{{"b":[{i},"\\u00e9"]}},"loss":{i}}}'
        else:
            line = head + f'"module":"trainer","msg":"x","step":{i},"loss":{i}}}'
            at = r.randrange(len(line))
            line = line[:at] + r.choice('"\\{}[],:0x. \t') + line[at + r.randrange(2):]
        lines.append(line)
    return ("\n".join(lines) + "\n").encode()


SOAK = bool(os.environ.get("M31R_SOAK"))  # each file by itself, 1.5 MB of it, more of what is made


def corpus(folder):
    kept = glob.glob(os.path.join(SOURCE, "tests", "data", "bad_inputs", "reader", "*"))
    kept += glob.glob(os.path.join(SOURCE, "tests", "fuzz", "inputs", "judge", "*"))
    given = [p for p in glob.glob(os.path.join(folder, "**"), recursive=True)]
    small = b""
    for path in sorted(kept) + sorted(given):
        if not os.path.isfile(path) or os.path.getsize(path) > 8 * 1024 * 1024:
            continue
        with open(path, "rb") as f:
            data = f.read(1500000)
        if "json_suite" in path:
            small += data.replace(b"\n", b" ") + b"\n"
        elif len(data) < (20000 if SOAK or "inputs" in path else 3000):
            small += data + b"\n"
        elif b"{" in data and SOAK:
            yield os.path.relpath(path, folder), data
        elif not SOAK:  # its beginning, with those of the others
            small += data[:data.rfind(b"\n", 0, 3000) + 1]
    yield "all small files" if SOAK else "the beginnings of all files", small
    if SOAK:
        yield "made", made_records(3000, 1)
    yield "made, for threads", made_records(9000, 2) * 7 if SOAK else made_records(6000, 2)


def main():
    global M31R
    M31R = os.path.join(sys.argv[1], "m31r")
    folder = sys.argv[2] if len(sys.argv) > 2 else os.path.join(SOURCE, "..", "shared", "data")
    n = n_lines = 0
    with tempfile.TemporaryDirectory() as scratch:
        path = os.path.join(scratch, "lines.jsonl")
        for what, data in corpus(folder):
            if not data.endswith(b"\n"):
                data += b"\n"
            lines = Lines(data + data)
            with open(path, "wb") as f:
                f.write(lines.data)
            check_selection(path, lines, what)
            check_texts(path, lines, what)
            check_fields(path, lines, what)
            check_groups(path, lines, what)
            n += 1
            n_lines += len(lines.lines)
    print(f"{n} files, {n_lines} lines: as Python reads them")


main()
