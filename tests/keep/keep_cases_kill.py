"""rm, archive, clean and redact killed at each of their system calls that change anything.

The command is killed at the entry of such a call (strace injects SIGKILL): every state that a death
can leave is met. Afterwards all is there, or the tombstone says what is not; nothing is half; and the
same command, given again, finishes it. The suite takes some of the calls, M31R_SOAK=1 all.
"""
import hashlib
import json
import os
import shutil
import subprocess
import tempfile

from keep_cases_redact import LANE, make
from keep_cases_remove import lines, logs_of, verdict, with_files
from keep_harness import Skip, need, test

SOAK = bool(os.environ.get("M31R_SOAK"))
CALLS = "openat,write,pwrite64,renameat,renameat2,unlinkat,mkdirat,symlinkat,fsync,fdatasync,fchmod,ftruncate"
SHORT = 6  # calls to be killed at, in the suite


def traced(place, output, inject, arguments):
    command = ["strace", "-f", "-qq", "-o", output, "-e", f"trace={CALLS}", *inject, "m31r", *arguments]
    env = {**place.env, "ASAN_OPTIONS": "detect_leaks=0"}
    return subprocess.run(command, cwd=place.file("project"), env=env, capture_output=True, text=True,
                          timeout=120, stdin=subprocess.DEVNULL)


class Victim:
    """A directory of runs that is put back before each kill."""

    def __init__(self, place, *arguments, others=()):
        need("strace")
        self.place, self.arguments = place, arguments
        self.folders = [place.file("project/experiments"), place.file("project/logs"), *others]
        for i, folder in enumerate(self.folders):
            if os.path.exists(folder):
                shutil.copytree(folder, place.file(f"was{i}"), symlinks=True)

    def put_back(self):
        for i, folder in enumerate(self.folders):
            if os.path.lexists(folder):
                shutil.rmtree(folder)
            if os.path.exists(self.place.file(f"was{i}")):
                shutil.copytree(self.place.file(f"was{i}"), folder, symlinks=True)

    def moments(self):
        """The calls to be killed at, from the first that leaves something: name, and which of that name."""
        log = self.place.file("calls")
        done = traced(self.place, log, [], self.arguments)
        if "ptrace" in done.stderr.lower():
            raise Skip("strace may not trace here")
        assert done.returncode == 0, done.stdout + done.stderr
        with open(log) as f:
            calls = [line for line in f if "(" in line]
        seen, moments, has_begun = {}, [], False
        for call in calls:
            name = call.split("(")[0].split()[-1]
            seen[name] = seen.get(name, 0) + 1
            has_begun = has_begun or name in ("mkdirat", "unlinkat", "renameat", "renameat2") or "O_CREAT" in call
            if has_begun and (name != "openat" or "O_CREAT" in call):
                moments.append((name, seen[name]))
        return moments if SOAK else moments[::max(1, len(moments) // SHORT)]

    def killed(self):
        """Each time after the command was killed."""
        n_killed, moments = 0, self.moments()
        for name, which in moments:
            self.put_back()
            inject = ["-e", f"inject={name}:signal=SIGKILL:when={which}"]
            done = traced(self.place, "/dev/null", inject, self.arguments)
            n_killed += done.returncode != 0
            yield name, which
        assert n_killed * 10 >= len(moments) * 9, (n_killed, moments)

    def again(self):
        return self.place.do(*self.arguments)


def is_whole(place, run, root=None):
    """True when the run is there and verifies, False when there is nothing of it under its name."""
    path = os.path.join(root or place.file("project/experiments"), run.id)
    if not os.path.lexists(path):
        return False
    held = verdict(place, run.id, "--seal", *(("--root", root) if root else ()))
    assert held["verdict"] == "verified", held
    return True


def has_tombstone(place, run):
    path = place.file(f"project/experiments/.removed/{run.id}/tombstone.json")
    if not os.path.exists(path):
        return False
    with open(path) as f:
        assert json.load(f)["run_id"] == run.id
    return True


def hidden(folder):
    return [n for n in os.listdir(folder) if n.startswith((".removing-", ".archiving-"))]


@test
def kill_rm_leaves_the_run_or_its_tombstone(place):
    place.project()
    run, other = with_files(place, "a.pt", "b.pt"), with_files(place)
    root = place.file("project/experiments")
    victim = Victim(place, "rm", run.id, "--reason", "killed", "--yes")
    for n in victim.killed():
        assert is_whole(place, run) or has_tombstone(place, run), n
        assert is_whole(place, other), n
        assert run.id in place.do("runs", "--json").stdout or not os.path.exists(run.path), n
        if os.path.exists(run.path):
            done = victim.again()
            assert done.returncode == 0, (n, done.stdout, done.stderr)
        else:  # it is gone from the list; what is left of it goes with the next removal
            extra = os.path.join(root, "20200101T000000Z-00000000")
            shutil.copytree(place.file("was0/" + run.id), run.path, symlinks=True)
            assert victim.again().returncode == 0 and not os.path.exists(extra), n
        assert has_tombstone(place, run) and not hidden(root) and not os.path.exists(run.path), n


@test
def kill_rm_payload_leaves_no_file_unexplained(place):
    place.project()
    run = with_files(place, "a.pt", "b.pt", "c.pt")
    victim = Victim(place, "rm", run.id, "--payload", "--reason", "killed", "--yes")
    for n in victim.killed():
        assert is_whole(place, run), n
        done = victim.again()
        assert done.returncode == 0 and os.listdir(run.file("checkpoints")) == [], (n, done.stderr)
        assert is_whole(place, run), n


def archive_killed(place, target):
    run, other = with_files(place, "a.pt", "b.pt"), with_files(place)
    victim = Victim(place, "archive", run.id, target, "--yes", others=[target])
    for n in victim.killed():
        here, there = is_whole(place, run), is_whole(place, run, target)
        assert here or (there and has_tombstone(place, run)), (n, here, there)
        assert is_whole(place, other), n
        if here:
            done = victim.again()
            assert done.returncode == 0, (n, done.stderr)
        assert is_whole(place, run, target) and not is_whole(place, run) and not hidden(target), n


@test
def kill_archive_leaves_the_run_in_one_place_at_least(place):
    place.project()
    archive_killed(place, place.file("archive"))


@test
def kill_archive_to_another_file_system(place):
    """Copied, read back, and only then removed: the other device is a tmpfs."""
    if not os.path.isdir("/dev/shm") or os.stat("/dev/shm").st_dev == os.stat(place.path).st_dev:
        raise Skip("no second file system")
    place.project()
    target = tempfile.mkdtemp(prefix="m31r-archive-", dir="/dev/shm")
    try:
        archive_killed(place, os.path.join(target, "runs"))
    finally:
        shutil.rmtree(target)


@test
def kill_archive_onto_a_full_disk_leaves_the_run(place):
    """A limit on the size of files stands for the disk: the copy fails in the middle of a file."""
    place.project()
    run = with_files(place, "a.pt")
    big = place.do("run", "--stage", "work", "--", "sh", "-c",
                   'head -c 3000000 /dev/zero > "$M31R_RUN_DIR/checkpoints/big.pt"')
    assert big.returncode == 0, big.stderr
    large = json.loads(big.stderr.strip().split("\n")[-1])["run_id"]
    target = place.file("archive")
    done = subprocess.run(["sh", "-c", f"trap '' XFSZ; ulimit -f 2000; exec m31r archive {large} {target} --yes"],
                          cwd=place.file("project"), env=place.env, capture_output=True, text=True)
    assert done.returncode == 3, done.stdout + done.stderr
    assert verdict(place, large, "--seal")["verdict"] == "verified"
    assert os.listdir(target) == [], os.listdir(target)
    assert place.do("archive", large, target, "--yes").returncode == 0 and is_whole(place, run)


@test
def kill_archive_to_a_file_system_that_is_full_loses_nothing(place):
    """A small tmpfs, in a name space of its own; the same command does it once there is room."""
    need("unshare")
    place.project()
    program = 'head -c 1500000 /dev/urandom > "$M31R_RUN_DIR/checkpoints/big.pt"'
    run = place.observe("sh", "-c", program, options=("--stage", "work"))
    target, again = place.file("small"), f"m31r archive {run.id} {place.file('small/runs')} --yes"
    os.mkdir(target)
    script = f"""mount -t tmpfs -o size=1m tmpfs {target} || exit 77
{again} 2> {place.file("said")}; echo $?; find {target} -type f
m31r verify {run.id} --seal --text | head -1
mount -o remount,size=4m {target}; {again} > /dev/null; echo $?
m31r verify {run.id} --root {target}/runs --seal --text | head -1"""
    done = subprocess.run(["unshare", "-rm", "sh", "-c", script], cwd=place.file("project"), env=place.env,
                          capture_output=True, text=True)
    if done.returncode == 77 or "unshare" in done.stderr:
        raise Skip("no file system may be mounted here")
    verified = run.id + "   verified"
    assert done.stdout.split("\n") == ["3", verified, "0", verified, ""], done.stdout + done.stderr
    with open(place.file("said")) as f:
        said = f.read()
    assert "No space left" in said and "the run is where it was" in said, said


@test
def kill_clean_removes_nothing_untold(place):
    place.project()
    info = '{"ts":"2026-01-01T00:00:00.000000Z","level":"INFO","module":"m","msg":"x"}\n'
    names = [f"shell.{i:06d}.2020010{i}T000000Z.log" for i in range(1, 6)]
    logs_of(place, ("shell.log", info), *((n, info * (i + 1)) for i, n in enumerate(names)))
    victim = Victim(place, "clean", "--days", "30", "--yes")
    digests = {n: hashlib.sha256((info * (i + 1)).encode()).hexdigest() for i, n in enumerate(names)}
    for n in victim.killed():
        logs = place.file("project/logs")
        told = {}
        if os.path.exists(os.path.join(logs, "removed.jsonl")):
            with open(os.path.join(logs, "removed.jsonl")) as f:
                told = {r["file"]: r["sha256"] for r in map(json.loads, f.read().split("\n")[:-1])}
        gone = [name for name in names if not os.path.exists(os.path.join(logs, name))]
        assert all(told.get(name) == digests[name] for name in gone), (n, gone, told)
        assert victim.again().returncode == 0, n
        assert [x for x in sorted(os.listdir(logs)) if "removed" not in x] == [names[-1], "shell.log"], n


@test
def kill_redact_says_what_was_begun_and_finishes_it(place):
    run = make(place)
    victim = Victim(place, "redact", run.id, "--reason", "killed", "--yes")
    for n in victim.killed():
        held = verdict(place, run.id, "--seal")
        said = [c["why"] for c in held["checks"] if c["holds"] is False]
        assert held["verdict"] == "verified" or any("redact again" in why for why in said), (n, said)
        done = victim.again()
        assert done.returncode == 0, (n, done.stdout, done.stderr)
        with open(run.file(LANE)) as f:
            assert "ghp_" not in f.read(), n
        assert is_whole(place, run) and lines(victim.again())[0]["records"] == 0, n
        assert not [x for x in os.listdir(run.path) if x.endswith(".tmp")], n
