#!/usr/bin/env python3
"""The index of a large log in the user's cache changes no answer: not while it is made, not when it
is used, and not when the file has grown, was changed, cut or replaced, or the index is damaged.

usage: test_sidecar.py BUILD_DIRECTORY
An index is for files above 64 MiB. The lines are few and long, and each state is asked one
question; with M31R_SOAK they are many and short, and all questions are asked.
"""
import os
import subprocess
import sys
import tempfile

M31R = os.path.join(sys.argv[1], "m31r")
QUERIES = [["--level", "ERROR"], ["--level", "WARNING", "--count-by", "level,msg"],
           ["--step", "200000..200100"], ["-w", "step>=300000 and step<300003"],
           ["-w", "level>=CRITICAL"], ["--level", "ERROR", "--step", "5..90000", "--fields", "step,msg"],
           ["--since", "2026-11-23T05:00:00Z", "--until", "2026-11-23T05:00:10Z", "--strict"]]

SOAK = bool(os.environ.get("M31R_SOAK"))
STRIDE, PAD = (1, 60) if SOAK else (6, 900)


def record(line):
    i = line * STRIDE
    level = "ERROR" if i % 9973 == 5 else "CRITICAL" if i % 200003 == 7 else "DEBUG"
    step = f'"step":{i}' if line % 3 else f'"step":{i}.5' if line % 99 == 0 else '"other":1'
    return (f'{{"ts":"2026-11-23T{i // 36000 % 24:02}:{i // 600 % 60:02}:{i // 10 % 60:02}.{i % 10}00000Z",'
            f'"level":"{level}","module":"m","msg":"x",{step},"pad":"{"p" * PAD}"}}\n')


def logs(path, env, *options):
    done = subprocess.run([M31R, "logs", path, "--json", *options], capture_output=True, env=env,
                          timeout=100)
    assert done.returncode in (0, 4), (options, done.stderr)
    return done.stdout, done.stderr, done.returncode


def check(path, env, what, queries=(QUERIES[0], QUERIES[2])):
    for query in queries if SOAK else queries[:4:3]:
        want = logs(path, env, "--no-index", *query)
        got = logs(path, env, *query)
        assert got == want, f"{what}: {query}: {len(got[0])} bytes, not {len(want[0])}; {got[1]} {want[1]}"


def change(path, at, old, new):
    with open(path, "r+b") as f:
        f.seek(at)
        data = f.read(1 << 16)
        offset = data.index(old)
        f.seek(at + offset)
        f.write(new)


def main():
    with tempfile.TemporaryDirectory() as scratch:
        env = dict(os.environ, XDG_CACHE_HOME=os.path.join(scratch, "cache"))
        path = os.path.join(scratch, "train.log")
        n = 440000 // STRIDE
        with open(path, "w") as f:
            for i in range(n):
                f.write(record(i))
                if i == 250000 // STRIDE:
                    f.write("Traceback (most recent call last):\n")
        size = os.path.getsize(path)
        assert size > 64 << 20, size
        check(path, env, "made", QUERIES)
        folder = os.path.join(env["XDG_CACHE_HOME"], "m31r", "logs")
        (name,) = os.listdir(folder)
        index = os.path.join(folder, name)
        assert os.path.getsize(index) < size / 1000, os.path.getsize(index)
        check(path, env, "used", QUERIES)

        # Is it used? A change that nothing shows is not seen, and is seen without the index.
        times = os.stat(path)
        change(path, 30 << 20, b'"DEBUG"', b'"ERROR"')
        os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
        seen = logs(path, env, "--no-index", "--level", "ERROR")[0].count(b"\n")
        assert logs(path, env, "--level", "ERROR")[0].count(b"\n") == seen - 1, "the index is not used"

        os.utime(path)
        check(path, env, "changed in place")
        with open(path, "a") as f:
            f.write("".join(record(i) for i in range(n, n + 3000 // STRIDE)) + "torn")
        check(path, env, "grown")
        with open(path, "a") as f:
            f.write("\n" + "".join(record(i) for i in range(n, n + 140000 // STRIDE)))
        check(path, env, "grown by many pieces")
        with open(index, "r+b") as f:
            f.seek(3000)
            f.write(b"\xff" * 5)
        check(path, env, "index damaged")
        os.truncate(index, 100)
        check(path, env, "index cut")
        os.truncate(path, (65 << 20) + 12345)
        check(path, env, "cut")
        env["XDG_CACHE_HOME"] = "/proc/nowhere"
        check(path, env, "no cache")
    print(f"{len(QUERIES)} questions, 8 states of file and index: the same answers")


main()
