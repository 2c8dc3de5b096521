"""The train stage: the same bits however often it was stopped, and nothing believed unchecked."""
import glob
import os
import random
import signal
import subprocess
import time

from pipeline_harness import (TINY, Run, make_model, make_shards, make_tokenizer, stop, test,
                              wait_until)

ARGUMENTS = ("--config", "train.yaml", "--shards", "shards", "--tokenizer", "tokenizer.json")


def prepare(place):
    return make_shards(place, held_out_percent=20), make_tokenizer(place)


def losses(place, name):
    with open(place.file(name)) as f:
        return dict(line.split() for line in f)


def checkpoint(run, step):
    return run.file(f"checkpoints/step_{step:06d}.bin")


@test
def learn_resumed_is_learn_in_one_piece_bit_for_bit(place):
    data, tokenizer = prepare(place)
    whole = make_model(place, "--losses", "whole")
    part = make_model(place, "--losses", "part", "--resume", checkpoint(whole, 4))
    all_losses, last = losses(place, "whole"), losses(place, "part")
    assert len(all_losses) == TINY["steps"] and len(last) == TINY["steps"] - 4
    assert all(all_losses[step] == loss for step, loss in last.items()), (all_losses, last)
    with open(checkpoint(whole, 12), "rb") as a, open(checkpoint(part, 12), "rb") as b:
        assert a.read() == b.read(), "the last checkpoints differ"
    assert set(whole.metadata["parents"]) == {data.id, tokenizer.id}
    assert part.metadata["resumes"]["run"] == whole.id, part.metadata["resumes"]
    assert whole.id in part.metadata["parents"], part.metadata["parents"]
    saved = [r["path"] for r in whole.records("checkpoint_written")]
    assert saved == [f"checkpoints/step_{n:06d}.bin" for n in (4, 8, 12)], saved
    steps = whole.records("step_complete")
    assert [r["step"] for r in steps] == list(range(1, 13))
    assert [r["tokens_total"] for r in steps] == [n * 4 * 32 for n in range(1, 13)]
    assert all(b["data_position"] - a["data_position"] == 4 or b["epoch"] > a["epoch"]
               for a, b in zip(steps, steps[1:])), "a step leads to its batch"
    for run in (whole, part):
        assert place.m31r("verify", run.id).returncode == 0


@test
def learn_killed_at_any_instant_can_be_resumed(place):
    prepare(place)
    place.config("train", **{**TINY, "steps": 400, "checkpoint_every": 3})
    process = place.start("train", *ARGUMENTS, "--losses", "killed")
    wait_until(lambda: place.runs("train") and
               glob.glob(os.path.join(place.runs("train")[-1], "checkpoints", "*.bin")),
               "a checkpoint")
    time.sleep(random.uniform(0, 0.3))
    process.kill()
    process.wait()
    killed = Run(place.runs("train")[-1])
    assert process.returncode == -signal.SIGKILL, "it was over too early"
    assert not killed.records("run_end") and len(killed.records("step_complete")) > 0
    last = sorted(glob.glob(killed.file("checkpoints/*.bin")))[-1]
    done = place.run("train", *ARGUMENTS, "--resume", last, "--losses", "resumed")
    assert done.returncode == 0, done.stdout + done.stderr
    run = place.last("train")
    assert run.metadata["resumes"] is None or run.metadata["resumes"]["run"] == killed.id
    place.run("train", *ARGUMENTS, "--losses", "whole")
    expected, resumed = losses(place, "whole"), losses(place, "resumed")
    assert resumed and all(expected[step] == loss for step, loss in resumed.items())


@test
def learn_asked_to_stop_saves_and_ends_by_that_signal(place):
    prepare(place)
    place.config("train", **{**TINY, "steps": 100000, "checkpoint_every": 0})
    process = place.start("train", *ARGUMENTS)
    wait_until(lambda: place.runs("train") and place.last("train").records("step_complete"),
               "a step of the training")
    assert stop(process) == -signal.SIGTERM
    run = place.last("train")
    assert run.metadata["state"] == "interrupted", run.metadata["state"]
    assert run.one("stage_interrupted")["level"] == "WARNING"
    assert run.one("checkpoint_saved")["step"] == run.records("step_complete")[-1]["step"]


@test
def learn_refuses_a_checkpoint_with_one_flipped_byte(place):
    prepare(place)
    run = make_model(place)
    path = checkpoint(run, 12)
    size = os.path.getsize(path)
    with open(path, "r+b") as f:
        f.seek(random.randrange(200, size))
        byte = f.read(1)
        f.seek(-1, os.SEEK_CUR)
        f.write(bytes([byte[0] ^ 1]))
    done = place.run("train", *ARGUMENTS, "--steps", "20", "--resume", path)
    assert done.returncode == 1
    reason, detail = place.last("train").failure()
    assert reason == "checkpoint_corrupt" and "expected" in detail, (reason, detail)
    assert place.m31r("verify", run.id).returncode == 4, "the run that made it tells as well"


@test
def learn_refuses_text_that_does_not_fit(place):
    prepare(place)
    place.write("tokenizer_cut.json", open(place.file("tokenizer.json")).read()[:200])
    make_model(place)
    done = place.run("train", "--config", "train.yaml", "--shards", "shards", "--tokenizer",
                     "tokenizer_cut.json")
    assert done.returncode == 1 and place.last("train").failure()[0] == "tokenizer_wrong"
    make_tokenizer(place, vocab_size=330)
    done = place.run("train", *ARGUMENTS, "--steps", "20", "--resume", "model.bin")
    assert done.returncode == 2 and place.last("train").failure()[0] == "checkpoint_shape"
