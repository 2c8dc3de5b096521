#!/usr/bin/env python3
"""Finished runs in the form of tests/data/v1, one a day, with a tokens_per_sec around a level.

usage: make_runs.py [--root DIR] [--start DAY] [--cpu NAME] [--width N] [--state STATE] LEVELxCOUNT...

The noise is 2 % and always the same. --width is `model.width` of the config.
"""
import argparse
import datetime
import json
import os
import random

HERE = os.path.dirname(os.path.abspath(__file__))
FIXTURE = os.path.join(HERE, "..", "..", "data", "v1", "20261123T140658Z-fc62b753")


def make(a, day, level, rng):
    with open(os.path.join(FIXTURE, "metadata.json"), encoding="utf-8") as file:
        meta = json.load(file)
    start = datetime.datetime(2026, 6, 1) + datetime.timedelta(days=day)
    config = f"seed: 42\nmodel:\n  width: {a.width}\n"
    stamp = start.strftime("%Y-%m-%dT%H:%M:%S.000000Z")
    meta["run_id"] = start.strftime("%Y%m%dT%H%M%SZ-fc62b753")
    meta["timestamp"] = meta["end"] = stamp
    meta["git_commit"] = f"{day + 1:040x}"[::-1]
    meta["config_sha256"] = f"{a.width:064x}"
    meta["host"]["cpu_model"] = a.cpu
    meta["state"] = a.state
    folder = os.path.join(a.root, meta["run_id"])
    os.makedirs(folder)
    rate = level * rng.gauss(1, 0.02)
    with open(os.path.join(folder, "metadata.json"), "w", encoding="utf-8") as file:
        json.dump(meta, file)
    with open(os.path.join(folder, "config_snapshot.yaml"), "w", encoding="utf-8") as file:
        file.write(config)
    with open(os.path.join(folder, "metrics.csv"), "w", encoding="utf-8") as file:
        file.write("name,step,value,ts,segment\n")
        for step in range(3):
            file.write(f"tokens_per_sec,{step},{rate + step - 1:.3f},{stamp},0\n")
            file.write(f"widgets,{step},{10 + step},{stamp},0\n")


def main():
    ap = argparse.ArgumentParser(description=__doc__)
    ap.add_argument("--root", default="experiments")
    ap.add_argument("--start", type=int, default=0)
    ap.add_argument("--cpu", default="AMD EPYC")
    ap.add_argument("--width", type=int, default=64)
    ap.add_argument("--state", default="finished")
    ap.add_argument("levels", nargs="+", metavar="LEVELxCOUNT")
    a = ap.parse_args()
    day, rng = a.start, random.Random(f"{a.start} {a.width} {a.cpu}")
    for item in a.levels:
        level, count = item.split("x")
        for _ in range(int(count)):
            make(a, day, float(level), rng)
            day += 1


if __name__ == "__main__":
    main()
