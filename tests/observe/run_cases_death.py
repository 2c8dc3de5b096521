"""Signals passed on, and the deaths and stops of the observing processes."""
import json
import os
import signal
import subprocess
import time

from run_harness import (COMMAND, PYTHON, Skip, children_of, comm, end_of, guard_of, keeper_of, kill_observers,
                         state, stop, test, wait_until)

COUNT = ("import sys,time\n"
         "for i in range({n}):\n"
         "    print('line', i, flush=True); time.sleep({pause})\n"
         "open('made','w').write('x')\nsys.exit({status})\n")


def count(n, pause, status=0):
    return [PYTHON, "-c", COUNT.format(n=n, pause=pause, status=status)]


def expect_lines(p, n):
    assert p.texts() == [f"line {i}" for i in range(n)], (len(p.texts()), n, p.texts()[:3], p.texts()[-3:])


def made(p):
    return os.path.exists(os.path.join(p.path, "made"))


def wait_for_line(p, i):
    def there():
        try:
            return f"line {i}" in p.texts()
        except (AssertionError, ValueError):
            return False
    wait_until(there, f"line {i}")


def wait_for_end(p):
    def ended():
        try:
            return p.metadata()["state"]
        except (OSError, ValueError, AssertionError):
            return None
    return wait_until(ended, "the end of the record")


@test
def signals_are_passed_on(p):
    for name, cause in (("SIGTERM", "preempted"), ("SIGINT", "signal"), ("SIGHUP", "signal")):
        q = p.start("sleep", "30")
        wait_until(lambda: len(children_of(keeper_of(q.pid))) == 1, "the program")
        q.send_signal(getattr(signal, name))
        _, err = q.communicate(timeout=30)
        assert q.returncode == -getattr(signal, name), (name, q.returncode)
        end = end_of(err)
        assert (end["state"], end["cause"], end["child_exit"]) == ("interrupted", cause, name), end


@test
def a_handled_signal_is_the_programs_business(p):
    program = ("import signal,time,sys\n"
               "signal.signal(signal.SIGUSR1, lambda *a: (print('got it', flush=True), sys.exit(5)))\n"
               "print('line 0', flush=True)\ntime.sleep(30)\n")
    q = p.start(PYTHON, "-c", program)
    wait_for_line(p, 0)
    q.send_signal(signal.SIGUSR1)
    _, err = q.communicate(timeout=30)
    assert q.returncode == 5 and p.texts() == ["line 0", "got it"]


@test
def inherited_dispositions_pass(p):
    program = ("import signal\nprint(signal.getsignal(signal.SIGUSR2) == signal.SIG_IGN,"
               "signal.getsignal(signal.SIGTERM) == signal.SIG_DFL, signal.getsignal(signal.SIGCHLD) == signal.SIG_DFL,"
               "len(signal.pthread_sigmask(signal.SIG_BLOCK, [])))\n")
    q = subprocess.Popen(p.options() + [PYTHON, "-c", program], cwd=p.path, env=p.env,
                         stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                         preexec_fn=lambda: signal.signal(signal.SIGUSR2, signal.SIG_IGN))
    q.wait(timeout=30)
    assert p.texts() == ["True True True 0"], p.texts()


@test
def a25_records_before_a_sigsegv_are_kept(p):
    r = p.run("sh", "-c", f"{COMMAND} log INFO job before k=1; {COMMAND} metric loss 2 --step 1; "
              "echo printed; kill -SEGV $$")
    end = end_of(r.stderr)
    assert (end["state"], end["child_exit"]) == ("killed", "SIGSEGV"), end
    assert [x["msg"] for x in p.lane("shell")] == ["before"] and p.texts() == ["printed"]
    assert p.points("loss") == [("1", "2.0")], p.points("loss")


@test
def an_ignored_signal_interrupts_nothing(p):
    q = p.start("sh", "-c", "echo up; sleep 0.5",
                preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN))
    wait_until(lambda: p.runs() and p.texts() == ["up"], "the program")
    q.send_signal(signal.SIGINT)
    assert end_of(q.communicate(timeout=30)[1])["state"] == "finished"


@test
def kill_9_of_the_front(p):
    q = p.start(*count(60, 0.02, 3))
    wait_for_line(p, 5)
    q.send_signal(signal.SIGKILL)
    q.communicate(timeout=30)
    assert wait_for_end(p) == "failed" and made(p)
    expect_lines(p, 60)
    assert p.metadata()["exit_status"] == 3
    assert p.events("observer_front_lost")


@test
def kill_9_of_the_keeper(p):
    q = p.start(*count(100, 0.02, 3))
    wait_for_line(p, 5)
    os.kill(keeper_of(q.pid), signal.SIGKILL)
    _, err = q.communicate(timeout=60)
    assert q.returncode == 3 and made(p), (q.returncode, err)
    assert end_of(err)["state"] == "failed"
    expect_lines(p, 100)
    meta = p.metadata()
    assert (meta["exit_status"], meta["cause"]) == (3, "exit_status"), meta
    assert p.events("observer_lost")[0]["level"] == "WARNING"
    assert not os.path.exists(os.path.join(p.run_dir(), ".live"))


@test
def kill_9_of_the_keeper_again_and_again(p):
    program = "import sys\nfor i in range(200000): sys.stdout.write(f'line {i}\\n')\nopen('made','w')\n"
    q = p.start(PYTHON, "-c", program, options=("--metric", r"n=line (?<step>\d+)000$"))
    n_killed = 0
    wait_for_line(p, 5)
    for _ in range(4):
        time.sleep(0.15)
        try:
            os.kill(keeper_of(q.pid), signal.SIGKILL)
            n_killed += 1
        except (OSError, AssertionError):
            break
    _, err = q.communicate(timeout=120)
    assert q.returncode == 0 and made(p), (q.returncode, err)
    texts = p.texts()
    missing = 200000 - len(set(texts))
    doubled = len(texts) - len(set(texts))
    assert n_killed > 0 and missing == 0 and doubled == 0, (n_killed, missing, doubled)


@test
def kill_9_of_the_keeper_keeps_the_programs_signal(p):
    q = p.start("sh", "-c", "touch on; until [ -e off ]; do sleep 0.05; done; kill -SEGV $$")
    wait_until(lambda: os.path.exists(os.path.join(p.path, "on")), "the program")
    os.kill(keeper_of(q.pid), signal.SIGKILL)
    open(os.path.join(p.path, "off"), "w").close()
    _, err = q.communicate(timeout=60)
    assert q.returncode == -signal.SIGSEGV, (q.returncode, err)
    assert end_of(err)["child_exit"] == "SIGSEGV"


@test
def a_stopped_keeper_is_continued(p):
    q = p.start(PYTHON, "-c", "import sys\nfor i in range(150000): sys.stdout.write(f'line {i}\\n')\n")
    keeper = keeper_of(q.pid)
    wait_for_line(p, 5)
    os.kill(keeper, signal.SIGSTOP)
    _, err = q.communicate(timeout=60)
    assert q.returncode == 0 and end_of(err)["state"] == "finished"
    expect_lines(p, 150000)


@test
def a_stopped_front_changes_nothing(p):
    q = p.start(*count(50, 0.02))
    wait_for_line(p, 3)
    q.send_signal(signal.SIGSTOP)
    assert wait_for_end(p) == "finished" and made(p)
    expect_lines(p, 50)
    q.send_signal(signal.SIGCONT)
    _, err = q.communicate(timeout=30)
    assert q.returncode == 0


def kill_pair(q, pair):
    """Two of front, guard and keeper, as `kill -9 A B` does it."""
    pids = {"front": q.pid, "guard": guard_of(q.pid), "keeper": keeper_of(q.pid)}
    for name in pair:
        os.kill(pids[name], signal.SIGKILL)


PAIRS = (("front", "keeper"), ("keeper", "front"), ("guard", "keeper"), ("keeper", "guard"), ("front", "guard"),
         ("guard", "front"))


@test
def kill_9_of_any_two_at_any_instant(p):
    """The program ends with its own status and all its work done; the record is whole and ends."""
    import random
    draw = random.Random(7)
    program = ("import os,sys,time\nfor i in range(70):\n    print('line', i, flush=True); time.sleep(0.005)\n"
               "    while i == 50 and not os.path.exists('go'): time.sleep(0.01)\n"
               "open('made','w')\nsys.exit(3)\n")
    rounds = [(type(p)(), pair, 0.2 * draw.random()) for pair in PAIRS]
    started = [place.start(PYTHON, "-c", program) for place, _, _ in rounds]
    for (place, pair, pause), q in zip(rounds, started):
        wait_for_line(place, 1)
        time.sleep(pause)
        kill_pair(q, pair)
        open(os.path.join(place.path, "go"), "w").close()
    for (place, pair, _), q in zip(rounds, started):
        q.communicate(timeout=60)
        assert q.returncode == (-signal.SIGKILL if "front" in pair else 3), (pair, q.returncode)
        assert wait_for_end(place) == "failed" and made(place), pair
        expect_lines(place, 70)
        meta = place.metadata()
        assert (meta["exit_status"], meta["cause"]) == (3, "exit_status"), (pair, meta)
        assert bool(place.events("observer_front_lost")) == ("front" in pair), pair
        assert len(place.events("observer_lost")) == ("keeper" in pair), pair
        assert not os.path.exists(os.path.join(place.path, ".live"))
        place.remove()


@test
def what_kills_by_name_or_command_line_leaves_a_keeper(p):
    q = p.start(*count(40, 0.01), options=("--id-file", "one-mark-of-this-run"))
    wait_for_line(p, 1)
    names = [comm(pid) for pid in (q.pid, guard_of(q.pid), keeper_of(q.pid))]
    assert names == [os.path.basename(COMMAND)[:15], "run-guard", "run-keeper"], names
    hit = [pid for pid, words in processes() if b"one-mark-of-this-run" in words]
    assert hit == [q.pid], hit
    for pid in hit:
        os.kill(pid, signal.SIGKILL)
    q.communicate(timeout=30)
    assert wait_for_end(p) == "finished" and made(p)
    expect_lines(p, 40)


@test
def any_two_that_are_stopped_are_continued_by_the_third(p):
    for stopped in (("front", "keeper"), ("guard", "keeper")):
        place = type(p)()
        q = place.start(PYTHON, "-c", "for i in range(15000): print(f'line {i:<100}')\n")  # more than a pipe holds
        pids = {"front": q.pid, "guard": guard_of(q.pid), "keeper": keeper_of(q.pid)}
        wait_until(lambda: place.runs() and place.texts(), "its lines")
        for name in stopped:
            os.kill(pids[name], signal.SIGSTOP)
        assert wait_for_end(place) == "finished"
        q.send_signal(signal.SIGCONT)
        q.communicate(timeout=60)
        assert q.returncode == 0
        assert place.texts() == [f"line {i:<100}" for i in range(15000)]
        place.remove()


@test
def all_three_killed_the_program_meets_only_a_closed_pipe(p):
    """What is left undone when no observer is left: said in README.md, shown here."""
    q = p.start("sh", "-c", "trap '' PIPE; sleep 1; echo x; sleep 0.2; echo done > made")
    wait_until(lambda: children_of(keeper_of(q.pid)), "the program")
    kill_observers(q)
    wait_until(lambda: made(p), "the program goes on")
    assert p.metadata()["state"] is None

    def recovered():
        r = subprocess.run([COMMAND, "recover", "@", "--yes", "--json"], cwd=p.path, env=p.env, capture_output=True)
        return r.stdout if r.returncode == 0 else None
    end = json.loads(wait_until(recovered, "the program's end, then a recovery"))
    assert (end["recovery"], end["state"], end["cause"]) == ("done", "crashed", "unknown"), end
    assert p.metadata()["state"] == "crashed" and not os.path.exists(os.path.join(p.run_dir(), ".live"))


def kill_started(front):
    """The observers that there are so far, stopped from the top, so that none replaces another."""
    stop(front)
    guards = children_of(front)
    for guard in guards:
        stop(guard)
    keepers = [child for guard in guards for child in children_of(guard)]
    for pid in keepers + guards + [front]:
        os.kill(pid, signal.SIGKILL)


@test
def a_live_program_is_never_called_crashed(p):
    """The observers killed at any instant of the start: a program that was started is known."""
    import random
    draw = random.Random(3)
    began = time.monotonic()
    q = p.start("touch", "on", options=("--no-sample",))
    wait_until(lambda: os.path.exists(os.path.join(p.path, "on")), "the program")
    span_s = 1.2 * (time.monotonic() - began)  # how long a start takes here and now
    q.communicate(timeout=60)
    n_started = 0
    for i in range(25):
        place = type(p)()
        mark = f"31.{os.getpid()}{i:02d}"
        q = place.start("sleep", mark, options=("--no-sample",))
        time.sleep(draw.random() * span_s)
        kill_started(q.pid)
        q.communicate(timeout=30)
        time.sleep(0.05)  # a child that was not let go ends by itself
        alive = [x for x in processes() if x[1] == f"sleep\0{mark}\0".encode()]
        shown = subprocess.run([COMMAND, "show", "@", "--json"], cwd=place.path, env=place.env, capture_output=True)
        if alive:
            n_started += 1
            seen = json.loads(shown.stdout)["state"]
            for pid, _ in alive:
                os.kill(pid, signal.SIGKILL)
            assert seen == "running", (i, seen)
        elif place.runs():
            assert json.loads(shown.stdout)["state"] == "crashed", shown
        place.remove()
    assert n_started > 0


def processes():
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/cmdline", "rb") as f:
                    yield int(name), f.read()
            except OSError:
                pass


@test
def a_stopped_program_is_recorded(p):
    q = p.start(*count(40, 0.03))
    wait_for_line(p, 3)
    program = children_of(keeper_of(q.pid))[0]
    os.kill(program, signal.SIGSTOP)
    wait_until(lambda: p.events("program_stopped"), "program_stopped")
    os.kill(program, signal.SIGCONT)
    q.communicate(timeout=30)
    assert q.returncode == 0 and p.events("program_continued")
    expect_lines(p, 40)


@test
def oom_kill_is_told_apart(p):
    group = "/sys/fs/cgroup/memory/m31r-test-%d" % os.getpid()
    v2 = os.path.exists("/sys/fs/cgroup/cgroup.controllers")
    if v2:
        group = "/sys/fs/cgroup/m31r-test-%d" % os.getpid()
    limit = os.path.join(group, "memory.max" if v2 else "memory.limit_in_bytes")
    try:
        os.mkdir(group)
        with open(limit, "w") as f:
            f.write(str(300 << 20))
    except OSError as e:
        if os.path.isdir(group):
            os.rmdir(group)
        raise Skip(f"no memory cgroup can be made here ({e})")
    try:
        hog = "b=[]\nwhile True: b.append(bytearray(10<<20))"
        join = f"echo $$ > {group}/cgroup.procs; exec \"$@\""
        r = subprocess.run(["sh", "-c", join, "sh"] + p.options() + [PYTHON, "-c", hog], cwd=p.path, env=p.env,
                           capture_output=True, timeout=120)
        assert r.returncode == -signal.SIGKILL, r
        end = end_of(r.stderr)
        assert (end["state"], end["cause"], end["child_exit"]) == ("killed", "kernel_oom", "SIGKILL"), end
        assert "oom_kill" in p.metadata()["cause_evidence"]
    finally:
        wait_until(lambda: open(os.path.join(group, "cgroup.procs")).read() == "", "the cgroup to empty")
        os.rmdir(group)
