"""The eval stage: a harness that scores known answers as it must, and programs it cannot trust."""
import json
import os
import stat
import time

from pipeline_harness import TASKS, make_all, need, test


def evaluate(place, *more, tasks=TASKS, **changes):
    place.config("eval", **changes)
    done = place.run("eval", "--config", "eval.yaml", "--tasks", tasks, *more)
    return done, place.last("eval")


def make_task(place, name, reference, tests="#[test]\nfn two() { assert_eq!(f(), 2); }\n"):
    base = f"tasks/{name}/"
    place.write(base + "task.json", json.dumps(
        {"task": name, "category": name.split("/")[0], "edition": "2021", "stop": "brace"}))
    place.write(base + "prompt.rs", "pub fn f() -> i32 {\n")
    place.write(base + "reference.rs", reference)
    place.write(base + "tests.rs", tests)


def scores(run):
    end = run.one("eval_complete")
    return end["compile_rate"], end["pass_at_1"]


@test
def eval_scores_known_solutions_1_and_echoes_0(place):
    need("rustc")
    done, run = evaluate(place, "--mode", "reference", "--only", "own", workers=2)
    assert done.returncode == 0, done.stdout + done.stderr
    assert scores(run) == (1, 1) and run.one("eval_complete")["tasks"] == 3
    assert place.m31r("verify", run.id).returncode == 0
    done, run = evaluate(place, "--mode", "echo", "--only", "own")
    assert done.returncode == 0 and scores(run) == (0, 0)


@test
def eval_does_not_believe_an_exit_status(place):
    need("rustc")
    make_task(place, "cheats/exit", "    std::process::exit(0)\n}\n")
    make_task(place, "cheats/wrong", "    1 + 2\n}\n")
    make_task(place, "right/two", "    1 + 1\n}\n")
    done, run = evaluate(place, "--mode", "reference", tasks="tasks", level="DEBUG")
    assert done.returncode == 0
    passed = {r["task"]: r["passed"] for r in run.records("task_complete")}
    assert passed == {"cheats/exit": 0, "cheats/wrong": 0, "right/two": 1}, passed
    by_category = {r["category"]: r["pass_at_1"] for r in run.records("category_score")}
    assert by_category == {"cheats": 0, "right": 1}, by_category
    assert run.one("eval_complete")["compile_rate"] == 1


@test
def eval_keeps_programs_within_their_limits(place):
    need("rustc")
    make_task(place, "bad/loop", "    loop {}\n}\n")
    make_task(place, "bad/memory", "    let v = vec![1u8; 1 << 33];\n    v[5] as i32 + 1\n}\n")
    make_task(place, "bad/network",
              "    use std::net::TcpListener;\n"
              "    if TcpListener::bind(\"127.0.0.1:0\").is_ok() { 2 } else { 3 }\n}\n")
    make_task(place, "bad/parent", "    std::process::Command::new(\"/usr/bin/setsid\")"
              ".arg(\"/usr/bin/sleep\").arg(\"98765.4\").spawn().unwrap();\n    2\n}\n")
    began = time.monotonic()
    done, run = evaluate(place, "--mode", "reference", tasks="tasks", test_seconds=2)
    assert done.returncode == 0, done.stdout + done.stderr
    results = {r["task"]: (r["passed"], r["timeouts"]) for r in run.records("task_complete")}
    assert results["bad/loop"] == (0, 1) and results["bad/memory"] == (0, 0), results
    if run.one("eval_start")["network"] != "none":
        assert results["bad/network"] == (0, 0), results
    assert time.monotonic() - began < 120
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/cmdline", "rb") as f:
                    assert b"98765.4" not in f.read(), "a program was left behind"
            except OSError:
                pass


@test
def eval_without_a_compiler_or_with_one_that_hangs_says_so(place):
    done, run = evaluate(place, "--mode", "reference", rustc="no-such-rustc")
    assert done.returncode == 3, done
    reason, detail = run.failure()
    assert reason == "rustc_missing" and "no-such-rustc" in detail
    place.write("hangs", "#!/bin/sh\nexec sleep 1000\n")
    os.chmod(place.file("hangs"), stat.S_IRWXU)
    began = time.monotonic()
    done, run = evaluate(place, "--mode", "reference", rustc="./hangs", compile_seconds=1)
    assert done.returncode == 3 and run.failure()[0] == "rustc_hangs", done
    assert time.monotonic() - began < 30


@test
def eval_of_a_model_names_its_parents_and_is_the_same_twice(place):
    need("rustc")
    train = make_all(place)
    model = ("--checkpoint", "model.bin", "--tokenizer", "tokenizer.json", "--only", "fim")
    done, run = evaluate(place, *model, samples=2, max_tokens=16, level="DEBUG")
    assert done.returncode == 0, done.stdout + done.stderr
    done, again = evaluate(place, *model, samples=2, max_tokens=16, level="DEBUG")
    assert train.id in run.metadata["parents"], run.metadata["parents"]
    assert len(run.records("sample_judged")) == 6
    assert place.m31r("verify", run.id).returncode == 0
    assert place.m31r("diff", run.id, again.id).returncode == 0
    digest = run.one("model_loaded")["checkpoint_sha256"]
    other = ("0" if digest[0] != "0" else "1") + digest[1:]
    done, run = evaluate(place, *model, "--sha256", other)
    assert done.returncode == 1 and run.failure()[0] == "checkpoint_changed"
    assert evaluate(place, *model, "--sha256", digest)[0].returncode == 0
