"""Runs on a network file system: a real FUSE file system (bindfs) stands for one."""
import json
import os
import shutil
import socket
import subprocess
import time

from run_harness import COMMAND, Skip, children_of, end_of, keeper_of, kill_observers, test, wait_until

JOINER = os.path.join(os.path.dirname(COMMAND), "tests", "m31r_joiner")


class Mounted:
    """A FUSE file system over a directory of the place, with the runs of the place on it."""

    def __init__(self, p):
        self.point = os.path.join(p.path, "experiments")
        below = os.path.join(p.path, "below")
        if shutil.which("bindfs") is None:
            raise Skip("bindfs is not installed")
        os.mkdir(self.point)
        os.mkdir(below)
        if subprocess.run(["bindfs", below, self.point], capture_output=True).returncode != 0:
            raise Skip("no FUSE file system can be mounted here")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for _ in range(50):
            if subprocess.run(["umount", self.point], capture_output=True).returncode == 0:
                return
            time.sleep(0.1)
        subprocess.run(["umount", "-l", self.point], capture_output=True)


def run_of(p):
    return [x for x in p.runs() if not os.path.basename(x).startswith(".")][0]


def live_of(p):
    with open(os.path.join(run_of(p), ".live", "at")) as f:
        return json.load(f)


def m31r(p, *words):
    return subprocess.run([COMMAND, *words], cwd=p.path, env=p.env, capture_output=True, timeout=60)


def expect_whole(p):
    checks = json.loads(m31r(p, "verify", "@", "--complete", "--json").stdout)["checks"]
    bad = [x for x in checks if x["holds"] is False and x["id"] != "OBS-20"]
    assert bad == [], bad


@test
def locks_and_notices_lie_on_a_local_disk(p):
    with Mounted(p):
        q = p.start("sh", "-c", f"'{JOINER}' flood 200; '{COMMAND}' log INFO shell said k=1; echo on; "
                    "until [ -e off ]; do sleep 0.05; done",
                    options=("--no-sample",))
        wait_until(lambda: p.runs() and p.texts() == ["on"], "its line")
        at = live_of(p)
        assert at["because"] == "fuse" and at["host"] == socket.gethostname(), at
        assert at["path"].startswith(f"/tmp/m31r-{os.getuid()}/"), at
        assert os.stat(os.path.dirname(at["path"])).st_mode & 0o77 == 0
        assert set(os.listdir(os.path.join(run_of(p), ".live"))) == {"at", "reserve"}
        assert {"owner", "notices"} <= set(os.listdir(at["path"]))
        assert p.metadata()["live"] == at, p.metadata()["live"]
        assert json.loads(m31r(p, "show", "@", "--json").stdout)["state"] == "running"
        assert b"alive" in m31r(p, "recover", "@", "--yes", "--json").stderr
        open(os.path.join(p.path, "off"), "w").close()
        _, err = q.communicate(timeout=30)
        assert q.returncode == 0 and end_of(err)["state"] == "finished", err
        assert [x["i"] for x in p.lane("") if x["msg"] == "flood"] == list(range(200))
        assert [x["msg"] for x in p.lane("shell")] == ["said"]
        assert not os.path.exists(at["path"]) and ".live" not in "".join(os.listdir(run_of(p))), os.listdir(run_of(p))
        expect_whole(p)


@test
def a_dead_run_on_a_network_file_system_is_recovered(p):
    with Mounted(p):
        q = p.start("sh", "-c", f"'{COMMAND}' log CRITICAL disk gone code=7; echo on; sleep 60", options=("--no-sample",))
        wait_until(lambda: p.runs() and p.texts() == ["on"], "its line")
        at = live_of(p)
        keeper = keeper_of(q.pid)
        program = children_of(keeper)[0]
        kill_observers(q, program)
        wait_until(lambda: json.loads(m31r(p, "show", "@", "--json").stdout)["state"] == "failed", "its end")
        r = m31r(p, "recover", "@", "--yes", "--json")
        assert r.returncode == 0 and json.loads(r.stdout)["cause"] == "critical", r
        assert not os.path.exists(at["path"]) and ".live" not in "".join(os.listdir(run_of(p)))
        expect_whole(p)


@test
def what_a_dead_program_left_in_its_ring_is_read_and_kept(p):
    with Mounted(p):
        q = p.start(JOINER, "hang", options=("--no-sample",))
        keeper = keeper_of(q.pid)
        program = wait_until(lambda: children_of(keeper), "the program")[0]

        def shown():
            lines = m31r(p, "logs", "@", "--module", "joiner", "--json").stdout.splitlines()
            return [json.loads(x)["msg"] for x in lines]
        wait_until(lambda: p.runs() and shown() == ["joined"], "its record")
        kill_observers(q, program)
        assert shown() == ["joined"]
        r = m31r(p, "recover", "@", "--yes", "--json")
        assert r.returncode == 0 and json.loads(r.stdout)["state"] == "crashed", r
        assert [x["msg"] for x in p.lane("") if x["module"] == "joiner"] == ["joined"], p.lane("")
        expect_whole(p)


@test
def a_place_that_a_reboot_took_away_is_recovered_too(p):
    with Mounted(p):
        q = p.start("sleep", "60", options=("--no-sample",))
        keeper = keeper_of(q.pid)
        program = wait_until(lambda: children_of(keeper), "the program")[0]
        wait_until(lambda: os.path.exists(os.path.join(run_of(p), ".live", "at")), "its place")
        wait_until(lambda: p.metadata()["program"], "its program")
        at = live_of(p)
        kill_observers(q, program)
        shutil.rmtree(at["path"])
        r = m31r(p, "recover", "@", "--yes", "--json")
        assert r.returncode == 0 and json.loads(r.stdout)["state"] == "crashed", r
        assert ".live" not in "".join(os.listdir(run_of(p)))
        expect_whole(p)


@test
def processes_of_another_host_are_refused(p):
    with Mounted(p):
        q = p.start("sleep", "60", options=("--no-sample",))
        wait_until(lambda: len(children_of(keeper_of(q.pid))) == 1, "the program")
        at, run = live_of(p), run_of(p)
        with open(os.path.join(run, ".live", "at"), "w") as f:
            json.dump(dict(at, host="elsewhere"), f)
        env = dict(p.env, M31R_RUN_DIR=run)
        r = subprocess.run([COMMAND, "log", "INFO", "x", "y"], cwd=p.path, env=env, capture_output=True)
        assert r.returncode == 1 and b"host elsewhere" in r.stderr and b"cannot take part" in r.stderr, r
        r = subprocess.run([JOINER, "flood", "3"], cwd=p.path, env=env, capture_output=True)
        assert r.returncode == 0 and b"host elsewhere" in r.stderr, r
        with open(os.path.join(run, ".live", "at"), "w") as f:
            json.dump(at, f)
        q.terminate()
        _, err = q.communicate(timeout=30)
        assert end_of(err)["state"] == "interrupted" and p.metadata()["state"] == "interrupted"
