#!/usr/bin/env python3
"""What emitting a record costs, beside other loggers: interleaved runs in one go, medians, ratios.

usage: measure.py M31R PROGRAM_DIR [--rounds N]   prints one JSON line a case; peers whose headers are missing are left out
"""
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile

BUILD = os.path.dirname(os.path.abspath(sys.argv[1]))
OUT = os.path.abspath(sys.argv[2])
ROUNDS = int(sys.argv[sys.argv.index("--rounds") + 1]) if "--rounds" in sys.argv else 5
HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
SOURCES = os.path.join(HERE, "programs")
CASES = [("burst", 20000), ("isolated", 3000), ("flat", 2000000), ("flat2", 2000000)]
OWN_CASES = [("points", 2000000), ("off", 100000000)]


def build():
    """Programs by name; a peer that does not compile is left out and said."""
    own = ["-I", os.path.join(ROOT, "include"), "-L", BUILD, "-lm31r", f"-Wl,-rpath,{BUILD}"]
    wanted = {
        "m31r": (["cc", "m31r.c"], own),
        "spdlog async": (["c++", "-std=c++17", "spdlog.cpp"], ["-DSPDLOG_COMPILED_LIB", "-DSPDLOG_FMT_EXTERNAL", "-lspdlog", "-lfmt"]),
        "spdlog sync": (["c++", "-std=c++17", "-DSYNC", "spdlog.cpp"], ["-DSPDLOG_COMPILED_LIB", "-DSPDLOG_FMT_EXTERNAL", "-lspdlog", "-lfmt"]),
        "glog": (["c++", "-std=c++17", "glog.cpp"], ["-lglog"]),
        "memcpy and write": (["cc", "floor.c"], []),
    }
    programs = {}
    for name, (compiler, libraries) in wanted.items():
        path = os.path.join(OUT, "emit_" + name.replace(" ", "_"))
        r = subprocess.run([*compiler, "-O2", "-o", path, *libraries, "-lpthread"], cwd=SOURCES, capture_output=True, text=True)
        if r.returncode == 0:
            programs[name] = path
        else:
            print(json.dumps({"left_out": name, "why": r.stderr.strip().split("\n")[0][:200]}), flush=True)
    return programs


def once(program, what, n):
    place = tempfile.mkdtemp(prefix="m31r-bench-", dir=os.environ.get("M31R_BENCH_DIR"))
    r = subprocess.run([program, what, str(n)], cwd=place, capture_output=True, text=True, check=True)
    shutil.rmtree(place)
    return json.loads(r.stdout)


def medians(results):
    return {key: round(statistics.median(r[key] for r in results), 3) for key in results[0]}


def main():
    programs = build()
    print(json.dumps({"bench": "emit", "rounds": ROUNDS, "load": os.getloadavg()[0], "cpus": os.cpu_count(),
                      "versions": {p: subprocess.run(["dpkg-query", "-W", "-f", "${Version}", p], capture_output=True, text=True).stdout
                                   for p in ("libspdlog-dev", "libgoogle-glog-dev")}}), flush=True)
    for what, n in CASES + OWN_CASES:
        those = programs if (what, n) in CASES else {"m31r": programs["m31r"]}
        results = {name: [] for name in those}
        for _ in range(ROUNDS):
            for name, program in those.items():
                results[name].append(once(program, what, n))
        table = {name: medians(rs) for name, rs in results.items()}
        key = "records_per_s" if what.startswith("flat") or what == "points" else "p50_ns"
        for name, row in table.items():
            ratio = row[key] / table["m31r"][key] if table["m31r"][key] else None
            print(json.dumps({"case": what, "logger": name, **row, f"{key}_to_m31r": round(ratio, 3) if ratio else None}), flush=True)


main()
