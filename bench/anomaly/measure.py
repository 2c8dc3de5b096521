#!/usr/bin/env python3
"""The streaming rules: what they find in labelled runs, and what a value costs.

usage: measure.py M31R PROGRAMS [--values N] [--rounds N]
Cost: the user time of `m31r anomalies --csv` over N values of a column that is judged, less that of the
same values under a name that no rule but the one for non-finite values knows; both in turns, medians.
Findings: the scorer beside the labelled data, when both are there (../shared/data/regress).
"""
import argparse
import json
import os
import random
import resource
import statistics
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
SCORER = os.path.join(HERE, "..", "..", "..", "shared", "data", "regress", "score_inrun.py")
COLUMNS = ("loss", "step_ms", "memory_mb")
N_RANKS = 8


def series(column, n, rng):
    """A level, noise of 3 %, now and then a spike."""
    for i in range(n):
        x = 3 + 1000 / (1000 + i) if column == "loss" else 200.0
        yield "%.4f" % (x * (1 + rng.gauss(0, 0.03)) * (3 if rng.random() < 0.002 else 1))


def user_s(argv, path):
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    subprocess.run(argv + ["anomalies", "--csv", path, "--rows"], check=True, stdout=subprocess.DEVNULL)
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before


def write(path, header, rows):
    with open(path, "w") as f:
        f.write(header + "\n")
        f.writelines(row + "\n" for row in rows)


def cost(m31r, folder, name, header, plain, rows, values_a_row, rounds):
    judged, bare = os.path.join(folder, "judged.csv"), os.path.join(folder, "bare.csv")
    write(judged, header, rows)
    write(bare, plain, rows)
    times = [(user_s([m31r], judged), user_s([m31r], bare)) for _ in range(rounds)]
    n = len(rows) * values_a_row
    with_rules = statistics.median(t[0] for t in times)
    without = statistics.median(t[1] for t in times)
    print(json.dumps({"case": "cost of a value", "column": name, "values": n,
                      "ns": round(1e9 * (with_rules - without) / n, 1),
                      "ns_with_reading": round(1e9 * with_rules / n, 1)}), flush=True)


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("m31r")
    ap.add_argument("programs")
    ap.add_argument("--values", type=int, default=1000000)
    ap.add_argument("--rounds", type=int, default=3)
    a = ap.parse_args()
    rng = random.Random(1)
    with tempfile.TemporaryDirectory() as folder:
        for column in COLUMNS:
            rows = list(series(column, a.values, rng))
            cost(a.m31r, folder, column, column, "x", rows, 1, a.rounds)
        rows = [",".join("%.2f" % rng.gauss(200, 4) for _ in range(N_RANKS))
                for _ in range(a.values // N_RANKS)]
        names = lambda prefix: ",".join("%s%d" % (prefix, i) for i in range(N_RANKS))
        cost(a.m31r, folder, "ranks", names("r"), names("x"), rows, N_RANKS, a.rounds)
    if os.path.exists(SCORER):
        out = subprocess.run([sys.executable, SCORER, "--json", "--causal", "40", "--", a.m31r,
                              "anomalies", "--csv", "-", "--rows"], check=True, capture_output=True)
        print(json.dumps({"case": "found", **json.loads(out.stdout)}))


main()
