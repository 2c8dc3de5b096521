#!/usr/bin/env python3
"""What m31r reads of a run is what tools/reader_min.py reads: record by record, point by point.

usage: test_two_readers.py BUILD_DIRECTORY
The script knows docs/FORMAT.md only, so each disagreement is a fault of one of the three. Summaries
of metrics are computed here once more, the plain way, from the points that the script has read.
"""
import glob
import json
import math
import os
import shutil
import subprocess
import sys
import tempfile

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
READER = os.path.join(SOURCE, "tools", "reader_min.py")
M31R = ""


def output(command, **more):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          timeout=60, **more)
    assert done.returncode == 0, f"{command}: {done.returncode} {done.stdout} {done.stderr}"
    return done.stdout


def in_order(text):
    """A JSON value in which objects are lists of pairs, so that the order of keys counts."""
    return json.loads(text, object_pairs_hook=lambda pairs: ("object", pairs))


class Dump:
    """What reader_min.py says of a directory: records, points, documents, by file."""

    def __init__(self, folder):
        self.records, self.points, self.documents, self.bad = {}, {}, {}, {}
        kinds = {"record": self.records, "point": self.points, "document": self.documents,
                 "bad": self.bad}
        for line in output([sys.executable, READER, "--dump", folder]).split("\n")[:-1]:
            kind, name, rest = line.split(" ", 2)
            value = rest if kind == "bad" else in_order(rest) if kind == "record" else json.loads(rest)
            kinds[kind].setdefault(name, []).append(value)


def make_run(folder):
    """A run with every kind of value, into which scripts have written too; its directory."""
    program = subprocess.Popen([os.path.join(M31R, "tests", "oracle_run")], cwd=folder, text=True,
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    run = program.stdout.readline().strip()
    assert run, "oracle_run has made no run"
    env = dict(os.environ, M31R_RUN_DIR=run)
    command = os.path.join(M31R, "m31r")
    output([command, "log", "WARNING", "backup", "copied", "n=1", "rate=0.5", "ok=true",
            "text=a b=c", "nothing=null", "big=123456789012345678901234567890"], env=env)
    output([command, "metric", "val_loss", "2.5", "--step", "1000"], env=env)
    output([command, "metric", "val_loss", "nan"], env=env)
    program.stdin.close()
    assert program.wait(60) == 0
    return run


def lines(folder, *arguments):
    return output([os.path.join(M31R, "m31r"), *arguments], cwd=folder).split("\n")[:-1]


def records_agree(run):
    dump = Dump(run)
    assert not dump.bad, dump.bad
    n = 0
    for name, records in dump.records.items():
        ours = [in_order(line) for line in lines(run, "logs", run, "--lane", name, "--json")]
        assert len(ours) == len(records), f"{name}: {len(ours)} records, {len(records)} by the script"
        for number, (a, b) in enumerate(zip(ours, records), 1):
            assert a == b, f"{name}:{number}: {a} != {b}"
        n += len(ours)
    merged = [json.loads(line) for line in lines(run, "logs", run, "--json")]
    assert len(merged) == n, f"{len(merged)} records merged, {n} in the lanes"
    assert [r["ts"] for r in merged] == sorted(r["ts"] for r in merged), "not merged by ts"
    lanes = {"train.log", "train.loader.log", "train.observer.log", "train.shell.log"}
    assert set(dump.records) == lanes, sorted(dump.records)
    return f"{n} records of {len(dump.records)} lanes"


def segments_agree(run):
    """A copy whose main lane was rotated twice, once compressed: the same records to both readers."""
    copy = os.path.join(os.path.dirname(run), "rotated", os.path.basename(run))
    shutil.copytree(run, copy)
    with open(os.path.join(run, "train.log"), "rb") as stream:
        whole = stream.read().splitlines(keepends=True)
    os.chmod(os.path.join(copy, "train.log"), 0o644)
    for name, part in (("train.000001.20261123T102651Z.log", whole[:3]),
                       ("train.000002.20261123T102652Z.log", whole[3:5]), ("train.log", whole[5:])):
        with open(os.path.join(copy, name), "wb") as stream:
            stream.writelines(part)
    output(["zstd", "-q", "--rm", os.path.join(copy, "train.000001.20261123T102651Z.log")])
    want = lines(run, "logs", run, "--json")
    assert lines(run, "logs", copy, "--json") == want, "m31r logs of the rotated copy"
    assert Dump(copy).records == Dump(run).records, "reader_min.py of the rotated copy"
    return f"{len(whole)} records in 3 files"


def same_number(a, b):
    if isinstance(a, str) or isinstance(b, str):
        return a == b
    return a == b and math.copysign(1, a) == math.copysign(1, b)


def points_agree(run):
    points = Dump(run).points["metrics.csv"]
    text = lines(run, "metrics", run, "--csv")
    with open(os.path.join(run, "metrics.csv"), encoding="utf-8") as stream:
        want = stream.read().split("\n")[:-1]
    assert sorted(text) == sorted(want), "metrics --csv is not the points of metrics.csv"
    assert len(points) == len(want) - 1, f"{len(points)} points in {len(want)} lines"
    return f"{len(points)} points"


def summary(points):
    """Of one metric's points, the plain way."""
    finite = [(p["value"], p["step"]) for p in points if not isinstance(p["value"], str)]
    out = {"count": len(points), "nonfinite": len(points) - len(finite),
           "first": points[0]["value"], "first_step": points[0]["step"],
           "last": points[-1]["value"], "last_step": points[-1]["step"]}
    if finite:
        values = sorted(v for v, _ in finite)
        out["min"], out["min_step"] = min(finite, key=lambda f: f[0])
        out["max"], out["max_step"] = max(finite, key=lambda f: f[0])
        out["mean"] = math.fsum(values) / len(values)
        for name, q in (("p50", 0.5), ("p90", 0.9), ("p99", 0.99)):
            out[name] = values[math.ceil(q * len(values)) - 1]
    return out


def summaries_agree(run):
    dump = Dump(run)
    by_name = {}
    for point in dump.points["metrics.csv"]:
        by_name.setdefault(point["name"], []).append(point)
    ours = {m["name"]: m for m in map(json.loads, lines(run, "metrics", run, "--json"))}
    kept = dump.documents["metrics.json"][0]["metrics"]
    assert list(kept) == list(by_name), f"metrics.json has {list(kept)}"
    assert set(ours) == set(by_name), f"metrics --json has {list(ours)}"
    for name, points in by_name.items():
        for key, value in summary(points).items():
            for said in (ours[name][key], kept[name][key]):
                near = key in ("mean", "p50", "p90", "p99")
                good = math.isclose(said, value, rel_tol=0.011 if key != "mean" else 1e-9) \
                    if near else same_number(said, value) if value is not None else said is None
                assert good, f"{name}: {key} is {said}, {value} from the points"
    return f"{len(by_name)} summaries"


def documents_agree(run):
    dump = Dump(run)
    info = json.loads(lines(run, "show", run, "--json")[0])
    metadata = dump.documents["metadata.json"][0]
    for ours, theirs in (("run_id", "run_id"), ("stage", "stage"), ("state", "state"),
                         ("start", "timestamp"), ("end", "end"), ("exit_status", "exit_status")):
        assert info[ours] == metadata[theirs], f"{ours}: {info[ours]} != {metadata[theirs]}"
    assert info["state"] == "finished" and metadata["seed"] == 7
    return "metadata"


def logs_outside_a_run(folder):
    output([os.path.join(M31R, "m31r"), "log", "INFO", "cron", "nightly", "text=\u202e\x7f"],
           cwd=folder, env={k: v for k, v in os.environ.items() if k != "M31R_RUN_DIR"})
    records = Dump(os.path.join(folder, "logs")).records["shell.log"]
    ours = [in_order(line) for line in lines(folder, "logs", "logs/shell.log", "--json")]
    assert ours == records and len(ours) == 1, f"{ours} != {records}"
    return "1 record outside a run"


def files_of_others(_run):
    """Lines that other programs wrote, bad ones among them: the same ones are records."""
    folder = os.path.join(SOURCE, "tests", "data", "bad_inputs", "reader")
    dump = Dump(folder)
    n = 0
    for path in sorted(glob.glob(os.path.join(folder, "*.log"))):
        name = os.path.basename(path)
        with open(path, "rb") as stream:
            torn = not stream.read().endswith(b"\n")
        ours = [in_order(line) for line in lines(folder, "logs", path, "--json")]
        want = dump.records.get(name, [])
        # a file that is no run's may lack the last newline: the command reads that line too
        same = ours == want or (torn and ours[:len(want)] == want and len(ours) == len(want) + 1)
        assert same, f"{name}: {len(ours)} records, {len(want)} by the script"
        n += len(ours)
    return f"{n} records of others"


def main():
    global M31R
    M31R = os.path.abspath(sys.argv[1])
    folder = tempfile.mkdtemp(prefix="m31r-oracle-")
    for name in [n for n in os.environ if n.startswith("M31R_") or n in ("RANK", "SLURM_PROCID")]:
        del os.environ[name]
    os.environ.update(XDG_CACHE_HOME=folder, LC_ALL="C.UTF-8")
    run = make_run(folder)
    failed = 0
    tests = [records_agree, segments_agree, points_agree, summaries_agree, documents_agree, files_of_others]
    for test, where in [(t, run) for t in tests] + [(logs_outside_a_run, folder)]:
        try:
            print(f"ok   {test.__name__}: {test(where)}")
        except (AssertionError, KeyError, ValueError, IndexError) as wrong:
            failed += 1
            print(f"FAIL {test.__name__}: {type(wrong).__name__} {wrong}")
    shutil.rmtree(folder, ignore_errors=True)
    print(f"{len(tests) + 1 - failed} passed, {failed} failed")
    return 1 if failed else 0


sys.exit(main())
