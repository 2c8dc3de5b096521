#!/usr/bin/env python3
"""Measures `m31r trend` and `m31r compare --stat`: labelled sets, made-up histories, delay, equal runs, speed.

usage: measure.py [--m31r PATH] [--data DIR] [--seeds N] [--pairs N] [labels|fresh|delay|gate|pairs|speed]...

labels  the scorers of DIR (../shared/data/regress): score.py prints their lines
fresh   false alarms and recall on histories.py with seeds 1..N, 1,200 histories each
delay   a step of 10 % on 2 % of noise, 300 times: after how many runs it is suspect, and confirmed
gate    300 histories without a change and 300 with a slow-down of 15 %: what `trend --gate` says of them
pairs   two neighbouring pieces of one real run's step times, 1,000 times (far ones are not equal: some runs grow slower): regressions at the 10 % gate that are none
speed   1,000 values, and 2,000 series of 200, in CPU seconds of the command
One JSON line for each; DIR may be missing for what does not need it.
"""
import argparse
import csv
import glob
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE = os.path.dirname(os.path.dirname(HERE))
FIXTURE = os.path.join(SOURCE, "tests", "data", "v1", "20261123T140658Z-fc62b753", "metadata.json")
sys.path.insert(0, HERE)
sys.dont_write_bytecode = True
import histories  # noqa: E402


def say(**what):
    print(json.dumps(what), flush=True)


def changes(a, values, preset="perf"):
    """The changes that trend reports, and its summary."""
    text = "".join("%r\n" % v for v in values)
    done = subprocess.run([a.m31r, "trend", "--series", "-", "--preset", preset, "--json"], input=text,
                          capture_output=True, text=True, check=True)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    return lines[:-1], lines[-1]


def labels(a):
    for arguments in (["-q"], ["--labels", "perfhist", "--strict", "5"], ["--labels", "speedrun", "--strict", "2"]):
        preset = "generic" if arguments == ["-q"] else "perf"
        if "--labels" in arguments:
            arguments[1] = os.path.join(a.data, arguments[1])
        done = subprocess.run([sys.executable, os.path.join(a.data, "score.py")] + arguments + [
            "--", a.m31r, "trend", "--series", "-", "--preset", preset, "--indices"], capture_output=True, text=True)
        say(measured="labels", of=os.path.basename(arguments[1]) if len(arguments) > 1 else "tcpd", said=done.stdout.strip())


def hits(truth, found, margin):
    left, n = list(found), 0
    for t in truth:
        near = sorted((abs(t - x), x) for x in left if abs(t - x) <= margin)
        if near:
            left.remove(near[0][1])
            n += 1
    return n, len(left)


def fresh(a):
    for seed in range(1, a.seeds + 1):
        counts = {}
        for kind in histories.KINDS:
            for i in range(100):
                values, steps = histories.history(kind, random.Random("%d %s_%04d" % (seed, kind, i)))
                found = [c["at"] for c in changes(a, values)[0]]
                n_hit, n_false = hits([s["at"] for s in steps], found, 5)
                for key in (kind, "all"):
                    c = counts.setdefault(key, [0, 0, 0, 0, 0, 0])
                    for k, x in enumerate((n_hit, len(steps), n_false, len(values), not steps, not steps and n_false > 0)):
                        c[k] += x
        for key, (n_hit, n_true, n_false, n_runs, n_clean, n_clean_false) in counts.items():
            p, r = n_hit / max(1, n_hit + n_false), n_hit / max(1, n_true)
            say(measured="fresh", seed=seed, kind=key, f1=round(2 * p * r / max(1e-9, p + r), 3), precision=round(p, 3),
                recall=round(r, 3), false_per_1000_runs=round(1000 * n_false / n_runs, 3), clean=n_clean, clean_with_a_report=n_clean_false)


def delay(a):
    rng, suspects, confirmed, false = random.Random(5), [0] * 8, [0] * 8, 0
    for _ in range(300):
        n = rng.randrange(20, 100)
        values = [rng.gauss(100, 2) for _ in range(n)] + [rng.gauss(110, 2) for _ in range(8)]
        false += len(changes(a, values[:n])[0]) > 0
        for k in range(1, 9):
            found, facts = changes(a, values[:n + k])
            confirmed[k - 1] += any(abs(c["at"] - n) <= 2 for c in found)
            suspects[k - 1] += facts["suspects"] > 0
    say(measured="delay", histories=300, runs_of_the_new_level=list(range(1, 9)), suspect=suspects, confirmed=confirmed, false_confirmations=false)


def row(day, value, better="lower"):
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S.000000Z", time.gmtime(1767225600 + 86400 * day))
    numbers = {"last": value, "min": value, "max": value, "mean": value, "count": 1, "better": better}
    return {"v": 1, "kind": "history", "run_id": "%05d" % day, "ts": stamp, "stage": "train", "state": "finished",
            "metrics": {"step_ms": numbers}}


def gate(a):
    for factor in (1.0, 1.15):
        rng, said, first = random.Random(6), {}, 0
        for _ in range(300):
            n, noise = rng.randrange(15, 80), rng.choice((0.005, 0.01, 0.02, 0.03))
            values = [rng.gauss(100, 100 * noise) for _ in range(n)] + [rng.gauss(100 * factor, 100 * noise) for _ in range(8)]
            text = "".join(json.dumps(row(i, v)) + "\n" for i, v in enumerate(values))
            done = subprocess.run([a.m31r, "trend", "step_ms", "--gate", "--history", "-", "--json"], input=text, capture_output=True, text=True)
            group = [json.loads(x) for x in done.stdout.splitlines() if '"kind":"trend",' in x][0]
            said[group["verdict"]] = said.get(group["verdict"], 0) + 1
            first += group["first_bad_run"] == "%05d" % n
        say(measured="gate", slowed_by=factor - 1, histories=300, said=said, first_run_named=first)


def make_run(root, name, points):
    with open(FIXTURE, encoding="utf-8") as f:
        meta = json.load(f)
    meta.update(run_id=name, metrics={"step_ms": {"unit": "ms", "better": "lower"}})
    os.makedirs(os.path.join(root, name), exist_ok=True)
    with open(os.path.join(root, name, "metadata.json"), "w", encoding="utf-8") as f:
        json.dump(meta, f)
    with open(os.path.join(root, name, "metrics.csv"), "w", encoding="utf-8") as f:
        f.write("name,step,value,ts,segment\n")
        f.writelines("step_ms,%d,%s,2026-11-23T14:06:58.000000Z,0\n" % (i, x) for i, x in enumerate(points))


def pairs(a):
    runs = []
    for path in sorted(glob.glob(os.path.join(a.data, "inrun", "runs", "*.csv"))):
        with open(path, newline="", encoding="utf-8") as f:
            runs.append([float(r["step_ms"]) for r in csv.DictReader(f) if r["step_ms"]])
    rng, said, means, names = random.Random(7), {}, 0, ("20260101T000000Z-00000001", "20260101T000000Z-00000002")
    slower = {}
    with tempfile.TemporaryDirectory() as root:
        for i in range(a.pairs):
            points = rng.choice(runs)
            n = rng.choice((60, 120, 250, 500, 1000))
            n = min(n, len(points) // 2)
            x = rng.randrange(0, len(points) - 2 * n + 1)
            y = x + n
            one, two = points[x:x + n], points[y:y + n]
            one, two = (one, two) if rng.random() < 0.5 else (two, one)
            means += sum(two) / sum(one) > 1.1
            for factor, counts in ((1.0, said), (1.15, slower)):
                if factor > 1 and i % 5:
                    continue
                make_run(root, names[0], one)
                make_run(root, names[1], [factor * v for v in two])
                done = subprocess.run([a.m31r, "compare", names[0], names[1], "--stat", "--gate", "--root", root, "--json"],
                                      capture_output=True, text=True)
                o = json.loads(done.stdout.splitlines()[0])
                verdict = o["verdict"]
                if factor == 1.0 and verdict == "failed":
                    say(measured="pairs", false=o, of=[len(points), x, y, n])
                counts[verdict] = counts.get(verdict, 0) + 1
    say(measured="pairs", pairs=a.pairs, equal=said, ratio_of_means_above_10_percent=means, slowed_by_15_percent=slower)


def spent(command, text):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, input=text, capture_output=True, text=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def speed(a):
    rng = random.Random(8)
    command = [a.m31r, "trend", "--series", "-", "--preset", "perf", "--indices"]
    long = "".join("%r\n" % rng.gauss(100 + 5 * (i // 200), 2) for i in range(1000))
    short = ["".join("%r\n" % rng.gauss(100 + 5 * (i // 90), 2) for i in range(200)) for _ in range(20)]
    whole = sorted(spent(command, long) for _ in range(9))[4]
    each = sorted(spent(command, text) for text in short for _ in range(3))[30]
    groups = "".join(json.dumps({**row(i, rng.gauss(100, 2)), "host": "h%04d" % g, "run_id": "%05d-%04d" % (i, g)}) + "\n"
                     for g in range(500) for i in range(200))
    history = spent([a.m31r, "trend", "step_ms", "--by", "host", "--history", "-", "--json"], groups)
    say(measured="speed", ms_of_1000_values=round(1000 * whole, 1), s_of_2000_processes_of_200=round(2000 * each, 2),
        s_of_one_history_of_500_groups_of_200=round(history, 2))


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--m31r", default=os.path.join(SOURCE, "build", "m31r"))
    ap.add_argument("--data", default=os.path.join(SOURCE, "..", "shared", "data", "regress"))
    ap.add_argument("--seeds", type=int, default=2)
    ap.add_argument("--pairs", type=int, default=1000)
    ap.add_argument("what", nargs="*", default=["labels", "fresh", "delay", "gate", "pairs", "speed"])
    a = ap.parse_args()
    for name in a.what:
        {"labels": labels, "fresh": fresh, "delay": delay, "gate": gate, "pairs": pairs, "speed": speed}[name](a)


if __name__ == "__main__":
    main()
