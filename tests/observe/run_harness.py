"""What the tests of m31r run share: starting it, reading what it left, and the list of tests."""
import glob
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import e2e  # noqa: E402
from e2e import Skip, need, test, wait_until  # noqa: E402,F401

COMMAND = os.path.abspath(sys.argv[1]) if len(sys.argv) > 1 else "m31r"
FAKE_NVML = os.path.abspath(sys.argv[2]) if len(sys.argv) > 2 else None
SHARED = os.environ.get("M31R_SHARED") or os.path.join(
    os.path.dirname(os.path.abspath(__file__)), "..", "..", "..", "shared")
SHARED = os.path.abspath(SHARED)
PYTHON = sys.executable
LAUNCHER = ("M31R_", "RANK", "WORLD_SIZE", "SLURM_", "OMPI_", "PMIX_", "TORCHELASTIC_", "MASTER_")


class Place:
    """A working directory of its own, and what runs left there."""

    def __init__(self):
        self.path = tempfile.mkdtemp(prefix="m31r-run-")
        self.env = dict(os.environ, HOME=self.path, XDG_CACHE_HOME=self.path)
        for name in list(self.env):
            if name.startswith(LAUNCHER):
                del self.env[name]

    def options(self, *options):
        return [COMMAND, "run", "--try", *options, "--"]

    def run(self, *program, options=(), **more):
        more.setdefault("timeout", 60)
        more.setdefault("stdin", subprocess.DEVNULL)
        return subprocess.run(self.options(*options) + list(program), cwd=self.path, env=self.env,
                              capture_output=True, **more)

    def start(self, *program, options=(), **more):
        more.setdefault("stdin", subprocess.DEVNULL)
        more.setdefault("stdout", subprocess.DEVNULL)
        more.setdefault("stderr", subprocess.PIPE)
        return subprocess.Popen(self.options(*options) + list(program), cwd=self.path, env=self.env, **more)

    def runs(self):
        return sorted(glob.glob(os.path.join(self.path, "experiments", "*")))

    def run_dir(self):
        found = self.runs()
        assert len(found) == 1, f"one run expected: {found}"
        return found[0]

    def metadata(self):
        with open(os.path.join(self.run_dir(), "metadata.json")) as f:
            return json.load(f)

    def lane(self, name, stage="train"):
        path = os.path.join(self.run_dir(), f"{stage}.{name}.log" if name else f"{stage}.log")
        if not os.path.exists(path):
            return []
        with open(path, encoding="utf-8", newline="\n") as f:
            text = f.read()
        assert text == "" or text.endswith("\n"), "a torn record at the end of " + path
        return [json.loads(line) for line in text.split("\n")[:-1]]

    def texts(self, name="stdout"):
        return [r["line"] for r in self.lane(name) if r["msg"] == "line"]

    def events(self, message):
        return [r for r in self.lane("observer") if r["msg"] == message]

    def points(self, name):
        path = os.path.join(self.run_dir(), "metrics.csv")
        with open(path) as f:
            rows = [line.rstrip("\n").split(",") for line in f]
        return [(r[1], r[2]) for r in rows[1:] if r[0] == name]

    def remove(self):
        shutil.rmtree(self.path, ignore_errors=True)


def end_of(stderr):
    """The run_end line, which must be the last one."""
    last = stderr.rstrip(b"\n").split(b"\n")[-1]
    line = json.loads(last)
    assert line["event"] == "run_end", line
    return line


def children_of(pid):
    found = []
    for path in glob.glob("/proc/[0-9]*/stat"):
        try:
            with open(path) as f:
                text = f.read()
        except OSError:
            continue
        if int(text.rsplit(")", 1)[1].split()[1]) == pid:
            found.append(int(path.split("/")[2]))
    return found


def named(pids, name):
    return [pid for pid in pids if comm(pid) == name]


def guard_of(front):
    return wait_until(lambda: named(children_of(front), "run-guard"), "the guard")[0]


def keeper_of(front):
    """Of the guard's children, or of the front's when that is dead."""
    def found():
        near = children_of(front)
        return named(near, "run-keeper") or [k for g in named(near, "run-guard")
                                             for k in named(children_of(g), "run-keeper")]
    return wait_until(found, "the keeper")[0]


def stop(pid):
    os.kill(pid, signal.SIGSTOP)
    wait_until(lambda: state(pid) in ("T", "Z", ""), "its stop")  # it may be in the middle of a fork


def kill_observers(q, *more):
    """All three, so that none of them can do anything about it; and what else is given."""
    guard, keeper = guard_of(q.pid), keeper_of(q.pid)
    stop(q.pid)
    stop(guard)
    for pid in (keeper, *more, guard, q.pid):
        os.kill(pid, signal.SIGKILL)
    q.communicate(timeout=30)


def comm(pid):
    try:
        with open(f"/proc/{pid}/comm") as f:
            return f.read().strip()
    except OSError:
        return ""


def state(pid):
    try:
        with open(f"/proc/{pid}/stat") as f:
            return f.read().rsplit(")", 1)[1].split()[0]
    except OSError:
        return ""


def main():
    """Runs the tests whose name holds one of the words given, or all."""
    words = sys.argv[3:]
    at_once = 6 if words in (["anomalies."], ["ranks."]) else 1  # groups whose tests mostly wait
    e2e.run_all(Place, lambda f: not words or any(w in e2e.name_of(f) for w in words), at_once)
