#!/usr/bin/env python3
"""How many values of real logs the privacy rules change that nobody would want changed.

usage: test_real_logs.py M31R DATA [EVERY]
`m31r redact` over every EVERYth line (1: all) of the text files below DATA/real_logs. A value is a key or a leaf of a JSON
object, and a word of any other line. At most one in 100,000 may be changed, home directories and names of users aside.
"""
import collections
import json
import os
import subprocess
import sys
import tempfile

RIGHT = ("[redacted:user]", "~/")  # what stands where a person's name stood


def leaves(x):
    if isinstance(x, dict):
        for key, value in x.items():
            yield key
            yield from leaves(value)
    elif isinstance(x, list):
        for value in x:
            yield from leaves(value)
    else:
        yield str(x)


def values(line):
    try:
        o = json.loads(line)
    except ValueError:
        o = None
    return list(leaves(o)) if isinstance(o, dict) else line.split()


def lines_of(top, every):
    for folder, _, files in sorted(os.walk(top)):
        for name in sorted(files):
            with open(os.path.join(folder, name), "rb") as file:
                data = file.read()
            if b"\0" not in data[:4096] and data[:2] != b"\x1f\x8b":
                lines = data.decode("utf-8", "replace").split("\n")
                yield from ((f"{name}:{i + 1}", line) for i, line in enumerate(lines) if i % every == 0)


def main():
    program, data, every = sys.argv[1], sys.argv[2], int(sys.argv[3]) if len(sys.argv) > 3 else 1
    top = os.path.join(data, "real_logs")
    if not os.path.isdir(top):
        print(f"no real logs at {top}")
        return 77
    rows = list(lines_of(top, every))
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", newline="\n") as file:
        file.write("".join(line + "\n" for _, line in rows))
        file.flush()
        out = subprocess.run([program, "redact", file.name], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True).stdout
    cleaned = out.decode("utf-8").split("\n")
    assert len(cleaned) == len(rows) + 1, (len(cleaned), len(rows))
    n_values = n_right = n_wrong = 0
    for (place, old), new in zip(rows, cleaned):
        before = values(old)
        n_values += len(before)
        if old != new:
            gone, come = collections.Counter(before), collections.Counter(values(new))
            gone, come = gone - come, come - gone
            is_right = all(any(mark in value for mark in RIGHT) for value in come)
            n_right += sum(gone.values()) if is_right else 0
            n_wrong += 0 if is_right else sum(gone.values())
            if not is_right:
                print(place, *(str(list(c))[:200] for c in (gone, come)), sep=" | ")
    allowed = n_values // 100000
    print(f"{n_values} values: {n_right} of persons taken out, {n_wrong} others, at most {allowed}")
    return n_values < 1000000 // every // 2 or n_wrong > allowed


if __name__ == "__main__":
    sys.exit(main())
