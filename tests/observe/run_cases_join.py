"""Programs and scripts that write into the observed run themselves, and what is left of them at its end."""
import json
import os
import signal
import subprocess

from run_harness import COMMAND, Skip, children_of, end_of, keeper_of, test, wait_until

BUILD = os.path.dirname(COMMAND)
JOINER = os.path.join(BUILD, "tests", "m31r_joiner")
TRAINER = os.path.join(BUILD, "examples", "train", "train")
HERE = os.path.dirname(os.path.abspath(__file__))
SMALL = """config_version: 1
corpus: {corpus}
held_out_percent: 5
width: 16
layers: 1
heads: 2
hidden: 32
context: 32
batch: 2
workers: 1
steps: 4
warmup_steps: 1
learning_rate: 3.0e-3
min_learning_rate: 3.0e-4
beta1: 0.9
beta2: 0.95
weight_decay: 0.1
gradient_clip: 1.0
seed: 42
log_every: 1
checkpoint_every: 4
eval_every: 4
eval_batches: 1
"""


def shown_of(stdout):
    return [json.loads(line) for line in stdout.splitlines()]


def lanes_of(p):
    return [f for f in sorted(os.listdir(p.run_dir())) if f.endswith(".log")]


def expect_all_shown(p, stdout):
    shown = [json.dumps(x) for x in shown_of(stdout)]
    for file in lanes_of(p):
        with open(os.path.join(p.run_dir(), file), encoding="utf-8") as f:
            for line in f:
                n = shown.count(json.dumps(json.loads(line)))
                assert n == 1, f"shown {n} times instead of once: {file}: {line}"


def records_of(p, message):
    return [r for name in ("", "p2", "p3") for r in p.lane(name) if r["msg"] == message]


def trainer_config(p):
    with open(os.path.join(p.path, "train.yaml"), "w") as f:
        f.write(SMALL.format(corpus=os.path.join(HERE, "..", "..", "examples", "corpus")))


@test
def records_of_the_library_are_shown_in_a_pipe(p):
    if not os.path.exists(TRAINER):
        raise Skip("the example trainer is not built")
    trainer_config(p)
    r = p.run("sh", "-c", f"'{TRAINER}' --config train.yaml && '{JOINER}' leave 1",
              options=("--config", "train.yaml"), timeout=120)
    assert r.returncode == 0, r
    assert len([x for x in p.lane("") if x["msg"] == "step_complete"]) == 4
    assert [x["msg"] for x in p.lane("p2") if x["module"] == "joiner"] == ["child_begin", "child_end"], lanes_of(p)
    expect_all_shown(p, r.stdout)


@test
def records_of_the_library_are_shown_on_a_terminal(p):
    if not os.path.exists(TRAINER):
        raise Skip("the example trainer is not built")
    import pty
    trainer_config(p)
    master, slave = pty.openpty()
    q = p.start(TRAINER, "--config", "train.yaml", options=("--config", "train.yaml", "--no-sample"),
                stdin=slave, stdout=slave, stderr=slave)
    os.close(slave)
    seen = b""
    while True:
        try:
            chunk = os.read(master, 65536)
        except OSError:
            break
        if not chunk:
            break
        seen += chunk
    q.wait(timeout=60)
    os.close(master)
    lines = seen.decode().replace("\r", "").split("\n")
    steps = [x for x in lines if "msg=step_complete" in x]
    assert q.returncode == 0 and len(steps) == 4, lines
    assert all(x.startswith("ts=") and " module=trainer " in x and " loss=" in x for x in steps), steps
    assert not any(x.startswith("{") and "run_end" not in x for x in lines), lines


@test
def a_flood_of_records_is_shown_to_its_end(p):
    r = p.run(JOINER, "flood", "30000", options=("--no-sample",))
    assert r.returncode == 0, r.stderr
    shown = [x["i"] for x in shown_of(r.stdout) if x["msg"] == "flood"]
    assert shown == list(range(30000)), (len(shown), shown[:3], shown[-3:])


@test
def scripts_join_by_the_command(p):
    script = (f"'{COMMAND}' log WARNING disk 'disk is filling' used=0.91 where=scratch && "
              f"'{COMMAND}' metric acc 0.75 --step 7 && echo plain")
    r = p.run("sh", "-c", script, options=("--no-sample",))
    assert r.returncode == 0, r
    records = [x for x in p.lane("shell") if x["msg"] == "disk is filling"]
    assert len(records) == 1, (lanes_of(p), p.lane("shell"))
    assert (records[0]["level"], records[0]["module"], records[0]["used"]) == ("WARNING", "disk", 0.91), records
    assert p.points("acc") == [("7", "0.75")]
    expect_all_shown(p, r.stdout)


@test
def a_child_that_outlives_the_program_is_waited_for(p):
    r = p.run(JOINER, "leave", "2", options=("--no-sample",))
    assert r.returncode == 0 and end_of(r.stderr)["state"] == "finished", r
    assert len(records_of(p, "child_begin")) == 1 and len(records_of(p, "child_end")) == 1, lanes_of(p)
    assert all(x["state"] != "abandoned" for x in p.metadata()["lanes"]), p.metadata()["lanes"]
    expect_all_shown(p, r.stdout)


@test
def a_child_that_never_ends_is_abandoned(p):
    q = p.start(JOINER, "leave", "100", options=("--no-sample",))
    _, err = q.communicate(timeout=60)
    assert q.returncode == 0, err
    assert end_of(err)["state"] == "finished"
    states = {x["file"]: x["state"] for x in p.metadata()["lanes"]}
    assert "abandoned" in states.values(), states
    kill_all_in(p)


def kill_all_in(p):
    """What still runs in the environment of this place's run."""
    for path in os.listdir("/proc"):
        if path.isdigit():
            try:
                with open(f"/proc/{path}/environ", "rb") as f:
                    mine = p.run_dir().encode() in f.read()
                if mine:
                    os.kill(int(path), signal.SIGKILL)
            except OSError:
                pass


@test
def a_lane_that_an_orphan_took_over_is_abandoned(p):
    q = p.start(JOINER, "orphan", "40", options=("--no-sample",))
    _, err = q.communicate(timeout=60)
    kill_all_in(p)
    assert q.returncode == 0 and end_of(err)["state"] == "finished", err
    assert [x["msg"] for x in p.lane("") if x["module"] == "joiner"] == ["joined", "orphan"], p.lane("")
    states = {x["file"]: x["state"] for x in p.metadata()["lanes"]}
    assert states["train.log"] == "abandoned", states
    assert [x["msg"] for x in p.lane("observer")][-1] == "run_end", "in the lane that is ours"


@test
def nonfinite_is_the_cause_only_of_a_failure(p):
    end = end_of(p.run(JOINER, "nan", "3", options=("--no-sample",)).stderr)
    assert (end["state"], end["cause"], end["child_exit"]) == ("failed", "nonfinite", 3), end
    evidence = p.metadata()["cause_evidence"]
    assert "likely" in evidence and "loss" in evidence, evidence
    for program, spec in (([JOINER, "nan", "0"], None), (["sh", "-c", "echo l nan; echo l 2; exit 1"], "l=l (\\S+)"),
                          (["sh", "-c", "echo l 2; echo l nan; exit 1"], "l=l (\\S+)")):
        p2 = type(p)()
        end = end_of(p2.run(*program, options=("--no-sample",) + (("--metric", spec) if spec else ())).stderr)
        expected = (("finished", None) if spec is None else
                    ("failed", "exit_status" if "echo l 2; exit" in program[2] else "nonfinite"))
        assert (end["state"], end["cause"]) == expected, (program, end)
        p2.remove()


@test
def capture_off_keeps_no_text(p):
    r = p.run("sh", "-c", "echo hidden; echo loss 2", options=(
        "--no-sample", "--capture", "off", "--metric", "loss=loss ([0-9]+)"))
    assert r.returncode == 0 and p.metadata()["capture"] == "off"
    assert p.lane("stdout") == [] and b"hidden" not in r.stdout.replace(b"echo hidden", b"")
    counts = [x for x in p.events("capture_counts") if x["stream"] == "stdout"]
    assert (counts[0]["lines"], counts[0]["capture"]) == (2, "off"), counts


@test
def stage_eval_captures_patterns(p):
    p.run("echo", "prompt", options=("--no-sample", "--stage", "eval"))
    assert p.metadata()["capture"] == "patterns" and p.lane("stdout", "eval") == []
    p2 = type(p)()
    p2.run("echo", "text", options=("--no-sample", "--stage", "eval", "--capture", "full"))
    assert [x["line"] for x in p2.lane("stdout", "eval")] == ["text"], "the option wins"
    p2.remove()


@test
def capture_from_the_config(p):
    with open(os.path.join(p.path, "c.yaml"), "w") as f:
        f.write("config_version: 1\nobservability:\n  capture: patterns\n")
    p.run("echo", "text", options=("--no-sample", "--config", "c.yaml"))
    assert p.metadata()["capture"] == "patterns" and p.lane("stdout") == []
    p2 = type(p)()
    with open(os.path.join(p2.path, "c.yaml"), "w") as f:
        f.write("config_version: 1\nobservability:\n  capture: some\n")
    r = p2.run("true", options=("--config", "c.yaml"))
    assert r.returncode == 2 and b"c.yaml" in r.stderr and b"3" in r.stderr and p2.runs() == [], r
    p2.remove()


@test
def io_of_the_program_is_sampled(p):
    kind = subprocess.run(["stat", "-f", "-c", "%T", p.path], capture_output=True, text=True).stdout.strip()
    if kind in ("tmpfs", "ramfs", "overlayfs", "9p", "nfs", ""):
        raise Skip(f"files here lie on {kind or 'an unknown kind of disk'}: no writes to count")
    r = p.run("sh", "-c", "dd if=/dev/zero of=big bs=1M count=20 2>/dev/null && sleep 1",
              options=("--sample-interval", "0.2"))
    samples = p.events("system_sample")
    assert r.returncode == 0 and max(s["write_mb"] for s in samples) >= 15, samples
    assert float(p.points("system.write_mb")[-1][1]) >= 15


@test
def resume_through_run(p):
    p.run("false", options=("--no-sample",))
    first = os.path.basename(p.run_dir())
    r = p.run("true", options=("--no-sample", "--resume", first))
    assert r.returncode == 0, r
    second = end_of(r.stderr)["run_id"]
    with open(os.path.join(p.path, "experiments", second, "metadata.json")) as f:
        assert json.load(f)["resumes"]["run"] == first
    r = p.run("true", options=("--resume", "nothing-like-it"))
    assert r.returncode in (1, 2) and b"nothing-like-it" in r.stderr and len(p.runs()) == 2, r


@test
def a_running_run_is_not_resumed(p):
    q = p.start("sleep", "20", options=("--no-sample",))
    wait_until(lambda: len(children_of(keeper_of(q.pid))) == 1, "the program")
    running = os.path.basename(p.run_dir())
    r = p.run("true", options=("--resume", running))
    q.terminate()
    q.communicate(timeout=30)
    assert r.returncode in (1, 2) and b"still running" in r.stderr and len(p.runs()) == 1, r


@test
def digest_of_a_large_dataset_shows_its_progress(p):
    os.mkdir(os.path.join(p.path, "data"))
    with open(os.path.join(p.path, "data", "sparse.bin"), "wb") as f:
        f.truncate(6 << 30)
    q = p.start("sleep", "20", options=("--no-sample", "--dataset", "data"))
    wait_until(lambda: len(children_of(keeper_of(q.pid))) == 1, "the program")
    shown = subprocess.run([COMMAND, "show", "@", "--json"], cwd=p.path, env=p.env, capture_output=True)
    text = subprocess.run([COMMAND, "show", "@", "--text"], cwd=p.path, env=p.env, capture_output=True)

    def progress():
        try:
            return p.events("fingerprint_progress")
        except (AssertionError, ValueError):
            return None
    event = wait_until(progress, "fingerprint_progress")[0]
    q.terminate()
    q.communicate(timeout=60)
    dataset = json.loads(shown.stdout)["dataset"]
    assert dataset["status"] == "pending" and dataset["digest"] is None, dataset
    assert b"digest pending" in text.stdout, text.stdout.decode()
    assert event["bytes"] > 0 and event["files"] >= 0, event
