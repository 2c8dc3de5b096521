"""Canaries: secrets put into every entrance of a run under load; no byte of them may lie in any file."""
import glob
import hashlib
import json
import os
import shutil
import subprocess
import time

from run_harness import COMMAND, PYTHON, children_of, keeper_of, kill_observers, test, wait_until
from run_cases_crash import NO_HANDLERS

LEAKER = os.path.join(os.path.dirname(COMMAND), "tests", "m31r_leaker")
KILLS = int(os.environ.get("M31R_CANARY_KILLS", "1"))  # rounds of the run that is killed under load


MARK = "zQ9"  # stands in every eight letters of a canary: only beside it there can be one
NEEDLE = 12  # characters of a canary in a row that are a leak


def canary(entrance):
    """A token of a published form, another one for each entrance; made here, so that none is stored."""
    digest = hashlib.sha256(entrance.encode()).digest()
    letters = ["ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789"[b % 57] for b in digest]
    return "ghp" + "_" + "".join("".join(letters[i:i + 5]) + MARK for i in range(0, 25, 5))[:36]


ENTRANCES = """argv_option argv_equals argv_url argv_bare environment config_key config_comment config_value stdout stdout_split
    stdout_json stdout_key stdout_table stdout_no_end stderr traceback log_message log_value log_key log_module metric_name diff
    untracked untracked_name remote artifact http_body run_name run_dataset run_tokenizer run_metric outside_log note tag
    program_name program_option abort_text link_message link_key link_pair link_value link_header link_error link_sensitive
    link_metric link_step link_module link_unit link_identity link_input link_role link_output link_checkpoint link_missing
    link_cause stage_path stage_reason stage_task""".split()

PROGRAM = r'''
import json, os, subprocess, sys, time
c = json.load(open("canaries.json"))
def out(text, stream=sys.stdout):
    stream.write(text)
    stream.flush()
m31r = os.environ["M31R_COMMAND"]
leaker = ["./" + c["program_name"], "entrances"]
out("started with " + c["stdout"] + "\n")
half = c["stdout_split"]
out("token is " + half[:17])
time.sleep(0.3)
out(half[17:] + " as you see\n")
out(json.dumps({"msg": "login", "auth": {"token": c["stdout_json"]}, c["stdout_key"]: 1}) + "\n")
out(json.dumps({"msg": "request", "body": "prompt of a user with " + c["http_body"]}) + "\n")
out("| 3 | " + c["stdout_table"] + " | ok |\r\x1b[31m" + c["stdout_table"] + "\x1b[0m\n")
out("warning: " + c["stderr"] + "\n", sys.stderr)
os.environ["LEAKY_TOKEN"] = c["environment"]
open(c["artifact"] + ".bin", "w").write("x")
if os.environ.get("LOAD"):
    subprocess.Popen(leaker + ["load"])
else:
    subprocess.run(leaker + ["end"])
    run = [m31r, "log", "INFO", "app"]
    subprocess.run(run + ["used " + c["log_message"]])
    subprocess.run(run + ["value", "path=/tmp/" + c["log_value"]])
    subprocess.run(run + ["key", c["log_key"] + "=1"])
    subprocess.run([m31r, "log", "INFO", c["log_module"], "module"])
    subprocess.run([m31r, "metric", c["metric_name"], "1", "--step", "1"])
    subprocess.run(leaker + ["abort", "--" + c["program_option"]])
i = 0
while os.environ.get("LOAD"):
    i += 1
    out("step %d: loss 1.%d %s\n" % (i, i, c["stdout"] if i % 50 == 0 else "fine"))
    if i % 20 == 0:
        out("half " + half[:i % 36])
        time.sleep(0.001)
        out(half[i % 36:] + "\n")
out("last words " + c["stdout_no_end"])
raise ValueError("cannot log in with " + c["traceback"])
'''


def data_of(path):
    """The bytes of a file but for its holes: a ring is mostly one."""
    with open(path, "rb") as file:
        at, end, parts = 0, os.fstat(file.fileno()).st_size, []
        while at < end:
            try:
                at = os.lseek(file.fileno(), at, os.SEEK_DATA)
            except OSError:  # no more data
                break
            hole = os.lseek(file.fileno(), at, os.SEEK_HOLE)
            parts.append(os.pread(file.fileno(), hole - at, at))
            at = hole
    return b"\0".join(parts)


def holds(data, needles):
    """Entrances whose canary lies in the bytes: a part of NEEDLE bytes is enough."""
    found, at = set(), data.find(MARK.encode())
    while at >= 0:
        around = data[max(0, at - NEEDLE):at + NEEDLE]
        found.update(needles[part] for i in range(len(around) - NEEDLE + 1) if (part := around[i:i + NEEDLE]) in needles)
        at = data.find(MARK.encode(), at + 1)
    return found


def rings_of(p):
    """The files in shared memory of our runs: their names begin with the run's id."""
    return [f for run in p.runs() for f in glob.glob(f"/dev/shm/m31r-{os.getuid()}/{os.path.basename(run)}*")]


def search(p, needles):
    """(path, entrance) of all canaries in bytes and names: below the working directory, which is home, cache and
    place of temporary files too, but for the sources that they were put into; and in the rings."""
    paths = rings_of(p)
    for folder, folders, files in os.walk(p.path):
        if folder == p.path:
            folders.remove(".git")
            files = [f for f in files if f not in p.sources and not f.endswith(".bin")]
        paths += [os.path.join(folder, name) for name in files]
    found = {(path, n) for path in paths for n in holds(data_of(path), needles) | holds(path.encode(), needles)}
    return sorted(found)


def in_backlog(found):
    return [f for f in found if f[0].startswith("/dev/shm/") or "/.live/" in f[0]]


def lay_out(p):
    """A project with a canary in everything that a run looks at."""
    c = {name: canary(name) for name in ENTRANCES}
    needles = {v[i:i + NEEDLE].encode(): n for n, v in c.items() for i in range(4, len(v) - NEEDLE + 1)}
    p.sources = {"train.yaml", "tracked.txt", "untracked.txt", "canaries.json", "entrances", "main.py",
                 f"{c['untracked_name']}.txt", c["program_name"]}
    def write(name, text):
        with open(os.path.join(p.path, name), "w", encoding="utf-8") as file:
            file.write(text)
    def git(*words):
        subprocess.run(["git", *words], cwd=p.path, env=p.env, check=True, capture_output=True)
    write("main.py", PROGRAM)
    write("tracked.txt", "one\n")
    write(".gitignore", "experiments/\nlogs/\nready\nquiet\ngo\ncanaries.json\nentrances\nm31r/\n.cache/\ntmp/\n*.bin\n")
    write("train.yaml", f"config_version: 1\nseed: 1\napi_token: {c['config_key']}\n"
          f"# used before: {c['config_comment']}\nurl: https://x/?t={c['config_value']}\nobservability:\n  level: DEBUG\n")
    git("init", "-q")
    git("add", ".")
    git("-c", "user.name=t", "-c", "user.email=t@example.com", "commit", "-qm", "one")
    git("remote", "add", "origin", f"https://user:{c['remote']}@example.com/x.git")
    write("tracked.txt", f"one\ntoken: {c['diff']}\n")
    write("untracked.txt", f"token: {c['untracked']}\n")
    write(f"{c['untracked_name']}.txt", "x\n")
    write("canaries.json", json.dumps(c))
    write("entrances", "".join(f"{name} {value}\n" for name, value in c.items()))
    shutil.copy(LEAKER, os.path.join(p.path, c["program_name"]))
    os.mkdir(os.path.join(p.path, "tmp"))
    p.env.update(M31R_COMMAND=COMMAND, SECRET_TOKEN=c["environment"], GITHUB_TOKEN=c["environment"],
                 TMPDIR=os.path.join(p.path, "tmp"), ASAN_OPTIONS=NO_HANDLERS)
    return c, needles


def start(p, c):
    program = [PYTHON, "main.py", "--token", c["argv_option"], f"--api-key={c['argv_equals']}",
               f"https://u:{c['argv_url']}@host/x", c["argv_bare"]]
    options = ("--config", "train.yaml", "--name", c["run_name"], "--dataset", f"set-{c['run_dataset']}", "--tokenizer",
               c["run_tokenizer"], "--metric", f"{c['run_metric']}=loss ([0-9.]+)")
    return p.start(*program, options=options)


def m31r(p, *words):
    return subprocess.run([COMMAND, *words], cwd=p.path, env=p.env, capture_output=True, text=True)


def look(p, c):
    """What people do with a run: it makes caches, an index, logs of the shell."""
    assert m31r(p, "log", "INFO", "app", f"outside {c['outside_log']}").returncode == 0
    assert m31r(p, "note", "@", f"see {c['note']}").returncode == 0
    m31r(p, "tag", "@", c["tag"])
    for words in (["runs"], ["show", "@"], ["logs", "@"], ["explain", "@"], ["lineage", "@"], ["verify", "@"]):
        said = m31r(p, *words).stdout
        assert said and not any(secret in said for secret in c.values()), f"m31r {words[0]} tells a canary"


@test
def canaries_of_a_run_that_ended(p):
    c, needles = lay_out(p)
    front = start(p, c)
    wait_until(lambda: os.path.exists(os.path.join(p.path, "quiet")) or front.poll() is not None, "drained rings")
    assert rings_of(p), "no ring of a living program was found"
    found = search(p, needles)
    assert not found, f"canaries lie in files of a living run, drained: {found}"
    open(os.path.join(p.path, "go"), "w").close()
    errors = front.communicate(timeout=60)[1]
    assert front.returncode == 1, errors.decode()[-2000:]
    look(p, c)
    found = search(p, needles)
    assert not found, f"canaries lie in files: {found}"
    lanes = b"".join(open(f, "rb").read() for f in glob.glob(p.run_dir() + "/*.log"))
    for message in (b"library_failed", b"file_rejected", b"task_complete", b"crash", b"module_is_there", b"run_end"):
        assert b'"msg":"%s"' % message in lanes, message
    assert lanes.count(b"[redacted:") >= 25, "the canaries never came through"
    checked = m31r(p, "verify", "--privacy", "@")
    assert checked.returncode == 0, checked.stdout[-2000:]
    expect_modes(p)
    counts = p.metadata()["privacy"]
    markers = lanes.count(b"[redacted:") - lanes.count(b"[redacted:sensitive]")  # of all processes; that one is no find
    assert sum(row["n"] for row in counts["found"]) == counts["redacted"] >= markers, (markers, counts)


def expect_modes(p):
    assert os.stat(p.run_dir()).st_mode & 0o777 == 0o700, "others may look into the run"
    ours = [n for n in os.listdir(p.run_dir()) if os.path.isfile(os.path.join(p.run_dir(), n))]
    assert len(ours) > 8, ours
    for name in ours:
        mode = os.stat(os.path.join(p.run_dir(), name)).st_mode & 0o777
        assert mode & 0o77 == 0, f"others may read {name}: {mode:o}"


def descendants_of(pid):
    near = children_of(pid)
    return near + [d for child in near for d in descendants_of(child)]


@test
def canaries_under_load_and_kill_9(p):
    c, needles = lay_out(p)
    p.env["LOAD"] = "1"
    for round_ in range(KILLS):
        known = set(p.runs())
        front = start(p, c)
        lane = lambda: [f for r in set(p.runs()) - known for f in glob.glob(r + "/train.stdout.log") if os.path.getsize(f) > 20000]
        wait_until(lane, "records of the program")
        time.sleep(0.02 * (round_ % 20))
        kill_observers(front, *descendants_of(keeper_of(front.pid)))
        before = search(p, needles)
        assert before == in_backlog(before), f"canaries lie in files: {before}"
        recovered = m31r(p, "recover", "--all", "--yes")
        assert recovered.returncode == 0, recovered.stderr[-1000:]
        after = search(p, needles)
        assert not after, f"canaries lie in files after recover: {after}"
        print(f"round {round_ + 1}: {len(before)} in the backlog of the killed run, 0 after recover")
