"""A directory of runs that cannot be written, and a disk that is full: at every size it has."""
import glob
import json
import os
import shutil
import subprocess

from run_harness import COMMAND, Skip, end_of, test

LINES = 300
PRINTS = (f"i=0; while [ $i -lt {LINES} ]; do i=$((i+1)); "
          "echo \"step $i loss: 0.$i and more, so that the disk fills up\"; done; exit 7")


def command(root):
    return [COMMAND, "run", "--config", "none", "--seed", "1", "--dataset", "none", "--tokenizer",
            "none", "--commit", "none", "--root", root, "--metric", "loss=loss: ([0-9.]+)", "--"]


def on_tmpfs(p, options, script, *arguments):
    """Runs `script` with $1.. = arguments where $DISK is a fresh tmpfs that nobody else sees; what
    it held at the end is in $KEPT."""
    disk, kept = os.path.join(p.path, "disk"), os.path.join(p.path, "kept")
    shutil.rmtree(kept, ignore_errors=True)
    os.makedirs(disk, exist_ok=True)
    text = ('mount -t tmpfs -o "$1" tmpfs "$DISK" || exit 77; shift; '
            + script + '; status=$?; cp -r "$DISK" "$KEPT"; exit $status')
    done = subprocess.run(["unshare", "-m", "sh", "-c", text, "sh", options, *arguments],
                          cwd=p.path, env=dict(p.env, DISK=disk, KEPT=kept), capture_output=True,
                          stdin=subprocess.DEVNULL, timeout=60)
    if not os.path.isdir(kept):
        raise Skip("no tmpfs can be mounted here")
    return done, kept


def lines_of(path):
    with open(path, "rb") as f:
        data = f.read()
    assert data == b"" or data.endswith(b"\n"), "a torn end in " + path
    return data.split(b"\n")[:-1]


def check_whole(run, n_lost_allowed):
    """Every file of the run is valid; what is not in it is counted when the end could be written."""
    for name in glob.glob(run + "/*.log"):
        for line in lines_of(name):
            json.loads(line)
    for line in lines_of(run + "/metrics.csv"):
        assert line.count(b",") == 4, line
    with open(run + "/metrics.json") as f:
        json.load(f)
    with open(run + "/metadata.json") as f:
        metadata = json.load(f)
    kept = len(lines_of(run + "/train.stdout.log"))
    points = sum(line.startswith(b"loss,") for line in lines_of(run + "/metrics.csv"))
    if metadata["end"] is not None:
        lost = metadata["lost"]
        assert kept + lost["records"] >= LINES, (kept, lost)
        assert points + lost["points"] >= LINES, (points, lost)
    assert kept == LINES or n_lost_allowed, kept


@test
def disk_full_at_every_size(p):
    ends = set()
    for size in (4, 12, 16, 20, 24, 28, 32, 40, 48, 56, 64, 80, 96, 200, 400):
        done, kept = on_tmpfs(p, f"size={size}k", '"$@"',
                              *command(os.path.join(p.path, "disk", "runs")), "sh", "-c", PRINTS)
        runs = glob.glob(kept + "/runs/*")
        ends.add(done.returncode)
        if done.returncode == 3:  # no room for a run: said, not started, nothing left behind
            error = json.loads(done.stderr.strip().split(b"\n")[-1])["error"]
            assert "No space left" in error["message"] or "first record" in error["message"], error
            assert "make room" in error["hint"], error
            assert runs == [] and b"step 1 " not in done.stdout, (size, runs)
            continue
        assert done.returncode == 7 and end_of(done.stderr)["child_exit"] == 7, (size, done)
        assert done.stdout.count(b"so that the disk fills up") == LINES, size
        assert len(runs) == 1, runs
        said = b"No space left on device" in done.stderr
        assert size < 200 or not said, done.stderr
        check_whole(runs[0], said)
        with open(runs[0] + "/metadata.json") as f:
            end = json.load(f)["end"]
        low = [x for x in map(json.loads, done.stdout.splitlines()) if x["msg"] == "disk_low"]
        assert len(low) == 1 and low[0]["level"] == "WARNING", low
        assert end is not None or low[0]["reserved_bytes"] == 0, (size, low)
        assert low[0]["reserved_bytes"] > 0 or size < 56, f"{size} KiB: nothing was put by"
    assert ends == {3, 7}, ends


@test
def room_is_put_by_and_given_back(p):
    """8 MiB where there is room, a quarter on a small disk; gone with .live at the end."""
    for size, reserved in (("100m", 8 << 20), ("8m", 2 << 20)):
        look = 'stat -c "%b %B" "$M31R_RUN_DIR/.live/reserve"'
        done, kept = on_tmpfs(p, f"size={size}", '"$@"',
                              *command(os.path.join(p.path, "disk", "runs")), "sh", "-c", look)
        assert done.returncode == 0, done
        lines = [json.loads(x) for x in done.stdout.splitlines()]
        blocks, block = [int(x) for x in [x for x in lines if x["msg"] == "line"][0]["line"].split()]
        assert reserved * 0.9 <= blocks * block <= reserved, (size, blocks * block)
        low = [x for x in lines if x["msg"] == "disk_low"]
        assert len(low) == (size == "8m"), low
        assert not low or (low[0]["level"] == "WARNING" and 5 << 20 < low[0]["free_bytes"] < 8 << 20), low
        assert not glob.glob(kept + "/runs/*/.live*"), os.listdir(kept)


@test
def errors_are_written_to_a_full_disk(p):
    """What was put by is for them, and the end still finds its own."""
    crasher = os.path.join(os.path.dirname(COMMAND), "tests", "m31r_crasher")
    with open(os.path.join(p.path, "c.yaml"), "w") as f:
        f.write("config_version: 1\nobservability:\n  block_timeout_s: 0.2\n")
    options = command(os.path.join(p.path, "disk", "runs"))
    options[options.index("--config") + 1] = "c.yaml"
    done, kept = on_tmpfs(p, "size=2m", '"$@"', *options, crasher, "fill")
    end = end_of(done.stderr)
    assert (end["state"], end["child_exit"]) == ("finished", 0), done.stderr
    run = glob.glob(kept + "/runs/*")[0]
    records = [json.loads(line) for line in lines_of(run + "/train.log")]
    errors = [r["i"] for r in records if r["msg"] == "on_a_full_disk"]
    assert errors == list(range(50)), errors
    with open(run + "/metadata.json") as f:
        metadata = json.load(f)
    assert metadata["end"] is not None and metadata["lost"]["records"] >= 50, metadata["lost"]
    assert os.path.exists(run + "/manifest.json"), os.listdir(run)


@test
def a_recovery_on_a_full_disk_loses_nothing(p):
    """It says so, and the next one writes what is still in the ring."""
    crasher = os.path.join(os.path.dirname(COMMAND), "tests", "m31r_crasher")
    p.env["ASAN_OPTIONS"] = "handle_segv=0:detect_leaks=0"
    with open(os.path.join(p.path, "m31r.yaml"), "w") as f:
        f.write("config_version: 1\nconfig: c.yaml\ndataset: none\ntokenizer: none\nseed: 1\n")
    with open(os.path.join(p.path, "c.yaml"), "w") as f:
        f.write("config_version: 1\nseed: 1\n")
    # The program's writer finds no room for the last 100 records, and is killed before it gives up.
    script = ('cp c.yaml m31r.yaml "$DISK" && cd "$DISK" && git init -q . && '
              'git -c user.name=a -c user.email=a@b commit -q --allow-empty -m x && "$1" die_full; '
              '"$2" recover @ --yes --json >"$OLDPWD/first" 2>&1; echo $? >"$OLDPWD/status"; '
              'rm -f ballast; "$2" recover @ --yes')
    done, kept = on_tmpfs(p, "size=4m", script, crasher, COMMAND)
    assert done.returncode == 0, done
    with open(os.path.join(p.path, "status")) as f:
        assert f.read().strip() == "3", open(os.path.join(p.path, "first")).read()
    with open(os.path.join(p.path, "first")) as f:
        text = f.read()
    assert "No space left" in text and "Nothing is lost" in text, text
    records = [json.loads(x) for x in lines_of(glob.glob(kept + "/experiments/*/train.log")[0])]
    numbers = [r["i"] for r in records if r["msg"] == "last_words"]
    assert numbers == list(range(100)), numbers


@test
def read_only_file_system_is_said(p):
    done, _ = on_tmpfs(p, "size=64k", 'mkdir "$DISK/runs" && mount -o remount,ro "$DISK" && "$@"',
                       *command(os.path.join(p.path, "disk", "runs")), "echo", "started")
    error = json.loads(done.stderr)["error"]
    assert done.returncode == 3 and done.stdout == b"", done
    assert "Read-only file system" in error["message"] and "writable" in error["hint"], error


@test
def runs_directory_of_somebody_else_is_said(p):
    if os.getuid() != 0 or shutil.which("setpriv") is None:
        raise Skip("needs root, to be somebody else")
    os.chmod(p.path, 0o755)
    if subprocess.run(["setpriv", "--reuid=65534", "--clear-groups", "test", "-x", COMMAND]
                      ).returncode != 0:
        raise Skip("the command cannot be reached by somebody else")
    for made in (False, True):
        if made:
            os.mkdir(os.path.join(p.path, "runs"))
        done = subprocess.run(["setpriv", "--reuid=65534", "--clear-groups", *command("runs"),
                               "echo", "started"], cwd=p.path, env=p.env, capture_output=True)
        error = json.loads(done.stderr)["error"]
        assert done.returncode == 3 and done.stdout == b"", done
        assert "Permission denied" in error["message"] and error["hint"], error
        assert not made or os.listdir(os.path.join(p.path, "runs")) == []
