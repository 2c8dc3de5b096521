"""All stages one after the other, as `./dev pipeline` runs them: observed, verified, the same twice."""
import os
import subprocess

from pipeline_harness import BIN, CORPUS, EXAMPLE, TINY, Run, need, test

STAGES = ("data", "tokenizer", "train", "eval", "serve")
SCRIPT = os.path.join(EXAMPLE, "run.sh")


def pipeline(place, source, configs, timeout=900):
    done = subprocess.run(["sh", SCRIPT, BIN, source, place.path, configs], cwd=place.path,
                          env=place.env, capture_output=True, text=True, timeout=timeout)
    assert done.returncode == 0, done.stdout + done.stderr
    runs = {}
    for stage in STAGES:
        with open(place.file(stage + ".id")) as f:
            runs[stage] = Run(place.file("experiments/" + f.read().strip()))
    assert done.stdout.count("   verified") == 5, done.stdout
    return runs


@test
def whole_pipeline_is_verified_is_one_lineage_and_is_the_same_twice(place):
    need("ab", "rustc")
    os.mkdir(place.file("configs"))
    for stage, changes in (("data", dict(held_out_percent=20)), ("tokenizer", dict(vocab_size=300)),
                           ("train", TINY), ("eval", dict(samples=1, max_tokens=8)), ("serve", {})):
        os.rename(place.file(place.config(stage, **changes)), place.file(f"configs/{stage}.yaml"))
    first = pipeline(place, CORPUS, "configs")
    parents = {stage: set(run.metadata["parents"]) for stage, run in first.items()}
    ids = {stage: run.id for stage, run in first.items()}
    assert parents["data"] == set()
    assert parents["tokenizer"] == {ids["data"]}
    assert parents["train"] == {ids["data"], ids["tokenizer"]}
    for stage in ("eval", "serve"):
        assert parents[stage] == {ids["tokenizer"], ids["train"]}, (stage, parents, ids)
    assert all(run.metadata["state"] == "finished" for run in first.values()), \
        {stage: run.metadata["state"] for stage, run in first.items()}
    assert first["serve"].one("serving_complete")["requests"] == 20
    unusual = [r for run in first.values() for r in run.records() if r["level"] != "INFO"]
    assert not unusual, unusual
    shown = place.m31r("lineage", ids["serve"], "--json")
    assert shown.returncode == 0 and ids["data"] in shown.stdout, shown.stdout + shown.stderr
    second = pipeline(place, CORPUS, "configs")
    for stage in STAGES:
        done = place.m31r("diff", ids[stage], second[stage].id)
        assert done.returncode == 0, f"{stage}: {done.stdout}{done.stderr}"


@test
def soak_pipeline_on_the_standard_library(place):
    need("ab", "rustc")
    folders = [f for f in ("/usr/src/rustc-1.63.0/library", "/usr/lib/rustlib/src/rust/library")
               if os.path.isdir(f)]
    source = folders[0] if folders else CORPUS
    runs = pipeline(place, source, EXAMPLE, timeout=1800)
    steps = runs["train"].records("step_complete")
    assert steps[-1]["loss"] < steps[0]["loss"] - 1
