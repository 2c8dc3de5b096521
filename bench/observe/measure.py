#!/usr/bin/env python3
"""Overhead of m31r run: interleaved runs of the bare and the observed program, medians and their ratio.

usage: measure.py M31R PROGRAM_DIR [--rounds N]   prints one JSON line a case
"""
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

M31R, PROGRAMS = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
ROUNDS = int(sys.argv[sys.argv.index("--rounds") + 1]) if "--rounds" in sys.argv else 9
SPIN, PRINT = os.path.join(PROGRAMS, "spin"), os.path.join(PROGRAMS, "print")


def timed(argv, place, own_clock):
    """Seconds of the program: by its own clock when it tells it, else of the whole command."""
    env = {k: v for k, v in os.environ.items() if not k.startswith("M31R_")}
    with open(os.path.join(place, "out"), "wb") as out:
        start = time.monotonic()
        r = subprocess.run(argv, cwd=place, env=env, stdout=out, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL)
        spent = time.monotonic() - start
    assert r.returncode == 0, (argv, r.stderr[-500:])
    for line in r.stderr.split(b"\n"):
        try:
            return float(line) if own_clock else spent
        except ValueError:
            continue
    lane = [os.path.join(d, f) for d, _, files in os.walk(place) for f in files if f.endswith("stderr.log")]
    with open(lane[0]) as f:
        return float(json.loads(f.readline())["line"]) if own_clock else spent


def case(name, program, options=(), own_clock=False, lines=None):
    bare, observed = [], []
    for _ in range(ROUNDS):
        for times, prefix in ((bare, []), (observed, [M31R, "run", "--try", *options, "--"])):
            place = tempfile.mkdtemp(prefix="m31r-bench-")
            times.append(timed(prefix + program, place, own_clock))
            shutil.rmtree(place)
    b, o = statistics.median(bare), statistics.median(observed)
    result = {"case": name, "bare_s": round(b, 4), "observed_s": round(o, 4), "ratio": round(o / b, 4),
              "rounds": ROUNDS, "bare_spread": round((max(bare) - min(bare)) / b, 4),
              "observed_spread": round((max(observed) - min(observed)) / o, 4)}
    if lines:
        result.update(bare_lines_per_s=round(lines / b), observed_lines_per_s=round(lines / o))
    print(json.dumps(result), flush=True)


def main():
    version = subprocess.run([M31R, "--version"], capture_output=True, text=True).stdout.strip()
    with open("/proc/cpuinfo") as f:
        cpu = next((x.split(":")[1].strip() for x in f if x.startswith("model name")), "?")
    print(json.dumps({"m31r": version, "kernel": platform.release(), "cpu": cpu, "cpus": os.cpu_count(),
                      "python": platform.python_version(), "load": os.getloadavg()[0]}), flush=True)
    case("cpu_bound", [SPIN, "700"])
    case("prints_200k_lines_a_second", [PRINT, "200000", "3"], own_clock=True, lines=600000)
    case("prints_200k_tee", [PRINT, "200000", "3"], ("--tee",), own_clock=True, lines=600000)
    case("prints_200k_with_a_pattern", [PRINT, "200000", "3"], ("--metric", r"loss=step (?<step>\d+)0000 loss ([0-9.]+)"),
         own_clock=True, lines=600000)
    case("prints_as_fast_as_it_can", [PRINT, "0", "0", "1000000"], own_clock=True, lines=1000000)


if __name__ == "__main__":
    main()
