#!/usr/bin/env python3
"""The lineage of one file among many runs: with the cache of links, while it is made, and without one.

usage: measure.py M31R PROGRAMS [--rounds N] [--runs N]    one JSON line a case
Each run makes three checkpoints and reads two files; ten follow each other, a hundred share a tokenizer.
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


def timed(command, cache):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.perf_counter()
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True,
                          env=dict(os.environ, XDG_CACHE_HOME=cache))
    wall = time.perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, done.stdout


def digest(text):
    return hashlib.sha256(text.encode()).hexdigest()


def artifact(role, path, sha256, **more):
    return {"role": role, "path": path, "bytes": 100, "sha256": sha256, "mtime_ns": 1, "hashed_ns": 2, **more}


def make_runs(root, n):
    data = os.path.join(SOURCE, "tests", "data", "v1")
    run = os.path.join(data, next(d for d in os.listdir(data) if d.startswith("2")))
    with open(os.path.join(run, "metadata.json"), encoding="utf-8") as stream:
        metadata = json.load(stream)
    ids = []
    for i in range(n):
        at = datetime.datetime(2026, 1, 1) + datetime.timedelta(minutes=7 * i)
        ids.append(at.strftime("%Y%m%dT%H%M%SZ-") + digest(str(i))[:8])
        files = [artifact("checkpoint", f"checkpoints/step_{k:06d}.bin", digest(f"{i} {k}" if i or k else ""), step=k)
                 for k in range(3)]
        parents = []
        if i % 10:
            parents.append(ids[i - 1])
            files.append(artifact("input", "start.bin", digest(f"{i - 1} 2"), run=ids[i - 1]))
        if i % 100:
            parents.append(ids[i - i % 100])
            files.append(artifact("input", "bpe.bin", digest(f"{i - i % 100} 1"), run=ids[i - i % 100]))
        ts = at.strftime("%Y-%m-%dT%H:%M:%S.000000Z")
        metadata.update(run_id=ids[i], name=f"run-{i}", timestamp=ts, end=ts, artifacts=files, parents=parents)
        folder = os.path.join(root, ids[i])
        os.makedirs(folder)
        for name in ("train.log", "config_snapshot.yaml", "metrics.csv", "metrics.json", "manifest.json"):
            if os.path.exists(os.path.join(run, name)):
                shutil.copy(os.path.join(run, name), folder)
        with open(os.path.join(folder, "metadata.json"), "w", encoding="utf-8") as stream:
            json.dump(metadata, stream)
    return ids


def main():
    m31r, n, rounds = sys.argv[1], option("--runs", 10000), option("--rounds", 5)
    folder = tempfile.mkdtemp(prefix="m31r-bench-")
    root, cache = os.path.join(folder, "experiments"), os.path.join(folder, "cache")
    ids = make_runs(root, n)
    empty = os.path.join(folder, "a file that run 0 made.bin")
    open(empty, "w").close()
    time.sleep(2.1)  # what changed within two seconds is not remembered
    for what, target in (("file", empty), ("run", ids[n // 2 + 5]), ("part", ids[n // 2 + 5][10:]), ("latest", "@")):
        command = [m31r, "lineage", target, "--root", root, "--json"]
        made = timed(command, cache)
        walls, cpus = {"with": [], "without": []}, {"with": [], "without": []}
        for _ in range(rounds):
            answers = []
            for kind, where in (("with", cache), ("without", "/proc/nowhere")):
                wall, cpu, answer = timed(command, where)
                walls[kind].append(wall)
                cpus[kind].append(cpu)
                answers.append(answer)
            assert answers[0] == answers[1] == made[2], "the cache changes the answer"
        print(json.dumps({"bench": "lineage", "case": what, "runs": n, "found": len(json.loads(made[2])["runs"]),
                          "made_s": round(made[0], 3),
                          **{f"{k}_s": round(statistics.median(v), 3) for k, v in walls.items()},
                          **{f"{k}_cpu_s": round(statistics.median(v), 3) for k, v in cpus.items()}}), flush=True)
    if "--keep" not in sys.argv:
        shutil.rmtree(folder)


main()
