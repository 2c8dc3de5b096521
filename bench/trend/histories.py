#!/usr/bin/env python3
"""Made-up histories of a measurement, with exact truth, from any seed: what false alarms and delays are counted on.

    histories.py DIR [--seed N] [--each N]      a folder of labels for a scorer: plain/NAME.txt, annotations.json, meta.json

Twelve kinds of noise around a level of 100 (or 30, or 1000): normal of 1, 2 and 5 %, heavy tails, one run in thirty an outlier, a burst of 3 or 4
runs, two modes, correlated, rounded to whole numbers, exact, proportional to the level, a slow drift. About half have no change; the others one
to three of 5 to 50 %, twelve runs and more apart, the first at run 10 or later, the last at least five runs before the end.
"""
import argparse
import json
import math
import os
import random

LENGTHS = (30, 60, 100, 150, 250)
FACTORS = (1.05, 1.1, 1.2, 1.5)
KINDS = ("gauss1", "gauss2", "gauss5", "heavy", "outlier", "burst", "bimodal", "ar", "integer", "exact", "prop", "drift")
NEVER_CHANGE = ("burst", "drift")


def student(rng, freedom):
    return rng.gauss(0, 1) / math.sqrt(rng.gammavariate(freedom / 2, 2 / freedom))


def noise(kind, rng, n):
    """Deviations from the level, relative to it."""
    if kind == "exact":
        return [0.0] * n
    if kind in ("gauss1", "gauss5"):
        return [rng.gauss(0, 0.01 if kind == "gauss1" else 0.05) for _ in range(n)]
    if kind == "heavy":
        return [0.02 * student(rng, 3) / math.sqrt(3) for _ in range(n)]
    if kind == "bimodal":
        return [rng.choice((-0.03, 0.03)) + rng.gauss(0, 0.008) for _ in range(n)]
    if kind == "ar":
        out, last = [], rng.gauss(0, 0.02)
        for _ in range(n):
            last = 0.6 * last + rng.gauss(0, 0.02 * 0.8)
            out.append(last)
        return out
    return [rng.gauss(0, 0.02) for _ in range(n)]


def places(rng, n):
    """Where the level changes: none in half the cases."""
    if rng.random() < 0.5:
        return []
    for _ in range(1000):
        at = sorted(rng.randrange(10, n - 4) for _ in range(rng.choice((1, 1, 2, 3))))
        if all(b - a >= 12 for a, b in zip(at, at[1:])):
            return at
    return []


def history(kind, rng, n=None, at=None):
    """Values, and the changes [{at, relative}]."""
    n = n or rng.choice(LENGTHS)
    at = ([] if kind in NEVER_CHANGE else places(rng, n)) if at is None else at
    base = {"integer": 30.0, "exact": 1000.0}.get(kind, 100.0)
    level, values, steps, away = base, [], [], noise(kind, rng, n)
    for i in range(n):
        if i in at:
            factor = rng.choice(FACTORS)
            factor = factor if rng.random() < 0.7 else 1 / factor
            level *= factor
            steps.append({"at": i, "relative": round(factor - 1, 6)})
        scale = level if kind in ("prop", "bimodal", "exact") else base
        x = level + scale * away[i]
        if kind == "drift":
            x *= 1 + 0.09 * i / n
        if kind == "outlier" and rng.random() < 1 / 30:
            x *= rng.uniform(1.3, 2.5)
        values.append(round(x) if kind == "integer" else x)
    if kind == "burst":
        first = rng.randrange(10, n - 10)
        for i in range(first, first + rng.choice((3, 4))):
            values[i] *= 1.25
    return values, steps


def write(folder, seed, each):
    os.makedirs(os.path.join(folder, "plain"), exist_ok=True)
    marks, meta = {}, {}
    for kind in KINDS:
        for i in range(each):
            name = "%s_%04d" % (kind, i)
            values, steps = history(kind, random.Random("%d %s" % (seed, name)))
            with open(os.path.join(folder, "plain", name + ".txt"), "w") as f:
                f.writelines("%.10g\n" % v for v in values)
            marks[name] = {"truth": [s["at"] for s in steps]}
            meta[name] = {"kind": kind, "n": len(values), "steps": steps}
    for name, content in (("annotations", marks), ("meta", meta)):
        with open(os.path.join(folder, name + ".json"), "w") as f:
            json.dump(content, f, indent=1)


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("folder")
    ap.add_argument("--seed", type=int, default=1)
    ap.add_argument("--each", type=int, default=20, help="histories of each kind")
    a = ap.parse_args()
    write(a.folder, a.seed, a.each)


if __name__ == "__main__":
    main()
