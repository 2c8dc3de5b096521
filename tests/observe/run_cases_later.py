"""What is asked of a run after it has ended: points from kept lines."""
import hashlib
import json
import os
import subprocess

from run_harness import COMMAND, PYTHON, test

PROGRAM = ("import sys\n"
           "for i in range(6): print(f'step {i} loss: {3 - i / 4} \"caf\\u00e9\"')\n"
           "sys.stderr.write('grad loss: nan\\n')\nprint('loss: many')\n")


def metrics(p, *args):
    return subprocess.run([COMMAND, "metrics", *args], cwd=p.path, env=p.env, capture_output=True, timeout=60)


def digest_of(path):
    found = {}
    for root, _, files in os.walk(path):
        for f in files:
            full = os.path.join(root, f)
            with open(full, "rb") as stream:
                found[full] = (hashlib.sha256(stream.read()).hexdigest(), os.stat(full).st_mtime_ns)
    return found


@test
def metrics_by_pattern_from_kept_lines(p):
    patterns = ["--pattern", "loss=step (?<step>\\d+) loss: ([0-9.]+) \"caf\u00e9\"",
                "--pattern", "any=loss: ([0-9.a-z]+)"]
    p.run(PYTHON, "-X", "utf8", "-c", PROGRAM, options=("--no-sample",))
    before = digest_of(p.run_dir())
    r = metrics(p, "@", "--json", *patterns)
    assert r.returncode == 0, r
    # Which comes first depends on whether the line of stderr was read before those of stdout.
    found = {m["name"]: m for m in map(json.loads, r.stdout.splitlines())}
    assert set(found) == {"loss", "any"}, found
    loss, any_loss = found["loss"], found["any"]
    assert (loss["count"], loss["last"], loss["last_step"]) == (6, 1.75, 5), loss
    assert (loss["best"], loss["best_step"]) == (1.75, 5), loss
    assert (any_loss["count"], any_loss["nonfinite"]) == (7, 1), any_loss
    assert digest_of(p.run_dir()) == before, "the run is only read"


@test
def metrics_by_pattern_equal_those_taken_while_it_ran(p):
    spec = "loss=step (?<step>\\d+) loss: ([0-9.]+)"
    p.run(PYTHON, "-X", "utf8", "-c", PROGRAM, options=("--no-sample", "--metric", spec))
    r = metrics(p, "@", "--csv", "--pattern", spec)
    rows = [line.split(",") for line in r.stdout.decode().splitlines()]
    assert rows[0] == ["name", "step", "value", "ts", "segment"], rows
    assert [(row[1], row[2]) for row in rows[1:]] == p.points("loss"), rows
    assert all(row[3].endswith("Z") and row[4] == "0" for row in rows[1:]), rows
    only = metrics(p, "@", "lr", "--csv", "--pattern", spec, "--pattern", "lr=loss: ([0-9.]+)").stdout.decode()
    assert only.count("\nlr,") == 6 and "\nloss," not in only, only


@test
def metrics_by_pattern_says_what_matched_nothing(p):
    p.run("echo", "loss 1", options=("--no-sample", "--capture", "patterns"))
    r = metrics(p, "@", "--json", "--pattern", "loss=loss ([0-9.]+)")
    assert r.returncode == 0 and r.stdout == b"", r
    note = json.loads(r.stderr)["note"]
    assert note == 'pattern "loss" matched no kept line: the run was made with capture patterns', note
    r = metrics(p, "@", "--pattern", "loss=loss ((")
    assert r.returncode == 2 and b"^ here" in r.stderr, r
