"""What the tests of examples/pipeline share: a place to run in, the stages, and what they left."""
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
from e2e import SLOW, Skip, need, test, wait_until  # noqa: E402,F401

BIN = os.path.abspath(sys.argv[1])
SOURCE = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
M31R = os.path.join(BIN, "m31r")
PROGRAMS = os.path.join(BIN, "examples", "pipeline")
EXAMPLE = os.path.join(SOURCE, "examples", "pipeline")
CORPUS = os.path.join(SOURCE, "examples", "corpus")
TASKS = os.path.join(EXAMPLE, "tasks")


class Place:
    """A git work tree with one commit, and the runs below it."""

    def __init__(self):
        self.path = tempfile.mkdtemp(prefix="m31r-pipeline-")
        os.chmod(self.path, 0o755)
        self.env = {k: v for k, v in os.environ.items() if not k.startswith("M31R_")}
        self.env.update(HOME=self.path, GIT_CONFIG_GLOBAL="/dev/null", TZ="UTC")
        # A compiler of rustup is found through the home of whoever has installed it.
        home = os.environ.get("HOME", "/")
        self.env.setdefault("RUSTUP_HOME", os.path.join(home, ".rustup"))
        self.write(".gitignore", "*\n")
        for command in ("init -q", "add -f .gitignore",
                        "-c user.name=t -c user.email=t@example.org commit -qm start"):
            subprocess.run(["git"] + command.split(), cwd=self.path, env=self.env, check=True)

    def file(self, name):
        return os.path.join(self.path, name)

    def write(self, name, text):
        os.makedirs(os.path.dirname(self.file(name)), exist_ok=True)
        with open(self.file(name), "wb") as f:
            f.write(text if isinstance(text, bytes) else text.encode())
        return name

    def config(self, stage, **changes):
        """The stage's own config with some values changed; `level` is that of the library."""
        with open(os.path.join(EXAMPLE, stage + ".yaml")) as f:
            lines = f.read().split("\n")
        changes = {k: str(v) for k, v in changes.items()}
        for i, line in enumerate(lines):
            key = line.strip().split(":")[0]
            if key in changes:
                lines[i] = line[:line.index(":") + 1] + " " + changes.pop(key)
        assert not changes, f"no such key: {changes}"
        return self.write(stage + ".yaml", "\n".join(lines))

    def command(self, stage, *arguments):
        return [os.path.join(PROGRAMS, stage), *arguments]

    def run(self, stage, *arguments, **more):
        more.setdefault("timeout", 5 * SLOW)
        more.setdefault("env", self.env)
        return subprocess.run(self.command(stage, *arguments), cwd=self.path, capture_output=True,
                              text=True, stdin=subprocess.DEVNULL, **more)

    def start(self, stage, *arguments, **more):
        return subprocess.Popen(self.command(stage, *arguments), cwd=self.path, env=self.env,
                                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                stderr=subprocess.DEVNULL, **more)

    def m31r(self, *arguments):
        return subprocess.run([M31R, *arguments], cwd=self.path, env=self.env, text=True,
                              capture_output=True, timeout=5 * SLOW)

    def runs(self, stage=None):
        """Run directories, oldest first."""
        found = [os.path.dirname(m) for m in glob.glob(self.file("experiments/2*/metadata.json"))]
        found.sort(key=lambda d: Run(d).metadata["timestamp"])
        return [d for d in found if stage is None or Run(d).stage == stage]

    def last(self, stage):
        return Run(self.runs(stage)[-1])

    def link(self, name, target):
        if os.path.islink(self.file(name)):
            os.unlink(self.file(name))
        os.symlink(target, self.file(name))
        return name

    def remove(self):
        shutil.rmtree(self.path, ignore_errors=True)


class Run:
    """One run directory."""

    def __init__(self, path):
        self.path = path
        with open(os.path.join(path, "metadata.json")) as f:
            self.metadata = json.load(f)
        self.stage = self.metadata["stage"]
        self.id = self.metadata["run_id"]

    def records(self, message=None):
        with open(os.path.join(self.path, self.stage + ".log"), encoding="utf-8") as f:
            records = [json.loads(line) for line in f]
        return [r for r in records if message is None or r["msg"] == message]

    def one(self, message):
        found = self.records(message)
        assert len(found) == 1, f"{len(found)} records {message}"
        return found[0]

    def failure(self):
        """Reason and detail of the record with which a stage gave up."""
        record = self.one("stage_failed")
        assert record["level"] == "CRITICAL", record
        assert self.metadata["state"] == "failed", self.metadata["state"]
        return record["reason"], record["detail"]

    def file(self, name):
        return os.path.join(self.path, name)


TINY = dict(width=16, layers=1, heads=2, hidden=32, context=32, batch=4, workers=2, steps=12,
            warmup_steps=2, log_every=1, checkpoint_every=4, eval_every=6, eval_batches=2)


def make_shards(place, source=CORPUS, **changes):
    place.config("data", **changes)
    done = place.run("data", "--config", "data.yaml", "--source", source)
    assert done.returncode == 0, done.stdout + done.stderr
    run = place.last("data")
    place.link("shards", run.file("shards"))
    return run


def make_tokenizer(place, **changes):
    place.config("tokenizer", **{"vocab_size": 320, **changes})
    done = place.run("tokenizer", "--config", "tokenizer.yaml", "--shards", "shards")
    assert done.returncode == 0, done.stdout + done.stderr
    run = place.last("tokenizer")
    place.link("tokenizer.json", run.file("tokenizer/tokenizer.json"))
    return run


def make_model(place, *more, **changes):
    place.config("train", **{**TINY, **changes})
    done = place.run("train", "--config", "train.yaml", "--shards", "shards", "--tokenizer",
                     "tokenizer.json", *more)
    assert done.returncode == 0, done.stdout + done.stderr
    run = place.last("train")
    place.link("model.bin", sorted(glob.glob(run.file("checkpoints/*.bin")))[-1])
    return run


def make_all(place):
    make_shards(place, held_out_percent=20)
    make_tokenizer(place)
    return make_model(place)


def stop(process, number=signal.SIGTERM):
    process.send_signal(number)
    return process.wait(5 * SLOW)


def main(group):
    """Runs the tests whose name begins with `group`."""
    e2e.run_all(Place, lambda function: function.__name__.startswith(group))
