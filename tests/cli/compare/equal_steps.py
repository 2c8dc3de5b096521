#!/usr/bin/env python3
"""Equal configurations, real step times, compared: how many are called slower?

usage: equal_steps.py M31R [WINDOWS]

The steps of a training (tests/data/step_times) in turns are those of two equal ones on the same machine at the same time. Of
each training WINDOWS pieces of 90 steps are compared so, 1 if not given; both ways round. Prints the verdicts and what a ratio
of means says; the same where one side is slower indeed.
"""
import csv
import json
import os
import shutil
import subprocess
import sys

DATA = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "data")
FIXTURE = os.path.join(DATA, "v1", "20261123T140658Z-fc62b753", "metadata.json")
IDS = ("20261123T140800Z-00000000", "20261123T140801Z-00000001")
LENGTH = 90
AT_ONCE = 200  # metrics of a run: a comparison each


def write_run(name, columns):
    with open(FIXTURE, encoding="utf-8") as f:
        meta = json.load(f)
    names = [f"c{i}.step_ms" for i in range(len(columns))]
    meta.update(run_id=name, metrics={x: {"unit": "ms", "better": "lower"} for x in names})
    shutil.rmtree(f"experiments/{name}", ignore_errors=True)
    os.makedirs(f"experiments/{name}")
    with open(f"experiments/{name}/metadata.json", "w", encoding="utf-8") as f:
        json.dump(meta, f)
    with open(f"experiments/{name}/metrics.csv", "w", encoding="utf-8") as f:
        f.write("name,step,value,ts,segment\n")
        for x, column in zip(names, columns):
            f.writelines(f"{x},{i},{v:.3f},2026-11-23T14:08:00.000000Z,0\n" for i, v in enumerate(column))


def verdicts(m31r, pairs, factor):
    """How many of each, and of ratios of means above 1.1."""
    counts = {"failed": 0, "undecided": 0, "passed": 0, "by means": 0}
    for at in range(0, len(pairs), AT_ONCE):
        some = pairs[at:at + AT_ONCE]
        write_run(IDS[0], [a for a, _ in some])
        write_run(IDS[1], [[factor * v for v in b] for _, b in some])
        done = subprocess.run([m31r, "compare", *IDS, "--stat", "--gate", "--json"], capture_output=True, text=True)
        rows = [json.loads(line) for line in done.stdout.splitlines()]
        assert len(rows) == len(some) and (done.returncode == 4) == any(r["verdict"] == "failed" for r in rows), done
        for row in rows:
            counts[row["verdict"]] += 1
        counts["by means"] += sum(factor * sum(b) / sum(a) > 1.1 for a, b in some)
    return counts


def main():
    windows = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    with open(os.path.join(DATA, "step_times", "busy.csv"), newline="", encoding="utf-8") as f:
        runs = [[float(x) for x in row] for row in csv.reader(f)]
    pairs = []
    for run in runs:
        for from_ in range(0, 2 * windows, 2):
            piece = run[from_:from_ + LENGTH]
            pairs += [(piece[0::2], piece[1::2]), (piece[1::2], piece[0::2])]
    for factor in (1, 1.15, 1.5, 3):
        print(f"x {factor}:", json.dumps({"all": len(pairs), **verdicts(sys.argv[1], pairs, factor)}))


if __name__ == "__main__":
    main()
