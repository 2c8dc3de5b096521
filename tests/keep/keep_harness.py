"""What the tests of kept runs share: a project in git, runs of it, and what the command says."""
import json
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "pipeline"))
sys.path.insert(0, os.path.join(HERE, ".."))
import e2e  # noqa: E402
from e2e import Skip, need, test, wait_until  # noqa: E402,F401
from pipeline_harness import BIN, EXAMPLE, Place as PipelinePlace, Run, make_all, make_model, make_shards, make_tokenizer  # noqa: E402,F401

SCRIPT = """import os, sys
lr = float([l for l in open("train.yaml") if l.startswith("lr:")][0].split()[1])
size = sum(len(open(os.path.join("data", n), "rb").read()) for n in sorted(os.listdir("data")))
for step in (1, 2):
    loss = 100.0 / (step * lr) + size
    os.system(f"m31r metric loss {loss!r} --step {step}")
"""


class Place(PipelinePlace):
    """A work tree of its own in `project`, with a config, data and a script; runs beside it."""

    def __init__(self):
        super().__init__()
        self.env["PATH"] = BIN + os.pathsep + self.env["PATH"]
        for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
            self.env.pop(name, None)

    def project(self, folder="project"):
        self.write(f"{folder}/train.yaml", "config_version: 1\nseed: 42\nlr: 0.5\n")
        self.write(f"{folder}/train.py", SCRIPT)
        self.write(f"{folder}/data/shard_000", "fn main() {}\n")
        self.write(f"{folder}/.gitignore", "experiments/\nlogs/\ndata/\n")
        self.write(f"{folder}/m31r.yaml", "config_version: 1\nconfig: train.yaml\nseed_key: seed\n"
                   "dataset: data\ntokenizer: none\n")
        self.git("init", "-q", folder=folder)
        self.commit(folder=folder)
        return self.file(folder)

    def git(self, *arguments, folder="project"):
        done = subprocess.run(["git", "-c", "user.name=t", "-c", "user.email=t@example.org", "-c",
                               "protocol.file.allow=always", *arguments], cwd=self.file(folder),
                              env=self.env, capture_output=True, text=True)
        assert done.returncode == 0, (arguments, done.stderr)
        return done.stdout

    def commit(self, folder="project"):
        self.git("add", ".", folder=folder)
        self.git("commit", "-qm", "state", folder=folder)

    def do(self, *arguments, folder="project", **variables):
        return subprocess.run(["m31r", *arguments], cwd=self.file(folder), env={**self.env, **variables},
                              capture_output=True, text=True, timeout=300, stdin=subprocess.DEVNULL)

    def observe(self, *program, folder="project", options=(), **variables):
        """Runs a program under observation; its run."""
        done = self.do("run", *options, "--", *(program or (sys.executable, "train.py")),
                            folder=folder, **variables)
        assert done.returncode == 0, done.stdout + done.stderr
        end = json.loads(done.stderr.strip().split("\n")[-1])
        return Run(os.path.join(self.file(folder), "experiments", end["run_id"]))

    def reproduce(self, *arguments, folder="project", **variables):
        """Exit status, findings by what they are of, and whether it was reproduced."""
        done = self.do("reproduce", "--json", *arguments, folder=folder, **variables)
        lines = [json.loads(line) for line in done.stdout.split("\n") if line]
        found = next((x for x in lines if x["kind"] == "reproduction"), {"findings": []})
        last = next((x for x in lines if x["kind"] == "reproduced"), None)
        diff = next((x for x in lines if x["kind"] == "diff"), None)
        return Reproduction(done, {f["what"]: f for f in found["findings"]}, last, diff)


class Reproduction:
    def __init__(self, done, findings, last, diff):
        self.status, self.said = done.returncode, done.stdout + done.stderr
        self.findings, self.last, self.diff = findings, last, diff
        self.differs = [(d["group"], d["key"]) for d in last["differs"]] if last else []

    def result(self, what):
        assert what in self.findings, (what, self.said)
        return self.findings[what]["result"]


def main(group):
    """Runs the tests whose name begins with `group`."""
    e2e.run_all(Place, lambda function: function.__name__.startswith(group))
