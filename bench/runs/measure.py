#!/usr/bin/env python3
"""The list of many runs: with the index of runs, while it is made, and without one.

usage: measure.py M31R PROGRAMS [--rounds N] [--runs N]    one JSON line a case
The runs are copies of the one in tests/data/v1, with 400 points each. Wall and CPU time are medians; cases alternate.
"""
import datetime
import hashlib
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def option(name, default):
    return int(sys.argv[sys.argv.index(name) + 1]) if name in sys.argv else default


def make_runs(root, n):
    data = os.path.join(SOURCE, "tests", "data", "v1")
    run = os.path.join(data, next(d for d in os.listdir(data) if d.startswith("2")))
    with open(os.path.join(run, "metadata.json"), encoding="utf-8") as stream:
        metadata = json.load(stream)
    start = datetime.datetime(2026, 1, 1)
    for i in range(n):
        at = start + datetime.timedelta(minutes=7 * i)
        run_id = at.strftime("%Y%m%dT%H%M%SZ-") + hashlib.sha256(str(i).encode()).hexdigest()[:8]
        folder = os.path.join(root, run_id)
        os.makedirs(folder)
        for name in ("train.log", "config_snapshot.yaml", "metrics.json", "manifest.json"):
            if os.path.exists(os.path.join(run, name)):
                shutil.copy(os.path.join(run, name), folder)
        ts = at.strftime("%Y-%m-%dT%H:%M:%S.000000Z")
        metadata.update(run_id=run_id, name=f"run-{i}", timestamp=ts, end=ts,
                        state=("finished", "failed", "killed")[i % 3])
        with open(os.path.join(folder, "metadata.json"), "w", encoding="utf-8") as stream:
            json.dump(metadata, stream)
        with open(os.path.join(folder, "metrics.csv"), "w", encoding="utf-8") as stream:
            stream.write("name,step,value,ts,segment\n")
            stream.writelines(f"loss,{s},{5 - s * 0.01 + i * 0.001:.4f},{ts},0\n" for s in range(400))


def timed(command, cache):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.perf_counter()
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True,
                          env=dict(os.environ, XDG_CACHE_HOME=cache))
    wall = time.perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return wall, cpu, done.stdout


def main():
    m31r, n, rounds = sys.argv[1], option("--runs", 3000), option("--rounds", 5)
    folder = tempfile.mkdtemp(prefix="m31r-bench-")
    root, cache = os.path.join(folder, "experiments"), os.path.join(folder, "cache")
    make_runs(root, n)
    time.sleep(2.1)  # what changed within two seconds is not remembered
    for what, more in (("list", []), ("filter", ["-w", "metrics.loss.last<2 and config.train.lr>0"])):
        command = [m31r, "runs", "--root", root, "--json", *more]
        made = timed(command, cache)
        walls, cpus = {"with": [], "without": []}, {"with": [], "without": []}
        for _ in range(rounds):
            answers = []
            for kind, where in (("with", cache), ("without", "/proc/nowhere")):
                wall, cpu, answer = timed(command, where)
                walls[kind].append(wall)
                cpus[kind].append(cpu)
                answers.append(answer)
            assert answers[0] == answers[1] == made[2], "the index changes the answer"
        print(json.dumps({"bench": "runs", "case": what, "runs": n,
                          "made_s": round(made[0], 3),
                          **{f"{k}_s": round(statistics.median(v), 3) for k, v in walls.items()},
                          **{f"{k}_cpu_s": round(statistics.median(v), 3) for k, v in cpus.items()}}))
    shutil.rmtree(folder)


main()
