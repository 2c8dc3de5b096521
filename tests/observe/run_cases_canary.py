"""Canaries: secrets put into every entrance of a run under load; no byte of them may lie in any file."""
import glob
import hashlib
import json
import os
import subprocess
import time

from run_harness import COMMAND, PYTHON, children_of, keeper_of, kill_observers, test, wait_until


def canary(entrance):
    """A token of a published form, another one for each entrance; made here, so that none is stored."""
    digest = hashlib.sha256(entrance.encode()).hexdigest() + hashlib.sha256(b"2" + entrance.encode()).hexdigest()
    letters = "".join("ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789"[int(digest[i:i + 2], 16) % 57]
                      for i in range(0, 72, 2))
    return "ghp" + "_" + letters


ENTRANCES = ("argv_option", "argv_equals", "argv_url", "argv_bare", "environment", "config_key", "config_comment",
             "config_value", "stdout", "stdout_split", "stdout_json", "stdout_key", "stderr", "traceback", "log_message",
             "log_value", "log_key", "log_module", "metric_name", "diff", "untracked", "untracked_name", "remote", "artifact",
             "http_body", "run_name", "outside_log", "note")

PROGRAM = r'''
import json, os, subprocess, sys, time
c = json.load(open(os.environ["CANARIES"]))
def out(text, stream=sys.stdout):
    stream.write(text)
    stream.flush()
m31r = os.environ["M31R_COMMAND"]
out("started with " + c["stdout"] + "\n")
half = c["stdout_split"]
out("token is " + half[:17])
time.sleep(0.3)
out(half[17:] + " as you see\n")
out(json.dumps({"msg": "login", "auth": {"token": c["stdout_json"]}, c["stdout_key"]: 1}) + "\n")
out(json.dumps({"msg": "request", "body": "prompt of a user with " + c["http_body"]}) + "\n")
out("warning: " + c["stderr"] + "\n", sys.stderr)
os.environ["LEAKY_TOKEN"] = c["environment"]
open(c["artifact"] + ".bin", "w").write("x")
run = [m31r, "log", "INFO", "app"]
subprocess.run(run + ["used " + c["log_message"]])
subprocess.run(run + ["value", "path=/tmp/" + c["log_value"]])
subprocess.run(run + ["key", c["log_key"] + "=1"])
subprocess.run([m31r, "log", "INFO", c["log_module"], "module"])
subprocess.run([m31r, "metric", c["metric_name"], "1", "--step", "1"])
open("ready", "w").close()
if os.environ.get("LOAD"):
    i = 0
    while True:
        i += 1
        out("step %d: loss 1.%d %s\n" % (i, i, c["stdout"] if i % 50 == 0 else "fine"))
        if i % 20 == 0:
            time.sleep(0.001)
raise ValueError("cannot log in with " + c["traceback"])
'''


def holds(path, needles):
    """Entrances whose canary lies in the file: a part of twelve characters is enough."""
    with open(path, "rb") as file:
        data = file.read()
    return [n for n, parts in needles.items() if any(part in data for part in parts)]


def search(p, needles, extra=()):
    """All bytes and names below the places where anything of ours is written."""
    found = []
    shm = glob.glob(f"/dev/shm/m31r-{os.getuid()}/*")
    ours = {os.path.basename(r) for r in p.runs()}
    places = [os.path.join(p.path, d) for d in ("experiments", "logs", "m31r", ".cache")]
    places += [d for d in shm if os.path.basename(d) in ours]
    for place in places + list(extra):
        for folder, _, files in os.walk(place):
            for name in files:
                path = os.path.join(folder, name)
                found += [(path, n) for n in holds(path, needles)]
                found += [(path, n) for n, parts in needles.items()
                          if any(part.decode() in name for part in parts)]
    return sorted(set(found))


def in_backlog(found):
    return [f for f in found if f[0].startswith("/dev/shm/") or "/.live/" in f[0]]


def lay_out(p):
    """A project with a canary in everything that a run looks at."""
    c = {name: canary(name) for name in ENTRANCES}
    needles = {n: [v[i:i + 12].encode() for i in range(4, len(v) - 11)] for n, v in c.items()}
    def write(name, text):
        with open(os.path.join(p.path, name), "w", encoding="utf-8") as file:
            file.write(text)
    def git(*words):
        subprocess.run(["git", *words], cwd=p.path, env=p.env, check=True, capture_output=True)
    write("main.py", PROGRAM)
    write("tracked.txt", "one\n")
    write(".gitignore", "experiments/\nlogs/\nready\ncanaries.json\nm31r/\n.cache/\n*.bin\n")
    write("train.yaml", f"config_version: 1\nseed: 1\napi_token: {c['config_key']}\n"
          f"# used before: {c['config_comment']}\nurl: https://x/?t={c['config_value']}\n")
    git("init", "-q")
    git("add", ".")
    git("-c", "user.name=t", "-c", "user.email=t@example.com", "commit", "-qm", "one")
    git("remote", "add", "origin", f"https://user:{c['remote']}@example.com/x.git")
    write("tracked.txt", f"one\ntoken: {c['diff']}\n")
    write("untracked.txt", f"token: {c['untracked']}\n")
    write(f"{c['untracked_name']}.txt", "x\n")
    write("canaries.json", json.dumps(c))
    p.env.update(CANARIES=os.path.join(p.path, "canaries.json"), M31R_COMMAND=COMMAND, SECRET_TOKEN=c["environment"],
                 GITHUB_TOKEN=c["environment"])
    return c, needles


def arguments(c):
    return [PYTHON, "main.py", "--token", c["argv_option"], f"--api-key={c['argv_equals']}",
            f"https://u:{c['argv_url']}@host/x", c["argv_bare"]]


@test
def canaries_of_a_run_that_ended(p):
    c, needles = lay_out(p)
    done = p.run(*arguments(c), options=("--config", "train.yaml", "--name", c["run_name"]))
    assert done.returncode == 1, done.stderr.decode()[-2000:]
    subprocess.run([COMMAND, "log", "INFO", "app", f"outside {c['outside_log']}"], cwd=p.path, env=p.env, check=True,
                   capture_output=True)
    subprocess.run([COMMAND, "note", "@", f"see {c['note']}"], cwd=p.path, env=p.env, check=True, capture_output=True)
    for words in (["runs"], ["show", "@"], ["logs", "@"], ["verify", "@"]):
        subprocess.run([COMMAND, *words], cwd=p.path, env=p.env, capture_output=True)
    found = search(p, needles)
    assert not found, f"canaries lie in files: {found}"
    lane = b"".join(open(f, "rb").read() for f in glob.glob(p.run_dir() + "/*.log"))
    assert lane.count(b"[redacted:") >= 8, "the canaries never came through"
    checked = subprocess.run([COMMAND, "verify", "--privacy", "@"], cwd=p.path, env=p.env, capture_output=True)
    assert checked.returncode == 0, checked.stdout.decode()[-2000:]
    assert os.stat(p.run_dir()).st_mode & 0o777 == 0o700, "others may look into the run"
    ours = [n for n in os.listdir(p.run_dir()) if os.path.isfile(os.path.join(p.run_dir(), n))]
    assert len(ours) > 8, ours
    for name in ours:
        mode = os.stat(os.path.join(p.run_dir(), name)).st_mode & 0o777
        assert mode & 0o77 == 0, f"others may read {name}: {mode:o}"
    counts = p.metadata()["privacy"]
    assert sum(row["n"] for row in counts["found"]) == counts["redacted"] > 8, counts


@test
def canaries_under_load_and_kill_9(p):
    c, needles = lay_out(p)
    p.env["LOAD"] = "1"
    front = p.start(*arguments(c), options=("--config", "train.yaml"))
    wait_until(lambda: os.path.exists(os.path.join(p.path, "ready")), "the program's records")
    time.sleep(0.5)
    kill_observers(front, *children_of(keeper_of(front.pid)))
    time.sleep(0.3)
    before = search(p, needles)
    assert before == in_backlog(before), f"canaries lie in files: {before}"
    recovered = subprocess.run([COMMAND, "recover", "--all", "--yes"], cwd=p.path, env=p.env, capture_output=True)
    assert recovered.returncode == 0, recovered.stderr.decode()[-1000:]
    after = search(p, needles)
    assert not after, f"canaries lie in files after recover: {after} (before: {len(before)} in the backlog)"
