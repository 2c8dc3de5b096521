"""m31r recover: runs whose observers, or whose own process, were killed."""
import json
import os
import random
import signal
import socket
import subprocess
import time

from run_harness import COMMAND, PYTHON, children_of, keeper_of, kill_observers, test, wait_until

JOINER = os.path.join(os.path.dirname(COMMAND), "tests", "m31r_joiner")


def m31r(p, *words):
    return subprocess.run([COMMAND, *words], cwd=p.path, env=p.env, capture_output=True, timeout=60)


def recover(p, *words):
    r = m31r(p, "recover", *words, "--json")
    lines = [json.loads(line) for line in r.stdout.splitlines()]
    return r, [x for x in lines if x["kind"] == "recovery"]


def state_of(p, run="@"):
    return json.loads(m31r(p, "show", run, "--json").stdout)["state"]


def faults(p):
    r = m31r(p, "verify", "@", "--complete", "--json")
    return [x for x in json.loads(r.stdout)["checks"] if x["holds"] is False and x["id"] != "OBS-20"]


def live(p):
    return [x for x in os.listdir(p.run_dir()) if x.startswith(".live")]


def kill_all_of(q):
    """The observers and the program."""
    program = wait_until(lambda: children_of(keeper_of(q.pid)), "the program")[0]
    kill_observers(q, program)


def leave_dead_run(p, script="echo step 1 loss 2.5; echo two; sleep 60", n_lines=2, state="crashed"):
    q = p.start("sh", "-c", script, options=("--no-sample", "--metric", "loss=step (?<step>[0-9]+) loss ([0-9.]+)"))
    wait_until(lambda: p.runs() and len(p.texts()) == n_lines, "its lines")
    kill_all_of(q)
    wait_until(lambda: state_of(p) == state, "the crash to be seen")


def files_of(path):
    found = {}
    for root, _, files in os.walk(path):
        for f in files:
            with open(os.path.join(root, f), "rb") as stream:
                found[os.path.join(root, f)] = stream.read()
    return found


def unseal(run):
    """As if the keeper had been killed before it sealed the run."""
    os.remove(os.path.join(run, "manifest.json"))
    os.remove(os.path.join(run, "..", ".seals.jsonl"))


@test
def a_dead_run_is_ended_and_sealed(p):
    leave_dead_run(p)
    before = files_of(p.run_dir())
    r, seen = recover(p, "@")
    assert r.returncode == 0 and seen[0]["recovery"] == "needed" and seen[0]["ends"] and seen[0]["seals"], (r, seen)
    assert files_of(p.run_dir()) == before and b"--yes" in r.stderr, "a dry run changes nothing"
    r, seen = recover(p, "@", "--yes")
    assert r.returncode == 0 and seen[0]["recovery"] == "done", (r, seen)
    assert (seen[0]["state"], seen[0]["cause"]) == ("crashed", "unknown"), seen
    meta = p.metadata()
    assert (meta["state"], meta["cause"]) == ("crashed", "unknown") and meta["end"] < meta["recovered"]["at"], meta
    assert state_of(p) == "crashed" and live(p) == [] and faults(p) == [], faults(p)
    end = p.lane("")[-1]
    assert (end["msg"], end["state"], end["level"], end["recovered"]) == ("run_end", "crashed", "ERROR", True), end
    assert p.texts() == ["step 1 loss 2.5", "two"] and p.points("loss") == [("1", "2.5")]
    with open(os.path.join(p.run_dir(), "metrics.json")) as f:
        assert json.load(f)["metrics"]["loss"]["last"] == 2.5
    assert {x["state"] for x in meta["lanes"]} == {"abandoned"}, meta["lanes"]
    after = files_of(p.run_dir())
    r, seen = recover(p, "@", "--yes")
    assert r.returncode == 0 and seen[0]["recovery"] == "nothing" and files_of(p.run_dir()) == after, (r, seen)


@test
def a_live_run_is_refused(p):
    q = p.start("sleep", "60", options=("--no-sample",))
    wait_until(lambda: len(children_of(keeper_of(q.pid))) == 1, "the program")
    for words in (("@",), ("@", "--yes")):
        r, seen = recover(p, *words)
        assert r.returncode == 1 and b"alive" in r.stderr and not seen, r
    r, seen = recover(p, "--all", "--yes")
    assert r.returncode == 0 and [x["recovery"] for x in seen] == ["live"], (r, seen)
    q.terminate()
    q.communicate(timeout=30)
    assert live(p) == [] and p.metadata()["state"] == "interrupted"


@test
def a_run_whose_program_lives_is_refused(p):
    q = p.start("sleep", "60", options=("--no-sample",))
    keeper = keeper_of(q.pid)
    program = wait_until(lambda: children_of(keeper), "the program")[0]
    wait_until(lambda: p.metadata()["program"], "the program to be known")
    kill_observers(q)
    try:
        assert state_of(p) == "running"
        r, _ = recover(p, "@", "--yes")
        assert r.returncode == 1 and b"the program is alive" in r.stderr, r
    finally:
        os.kill(program, signal.SIGKILL)
    wait_until(lambda: state_of(p) == "crashed", "the crash to be seen")
    r, seen = recover(p, "@", "--yes")
    assert r.returncode == 0 and seen[0]["recovery"] == "done" and faults(p) == [], (r, seen)


def pretend_other_host(p):
    for name in (".live/owner", "metadata.json"):
        path = os.path.join(p.run_dir(), name)
        with open(path) as f:
            text = f.read()
        with open(path, "w") as f:
            f.write(text.replace(f'"{socket.gethostname()}"', '"elsewhere"'))


@test
def state_is_unknown_on_another_host_and_recover_is_refused(p):
    leave_dead_run(p)
    pretend_other_host(p)
    shown = json.loads(m31r(p, "show", "@", "--json").stdout)
    assert shown["state"] == "unknown" and "elsewhere" in shown["state_why"], shown
    row = json.loads(m31r(p, "runs", "--json").stdout.splitlines()[0])
    assert row["state"] == "unknown", row
    before = files_of(p.run_dir())
    for words in (("@",), ("@", "--yes")):
        r, _ = recover(p, *words)
        assert r.returncode == 1 and b"elsewhere" in r.stderr and b"there" in r.stderr, r
    r, seen = recover(p, "--all", "--yes")
    assert r.returncode == 0 and [x["recovery"] for x in seen] == ["remote"], (r, seen)
    assert files_of(p.run_dir()) == before


@test
def an_end_that_was_recorded_stands(p):
    """The keeper killed in the middle of ending: .live.ending, run_end written, metadata without an end."""
    p.run("sh", "-c", "echo one; exit 3", options=("--no-sample",))
    run = p.run_dir()
    unseal(run)
    os.mkdir(os.path.join(run, ".live.ending"))
    for name in os.listdir(run):
        if os.path.isfile(os.path.join(run, name)):
            os.chmod(os.path.join(run, name), 0o644)
    meta = p.metadata()
    for key in ("state", "end", "exit_status", "cause"):
        meta[key] = None
    with open(os.path.join(run, "metadata.json"), "w") as f:
        json.dump(meta, f)
    assert state_of(p) == "crashed"
    r, seen = recover(p, "@", "--yes")
    assert r.returncode == 0 and (seen[0]["state"], seen[0]["cause"]) == ("failed", "exit_status"), (r, seen)
    ends = [x for x in p.lane("") if x["msg"] == "run_end"]
    assert len(ends) == 1 and p.metadata()["exit_status"] == 3 and p.metadata()["end"] == ends[0]["ts"]
    assert live(p) == [] and faults(p) == [], faults(p)


@test
def a_run_that_only_lacks_its_seal_is_sealed(p):
    p.run("echo", "one", options=("--no-sample",))
    unseal(p.run_dir())
    before = files_of(p.run_dir())
    r, seen = recover(p, "@", "--yes")
    assert r.returncode == 0 and seen[0]["recovery"] == "done" and not seen[0]["ends"] and seen[0]["seals"], (r, seen)
    after = files_of(p.run_dir())
    assert faults(p) == [] and p.metadata()["state"] == "finished"
    assert {k: v for k, v in after.items() if "m" in k and k in before and not k.endswith("metrics.json")} == {
        k: v for k, v in before.items() if not k.endswith("metrics.json")}


@test
def a_run_whose_seal_was_taken_away_is_not_made_whole_by_a_new_one(p):
    p.run("echo", "one", options=("--no-sample",))
    log = os.path.join(p.run_dir(), "train.stdout.log")
    os.remove(os.path.join(p.run_dir(), "manifest.json"))
    r = m31r(p, "verify", "@", "--json")
    assert r.returncode == 4 and json.loads(r.stdout)["verdict"] == "incomplete", r
    os.chmod(log, 0o644)
    with open(log, "r+b") as f:
        text = f.read().replace(b"one", b"two")
        f.seek(0)
        f.write(text)
    os.remove(os.path.join(p.run_dir(), "blocks.jsonl"))
    recover(p, "@", "--yes")
    r = m31r(p, "verify", "@", "--json")
    said = [c["why"] for c in json.loads(r.stdout)["checks"] if c["holds"] is False]
    assert r.returncode == 4 and "it was sealed with another root before" in said, r


@test
def a_run_killed_while_it_was_made_is_ended(p):
    run = os.path.join(p.path, "experiments", "20261123T102651Z-0badcafe")
    os.makedirs(os.path.join(run, ".live"))
    with open(os.path.join(run, ".live", "owner"), "w") as f:
        f.write(json.dumps({"run_id": os.path.basename(run), "pid": 999999999, "start_ticks": 1,
                            "boot_id": "", "host": socket.gethostname()}) + "\n")
    r, seen = recover(p, "--all", "--yes")
    assert r.returncode == 0 and [x["recovery"] for x in seen] == ["done"], (r, seen)
    assert p.metadata()["state"] == "crashed" and live(p) == [], p.metadata()
    assert state_of(p) == "crashed"


@test
def what_the_program_stated_is_its_cause(p):
    leave_dead_run(p, f"echo one; '{COMMAND}' log CRITICAL disk gone code=7; echo two; sleep 60", state="failed")
    r, seen = recover(p, "@", "--yes")
    assert (seen[0]["state"], seen[0]["cause"]) == ("failed", "critical"), (r, seen)


@test
def torn_ends_are_kept_as_records(p):
    leave_dead_run(p)
    for name, torn in (("train.stdout.log", b'{"ts":"2026-11-23T10:26:51.1'), ("metrics.csv", b"loss,2,1."),
                       ("train.log", b"password=hunter2hunter2 \x1b[31m\xff")):
        with open(os.path.join(p.run_dir(), name), "ab") as f:
            f.write(torn)
    r, seen = recover(p, "@")
    assert seen[0]["torn"] == 3, seen
    r, seen = recover(p, "@", "--yes")
    assert r.returncode == 0 and faults(p) == [], (r, faults(p))
    main = [x for x in p.lane("") if x["msg"] == "torn_tail"]
    assert sorted(x["file"] for x in main) == ["metrics.csv", "train.log"], main
    assert "hunter2" not in json.dumps(main) and p.lane("")[-1]["msg"] == "run_end", main
    kept = [x for x in p.lane("stdout") if x["msg"] == "torn_tail"]
    assert (kept[0]["bytes"], kept[0]["tail"]) == (28, '{"ts":"2026-11-23T10:26:51.1'), kept
    assert p.points("loss") == [("1", "2.5")]


@test
def a_recovery_killed_at_any_instant_is_run_again(p):
    leave_dead_run(p, "i=0; while [ $i -lt 2000 ]; do i=$((i+1)); echo step $i loss 2.5; done; sleep 60", 2000)
    with open(os.path.join(p.run_dir(), "checkpoints", "big.bin"), "wb") as f:
        f.write(os.urandom(8 << 20))
    draw = random.Random(7)
    n_killed = 0
    for _ in range(40):
        q = subprocess.Popen([COMMAND, "recover", "@", "--yes", "--json"], cwd=p.path, env=p.env,
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(draw.random() * 0.12)
        q.kill()
        n_killed += q.wait(timeout=30) == -signal.SIGKILL
        if live(p) == []:
            break
    r, seen = recover(p, "@", "--yes")
    assert r.returncode == 0 and seen[0]["recovery"] in ("done", "nothing"), (r, seen)
    assert n_killed > 0 and live(p) == [] and faults(p) == [], (n_killed, faults(p))
    ends = [x for x in p.lane("") if x["msg"] == "run_end"]
    assert len(ends) == 1 and len(p.texts()) == 2000 and len(p.points("loss")) == 2000, ends
    assert p.metadata()["end"] == ends[0]["ended"], (p.metadata()["end"], ends)


@test
def two_recoveries_at_once_do_it_once(p):
    leave_dead_run(p)
    both = [subprocess.Popen([COMMAND, "recover", "@", "--yes", "--json"], cwd=p.path, env=p.env,
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(4)]
    out = [q.communicate(timeout=60) for q in both]
    assert any(q.returncode == 0 for q in both), out
    assert len([x for x in p.lane("") if x["msg"] == "run_end"]) == 1 and faults(p) == [], out


@test
def a_program_of_its_own_run_is_recovered_too(p):
    for git in (["init", "-q"], ["-c", "user.name=t", "-c", "user.email=t@example.org", "commit", "-qm", "one",
                                 "--allow-empty"]):
        subprocess.run(["git", *git], cwd=p.path, env=p.env, check=True)
    with open(os.path.join(p.path, "m31r.yaml"), "w") as f:
        f.write("config_version: 1\nconfig: none\nseed: 1\ndataset: none\ntokenizer: none\n")
    q = subprocess.Popen([JOINER, "hang"], cwd=p.path, env=p.env, stdout=subprocess.DEVNULL)
    wait_until(lambda: p.runs() and p.lane(""), "its first record")
    wait_until(lambda: any(x["msg"] == "joined" for x in p.lane("")), "its own record")
    q.kill()
    q.wait(timeout=30)
    r, seen = recover(p, "@", "--yes")
    assert r.returncode == 0 and (seen[0]["state"], seen[0]["recovery"]) == ("crashed", "done"), (r, seen)
    assert faults(p) == [] and p.lane("")[-1]["msg"] == "run_end", faults(p)


@test
def misuse_of_recover_is_said(p):
    for words in ((), ("@", "--all")):
        r, _ = recover(p, *words)
        assert r.returncode == 1 and b"RUN, or --all" in r.stderr, r
    os.mkdir(os.path.join(p.path, "experiments"))
    r, seen = recover(p, "--all")
    assert r.returncode == 0 and not seen and b"every run has ended" in r.stderr, r
    r, _ = recover(p, "nothing-like-it")
    assert r.returncode == 1, r
