"""A program that gets 15 % slower from some commit on: the gate names it, and nothing before."""
import json
import os
import re
import subprocess

from run_harness import COMMAND, PYTHON, Skip, need, test

# Says how long its steps took: each run its own 2 %, as equal runs differ on a machine that does nothing else. It does not
# take that long: what a busy machine makes of 50 ms is not what is tested here. The training below is not made up.
PROGRAM = """import os, random
rng = random.Random(os.environ["RUN_NUMBER"])
level = 50 * {factor} * (1 + rng.gauss(0, 0.02))
for step in range(1, 21):
    print(f"step {{step}}: {{level * (1 + rng.gauss(0, 0.03)):.3f}} ms")
"""
TRAIN = os.path.join(os.path.dirname(COMMAND), "examples", "train", "train")
SMALL = {"width": 32, "layers": 1, "heads": 2, "hidden": 64, "workers": 1, "steps": 200,
         "checkpoint_every": 200, "eval_every": 200, "eval_batches": 1}


def git(p, *words):
    subprocess.run(["git", *words], cwd=p.path, env=p.env, check=True, capture_output=True)


def write(p, name, text):
    with open(os.path.join(p.path, name), "w", encoding="utf-8") as f:
        f.write(text)


def begin(p):
    need("git")
    git(p, "init", "-q")
    git(p, "config", "user.name", "t")
    git(p, "config", "user.email", "t@example.org")
    write(p, ".gitignore", "experiments/\n.cache\n.*\nm31r\n")


def commit_and_run(p, n, *program, options=()):
    """Runs the n-th commit; its id."""
    git(p, "add", "-A")
    git(p, "commit", "-q", "--allow-empty", "-m", f"change {n}")
    before = set(p.runs())
    done = p.run(*program, options=options, timeout=120)
    assert done.returncode == 0, done.stderr[-2000:]
    new = set(p.runs()) - before
    assert len(new) == 1, new
    return os.path.basename(new.pop())


def gate(p, *words):
    """Exit status and the group that it judged."""
    done = subprocess.run([COMMAND, "trend", *words, "--gate", "--json"], cwd=p.path, env=p.env,
                          capture_output=True, text=True, timeout=60)
    groups = [json.loads(x) for x in done.stdout.splitlines() if '"kind":"trend",' in x]
    assert len(groups) == 1, done.stdout + done.stderr
    return done.returncode, groups[0]


def play(p, metric, run, n_equal):
    """`run(n, is_slow)` gives a run's id. Equal runs, each of them gated, then slow ones until the gate fails."""
    for n in range(10):
        run(n, False)
    for n in range(n_equal):
        run(10 + n, False)
        status, group = gate(p, *metric)
        assert status == 0 and group["verdict"] != "failed", (n, group)
    first = run(10 + n_equal, True)
    for n in range(1, 15):
        status, group = gate(p, *metric)
        if status == 4:
            break
        run(10 + n_equal + n, True)
    assert status == 4 and group["verdict"] == "failed", group
    assert n >= 3, "four runs make a level at the end"
    assert group["first_bad_run"] == first, (first, group)
    assert first in group["reason"], group


@test
def trend_gate_names_the_commit_that_made_it_slower(p):
    begin(p)

    def run(n, is_slow):
        write(p, "train.py", PROGRAM.format(factor=1.15 if is_slow else 1))
        p.env["RUN_NUMBER"] = str(n)
        return commit_and_run(p, n, PYTHON, "train.py", options=(
            "--no-sample", "--metric", r"step_ms=step (?<step>\d+): ([0-9.]+) ms"))

    play(p, ["step_ms", "--goal", "min"], run, 20 if os.environ.get("M31R_SOAK") else 4)


@test
def trend_gate_on_the_training_of_the_demo(p):
    if not os.environ.get("M31R_SOAK") or not os.path.exists(TRAIN):
        raise Skip("thirty trainings, more than a minute: M31R_SOAK")
    begin(p)
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "examples", "train",
                           "train.yaml"), encoding="utf-8") as f:
        config = f.read()
    for key, value in SMALL.items():
        config = re.sub(rf"(?m)^{key}: \S+", f"{key}: {value}", config)
    write(p, "train.yaml", config)

    def run(n, is_slow):
        write(p, "train.sh", f"TRAIN_SLOW_PERCENT={15 if is_slow else 0} exec {TRAIN} --config train.yaml\n")
        return commit_and_run(p, n, "sh", "train.sh", options=("--config", "train.yaml"))

    play(p, ["tokens_per_sec"], run, 20)
