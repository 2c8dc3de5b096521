#!/usr/bin/env python3
"""Verifying a large run, its seal alone and all of it, beside `openssl speed` sha256 and sha256sum.

usage: measure.py M31R PROGRAMS [--rounds N] [--mib N]    one JSON line a case
Cases alternate; the median of the rounds counts. CPU is of all threads together. openssl speed hashes 16 KiB that lie in
the cache again and again, one thread, so its rate is what no program that reads a file can reach.
"""
import json
import os
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time


def option(name, default):
    return int(sys.argv[sys.argv.index(name) + 1]) if name in sys.argv else default


def make_run(m31r, folder, mib):
    """An ended run whose log is filled up before it is sealed."""
    env = dict(os.environ, XDG_CONFIG_HOME=folder)
    subprocess.run([m31r, "run", "--try", "--", "echo", "one"], cwd=folder, check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=env)
    root = os.path.join(folder, "experiments")
    run = os.path.join(root, next(d for d in os.listdir(root) if d.startswith("2")))
    for name in ("manifest.json", "blocks.jsonl", os.path.join("..", ".seals.jsonl")):
        os.remove(os.path.join(run, name))
    log = os.path.join(run, "train.stdout.log")
    os.chmod(log, 0o644)
    line = ('{"ts":"2026-11-23T10:26:51.%06dZ","level":"INFO","module":"trainer","msg":"step_complete",'
            '"step":%d,"loss":1.2345678901,"lr":0.0003}\n')
    with open(log, "w", encoding="ascii") as stream:
        size, i = 0, 0
        while size < mib << 20:
            size += stream.write("".join(line % (k % 1000000, k) for k in range(i, i + 10000)))
            i += 10000
    began = time.perf_counter()
    subprocess.run([m31r, "recover", "@", "--yes"], cwd=folder, check=True, env=env,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return log, size, time.perf_counter() - began


def timed(command, folder):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.perf_counter()
    subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)
    wall = time.perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def openssl_rate():
    said = subprocess.run(["openssl", "speed", "-mr", "-seconds", "1", "-bytes", "16384", "-evp", "sha256"],
                          capture_output=True, text=True, check=True).stdout
    return float(re.search(r"\+F:[^\n]*:([0-9.]+)", said)[1]) / 1e9


def main():
    m31r, rounds = sys.argv[1], option("--rounds", 5)
    with tempfile.TemporaryDirectory() as folder:
        log, size, sealing = make_run(m31r, folder, option("--mib", 512))
        cases = {"m31r verify --seal": [m31r, "verify", "@", "--seal"], "sha256sum": ["sha256sum", log],
                 "m31r verify": [m31r, "verify", "@"]}
        rates, times = [], {name: [] for name in cases}
        for _ in range(rounds):
            rates.append(openssl_rate())
            for name, command in cases.items():
                times[name].append(timed(command, folder))
        print(json.dumps({"case": "openssl speed sha256", "gb_per_s": round(statistics.median(rates), 2)}))
        print(json.dumps({"case": "recover: end and seal", "gb_per_s": round(size / sealing / 1e9, 2)}))
        for name, taken in times.items():
            wall, cpu = (statistics.median(t[i] for t in taken) for i in (0, 1))
            print(json.dumps({"case": name, "bytes": size, "gb_per_s": round(size / wall / 1e9, 2),
                              "gb_per_cpu_s": round(size / cpu / 1e9, 2)}))


main()
