"""The observer drains the rings of its programs: they spend no time on it, and whatever becomes of either, each record
is in its file once and in order."""
import fcntl
import glob
import json
import os
import signal
import struct
import subprocess
import time

from run_harness import COMMAND, children_of, comm, end_of, guard_of, keeper_of, kill_observers, test, wait_until

JOINER = os.path.join(os.path.dirname(COMMAND), "tests", "m31r_joiner")
FLOCK = "hhqqi4x"
WRITER = 1  # the byte of a ring file that its writer has locked


def count(p, n, pause_us=0, last="", options=()):
    return p.start(JOINER, "count", str(n), str(pause_us), last, options=("--no-sample", *options))


def rings(p):
    """The living ring files of the run."""
    found = []
    for note in glob.glob(os.path.join(p.path, "experiments", "*", ".live", "ring.*")):
        try:
            with open(note) as f:
                found.append(f.read())
        except OSError:
            pass
    return [r for r in found if r and os.path.exists(r)]


def writer_of(p):
    """The process that holds the writer lease of the run's ring."""
    for ring in rings(p):
        with open(ring, "rb") as f:
            asked = struct.pack(FLOCK, fcntl.F_WRLCK, os.SEEK_SET, WRITER, 1, 0)
            answer = struct.unpack(FLOCK, fcntl.fcntl(f, fcntl.F_GETLK, asked))
            if answer[0] != fcntl.F_UNLCK:
                return answer[4]
    return None


def program_of(keeper):
    return wait_until(lambda: [c for c in children_of(keeper) if comm(c) == "m31r_joiner"], "the program")[0]


def acknowledged(p):
    try:
        with open(os.path.join(p.path, "acknowledged"), "rb") as f:
            return struct.unpack("q", f.read(8))[0]
    except (OSError, struct.error):
        return 0


def numbers(p):
    return [r["i"] for r in p.lane("") if r["msg"] == "count"]


def expect_all(p, n):
    got = numbers(p)
    assert got == list(range(n)), (n, len(got), got[:3], got[-3:])
    assert [int(float(v)) for _, v in p.points("tens")] == list(range(9, n, 10)), p.points("tens")[-3:]


def whole_lines(p):
    path = os.path.join(p.run_dir(), "train.log")
    with open(path, "rb") as f:
        return f.read().count(b'"msg":"count"')


def wait_for_writer(p, pid):
    wait_until(lambda: writer_of(p) == pid, f"process {pid} to write")


@test
def the_observer_writes_and_the_program_does_not(p):
    q = count(p, 60, 10000)
    keeper = keeper_of(q.pid)
    wait_for_writer(p, keeper)
    wait_until(lambda: whole_lines(p) > 5, "records that the keeper wrote")
    q.communicate(timeout=30)
    expect_all(p, 60)
    assert not rings(p) and not os.path.exists(os.path.join(p.run_dir(), ".live"))
    lanes = {x["file"]: x for x in p.metadata()["lanes"]}
    assert lanes["train.log"]["records"] == len(p.lane("")), lanes["train.log"]


@test
def kill_9_of_the_observer_costs_nothing(p):
    """Its heir writes on; the numbers are whole, in order, once."""
    q = count(p, 600, 2000)
    for _ in range(2):
        keeper = keeper_of(q.pid)
        wait_for_writer(p, keeper)
        before = acknowledged(p)
        wait_until(lambda: acknowledged(p) > before + 20, "more records")
        os.kill(keeper, signal.SIGKILL)
        wait_until(lambda: keeper_of(q.pid) != keeper, "the heir")
    _, err = q.communicate(timeout=30)
    assert end_of(err)["state"] == "finished", err
    expect_all(p, 600)


@test
def without_observers_the_program_writes_for_itself_soon(p):
    q = count(p, 100000, 2000)
    keeper = keeper_of(q.pid)
    wait_for_writer(p, keeper)
    program = program_of(keeper)
    kill_observers(q)
    wait_for_writer(p, program)
    before = acknowledged(p)
    wait_until(lambda: acknowledged(p) > before + 100 and whole_lines(p) > before, "records that the program wrote")
    os.kill(program, signal.SIGKILL)
    wait_until(lambda: not os.path.exists(f"/proc/{program}") or comm(program) == "", "its end")
    n = acknowledged(p)

    def recovered():
        return subprocess.run([COMMAND, "recover", "@", "--yes"], cwd=p.path, env=p.env, capture_output=True).returncode == 0
    wait_until(recovered, "a recovery")
    got = numbers(p)
    assert got == list(range(len(got))) and len(got) in (n, n + 1), (n, len(got))


@test
def a_stopped_observer_is_continued_and_loses_nothing(p):
    q = count(p, 400, 2000)
    keeper = keeper_of(q.pid)
    wait_for_writer(p, keeper)
    for _ in range(3):
        os.kill(keeper, signal.SIGSTOP)
        time.sleep(0.1)
    q.communicate(timeout=30)
    expect_all(p, 400)


@test
def all_observers_stopped_for_a_moment_lose_nothing(p):
    with open(os.path.join(p.path, "train.yaml"), "w") as f:
        f.write("config_version: 1\nobservability:\n  block_timeout_s: 0.5\n")
    q = count(p, 20000, 0, options=("--config", "train.yaml"))  # more than a ring holds
    keeper = keeper_of(q.pid)
    wait_until(lambda: acknowledged(p) > 100, "the first records")
    observers = (q.pid, guard_of(q.pid), keeper)
    for pid in observers:
        os.kill(pid, signal.SIGSTOP)
    time.sleep(0.2)
    for pid in observers:
        os.kill(pid, signal.SIGCONT)
    q.communicate(timeout=60)
    expect_all(p, 20000)


@test
def what_a_dying_program_said_last_is_there(p):
    for last in ("critical", "exit"):
        for f in glob.glob(os.path.join(p.path, "*")):
            if os.path.isdir(f):
                subprocess.run(["rm", "-rf", f], check=True)
        q = count(p, 50, 0, last)
        q.communicate(timeout=30)
        got = numbers(p)
        assert got == list(range(51 if last == "critical" else 50)), (last, got[-3:])
        lanes = {x["file"]: x for x in p.metadata()["lanes"]}
        assert lanes["train.log"]["records"] == len(p.lane("")), (lanes["train.log"], len(p.lane("")))


@test
def a_lane_is_rotated_while_the_observer_writes(p):
    with open(os.path.join(p.path, "train.yaml"), "w") as f:
        f.write("config_version: 1\nobservability:\n  rotate_mib: 1\n  compress: false\n")
    q = count(p, 16000, 100, options=("--config", "train.yaml"))
    _, err = q.communicate(timeout=60)
    assert end_of(err)["state"] == "finished", err
    segments = sorted(glob.glob(os.path.join(p.run_dir(), "train.*Z.log")))
    assert segments, os.listdir(p.run_dir())
    shown = subprocess.run([COMMAND, "logs", "@", "--lane", "main", "--json"], cwd=p.path, env=p.env,
                           capture_output=True, check=True)
    got = [r["i"] for r in map(json.loads, shown.stdout.splitlines()) if r.get("msg") == "count"]
    assert got == list(range(16000)), (len(got), got[:2], got[-2:])
