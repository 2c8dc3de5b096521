"""What goes wrong inside a run is recorded while it runs, once; and ends the program only when that was asked for."""
import json
import os
import signal
import subprocess

from run_harness import COMMAND, PYTHON, Skip, end_of, keeper_of, need, test, wait_until

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
LOSS = ("--metric", r"loss=step (?<step>\d+): loss (\S+)")
PRINT_LOSS = """
import time
for i in range(1, {n} + 1):
    print(f"step {{i}}: loss {{'nan' if {bad} else 3 + i % 2 / 100}}", flush=True)
    time.sleep({pause})
"""
# Holds on to 40 kB a step, and says what the kernel says of it.
LEAK = """
kept = []
for i in range(1, 1201):
    kept.append(bytearray(b"x" * 40000))
    with open("/proc/self/status") as f:
        rss = next(line for line in f if line.startswith("VmRSS"))
    print(f"step {i}: rss {int(rss.split()[1]) / 1024}", flush=True)
"""
STALL = """
import time
for i in range(1, 41):
    print(f"step {i}: loss {3 + i % 2 / 100}", flush=True)
    time.sleep(12 if i == 30 else 0.03)
"""


def prints(n, bad, pause=0.01):
    return [PYTHON, "-c", PRINT_LOSS.format(n=n, bad=bad, pause=pause)]


def found(p, *words):
    r = subprocess.run([COMMAND, "anomalies", "@", "--json", *words], cwd=p.path, env=p.env, capture_output=True,
                       check=True)
    return [json.loads(line) for line in r.stdout.splitlines()]


def kinds(records):
    return [(r["kind"], r["metric"], r["step"]) for r in records]


@test
def nan_is_recorded_once_and_ends_nothing(p):
    done = p.run(*prints(200, "50 <= i < 120"), options=(*LOSS, "--no-sample"))
    assert done.returncode == 0 and end_of(done.stderr)["state"] == "finished"
    assert kinds(p.events("anomaly")) == [("nonfinite", "loss", 50)], p.events("anomaly")
    record = p.events("anomaly")[0]
    assert (record["level"], record["severity"]) == ("WARNING", "error"), record
    assert record["evidence"] == "NaN; last finite 3.01", record
    assert kinds(p.events("anomaly_cleared")) == [("nonfinite", "loss", 135)]
    assert len(p.texts()) == 200 and len(p.points("loss")) == 200
    told = found(p)
    assert [(a["anomaly"], a["step"], a["cleared_step"], a["open"]) for a in told] == [("nonfinite", 50, 135, False)]
    assert (told[0]["file"], told[0]["line"]) == ("metrics.csv", 51), told
    assert told[0]["record_file"] == "train.observer.log", told
    with open(os.path.join(p.run_dir(), "train.observer.log")) as f:
        assert json.loads(f.read().split("\n")[told[0]["record_line"] - 1]) == record


@test
def nan_in_the_last_step_is_recorded(p):
    done = p.run(*prints(30, "i == 30", 0), options=(*LOSS, "--no-sample"))
    assert done.returncode == 0
    assert kinds(p.events("anomaly")) == [("nonfinite", "loss", 30)]


@test
def stop_on_nan_ends_the_program_and_all_it_started(p):
    with open(os.path.join(p.path, "train.sh"), "w") as f:  # the shell waits: its child prints
        f.write(f"{PYTHON} train.py\necho not reached\n")
    with open(os.path.join(p.path, "train.py"), "w") as f:
        f.write(PRINT_LOSS.format(n=6000, bad="i > 40", pause=0.01))
    done = p.run("sh", "train.sh", options=(*LOSS, "--no-sample", "--stop-on", "nan,diverged"))
    end = end_of(done.stderr)
    assert done.returncode == -signal.SIGTERM, done.returncode
    assert (end["state"], end["cause"], end["child_exit"]) == ("failed", "nonfinite", "SIGTERM"), end
    meta = p.metadata()
    assert meta["cause_evidence"] == "--stop-on nan: loss at step 41: NaN; last finite 3", meta["cause_evidence"]
    assert [r["signal"] for r in p.events("program_stopped_by_rule")] == ["SIGTERM"]
    shown = subprocess.run([COMMAND, "show", "@", "--text"], cwd=p.path, env=p.env, capture_output=True, check=True)
    assert b"warned    nonfinite in loss at step 41\n" in shown.stdout, shown.stdout
    explained = subprocess.run([COMMAND, "explain", "@", "--json"], cwd=p.path, env=p.env, capture_output=True)
    warned = [s for s in json.loads(explained.stdout)["statements"] if s["topic"] == "warned"]
    assert [(s["file"], s["line"] > 0) for s in warned] == [("train.observer.log", True)], warned
    assert warned[0]["text"].startswith("nonfinite in loss at step 41, "), warned
    assert "not reached" not in p.texts()
    assert len(p.texts()) < 3000


@test
def stop_on_diverged_leaves_nan_alone(p):
    done = p.run(*prints(150, "i > 100"), options=(*LOSS, "--no-sample", "--stop-on", "diverged"))
    assert done.returncode == 0 and end_of(done.stderr)["state"] == "finished", done.stderr


@test
def stop_on_of_another_word_is_refused(p):
    done = p.run("true", options=("--stop-on", "nan,spike"))
    assert done.returncode == 1 and not p.runs(), done
    assert b"stop-on is nan, diverged or nan,diverged" in done.stderr, done.stderr


@test
def the_trainer_with_an_absurd_learning_rate_is_stopped(p):
    trainer = os.path.join(os.path.dirname(COMMAND), "examples", "train", "train")
    need(trainer)
    small = {"learning_rate": 10, "min_learning_rate": 10, "gradient_clip": 1000000, "warmup_steps": 1, "width": 16,
             "layers": 1, "heads": 2, "hidden": 32, "context": 32, "batch": 4, "steps": 20000, "log_every": 1,
             "eval_every": 20000}
    with open(os.path.join(SOURCE, "examples", "train", "train.yaml")) as f:
        lines = [line if line.split(":")[0] not in small else f"{line.split(':')[0]}: {small[line.split(':')[0]]}\n"
                 for line in f]
    with open(os.path.join(p.path, "train.yaml"), "w") as f:
        f.writelines(lines)
    done = p.run(trainer, "--config", "train.yaml", "--corpus", os.path.join(SOURCE, "examples", "corpus"),
                 options=("--no-sample", "--stop-on", "nan,diverged"))
    end = end_of(done.stderr)
    assert (end["state"], end["cause"]) in (("failed", "diverged"), ("failed", "nonfinite")), (end, done.stderr[-500:])
    first = p.events("anomaly")[0]
    assert first["kind"] in ("diverge", "nonfinite") and first["metric"] == "loss" and first["step"] <= 20, first
    saved = [a for a in p.metadata()["artifacts"] if a["role"] == "checkpoint"]
    assert saved, "SIGTERM lets the trainer write its checkpoint"


@test
def a_program_that_leaks_is_told(p):
    done = p.run(PYTHON, "-c", LEAK, options=("--no-sample", "--metric", r"memory_mb=step (?<step>\d+): rss (\S+)"))
    assert done.returncode == 0, done.stderr
    assert [(a["anomaly"], a["metric"], a["severity"]) for a in found(p)] == [("leak", "memory_mb", "warning")], found(p)
    assert [r["kind"] for r in p.events("anomaly")] == ["leak"]


@test
def a_program_that_stands_still_is_told_while_it_does(p):
    if not os.environ.get("M31R_SOAK"):
        raise Skip("a stall takes ten seconds at least: M31R_SOAK")
    process = p.start(PYTHON, "-c", STALL, options=(*LOSS, "--no-sample"))
    live = wait_until(lambda: p.runs() and [a for a in found(p) if a["anomaly"] == "stalled"], "a stall", 40)
    assert process.poll() is None and live[0]["step"] == 30, live
    process.communicate(timeout=40)
    assert kinds(p.events("anomaly")) == [("stalled", None, 30)], p.events("anomaly")
    assert kinds(p.events("anomaly_cleared")) == [("stalled", None, 31)]
    assert [(a["anomaly"], a["open"]) for a in found(p)] == [("stalled", False)]


@test
def an_heir_of_the_observer_tells_nothing_twice(p):
    process = p.start(*prints(400, "20 <= i < 60 or 300 <= i < 340", 0.02), options=(*LOSS, "--no-sample"))
    wait_until(lambda: p.runs() and p.events("anomaly"), "the first anomaly", 30)
    os.kill(keeper_of(process.pid), signal.SIGKILL)
    process.communicate(timeout=60)
    assert kinds(p.events("anomaly")) == [("nonfinite", "loss", 20), ("nonfinite", "loss", 300)], p.events("anomaly")


@test
def config_turns_it_off(p):
    with open(os.path.join(p.path, "quiet.yaml"), "w") as f:
        f.write("config_version: 1\nobservability:\n  anomalies: false\n")
    done = p.run(*prints(60, "i > 20"), options=(*LOSS, "--no-sample", "--config", "quiet.yaml"))
    assert done.returncode == 0
    assert p.events("anomaly") == []
    assert [a["anomaly"] for a in found(p)] == ["nonfinite"], "it is in the points all the same"


@test
def ranks_are_compared_while_they_run(p):
    step = (r"import sys,time\nfor i in range(1, 401):\n"
            r"    print(f'step {i}: took {110 if int(sys.argv[1]) == 2 and i > 200 else 100}', flush=True)\n"
            r"    time.sleep(0.005)\n").encode().decode("unicode_escape")
    processes = []
    for rank in range(3):
        env = dict(p.env, RANK=str(rank), WORLD_SIZE="3", TORCHELASTIC_RUN_ID="none", MASTER_ADDR="127.0.0.1",
                   MASTER_PORT="job-1")
        processes.append(subprocess.Popen(
            [COMMAND, "run", "--try", "--no-sample", "--metric", r"step_ms=step (?<step>\d+): took (\S+)", "--", PYTHON,
             "-c", step, str(rank)], cwd=p.path, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE))
    assert [q.communicate(timeout=60) and q.returncode for q in processes] == [0, 0, 0]
    stragglers = [r for r in p.events("anomaly") if r["kind"] == "straggler"]
    assert [(r["metric"], r["rank"]) for r in stragglers] == [("step_ms", 2)], p.events("anomaly")
    told = [a for a in found(p) if a["anomaly"] == "straggler"]
    assert [(a["rank"], a["record_file"]) for a in told] == [(2, "train.observer.log")], told
